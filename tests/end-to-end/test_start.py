"""`slsuite run --start`: lukewarm flushes the modelled hardware before each invocation, and what is executed stays the same; cold
is the start of the container, phase by phase."""

import csv
import json
import re
import subprocess
import sys

import pytest

from harness import ODD, REPOSITORY, Case, slow

pytestmark = pytest.mark.needs("checkpoint:aes-c")

AES = "fn: AES | plaintext: {} | ciphertext: "
PHASES = ["create", "start", "listen", "reply"]


class Lukewarm(Case):
    def rows(self, name, *options, function="aes-c", count=5):
        folder = self.folder / name
        self.slsuite("run", function, "-n", count, "-q", "--out", folder, *options)
        return list(csv.DictReader(open(folder / "invocations.csv", newline="")))

    def manifest(self, name):
        return json.loads((self.folder / name / "run.json").read_text())

    def total(self, rows, column):
        return sum(int(row[column]) for row in rows)

    def test_more_misses_and_the_same_instructions(self):
        warm = self.rows("warm")
        lukewarm = self.rows("lukewarm", "--start", "lukewarm")
        for mode in "user", "kernel":
            self.assertEqual([row[f"instructions_{mode}"] for row in warm], [row[f"instructions_{mode}"] for row in lukewarm])
        self.assertEqual([row["reply"] for row in warm], [row["reply"] for row in lukewarm])
        for column in "l1i_misses_total", "l1d_misses_total", "llc_misses_total", "cycles_total":
            self.assertGreater(self.total(lukewarm, column), self.total(warm, column), column)
        self.assertEqual(
            [(self.manifest(name)["start"], self.manifest(name).get("flush")) for name in ("warm", "lukewarm")],
            [("warm", None), ("lukewarm", "l1,llc")],
        )
        self.assertEqual(*(self.manifest(name)["digests"]["checkpoint"] for name in ("warm", "lukewarm")))
        self.assertRegex(self.slsuite("compare", self.folder / "warm", self.folder / "lukewarm").out, r"\n +warm +lukewarm\n +l1,llc\n")
        # Every line that an invocation touches comes from memory, and comes once at least.
        for row in lukewarm:
            touched = (int(row["code_footprint_bytes_total"]) + int(row["data_footprint_bytes_total"])) / 64
            self.assertGreater(int(row["llc_misses_total"]), 0.8 * touched)

    def test_each_part_alone(self):
        """What is flushed shows in its own figures first."""
        warm = {system: self.rows(system, "--system", system) for system in ("simple", "icelake")}
        for system, part, column in (
            ("icelake", "l1", "l1d_misses_total"),
            ("icelake", "tlb", "dtlb_misses_total"),
            ("icelake", "bp", "branch_mispredicts_total"),
            ("icelake", "l1,l2", "l1i_misses_total"),
            ("simple", "llc", "llc_misses_total"),
        ):
            with self.subTest(part):
                rows = self.rows(part, "--system", system, "--start", "lukewarm", "--flush", part)
                self.assertEqual(self.total(rows, "instructions_total"), self.total(warm[system], "instructions_total"))
                self.assertGreater(self.total(rows, column), self.total(warm[system], column))
                self.assertEqual(self.manifest(part)["flush"], part)

    def test_branch_predictor_alone(self):
        """On a machine whose translation is free, only wrong paths tell the rest of the machine of it."""
        system = "--system", "skylake"
        warm, flushed = self.rows("warm", *system), self.rows("bp", *system, "--start", "lukewarm", "--flush", "bp")
        self.assertEqual(self.total(flushed, "instructions_total"), self.total(warm, "instructions_total"))
        self.assertGreater(self.total(flushed, "branch_mispredicts_total"), 1.2 * self.total(warm, "branch_mispredicts_total"))
        self.assertGreater(self.total(flushed, "cycles_total"), self.total(warm, "cycles_total"))
        for column in "l1d_misses_total", "code_footprint_bytes_total", "data_footprint_bytes_total":
            self.assertAlmostEqual(self.total(flushed, column), self.total(warm, column), delta=0.03 * self.total(warm, column), msg=column)

    def test_identical_again(self):
        options = "--start", "lukewarm", "--system", "icelake"
        self.rows("one", *options)
        self.rows("two", *options)
        self.same_results(self.folder / "one", self.folder / "two")
        self.assertIn("identical", self.slsuite("verify", self.folder / "one").out)

    def test_bad_inputs(self):
        run = "run", "aes-c", "-n", 1
        for pattern, *options in (
            ("no start is named hot: there are warm, cold, lukewarm", "--start", "hot"),
            ("--flush: only with --start lukewarm", "--flush", "l1"),
            ("--flush l4: name parts of l1,l2,llc,tlb,bp, with commas between them, or all", "--start", "lukewarm", "--flush", "l4"),
            ("--flush l1,: name parts of ", "--start", "lukewarm", "--flush", "l1,"),
            ("--flush: the system simple has no l2,bp: there are l1,llc", "--start", "lukewarm", "--flush", "l1,l2,bp"),
            ("--start lukewarm: gem5 starts warm only: use --engine sim", "--start", "lukewarm", "--engine", "gem5"),
        ):
            with self.subTest(options):
                self.refused(pattern, *run, *options, status=2)
        self.slsuite(*run, "--start", "lukewarm", "--flush", "all", "--out", self.out)
        self.assertEqual(json.loads((self.out / "run.json").read_text())["flush"], "l1,llc")


