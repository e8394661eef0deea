"""Names, letter by letter, by a recurrent neural network: as vSwarm's rnn-serving, of the same shape (language and letter in,
128 hidden neurons, letter out), with NumPy instead of PyTorch. Its weights are random numbers, so the names are of no language;
the arithmetic is that of a trained one. Always the likeliest letter comes next, so the same request has the same answer."""

import itertools
import string

import numpy

import inputs
import rnn_serving_pb2
import server

LANGUAGES = [
    "Arabic",
    "Chinese",
    "Czech",
    "Dutch",
    "English",
    "French",
    "German",
    "Greek",
    "Irish",
    "Italian",
    "Japanese",
    "Korean",
    "Polish",
    "Portuguese",
    "Russian",
    "Scottish",
    "Spanish",
    "Vietnamese",
]
LETTERS = string.ascii_letters + " .,;'-"
END = len(LETTERS)
HIDDEN, LONGEST = 128, 20
SIZES = {"small": ("French", 1), "medium": ("German", 5), "large": ("Russian", 20)}  # language, names


def matrices(*shapes):
    """Of random weights, the smaller the more a neuron has of them."""
    numbers = inputs.numbers()
    for rows, columns in shapes:
        row = itertools.islice(numbers, rows * columns)
        yield numpy.array([number / 2**30 - 1 for number in row], numpy.float32).reshape(rows, columns) * numpy.float32(3 / columns**0.5)


BY_LANGUAGE, BY_LETTER, BY_HIDDEN, OUT = matrices((HIDDEN, len(LANGUAGES)), (HIDDEN, END), (HIDDEN, HIDDEN), (END + 1, HIDDEN))


def name(language, start):
    hidden, letter, letters = numpy.zeros(HIDDEN, numpy.float32), LETTERS.index(start), [start]
    for _ in range(LONGEST - 1):
        hidden = numpy.tanh(BY_LANGUAGE[:, language] + BY_LETTER[:, letter] + BY_HIDDEN @ hidden)
        letter = int(numpy.argmax(OUT @ hidden))
        if letter == END:
            break
        letters.append(LETTERS[letter])
    return "".join(letters)


def generate_string(request, context):
    language, count = request.language, request.numSamples or 1
    if language not in LANGUAGES:
        _, (language, count) = inputs.choose(language, SIZES, context)
    starts = itertools.islice(itertools.cycle(string.ascii_uppercase), count)
    names = [name(LANGUAGES.index(language), start) for start in starts]
    return rnn_serving_pb2.GetString(message=f"fn: RNN-Serving | language:{language}.n:{count} | output:{names} | runtime: python")


if __name__ == "__main__":
    server.serve("rnn-serving-python", server.arguments("rnn-serving-python").addr, rnn_serving_pb2, generate_string)
