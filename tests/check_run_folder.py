#!/usr/bin/env python3
"""Check a run folder from outside: stats.txt by a reader of gem5's format that shares nothing with ours, its sums and
ratios, and whether invocations.csv, invocations.json, run.json and report.html say the same.

Usage: check_run_folder.py RUN_FOLDER"""

import csv
import html.parser
import json
import math
import os
import re
import sys

BEGIN = "---------- Begin Simulation Statistics ----------"
END = "---------- End Simulation Statistics   ----------"
# gem5's src/base/stats/text.cc: name in 40 columns, value in 12, two empty ones of 10, description, unit.
LINE = re.compile(r"^(?=.{40})(?P<name>\S+) +(?P<value>-?\d+(?:\.\d{6})?|nan|inf) {23,}# (?P<text>.+) \((?P<unit>.+)\)$")
UNITS = re.compile(r"^(Second|Tick|Cycle|Count|Byte|Ratio|\(\w+/\w+\))$")

passed = failed = 0


def check(good, what):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print("failed:", what)


def same(a, b):
    """To the digit; not a number is what it is."""
    return a == b or isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b)


def close(a, b, digits=6):
    """Equal as far as `digits` printed decimals can tell."""
    return a == b or math.isnan(a) and math.isnan(b) or abs(a - b) <= 0.6 * 10**-digits


def read_stats(path):
    """The blocks, each a dictionary of name -> number."""
    blocks, block = [], None
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        line, where = line.rstrip("\n"), f"stats.txt:{number}"
        if line == BEGIN:
            check(block is None, f"{where}: Begin inside a block")
            block = {}
        elif line == END:
            check(bool(block), f"{where}: End of nothing")
            blocks.append(block)
            block = None
        elif line:
            match = LINE.match(line)
            check(match and block is not None, f"{where}: not a line of gem5's format: {line}")
            if match and block is not None:
                name, value = match["name"], match["value"]
                check(UNITS.match(match["unit"]), f"{where}: no unit of gem5's: {match['unit']}")
                check(name not in block, f"{where}: {name} is there twice")
                check(not name.startswith("host"), f"{where}: {name} depends on the host")
                column = line.index("#")
                wide = max(0, len(name) - 40) + max(0, len(value) - 12)
                check(column == 76 + wide, f"{where}: # in column {column}")
                block[name] = float(value) if "." in value or value in ("nan", "inf") else int(value)
    check(block is None, "stats.txt: the last block does not end")
    return blocks


def ratio(a, b):
    return a / b if b else math.nan if a == 0 else math.inf


def check_block(block, core, where):
    """What must hold within one block."""
    cycles = block.get(f"system.cpu{core}.numCycles", 0)
    check(block["simFreq"] == 10**12, f"{where}: simFreq is not 1 ps")
    check(close(block["simSeconds"], block["simTicks"] / block["simFreq"]), f"{where}: simSeconds and simTicks differ")
    check(block["simTicks"] % cycles == 0 if cycles else block["simTicks"] == 0, f"{where}: simTicks is not whole cycles")
    check(block["finalTick"] >= block["simTicks"], f"{where}: finalTick before simTicks")
    instructions = [v for k, v in block.items() if re.fullmatch(r"system\.cpu\d+\.commitStats0\.numInsts", k)]
    check(block["simInsts"] == sum(instructions), f"{where}: simInsts is not the sum of the cores' instructions")

    for name, value in block.items():
        prefix, _, last = name.rpartition("::")
        if last == "user":
            kernel = block[prefix + "::kernel"]
            total = block.get(
                prefix + "::total",
                block.get(
                    {
                        "modeCycles": prefix[: -len("modeCycles")] + "numCycles",
                        "modeInsts": prefix[: -len("modeInsts")] + "commitStats0.numInsts",
                    }.get(prefix.rpartition(".")[2])
                ),
            )
            if total is not None and "MissRate" not in prefix:
                check(value + kernel == total, f"{where}: {prefix}: {value} user + {kernel} kernel is not {total}")
        match = re.fullmatch(r"(system\.cpu\d+)\.numCycles", name)
        if match:
            instructions = block[match[1] + ".commitStats0.numInsts"]
            check(close(block[match[1] + ".cpi"], ratio(value, instructions)), f"{where}: {match[1]}.cpi")
            check(close(block[match[1] + ".ipc"], ratio(instructions, value)), f"{where}: {match[1]}.ipc")


