"""`slsuite exec`: real programs in the guest, measured between their marks; every way in which they fail."""

import csv
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from harness import BUILD, CACHE, PROGRAMS, REPOSITORY, Case, checkpoints, slow

pytestmark = pytest.mark.needs("checkpoint:exec")

PER_UNIT = 40000  # instructions of "compute" 1: marked.c
CONTRACT = "run.json", "stats.txt", "invocations.csv", "invocations.json", "report.html", "console.log"


class Exec(Case):
    program = PROGRAMS / "marked"

    def rows(self, folder=None):
        return list(csv.DictReader(open((folder or self.out) / "invocations.csv", newline="")))

    def measure(self, *words, options=()):
        process = self.slsuite("exec", "--out", self.out, *options, "--", self.program, *words)
        return process, [int(row["instructions_user"]) for row in self.rows()]


class Regions(Exec):
    def test_one(self):
        process, (instructions,) = self.measure("reset", "compute", "2", "dump", "say", "well done", "complain", "to you")
        self.assertAlmostEqual(instructions, 2 * PER_UNIT, delta=PER_UNIT / 20)  # and what finds the words
        for name in CONTRACT:
            self.assertTrue((self.out / name).exists(), name)
        self.assertRegex(process.out, r"^well done\nregion +instructions.*\n─+\n +region 0 user +[\d,]+")
        self.assertIn("\nto you\n", process.err)
        self.assertEqual((self.out / "guest-stdout").read_text(), "well done\n")
        reader = subprocess.run([sys.executable, REPOSITORY / "tests/check_run_folder.py", self.out], capture_output=True, text=True)
        self.assertEqual(reader.returncode, 0, reader.stdout + reader.stderr)
        manifest = json.loads((self.out / "run.json").read_text())
        self.assertEqual((manifest["program"], manifest["status"], manifest["measured_core"]), (str(self.program), "complete", 1))
        self.assertIn("<h1>marked <span>on simple", (self.out / "report.html").read_text())

    def test_every_dump_is_since_the_last_reset(self):
        _, regions = self.measure("reset", "compute", "1", "dump", "compute", "2", "dumpreset", "compute", "4", "dump", "compute", "8")
        unit = regions[0]
        for instructions, units in zip(regions, (1, 3, 4), strict=True):
            self.assertAlmostEqual(instructions / unit, units, delta=0.1)

    def test_a_dump_without_a_reset_is_since_the_start(self):
        _, (since_start, since_reset) = self.measure("compute", "1", "dump", "reset", "compute", "1", "dump")
        self.assertGreater(since_start, since_reset + 1000)

    def test_work_may_repeat_and_overlap(self):
        _, regions = self.measure(
            "begin",
            "7",
            "begin",
            "8",
            "compute",
            "1",
            "end",
            "7",
            "compute",
            "1",
            "end",
            "8",
            "begin",
            "7",
            "compute",
            "4",
            "end",
            "7",
            "reset",
            "dump",
        )
        first, second, third, fourth = regions
        self.assertAlmostEqual(second / first, 2, delta=0.1)
        self.assertAlmostEqual(third / first, 4, delta=0.1)
        self.assertLess(fourth, 1000)

    def test_quiet(self):
        """No kernel, no tick, while 20 million instructions are computed: a tick comes every 4 million."""
        _, (instructions,) = self.measure("compute", "1", "reset", "compute", "500", "dump")
        self.assertGreaterEqual(instructions, 500 * PER_UNIT)
        self.assertEqual(self.rows()[0]["instructions_kernel"], "0")

    def test_core(self):
        process, (there,) = self.measure("where", "compute", "1", "reset", "compute", "2", "dump")
        self.assertIn("core 1\n", process.out)
        shutil.rmtree(self.out)
        process, (here,) = self.measure("where", "compute", "1", "reset", "compute", "2", "dump", options=["--core", "0"])
        self.assertIn("core 0\n", process.out)
        self.assertEqual(here, there)
        self.refused("--core 2: the system simple has the cores 0 to 1", "exec", "--core", "2", "--", self.program, status=2)

    def test_arguments_arrive_as_they_are(self):
        words = ["", "two words", "it's", 'a "b"', "$HOME `id` \\", "--core", "new\nline", "ü", "x" * 5000]
        process, _ = self.measure("reset", "dump", *(part for word in words for part in ("say", word)))
        self.assertTrue(process.out.startswith("".join(word + "\n" for word in words)))

    def test_output_for_machines_stays_alone(self):
        for form, name in ("csv", "invocations.csv"), ("json", "invocations.json"):
            process = self.slsuite("exec", "-q", "--format", form, "--out", self.out, "--", self.program, "reset", "dump", "say", "hello")
            self.assertEqual(process.out, (self.out / name).read_text())
            self.assertEqual(process.err, "hello\n")
            shutil.rmtree(self.out)

    def test_marks_of_gem5s_exit_do_not_end_it(self):
        _, regions = self.measure("m5exit", "reset", "compute", "1", "dump", "m5exit", "reset", "dump")
        self.assertEqual(len(regions), 2)

    def test_the_documented_example(self):
        text = (REPOSITORY / "docs/methodology.md").read_text()
        (source,) = re.findall(r"```c\n(.*?)```", text, re.S)
        self.program = self.folder / "mine"
        subprocess.run(
            ["gcc", "-std=gnu17", "-O1", f"-I{REPOSITORY}/src", "-static", "-xc", "-", "-o", self.program],
            input=source,
            text=True,
            check=True,
        )
        _, (instructions,) = self.measure()
        self.assertGreater(instructions, 1000)


