"""`slsuite run --engine gem5`: on a real gem5, where there is one ($GEM5, or PATH); and what is said where there is none."""

import csv
import json
import os
import shutil
import unittest

from harness import CACHE, PARTS, Case, slow

GEM5 = os.environ.get("GEM5") or next(filter(None, map(shutil.which, ("gem5.opt", "gem5.fast", "gem5"))), None)
with_gem5 = unittest.skipUnless(GEM5, "there is no gem5: $GEM5 names none, and PATH has none")
NO_GEM5 = {"GEM5": "", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
HOURS = 3600


class Refused(Case):
    def run_gem5(self, pattern, *arguments, status=1, **options):
        self.refused(pattern, "run", "aes-c", "--engine", "gem5", *arguments, status=status, environment=NO_GEM5, **options)

    def fake(self, text):
        """Something that answers like a gem5 that we cannot have here."""
        path = self.folder / "gem5.opt"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    @unittest.skipIf(any(shutil.which(name, path=NO_GEM5["PATH"]) for name in ("gem5.opt", "gem5.fast", "gem5")), "there is one")
    def test_none(self):
        self.run_gem5("there is no gem5: name it with --gem5 PATH or \\$GEM5; how to get one: ")

    def test_not_one(self):
        self.run_gem5("--gem5: there is no program /none: name a gem5.opt", "--gem5", "/none")
        self.run_gem5("/bin/true is not a gem5 of v24 or later", "--gem5", "/bin/true")
        self.run_gem5(".*gem5.opt is not a gem5 of v24 or later: .*no such option", "--gem5", self.fake("echo no such option >&2; exit 2"))
        self.refused("\\$GEM5: there is no program /none", "run", "aes-c", "--engine", "gem5", environment={"GEM5": "/none"})

    def test_unfit(self):
        self.run_gem5(".* is gem5 23.1.0.0: v24.0 or later is needed", "--gem5", self.fake("echo slsuite: gem5 23.1.0.0 x86 none"))
        self.run_gem5(".* was built without x86: build it with USE_X86_ISA", "--gem5", self.fake("echo slsuite: gem5 24.0.0.1 none none"))

    def test_not_on_gem5(self):
        self.run_gem5("--profile: gem5 has no profile by symbol: use --engine sim", "--profile", status=2)
        self.run_gem5("--runtime docker: with gem5 there is crun only", "--runtime", "docker", status=2)
        self.refused("--gem5: only with --engine gem5", "run", "aes-c", "--gem5", "/bin/true", status=2)
        self.refused("no engine is named spice: there are sim, gem5", "run", "aes-c", "--engine", "spice", status=2)

    def test_no_kernel(self):
        self.run_gem5(
            "no kernel was built yet: slsuite kernel build",
            "--gem5",
            self.fake("echo slsuite: gem5 24.0.0.1 x86 none"),
            cache=self.own_cache(),
        )

    def test_doctor(self):
        said = self.slsuite("doctor", "--gem5", self.fake("echo slsuite: gem5 24.1.0.0 x86 none; echo slsuite: lacks LTAGE"), status=0).out
        self.assertRegex(said, r"(?m)^-- gem5 +24\.1\.0\.0 \(.*\), x86, without KVM cores, lacks what some systems need: LTAGE")
        self.assertRegex(self.slsuite("doctor", "--gem5", "/bin/true", status=1).out, r"(?m)^!! gem5 +/bin/true is not a gem5")


class Real(Case):
    def setUp(self):
        super().setUp()
        for name in "kernels", "gem5-checkpoints":
            (CACHE / name).mkdir(exist_ok=True)
        self.cache = self.own_cache(*PARTS, "kernels", "gem5-checkpoints")

    def run_on(self, engine, out, *arguments):
        self.slsuite(
            "run", *arguments, "--engine", engine, "--kernel", "custom", "-n", 3, "-q", "--out", out, cache=self.cache, seconds=3 * HOURS
        )
        return list(csv.DictReader(open(out / "invocations.csv", newline="")))

    @slow
    @with_gem5
    def test_same_work(self):
        """On both engines, and on other cores from the same checkpoint; the same twice."""
        self.slsuite("kernel", "build", seconds=2 * HOURS)  # unless it is there
        for function in "aes-c", "fibonacci-c":
            ours = self.run_on("sim", self.folder / f"sim-{function}", function)
            theirs = self.run_on("gem5", self.folder / f"gem5-{function}", function)
            self.assertEqual([row["reply"] for row in ours], [row["reply"] for row in theirs])
            # A timer goes off in one invocation or another: the kernel's work is that of the least disturbed.
            least, same_least = (min(int(row["instructions_total"]) for row in rows) for rows in (ours, theirs))
            self.assertLess(abs(least - same_least), 0.1 * least)
            for other in theirs:
                for column in "cycles_total", "l1i_misses_total", "l1d_misses_total", "llc_misses_total":
                    self.assertGreater(int(other[column]), 0)
        folder = self.folder / "gem5-aes-c"
        self.assertEqual(json.loads((folder / "run.json").read_text())["engine"], "gem5")
        self.assertIn("board.processor", (folder / "m5out/stats.txt").read_text())
        said = self.slsuite("compare", self.folder / "sim-aes-c", folder, "--tolerance", 10).out
        self.assertIn("instructions agree within 10 %", said)
        self.run_on("gem5", self.folder / "again", "aes-c")
        self.same_results(folder, self.folder / "again")
        rows = self.run_on("gem5", self.folder / "skylake", "aes-c", "--system", "skylake")
        self.assertGreater(int(rows[0]["branch_mispredicts_total"]), 0)

    @with_gem5
    def test_cannot_be_had(self):
        """What gem5 has nothing like is one line, before the boot."""
        if not (CACHE / "kernels/last").exists():
            self.skipTest("no kernel was built: make test-slow builds one")
        text = self.slsuite("system", "show", "simple").out
        path = self.folder / "mine.yaml"
        self.refused(
            "gem5 has no caches.l1i.prefetcher.name 'fdip', only none, next_line, stride",
            "run",
            "aes-c",
            "--engine",
            "gem5",
            "--system",
            "icelake",
            cache=self.cache,
            status=2,
        )
        path.write_text(text.replace("inclusion: mostly_inclusive", "inclusion: inclusive"))
        self.refused(
            "gem5 has no caches.llc.inclusion 'inclusive', only mostly_inclusive, exclusive: copy the system's file",
            "run",
            "aes-c",
            "--engine",
            "gem5",
            "-n",
            1,
            "-q",
            "--system",
            path,
            cache=self.cache,
            status=2,
        )