# What gem5 says under several names, after a core's or a cache's own.
SAME = {
    "commitStats0.numInsts": ["exec_context.thread_0.numInsts"],
    "commitStats0.numOps": ["exec_context.thread_0.numOps"],
    "numCycles": ["exec_context.thread_0.numBusyCycles"],
    "cpi": ["commitStats0.cpi"],
    "ipc": ["commitStats0.ipc"],
    "branchPred.committed::total": ["branchPred.committed_0::total", "commitStats0.committedControl::IsControl"],
    "branchPred.mispredicted::total": ["branchPred.mispredicted_0::total", "commit.branchMispredicts"],
    "itlb.accesses": ["mmu.itb.wrAccesses"],
    "itlb.misses": ["mmu.itb.wrMisses"],
}


def check_cache(block, cache, requestor, where):
    """All that gem5 tells of a cache, for one requestor or all of them: accesses, MSHRs, rates; demand, command, the L1's only requestor."""
    get = lambda word, kind="overall", of=requestor: block.get(f"{cache}.{kind}{word}::{of}", "missing")
    misses, accesses, fills = get("Misses"), get("Accesses"), get("MshrMisses")
    check(get("Hits") == accesses - misses, f"{where}: {cache}: hits and misses are not the accesses of {requestor}")
    check(close(get("MissRate"), ratio(misses, accesses)), f"{where}: {cache}: MissRate::{requestor}")
    words = ["Hits", "Misses", "Accesses", "MissRate"]
    if fills != "missing":
        check(get("MshrHits") == misses - fills >= 0, f"{where}: {cache}: MshrHits::{requestor}")
        check(close(get("MshrMissRate"), ratio(fills, accesses)), f"{where}: {cache}: MshrMissRate::{requestor}")
        words += ["MshrHits", "MshrMisses", "MshrMissRate"]
    others = [("demand", requestor, False)]
    l1 = re.fullmatch(r"system\.cpu(\d+)\.([id])cache", cache)
    if l1 and requestor == "total":
        port = f"cpu{l1[1]}.{'inst' if l1[2] == 'i' else 'data'}"
        others += [("overall", port, False), ("demand", port, False)]
        others += [("ReadReq.", port, True), ("ReadReq.", "total", True)] if l1[2] == "i" else []
    for word in words:
        for kind, of, small in others:
            value = get(word[0].lower() + word[1:] if small else word, kind, of)
            check(same(value, get(word)), f"{where}: {cache}: {kind}{word}::{of}: {value}")
    if requestor == "total":
        check(block.get(f"{cache}.writebacks::writebacks") == block.get(f"{cache}.writebacks::total"), f"{where}: {cache}: writebacks")
        useful, issued = (block.get(f"{cache}.prefetcher.{name}") for name in ("pfUseful", "pfIssued"))
        if issued is not None:
            check(close(block[f"{cache}.prefetcher.accuracy"], ratio(useful, issued)), f"{where}: {cache}: prefetcher.accuracy")
            check(close(block[f"{cache}.prefetcher.coverage"], ratio(useful, useful + fills)), f"{where}: {cache}: prefetcher.coverage")


