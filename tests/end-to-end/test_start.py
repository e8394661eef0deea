"""`slsuite run --start`: lukewarm flushes the modelled hardware before each invocation, and what is executed stays the same."""

import csv
import json

from harness import Case


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
        self.assertEqual([(self.manifest(name)["start"], self.manifest(name).get("flush")) for name in ("warm", "lukewarm")],
                         [("warm", None), ("lukewarm", "l1,llc")])
        self.assertEqual(*(self.manifest(name)["digests"]["checkpoint"] for name in ("warm", "lukewarm")))
        # Every line that an invocation touches comes from memory, and comes once at least.
        for row in lukewarm:
            touched = (int(row["code_footprint_bytes_total"]) + int(row["data_footprint_bytes_total"])) / 64
            self.assertGreater(int(row["llc_misses_total"]), 0.8 * touched)

    def test_each_part_alone(self):
        """What is flushed shows in its own figures first."""
        warm = {system: self.rows(system, "--system", system) for system in ("simple", "icelake")}
        for system, part, column in (("icelake", "l1", "l1d_misses_total"), ("icelake", "tlb", "dtlb_misses_total"),
                                     ("icelake", "bp", "branch_mispredicts_total"), ("icelake", "l1,l2", "l1i_misses_total"),
                                     ("simple", "llc", "llc_misses_total")):
            with self.subTest(part):
                rows = self.rows(part, "--system", system, "--start", "lukewarm", "--flush", part)
                self.assertEqual(self.total(rows, "instructions_total"), self.total(warm[system], "instructions_total"))
                self.assertGreater(self.total(rows, column), 1.02 * self.total(warm[system], column))
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
        for pattern, *options in (("no start is named hot: there are warm, cold, lukewarm", "--start", "hot"),
                                  ("--flush: only with --start lukewarm", "--flush", "l1"),
                                  ("--flush l4: name parts of l1,l2,llc,tlb,bp, with commas between them, or all", "--start", "lukewarm", "--flush", "l4"),
                                  ("--flush l1,: name parts of ", "--start", "lukewarm", "--flush", "l1,"),
                                  ("--flush: the system simple has no l2,bp: there are l1,llc", "--start", "lukewarm", "--flush", "l1,l2,bp"),
                                  ("--start lukewarm: gem5 starts warm only: use --engine sim", "--start", "lukewarm", "--engine", "gem5")):
            with self.subTest(options):
                self.refused(pattern, *run, *options, status=2)
        self.slsuite(*run, "--start", "lukewarm", "--flush", "all", "--out", self.out)
        self.assertEqual(json.loads((self.out / "run.json").read_text())["flush"], "l1,llc")