class Again(Exec):
    WORDS = "reset", "compute", "50", "dump", "say", "hello"

    @slow  # the machine is loaded; test_determinism has the same at the worst moments
    def test_identical_also_on_a_loaded_machine(self):
        folders = [self.folder / str(i) for i in range(6)]
        load = [self.start("-c", "while True: pass", program=sys.executable) for _ in range(2 * os.cpu_count())]
        for first, second in zip(folders[::2], folders[1::2]):
            pair = [self.start("exec", "-q", "--out", folder, "--", self.program, *self.WORDS) for folder in (first, second)]
            for process in pair:
                self.finish(process)
        self.same_results(*folders)
        for process in load:
            self.assertIsNone(process.poll())

    def test_checkpoint_is_of_no_program(self):
        """Made for one program or another, it is the same, byte for byte, and one serves all."""
        cache, sums = self.own_cache(), set()
        self.measure(*self.WORDS)
        self.slsuite("exec", "-q", "--out", self.folder / "other", "--", self.program, "reset", "dump", "compute", "5", cache=cache)
        (checkpoint,) = checkpoints(cache)
        for place in CACHE, cache:
            sums.add(json.loads((place / "checkpoints" / checkpoint.name / "checkpoint.json").read_text())["checksum"])
        self.assertEqual(len(sums), 1)
        self.assertRegex(self.slsuite("checkpoint", "list", cache=cache).out, r"(?m)^exec-[0-9a-f]{16} ")
        self.slsuite("exec", "-q", "--out", self.folder / "same", "--", self.program, *self.WORDS, cache=cache)
        self.same_results(self.out, self.folder / "same")

    def test_verify(self):
        self.program = pathlib.Path(shutil.copy(PROGRAMS / "marked", self.folder))
        self.measure(*self.WORDS)
        self.assertRegex(self.slsuite("verify", self.out).out, "^identical")
        shutil.copy(PROGRAMS / "marked-otherwise", self.program)
        self.assertRegex(self.slsuite("verify", self.out, status=1).out, r"^different: (.|\n)*not the same any more: program")
        self.program.unlink()
        self.refused(f"cannot run {self.program}: No such file", "verify", self.out)