class Cold(Case):
    def cold(self, function, *options, name="run", **more):
        """What it printed, the manifest and the rows of a cold start whose folder is as promised."""
        folder = self.folder / name
        process = self.slsuite("run", function, "--start", "cold", "--out", folder, *options, **more)
        manifest = json.loads((folder / "run.json").read_text())
        rows = list(csv.DictReader(open(folder / "invocations.csv", newline="")))
        self.assertEqual((manifest["start"], manifest["phases"], manifest["invocations"]), ("cold", PHASES, 1))
        self.assertEqual([(row["invocation"], row["phase"]) for row in rows], [(str(i), name) for i, name in enumerate(PHASES)])
        whole = json.loads((folder / "invocations.json").read_text())
        self.assertEqual([one["phase"] for one in whole["invocations"]], PHASES)
        for key in "instructions", "cycles", "l1i_misses", "llc_misses", "code_footprint_bytes":
            for mode in "user", "kernel", "total":
                self.assertEqual(sum(int(row[f"{key}_{mode}"]) for row in rows), whole["mean"][key][mode], key)
        for row in rows:
            if row["phase"] != "listen":  # it may listen before crun has ended: both are on core 1
                self.assertGreater(int(row["instructions_user"]), 10000, row["phase"])
                self.assertGreater(int(row["cycles_kernel"]), 10000, row["phase"])
        reader = subprocess.run([sys.executable, REPOSITORY / "tests/check_run_folder.py", folder], capture_output=True, text=True)
        self.assertEqual(reader.returncode, 0, reader.stdout + reader.stderr)
        stats = (folder / "stats.txt").read_text()
        self.assertEqual(
            [int(cycles) for cycles in re.findall(r"^system\.cpu1\.numCycles +(\d+)", stats, re.M)],
            [int(row["cycles_total"]) for row in rows],
        )
        return process.out, manifest, rows

    def test_phases(self):
        said, _, rows = self.cold("aes-c", "--input", "cold")
        self.assertRegex(rows[-1]["reply"], "^" + re.escape(AES.format("cold")) + "[0-9a-f]{8} ")
        self.assertEqual([row["reply"] for row in rows[:-1]], [""] * 3)
        self.assertGreater(int(rows[-1]["latency_ns"]), sum(int(row["instructions_total"]) for row in rows))  # 1 ns each, and core 0's
        for name in *PHASES, "cold start":
            self.assertRegex(said, rf"(?m)^ *{name} user +[\d,]+ ")
        self.assertRegex(said, r"(?m)^phase +instructions .* ms$")
        report = (self.folder / "run/report.html").read_text()
        self.assertIn(">listen</text>", report)
        # The work of the start is on the measured core: the other one waits.
        for block in (self.folder / "run/stats.txt").read_text().split("Begin Simulation Statistics")[1:3]:
            other, measured = (int(re.search(rf"(?m)^system\.cpu{core}\.commitStats0\.numInsts +(\d+)", block)[1]) for core in (0, 1))
            self.assertLess(other, 0.1 * measured)
        self.assertIn("identical", self.slsuite("verify", self.folder / "run").out)

    def test_systems(self):
        """The same instructions everywhere, from one checkpoint; with parts of a pipeline where there is one."""
        _, simple, rows = self.cold("helloworld-c", name="simple")
        _, icelake, others = self.cold("helloworld-c", "--system", "icelake", name="icelake")
        self.assertEqual([row["instructions_total"] for row in rows], [row["instructions_total"] for row in others])
        self.assertEqual(simple["digests"]["checkpoint"], icelake["digests"]["checkpoint"])
        self.assertGreater(int(others[0]["itlb_misses_total"]), 1000)
        table = self.slsuite("compare", self.folder / "simple", self.folder / "icelake", "--format", "csv").out
        self.assertEqual([line.split(",")[2] for line in table.splitlines()[1:]], ["simple", "icelake"])

    def test_suite(self):
        self.slsuite("suite", "run", "--functions", "aes-c,helloworld-c", "--start", "cold", "--out", self.out)
        for function in "aes-c", "helloworld-c":
            self.assertEqual(json.loads((self.out / function / "run.json").read_text())["start"], "cold")
        self.refused(
            ".* is a run with --start cold: resume with the options that it had",
            "suite",
            "run",
            "--functions",
            "aes-c",
            "-n",
            1,
            "--resume",
            "--out",
            self.out,
            status=2,
        )

    @slow  # two minutes
    @pytest.mark.needs("layer:python", "layer:services")
    def test_python(self):
        """An interpreter's start is in the phase in which it is waited for; its checkpoint has services."""
        _, _, rows = self.cold("aes-python", name="aes", seconds=1800)
        self.assertRegex(rows[-1]["reply"], "^" + re.escape(AES.format("defaultplaintext")))
        self.assertGreater(int(rows[2]["instructions_user"]), int(rows[0]["instructions_user"]))
        self.cold("crud-api-python", name="crud", seconds=1800)

    def odd_alone(self, start):
        return {"cache": self.own_cache("kernel", "initramfs", "base", "rootfs"), "environment": self.odd(start)}

    def fails(self, pattern, *options, **odd):
        self.refused(pattern, "run", "odd-c", "--start", "cold", "--out", self.out, *options, seconds=300, **odd)
        self.assertEqual(json.loads((self.folder / "run.failed/run.json").read_text())["status"], "failed")

    def test_ends_before_it_listens(self):
        self.fails(".*`container`.*it ended before it listened on port 50051", **self.odd_alone("exit"))

    @slow  # a boot
    def test_never_listens(self):
        self.fails(".*`container`.*it does not listen on port 50051 after 60 s", **self.odd_alone("idle"))

    @slow  # a boot
    def test_wrong_reply(self):
        self.fails("invocation 0: .*good evening", "--input", "wrong at 1", environment=ODD)

    def test_bad_inputs(self):
        for pattern, *options in (
            ("--start cold: -n 1: the simulation is deterministic: more cold starts would all be the same", "-n", 2),
            ("--start cold: without -w: ", "-w", 0),
            ("--start cold: without --profile: ", "--profile"),
            ("--start cold: --runtime crun only: docker ", "--runtime", "docker"),
            ("--start cold: gem5 starts warm only: use --engine sim", "--engine", "gem5"),
            ("--flush: only with --start lukewarm", "--flush", "l1"),
        ):
            with self.subTest(options):
                self.refused(pattern, "run", "aes-c", "--start", "cold", *options, status=2)
