"""`slsuite suite run`: all at once, each as if it were alone; one that fails, or is killed, takes no other with it."""

import csv
import io
import json
import os
import signal
import subprocess
import time

import pytest

from harness import BUILD, ODD, Case, as_root, files_below

C = "aes-c,auth-c,helloworld-c"


class Suite(Case):
    def suite(self, functions, *options, **more):
        return self.slsuite("suite", "run", "--functions", functions, "--out", self.out, *options, **more)

    def places(self):
        """What is in the suite's folder, hidden or not."""
        return sorted(path.name for path in self.out.iterdir())

    @pytest.mark.needs("checkpoint:aes-c", "checkpoint:odd-c")
    def test_one_fails(self):
        odd = {"environment": self.odd(client="-function, helloworld, -input, wrong at 5")}  # three warm-ups, two good ones
        functions = "odd*,aes-c,auth-c,a*-c"
        process = self.refused(
            rf"1 of 3 functions failed: see output\.log in {self.out}/odd-c\.failed, then go on with --resume$",
            "suite",
            "run",
            "--functions",
            functions,
            "--out",
            self.out,
            "-n",
            3,
            "--jobs",
            2,
            "--format",
            "json",
            **odd,
        )
        self.assertRegex(process.err, r"(?m)^✓ aes-c +CPI +[\d.]+ +[\d.,]+ µs +[\d.]+ s$")
        self.assertRegex(process.err, r"(?m)^✗ odd-c +invocation 1: .*good evening")
        self.assertEqual(self.places(), ["aes-c", "auth-c", "odd-c.failed", "report.html", "suite.csv", "suite.json"])
        self.assertEqual(json.loads((self.out / "odd-c.failed/run.json").read_text())["status"], "failed")
        self.assertIn("the guest's console ends with:\n", (self.out / "odd-c.failed/output.log").read_text())
        self.check_files(json.loads(process.out))

        # Each is as it is alone.
        self.slsuite("run", "aes-c", "-n", 3, "-q", "--out", self.folder / "alone")
        self.same_results(self.folder / "alone", self.out / "aes-c")
        self.assertEqual(files_below(self.folder / "alone"), files_below(self.out / "aes-c"))

        # Mended, it is run; the others stay. With other options they would not be comparable.
        whole = {name: (self.out / name).stat().st_ino for name in ("aes-c", "auth-c")}
        odd["environment"] = ODD
        for others, what in (
            (("-n", 4), "4 on this simple with crun"),
            (("-n", 3, "--system", "inorder"), "3 on this inorder with crun"),
            (("-n", 3, "--runtime", "podman"), "3 on this simple with podman"),
        ):
            self.refused(
                f"{self.out}/aes-c is a run of 3 invocations on simple with crun, not of {what}",
                "suite",
                "run",
                "--functions",
                functions,
                "--out",
                self.out,
                *others,
                "--resume",
                status=2,
                **odd,
            )
        process = self.suite(functions, "-n", 3, "--resume", "--format", "csv", **odd)
        self.assertEqual([line.split()[1] for line in process.err.splitlines() if line.startswith("✓")], ["odd-c"])
        self.assertEqual(self.places(), ["aes-c", "auth-c", "odd-c", "report.html", "suite.csv", "suite.json"])
        self.assertEqual(whole, {name: (self.out / name).stat().st_ino for name in whole})
        self.assertEqual(process.out, (self.out / "suite.csv").read_text())
        rows = list(csv.DictReader(io.StringIO(process.out)))
        self.assertEqual([(row["function"], row["status"]) for row in rows], [(name, "complete") for name in ("aes-c", "auth-c", "odd-c")])

        # All is there: nothing is run, and what is printed is the table.
        table = self.suite(functions, "-n", 3, "--resume", **odd).out
        for line in (
            r"aes-c +[\d,]+ +\d+\.\d{3}( +\d+\.\d\d){3}( +\d+\.\d){2} +\d+\.\d\d",
            r"mean of 3 in c +",
            r"mean of 3 functions ",
            f"results: {self.out} ",
        ):
            self.assertRegex(table, f"(?m)^{line}")

    def check_files(self, data):
        """suite.json, suite.csv, report.html and the runs say the same, of two whole functions and one that failed."""
        self.assertEqual(data, json.loads((self.out / "suite.json").read_text()))
        self.assertEqual((data["system"], data["invocations"]), ("simple", 3))
        *whole, failed = data["functions"]
        self.assertEqual([one["function"] for one in whole], ["aes-c", "auth-c"])
        self.assertEqual((failed["folder"], failed["status"]), ("odd-c.failed", "failed"))
        self.assertRegex(failed["error"], "^invocation 1: ")
        rows = list(csv.DictReader(open(self.out / "suite.csv", newline="")))
        self.assertEqual([row["status"] for row in rows], ["complete", "complete", "failed"])
        self.assertEqual(rows[2]["cpi_total"], "")
        page = (self.out / "report.html").read_text()
        for one, row in zip(whole, rows):
            run = json.loads((self.out / one["folder"] / "invocations.json").read_text())
            self.assertEqual(one["mean"], run["mean"])
            for key in "instructions", "cpi", "llc_mpki", "microseconds":
                self.assertAlmostEqual(float(row[f"{key}_total"]), one["mean"][key]["total"], 5)
            self.assertIn(f'<a href="{one["folder"]}/report.html">', page)
        self.assertEqual([(mean["language"], mean["functions"]) for mean in data["means"]], [("c", 2), (None, 2)])
        for mean in data["means"]:
            self.assertAlmostEqual(mean["mean"]["cpi"]["total"], sum(one["mean"]["cpi"]["total"] for one in whole) / 2, 9)

    def test_resume_after_the_end(self):
        """Ended by whatever, when one is whole and others run: all processes go, and what was whole stays, and is not run again."""
        suite = "suite", "run", "--functions", C, "--out", self.out, "-n", 20, "--jobs", 2
        whole = {}
        for number, *resume in (signal.SIGINT,), (signal.SIGTERM, "--resume"), (signal.SIGKILL, "--resume"):
            with self.subTest(number):
                process = self.start(*suite, *resume)
                while process.poll() is None and not list(self.out.glob("*-c")):
                    time.sleep(0.01)
                process.qemu()
                process.send_signal(number)
                self.finish(process, status=-number)
                self.assertFalse(list(self.out.glob("*.failed")))
                self.assertFalse((self.out / "suite.json").exists())
                now = {path: path.stat().st_ino for path in self.out.glob("*-c")}
                self.assertLessEqual(whole.items(), now.items())
                whole = now
        result = self.slsuite(*suite, "--resume")
        self.assertLessEqual(whole.items(), {path: path.stat().st_ino for path in self.out.glob("*-c")}.items())
        self.assertEqual(self.places(), [*C.split(","), "report.html", "suite.csv", "suite.json"])
        self.assertIn("mean of 3 functions", result.out)
        interrupted = next(name for name in C.split(",") if self.out / name not in whole)
        self.slsuite("run", interrupted, "-n", 20, "-q", "--out", self.folder / "alone")
        self.same_results(self.folder / "alone", self.out / interrupted)

    def test_a_run_is_killed(self):
        process = self.start("suite", "run", "--functions", C, "--out", self.out, "-n", 5, "--jobs", 3)
        while process.poll() is None and not (runs := [pid for pid, line in process.family().items() if " run auth-c " in line]):
            time.sleep(0.01)
        os.kill(runs[0], signal.SIGKILL)
        self.finish(process, status=1)
        self.assertRegex(process.err, r"(?m)^✗ auth-c +its process was ended by signal 9$")
        self.assertRegex(process.out, r"(?m)^auth-c +failed: see auth-c\.failed$")
        self.assertEqual([name for name in self.places() if "-c" in name and name[0] != "."], ["aes-c", "auth-c.failed", "helloworld-c"])

    def test_bad_input(self):
        (self.out / "mine").mkdir(parents=True)
        (self.folder / "file").touch()
        before = files_below(self.folder)
        for status, pattern, *arguments in (
            (2, "suite: .*see slsuite suite --help", "suite"),
            (2, "suite: .*see slsuite suite --help", "suite", "walk"),
            (2, "suite: .*see slsuite suite --help", "suite", "run", "aes-c"),
            (2, "--jobs 0: not a number from 1 to", "suite", "run", "--jobs", "0"),
            (2, "--jobs two: not a number", "suite", "run", "--jobs", "two"),
            (2, "-n 0: not a number", "suite", "run", "-n", "0"),
            (2, r"--functions: no function matches 'nope\*': slsuite function list", "suite", "run", "--functions", "aes-c,nope*"),
            (2, "--functions: no function matches '': ", "suite", "run", "--functions", "aes-c,"),
            (2, "--resume: which suite.*--out", "suite", "run", "--resume"),
            (2, ".*pentium", "suite", "run", "--system", "pentium"),
            (2, ".*xml", "suite", "run", "--format", "xml"),
            (1, f"making the suite's folder {self.out}: it exists and is not empty: .*--resume", "suite", "run", "--out", self.out),
            (1, ".*cannot open the suite's folder file: Not a directory", "suite", "run", "--out", "file"),
            (1, ".*cannot create the folder /proc/suite", "suite", "run", "--out", "/proc/suite"),
        ):
            with self.subTest(arguments):
                process = self.refused(pattern, *arguments, status=status)
                self.assertEqual((process.out, len(process.err.splitlines())), ("", 1))
                self.assertEqual(files_below(self.folder), before)

    @as_root
    def test_no_room(self):
        place = self.folder / "small"
        place.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "small", place], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", place], check=True)
        process = self.refused(
            "not enough room for the results: .* MB free .* needed: ", "suite", "run", "--functions", C, "--out", place / "suite"
        )
        self.assertEqual(len(process.err.splitlines()), 1)
        self.assertEqual(files_below(place), [])

    def test_on_a_terminal(self):
        """What runs stands below what has ended, with what it is at."""
        command = f"{BUILD}/slsuite suite run --functions {C} -n 40 --out {self.out}"
        shown = self.slsuite("-qec", command, "/dev/null", program="/usr/bin/script").out
        self.assertRegex(shown, r"\x1b\[\d+A\x1b\[J(  .*\n)*  \S+-c +\d+ s  simulate 40 invocations")
        self.assertRegex(shown, r"\x1b\[\d+A\x1b\[J✓ \S+-c .*\n(  .*\n)*  [12] of 3 functions have ended, 0 failed\n")
        self.assertIn("mean of 3 functions", shown)