class Failures(Exec):
    def fails(self, pattern, *words, program=None, options=()):
        process = self.refused(pattern, "exec", "--out", self.out, *options, "--", program or self.program, *words)
        self.assertFalse(self.out.exists())
        return process

    def fails_in_the_guest(self, pattern, *words, **more):
        process = self.fails(pattern, *words, **more)
        manifest = json.loads((self.folder / "run.failed/run.json").read_text())
        self.assertEqual(manifest["status"], "failed")
        self.assertFalse((self.folder / "run.failed/parcel").exists())
        return process

    def test_no_marks(self):
        process = self.fails_in_the_guest(".*marked made no marks: .*docs/methodology.md", "say", "I did run")
        self.assertEqual(process.out, "I did run\n")

    def test_marks_without_partners(self):
        self.fails_in_the_guest(".*work 7 never ends", "begin", "7")
        self.fails_in_the_guest(".*work 7 ends without a beginning", "end", "7")
        self.fails_in_the_guest(".*work 7 begins twice", "begin", "7", "begin", "7")

    def test_crashes(self):
        process = self.fails_in_the_guest(
            r".*marked was ended by signal 4 \(Illegal instruction\): last words:", "reset", "dump", "complain", "last words", "trap"
        )
        self.assertIn("\nlast words\n", process.err)

    def test_is_killed(self):
        self.fails_in_the_guest(r".*marked was ended by signal 9 \(Killed\)", "reset", "dump", "kill", "9")

    def test_exit_status(self):
        self.fails_in_the_guest(
            ".*marked failed with exit status 3: no such thing", "reset", "dump", "complain", "no such thing", "exit", "3"
        )

    def test_never_ends(self):
        self.fails_in_the_guest(".*marked was not done within 5 s: .*--timeout", "reset", "spin", options=["--timeout", 5])

    def test_leaves_a_process_behind(self):
        """That is its own affair, and no reason to wait."""
        _, regions = self.measure("leave", "reset", "compute", "1", "dump")
        self.assertEqual(len(regions), 1)

    def test_floods(self):
        process = self.fails_in_the_guest(r".*marked was ended by signal 25 \(File size", "reset", "dump", "flood")
        self.assertRegex(process.out, r"^\(the first \d+ bytes are left out\)\nx{1048576}$")

    def test_is_no_program(self):
        def made(name, content, mode=0o755):
            path = self.folder / name
            path.write_bytes(content)
            path.chmod(mode)
            return path

        elf = self.program.read_bytes()
        cases = {
            self.folder / "nothing": "No such file or directory",
            self.folder: "it is no file",
            made("plain", elf, 0o644): "it is not executable: chmod",
            made("empty", b""): "it is no ELF program",
            made("text", b"hello\n"): "it is no ELF program",
            made("script", b"#!/bin/sh\n"): "it is no ELF program, but a script",
            made("arm", elf[:18] + b"\xb7\0" + elf[20:]): "it is a 64-bit program for ELF machine 183",
            made("narrow", elf[:4] + b"\1" + elf[5:]): "it is a 32-bit program",
            made("cut", elf[:100]): "the file is cut off",
            made("object", elf[:16] + b"\1\0" + elf[18:]): "it is an ELF file, but no program",
            made("large", elf + bytes(134 << 20)): "it has 14. MB, and at most",
        }
        for path, why in cases.items():
            with self.subTest(path.name):
                self.fails(f"cannot run {path}: {why}", program=path)
        with self.subTest("no segments"):
            broken = made("broken", elf[:56] + b"\0\0" + elf[58:])  # e_phnum
            self.fails_in_the_guest(f"cannot run {broken}: it cannot be executed: Exec format error", program=broken)

    def test_is_dynamic_and_lacks_its_interpreter(self):
        self.fails_in_the_guest(
            "cannot run .*/marked-with-foreign-loader: .*/lib/ld-nowhere.so.1.*-static",
            "reset",
            "dump",
            program=PROGRAMS / "marked-with-foreign-loader",
        )

    def test_is_dynamic_and_lacks_a_library(self):
        self.fails_in_the_guest(
            ".*/marked-with-foreign-library failed with exit status 127: .*libnowhere.so.1: .*-static",
            "reset",
            "dump",
            program=PROGRAMS / "marked-with-foreign-library",
        )

    def test_wrong_usage(self):
        for words, why in (
            ([], "which program"),
            (["--"], "which program"),
            ([self.program], "put -- before"),
            (["--core", "x", "--", self.program], "--core x: not a number"),
            (["--nonsense", "--", self.program], "exec: an unknown option"),
        ):
            with self.subTest(why):
                self.refused(why, "exec", *words, status=2)


class Accuracy(Case):
    def test_misses_are_those_of_cachegrind(self):
        """The reference programs as this compiler makes them; gem5's counts are for those of another."""
        subprocess.run(["make", "-s", "-C", REPOSITORY, f"BUILD={BUILD}", "reference"], check=True)
        figures = self.folder / "figures.json"
        process = self.start(
            BUILD,
            "--system",
            "simple",
            "--json",
            figures,
            program=REPOSITORY / "bench/accuracy",
            environment={"REFERENCE": str(REPOSITORY / "bench/reference")},
        )
        process.communicate(timeout=300)
        results = json.loads(figures.read_text())["systems"]["simple"]["results"]
        self.assertEqual(len(results), 10)
        for result in results:
            self.assertEqual(result["kernel_instructions"], 0)
            for column in "L1I misses", "L1D misses", "LLC fills":
                with self.subTest(result["program"] + " " + column):
                    ours, witness = result[column]["ours"], result[column]["cachegrind"]
                    self.assertAlmostEqual(ours, witness, delta=max(50, witness * 0.02))
