"""A DNA sequence as the points of a line, as JSON: SeBS's dna-visualisation. Two points a base: T and C begin downwards, A and
G upwards; T and G go on where A and C come back (Squiggle: Lee, 2018)."""

import json

import dna_visualisation_pb2
import inputs
import server

SIZES = {"small": 1000, "medium": 5000, "large": 20000}
STEPS = {"A": (0.5, 0), "C": (-0.5, 0), "T": (-0.5, -1), "G": (0.5, 1)}
SEQUENCES = {size: inputs.bases(count) for size, count in SIZES.items()}


def line(sequence):
    y, xs, ys = 0, [0], [0]
    for base in sequence:
        half, step = STEPS[base]
        xs += xs[-1] + 0.5, xs[-1] + 1
        ys += y + half, y + step
        y += step
    return xs, ys


def visualise(request, context):
    size, _ = inputs.choose(request.name, SIZES, context)
    xs, ys = line(SEQUENCES[size])
    text = json.dumps({"x": xs, "y": ys})
    return dna_visualisation_pb2.Reply(
        message=f"fn: DNAVisualisation | sequence: {size} | points: {len(xs)} | lowest: {min(ys)} | highest: {max(ys)} | "
        f"end: {ys[-1]} | bytes: {len(text)} | runtime: python"
    )


server.serve("dna-visualisation-python", server.arguments("dna-visualisation-python").addr, dna_visualisation_pb2, visualise)