def check_names(block, where):
    """What gem5 says under several names is there under each; the micro-operations of all cores are, or none."""
    for name, value in block.items():
        cpu = re.match(r"(system\.cpu\d+\.)(.+)", name)
        for other in SAME.get(cpu[2], []) if cpu else []:
            found = block.get(cpu[1] + other, "missing")
            check(same(found, value), f"{where}: {name} is {value}, {other} {found}")
        cache = re.fullmatch(r"(.+)\.overallMisses::(.+)", name)
        if cache and f"{cache[1]}.overallAccesses::{cache[2]}" in block:
            check_cache(block, *cache.groups(), where)
    cores = [name.split(".")[1] for name in block if re.fullmatch(r"system\.cpu\d+\.numCycles", name)]
    ops = [block.get(f"system.{core}.commitStats0.numOps") for core in cores]
    check(block.get("simOps") == (None if None in ops else sum(ops)), f"{where}: simOps is {block.get('simOps')}, of the cores' {ops}")
    for core, number_of_ops in zip(cores, ops):
        check(
            number_of_ops is None or number_of_ops >= block[f"system.{core}.commitStats0.numInsts"],
            f"{where}: {core}: fewer ops than instructions",
        )
    for kind, names in ("read", ("readBursts", "numReads::total")), ("write", ("writeBursts", "numWrites::total")):
        for name in names if f"system.mem_ctrls.{kind}Reqs" in block else ():
            check(block[f"system.mem_ctrls.{name}"] == block[f"system.mem_ctrls.{kind}Reqs"], f"{where}: {name}")


def number(text):
    return float(text) if text else math.nan


def check_row(row, block, core, where):
    """The row of invocations.csv against the block of stats.txt."""
    cpu = f"system.cpu{core}."
    source = {
        "instructions": ("modeInsts::", "commitStats0.numInsts"),
        "cycles": ("modeCycles::", "numCycles"),
        "l1i_misses": ("icache.overallMisses::", None),
        "l1d_misses": ("dcache.overallMisses::", None),
        "llc_misses": ("llcMisses::", None),
    }
    for mode in "user", "kernel", "total":
        for key, (vector, total) in source.items():
            name = cpu + (total if mode == "total" and total else vector + mode)
            expected = block.get(name, math.nan)
            check(close(number(row[f"{key}_{mode}"]), expected), f"{where}: {key}_{mode}: {row[f'{key}_{mode}']}, not {expected}")
        instructions = number(row[f"instructions_{mode}"])
        for key, above in ("cpi", "cycles"), ("l1i_mpki", "l1i_misses"), ("l1d_mpki", "l1d_misses"), ("llc_mpki", "llc_misses"):
            value = number(row[f"{above}_{mode}"]) * (1 if key == "cpi" else 1000)
            expected = ratio(value, instructions)
            expected = expected if math.isfinite(expected) else math.nan
            check(close(number(row[f"{key}_{mode}"]), expected), f"{where}: {key}_{mode}")
    check(close(number(row["microseconds_total"]), block["simTicks"] / 1e6), f"{where}: microseconds")


STACK = """base structural branch fetchL2 fetchL3 fetchLlc fetchMemory itlb dataL2 dataL3 dataLlc dataMemory dataUpgrade
dtlb uncached""".split()


def check_stack(row, block, core, where):
    """The CPI stack, where there is one: it adds up to the cycles, and the CSV has it."""
    parts = [part for part in STACK if f"system.cpu{core}.cpiStack.{part}::total" in block]
    columns = [column for column in row if column.startswith("stack_")]
    check(len(columns) == 3 * len(parts), f"{where}: {len(columns)} columns of {len(parts)} parts")
    for mode in ("user", "kernel", "total") if parts else ():
        sum_ = sum(block[f"system.cpu{core}.cpiStack.{part}::{mode}"] for part in parts)
        check(sum_ == int(row[f"cycles_{mode}"]), f"{where}: the CPI stack has {sum_} {mode} cycles, not {row[f'cycles_{mode}']}")
        check(sum_ == sum(int(row[column]) for column in columns if column.endswith(mode)), f"{where}: CPI stack: {mode}")


