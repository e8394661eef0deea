"""--engine native: the function, image and client on this computer; what is measured of it, and that nothing is left behind."""

import csv
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

from harness import Case

COUNTED = "instructions_total", "cycles_total", "l1i_misses_total", "l1d_misses_total", "llc_misses_total"


class Native(Case):
    def setUp(self):
        super().setUp()
        self.place = self.folder / "tmp"
        self.place.mkdir()

    def start_native(self, *arguments, runtime="none", function="aes-c"):
        return self.start("run", function, "--engine", "native", "--runtime", runtime, "--out", self.out, *arguments,
                          environment={"TMPDIR": str(self.place)})

    def native(self, *arguments, **options):
        process = self.finish(self.start_native(*arguments, **options))
        self.nothing_is_left()
        return process

    def inside(self):
        """Processes that have a file system of ours mounted: those of containers."""
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*/mountinfo"):
            try:
                if str(self.place) in path.read_text():
                    found.append(path.parent.name)
            except OSError:
                pass  # it has ended
        return found

    def nothing_is_left(self, seconds=15):
        end = time.monotonic() + seconds
        while (left := [*self.place.iterdir(), *self.inside()]) and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(left, [])

    def rows(self):
        return list(csv.DictReader(open(self.out / "invocations.csv", newline="")))

    def about(self):
        return json.loads((self.out / "run.json").read_text())

    def check(self, invocations):
        rows = self.rows()
        self.assertEqual([int(row["invocation"]) for row in rows], list(range(invocations)))
        for row in rows:
            self.assertGreater(int(row["latency_ns"]), 1000)
            self.assertGreater(float(row["microseconds_total"]), 0)
            self.assertLess(float(row["microseconds_total"]), 1e6)
            self.assertIn(row["outlier"], "01")
        return rows


class Measures(Native):
    def test_folder(self):
        said = self.native("-n", 30, "-w", 5).out
        rows, about = self.check(30), self.about()
        self.assertEqual({row["reply"] for row in rows}, {rows[0]["reply"]})
        self.assertIn("fn: AES", rows[0]["reply"])
        for file in "stats.txt", "invocations.json", "report.html", "console.log", "samples.tsv":
            self.assertTrue((self.out / file).exists(), file)
        self.assertEqual((about["engine"], about["system"], about["runtime"], about["status"]), ("native", "native", "none", "complete"))
        self.assertEqual((about["invocations"], about["warm_ups"]), (30, 5))
        self.assertGreaterEqual(about["host"].keys(), {"function_cpu", "client_cpu", "conditions"})
        self.assertGreaterEqual(about["host"]["conditions"].keys(), {"isolation", "smt", "frequency", "turbo", "steal", "load"})
        confidence = json.loads((self.out / "invocations.json").read_text())["confidence"]["latency_us"]["total"]
        low, high = confidence["mean_interval"]
        self.assertTrue(low <= confidence["mean"] <= high, confidence)
        latencies = [int(row["latency_ns"]) / 1e3 for row in rows]
        self.assertAlmostEqual(confidence["mean"], sum(latencies) / 30, places=6)
        self.assertIn("Latency", (self.out / "report.html").read_text())
        self.assertRegex(said, r"latency µs +mean [\d.,]+ \([\d.,]+ … [\d.,]+\) +median")

    def test_what_cannot_be_counted(self):
        """n/a in the table, nothing in the CSV, and one line why; or there are figures."""
        said = self.native("-n", 3).out
        missing = self.about()["counters"].get("missing", "")
        for row in self.rows():
            for column in COUNTED:
                word = column.split("_")[0].replace("l1i", "L1I").replace("l1d", "L1D").replace("llc", "LLC")
                self.assertEqual(row[column] == "", word in missing, (column, row, missing))
        if missing:
            self.assertIn("n/a", said)
            self.assertIn(missing, said)

    def test_inputs_and_formats(self):
        self.native("-n", 4, "--generator", "random", "-q", function="fibonacci-c")
        self.assertGreater(len({row["reply"] for row in self.check(4)}), 1)
        self.out = self.folder / "json"
        self.assertEqual(len(json.loads(self.native("-n", 2, "--input", "5", "--format", "json", function="fibonacci-c").out)["invocations"]), 2)

    def test_services(self):
        """Services run beside it, and end with it."""
        self.slsuite("function", "build", "hotel-profile-python", seconds=600)
        self.native("-n", 5, "-w", 2, function="hotel-profile-python")
        self.check(5)

    def test_compare(self):
        self.native("-n", 5, "-q")
        ours = self.folder / "sim"
        self.slsuite("run", "aes-c", "-n", 2, "-q", "--out", ours)
        counted = "instructions" not in self.about()["counters"].get("missing", "")
        process = self.start("compare", ours, self.out, "--tolerance", 20)
        self.finish(process, process.wait())
        self.assertIn("native", process.out)
        if not counted:
            self.assertEqual(process.returncode, 1)
            self.assertIn("their instructions cannot be compared: n/a: instructions", process.out)

    def test_doctor(self):
        said = self.slsuite("doctor", "--native").out
        for name in "processors", "isolation", "SMT siblings", "frequency", "turbo", "steal time", "other load", "can be counted":
            self.assertRegex(said, rf"(?m)^(ok|--) {name} ")


class Runtimes(Native):
    def with_runtime(self, runtime):
        if not shutil.which(runtime):
            self.skipTest(f"there is no {runtime}")
        process = self.start_native("-n", 5, "-q", runtime=runtime)
        process.wait()
        if process.returncode != 0 and "aes-c on this computer: " in (said := process.stderr.read()):
            self.nothing_is_left()
            self.skipTest(said.strip())
        self.finish(process)
        self.nothing_is_left()
        self.check(5)
        self.assertEqual(self.about()["runtime"], runtime)

    def test_crun(self):
        self.with_runtime("crun")

    def test_runc(self):
        self.with_runtime("runc")

    def test_docker(self):
        self.with_runtime("docker")

    def test_podman(self):
        """As it is set up; or with runc and smaller limits, where crun or this computer cannot do what it is set up for."""
        configuration = self.folder / "containers.conf"
        configuration.write_text('[containers]\ndefault_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]\n'
                                 '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nruntime = "runc"\n')
        os.environ.setdefault("CONTAINERS_CONF", str(configuration))
        self.addCleanup(os.environ.pop, "CONTAINERS_CONF", None)
        self.with_runtime("podman")
        left = subprocess.run(["podman", "images", "--format", "{{.Repository}}"], capture_output=True, text=True).stdout
        self.assertNotIn("slsuite-aes-c-", left)

    def test_auto(self):
        self.native("-n", 2, "-q", runtime="auto")
        self.check(2)


class Ends(Native):
    def ends(self, number, seconds, runtime):
        process = self.start_native("-n", 1000000, "-q", runtime=runtime)
        time.sleep(seconds)
        process.send_signal(number)
        process.wait(60)
        self.nothing_is_left()
        self.assertEqual(process.survivors(10), {})
        self.assertFalse(self.out.exists())
        process.end()

    def test_at_any_instant(self):
        runtime = "runc" if shutil.which("runc") else "none"
        for number in signal.SIGINT, signal.SIGTERM, signal.SIGKILL:
            for seconds in 0.02, 0.1, 0.2, 0.4, 0.8, 2:
                with self.subTest(number=number, seconds=seconds):
                    self.ends(number, seconds, runtime)

    def test_without_a_runtime(self):
        for number in signal.SIGINT, signal.SIGKILL:
            with self.subTest(number=number):
                self.ends(number, 1, "none")

    def test_runs_after_a_kill(self):
        self.ends(signal.SIGKILL, 1, "none")
        self.native("-n", 2, "-q")


class BadInput(Native):
    def test_usage(self):
        for pattern, *arguments in (
                ("--cpu 9999: this computer has no such processor: it has 0", "--engine", "native", "--cpu", 9999),
                ("--client-cpu 9999: this computer has no such processor", "--engine", "native", "--client-cpu", 9999),
                ("--cpu x: not a number", "--engine", "native", "--cpu", "x"),
                ("on this computer no runtime is named rkt: there are auto, crun", "--engine", "native", "--runtime", "rkt"),
                ("--cpu, --client-cpu: only with --engine native", "--cpu", 1),
                ("--profile: only with --engine sim", "--engine", "native", "--profile"),
                ("--kernel, --base, --system: this computer has its own", "--engine", "native", "--system", "skylake"),
                ("no container runtime is named runc", "--runtime", "runc")):
            with self.subTest(arguments):
                self.refused(pattern, "run", "aes-c", *arguments, status=2)

    def test_no_runtime(self):
        tools = self.folder / "bin"
        tools.mkdir()
        for tool in "sh", "taskset", "umoci", "tar":
            (tools / tool).symlink_to(shutil.which(tool))
        self.refused("there is no crun on this computer: install it", "run", "aes-c", "--engine", "native", "--runtime", "crun",
                     environment={"PATH": str(tools)})

    def test_cannot_start(self):
        """A runtime that fails: what it says."""
        tools = self.folder / "bin"
        tools.mkdir()
        (tools / "crun").write_text("#!/bin/sh\necho no space for containers >&2\nexit 1\n")
        (tools / "crun").chmod(0o755)
        self.refused("aes-c on this computer: .* failed with status 1: no space for containers", "run", "aes-c", "--engine", "native",
                     "--runtime", "crun", "-q", "--out", self.out, environment={"PATH": f"{tools}:{os.environ['PATH']}", "TMPDIR": str(self.place)})
        self.nothing_is_left()