def check_regions(path, blocks, rows, core):
    """regions.csv against stats.txt; all regions together are the core."""
    names = {match[1] for name in blocks[0] if (match := re.fullmatch(rf"system\.cpu{core}\.regions\.(.+)\.numCycles", name))}
    check(os.path.exists(path) == bool(names), "regions.csv: is there without regions, or not with them")
    if not names:
        return
    columns = {
        "cycles": "numCycles",
        "instructions": "numInsts",
        "l1i_misses": "icacheMisses",
        "l1d_misses": "dcacheMisses",
        "llc_misses": "llcMisses",
    }
    seen = list(csv.DictReader(open(path, encoding="utf-8", newline="")))
    check(len(seen) == len(names) * len(rows), "regions.csv: another number of rows")
    blocks = {row["invocation"]: block for row, block in zip(rows, blocks)}
    for row in seen:
        for column, event in columns.items():
            check(
                int(row[column]) == blocks[row["invocation"]][f"system.cpu{core}.regions.{row['region']}.{event}"],
                f"regions.csv: invocation {row['invocation']}: {row['region']}: {column}",
            )
    for row in rows:
        cycles = sum(int(one["cycles"]) for one in seen if one["invocation"] == row["invocation"])
        check(cycles == int(row["cycles_total"]), f"regions.csv: invocation {row['invocation']}: {cycles} cycles")


def check_json(data, rows):
    check(len(data["invocations"]) == len(rows), "invocations.json: another number of invocations")
    for one, row in zip(data["invocations"], rows):
        check(str(one["invocation"]) == row["invocation"], "invocations.json: another order")
        check((one["reply"] or "") == row["reply"], f"invocations.json: invocation {one['invocation']}: reply")
        figures = {f"stack_{part}": modes for part, modes in one.get("cpi_stack", {}).items()}
        figures |= {key: modes for key, modes in one.items() if key != "cpi_stack"}
        for key, modes in figures.items():
            for mode, value in modes.items() if isinstance(modes, dict) else ():
                check(
                    close(math.nan if value is None else value, number(row.get(f"{key}_{mode}", ""))),
                    f"invocations.json: invocation {one['invocation']}: {key}.{mode}",
                )
    for mode, mean in data["mean"]["cycles"].items():
        values = [number(row[f"cycles_{mode}"]) for row in rows]
        parts = 1 if "phase" in rows[0] else len(values)  # phases are parts of one cold start
        check(close(math.nan if mean is None else mean, sum(values) / parts, 3), f"invocations.json: mean cycles.{mode}")


class Page(html.parser.HTMLParser):
    """report.html: balanced tags, nothing fetched from anywhere."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        check(tag not in ("script", "link", "img", "iframe"), f"report.html: <{tag}>")
        check(not any(name in ("src", "href") for name, _ in attributes), f"report.html: <{tag}> refers to something")
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        check(self.open and self.open.pop() == tag, f"report.html: </{tag}> closes nothing")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    at = lambda name: os.path.join(sys.argv[1], name)
    manifest = json.load(open(at("run.json"), encoding="utf-8"))
    data = json.load(open(at("invocations.json"), encoding="utf-8"))
    rows = list(csv.DictReader(open(at("invocations.csv"), encoding="utf-8", newline="")))
    blocks = read_stats(at("stats.txt"))
    core = data["measured_core"]

    check(manifest["status"] == "complete", f"run.json: the status is {manifest['status']}")
    check(len(blocks) == len(rows) > 0, f"{len(blocks)} blocks in stats.txt, {len(rows)} rows in invocations.csv")
    expected = len(manifest["phases"]) if "phases" in manifest else manifest.get("invocations", len(rows))
    check(expected == len(rows), "run.json: another number of invocations")
    for i, (block, row) in enumerate(zip(blocks, rows)):
        try:
            check_block(block, core, f"stats.txt: block {i}")
            check_names(block, f"stats.txt: block {i}")
            check_row(row, block, core, f"invocations.csv: invocation {row['invocation']}")
            check_stack(row, block, core, f"invocations.csv: invocation {row['invocation']}")
        except KeyError as missing:
            check(False, f"block {i}, invocation {row['invocation']}: there is no {missing}")
    check_json(data, rows)
    check_regions(at("regions.csv"), blocks, rows, core)

    page = Page()
    page.feed(open(at("report.html"), encoding="utf-8").read())
    check(not page.open, f"report.html: not closed: {page.open}")
    charts = 3 if any(column.startswith("stack_") for column in rows[0]) else 2
    check(page.seen.count("svg") == page.seen.count("desc") == charts, f"report.html: {charts} charts, each described")

    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0)


main()
