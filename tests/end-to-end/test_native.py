"""--engine native: the function, image and client on this computer; what is measured of it, and that nothing is left behind."""

import csv
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

import pytest

from harness import ODD, Case

# The function and its client have a processor each.
pytestmark = [pytest.mark.needs("checkpoint:aes-c"), pytest.mark.processors(2)]

COUNTED = "instructions_total", "cycles_total", "l1i_misses_total", "l1d_misses_total", "llc_misses_total"


class Native(Case):
    def setUp(self):
        super().setUp()
        self.place = self.folder / "tmp"
        self.place.mkdir()

    def start_native(self, *arguments, runtime="none", function="aes-c", environment={}, **options):
        return self.start(
            "run",
            function,
            "--engine",
            "native",
            "--runtime",
            runtime,
            "--out",
            self.out,
            *arguments,
            environment={"TMPDIR": str(self.place)} | environment,
            **options,
        )

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

    def wait_until(self, reached, process, seconds=60):
        """It has got so far, or has ended."""
        end = time.monotonic() + seconds
        while process.poll() is None and not reached(process):
            self.assertLess(time.monotonic(), end, f"not {reached.__name__} after {seconds} s")
            time.sleep(0.002)

    def begun(self, process):
        return True

    def laid_out(self, process):
        return any(self.place.glob("*/*"))

    def started(self, process):
        return self.inside() or any("aes-c -addr" in command for command in process.family().values())

    def measuring(self, process):
        return any("/client -addr" in command for command in process.family().values())

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
        self.assertEqual(
            len(json.loads(self.native("-n", 2, "--input", "5", "--format", "json", function="fibonacci-c").out)["invocations"]), 2
        )

    @pytest.mark.needs("layer:python", "layer:services")
    def test_services(self):
        """Services run beside it, and end with it."""
        self.slsuite("function", "build", "hotel-profile-python")
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
        configuration.write_text(
            '[containers]\ndefault_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]\n'
            '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nruntime = "runc"\n'
        )
        os.environ.setdefault("CONTAINERS_CONF", str(configuration))
        self.addCleanup(os.environ.pop, "CONTAINERS_CONF", None)
        self.with_runtime("podman")
        left = subprocess.run(["podman", "images", "--format", "{{.Repository}}"], capture_output=True, text=True).stdout
        self.assertNotIn("slsuite-aes-c-", left)

    def test_auto(self):
        self.native("-n", 2, "-q", runtime="auto")
        self.check(2)


class Ends(Native):
    def ends(self, number, reached, after, runtime):
        """When it has got so far, and so many seconds later."""
        process = self.start_native("-n", 1000000, "-q", runtime=runtime)
        self.wait_until(reached, process)
        time.sleep(after)
        process.send_signal(number)
        process.wait(60)
        self.nothing_is_left()
        self.assertEqual(process.survivors(10), {})
        self.assertFalse(self.out.exists())
        process.end()

    def test_at_any_instant(self):
        runtime = "runc" if shutil.which("runc") else "none"
        for reached in self.begun, self.laid_out, self.started, self.measuring:
            for number, after in (signal.SIGINT, 0), (signal.SIGTERM, 0.02), (signal.SIGKILL, 0), (signal.SIGKILL, 0.05):
                with self.subTest(number=number, reached=reached.__name__, after=after):
                    self.ends(number, reached, after, runtime)

    def test_without_a_runtime(self):
        for number in signal.SIGINT, signal.SIGKILL:
            with self.subTest(number=number):
                self.ends(number, self.measuring, 0, "none")
        self.native("-n", 2, "-q")


class Misbehaves(Native):
    def fails(self, pattern, *arguments, environment=ODD):
        shutil.rmtree(self.folder / "run.failed", ignore_errors=True)
        process = self.finish(self.start_native("-q", *arguments, function="odd-c", environment=environment), 1)
        self.assertRegex(process.err.splitlines()[-1], "^slsuite: " + pattern)
        self.nothing_is_left()
        self.assertFalse(self.out.exists())
        self.assertEqual(json.loads((self.folder / "run.failed/run.json").read_text())["status"], "failed")
        return process

    def test_at_start(self):
        for how in "exit", "crash":
            self.fails("odd-c on this computer: odd-c ended before it listened", environment=self.odd(how))

    def test_while_measured(self):
        for how in "exit", "crash", "wrong":
            with self.subTest(how):
                self.fails("invocation 1: ", "-n", 3, "--input", f"{how} at 5")  # here also the three warm-ups say so
        self.fails("warm-up 0: ", "-n", 3, "--input", "wrong at 1")

    def test_cold(self):
        self.fails("cold start 0: wrong reply", "--input", "wrong at 1", "--start", "cold", "-n", 2)

    def test_instances(self):
        """One failure of many: the figures are there, beside the place of a whole run."""
        self.fails("1 of 12 invocations failed; the first: ", "--input", "crash at 7", "--instances", 1, "--rate", 20, "-n", 12)
        rows = list(csv.DictReader(open(self.folder / "run.failed/invocations.csv", newline="")))
        self.assertEqual([row["failed"] for row in rows].count("1"), 1)
        self.assertEqual([row["start"] for row in rows].count("cold"), 2)

    def test_port_in_use(self):
        """Of a function whose command line names no port."""
        self.odd()
        place = self.folder / "functions/odd/c"
        text = (place / "function.yaml").read_text().replace("-addr, 0.0.0.0:50051, ", "")
        (place / "function.yaml").write_text(text)
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                other.bind(("127.0.0.1", 50051))
            except OSError:
                self.skipTest("somebody else has port 50051")
            other.listen()
            self.refused(
                ".*port 50051 is in use on this computer",
                "run",
                "odd-c",
                "--engine",
                "native",
                "--runtime",
                "none",
                "-q",
                "--out",
                self.out,
                environment={"TMPDIR": str(self.place), "SLSUITE_FUNCTIONS": str(self.folder / "functions")},
                cache=self.own_cache("layers"),
            )
        self.nothing_is_left()


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
            ("no container runtime is named runc", "--runtime", "runc"),
        ):
            with self.subTest(arguments):
                self.refused(pattern, "run", "aes-c", *arguments, status=2)

    def test_no_runtime(self):
        tools = self.folder / "bin"
        tools.mkdir()
        for tool in "sh", "taskset", "umoci", "tar":
            (tools / tool).symlink_to(shutil.which(tool))
        self.refused(
            "there is no crun on this computer: install it",
            "run",
            "aes-c",
            "--engine",
            "native",
            "--runtime",
            "crun",
            environment={"PATH": str(tools)},
        )

    def test_cannot_start(self):
        """A runtime that fails: what it says."""
        tools = self.folder / "bin"
        tools.mkdir()
        (tools / "crun").write_text("#!/bin/sh\necho no space for containers >&2\nexit 1\n")
        (tools / "crun").chmod(0o755)
        self.refused(
            "aes-c on this computer: .* failed with status 1: no space for containers",
            "run",
            "aes-c",
            "--engine",
            "native",
            "--runtime",
            "crun",
            "-q",
            "--out",
            self.out,
            environment={"PATH": f"{tools}:{os.environ['PATH']}", "TMPDIR": str(self.place)},
        )
        self.nothing_is_left()


class Starts(Native):
    def test_cold(self):
        """Four phases, which are all of the latency."""
        said = self.native("--start", "cold", "-n", 4).out
        for row in self.rows():
            phases = [int(row[f"{phase}_ns_total"]) for phase in ("create", "start", "listen", "reply")]
            self.assertEqual(sum(phases), int(row["latency_ns"]))
            self.assertGreater(phases[2], 0)
            self.assertIn("fn: AES", row["reply"])
        self.assertRegex(said, r"create ms +start ms +listen ms +reply ms +ms")
        self.assertIn("the function's files were dropped before each start", said)
        self.assertEqual((self.about()["start"], self.about()["invocations"]), ("cold", 4))

    def test_lukewarm(self):
        """That it is slower is not for a test to say; that more misses, where they can be counted, is."""
        misses = {}
        for start in "warm", "lukewarm":
            self.out = self.folder / start
            self.native("--start", start, "-n", 15, "-q")
            self.assertEqual(self.about()["start"], start)
            misses[start] = [int(row["llc_misses_total"]) for row in self.check(15) if row["llc_misses_total"]]
        if misses["warm"]:
            self.assertGreater(sum(misses["lukewarm"]), sum(misses["warm"]))

    def test_usage(self):
        for pattern, *arguments in (
            ("--flush: only with --engine sim", "--start", "lukewarm", "--flush", "l1"),
            ("-w 3: what is warmed up is not cold", "--start", "cold", "-w", 3),
            ("no start is named hot", "--start", "hot"),
        ):
            with self.subTest(arguments):
                self.refused(pattern, "run", "aes-c", "--engine", "native", *arguments, status=2)


class Fleet(Native):
    def fleet(self, *arguments, **options):
        process = self.native("--instances", 3, *arguments, **options)
        summary = json.loads((self.out / "fleet.json").read_text())
        rows = self.rows()
        instances = list(csv.DictReader(open(self.out / "instances.csv", newline="")))
        self.assertEqual(len(rows), summary["invocations"])
        self.assertEqual([row["failed"] for row in rows], ["0"] * len(rows))
        self.assertEqual(sum(row["start"] == "cold" for row in rows), summary["cold_starts"])
        self.assertEqual(summary["cold_starts"], len(instances))
        self.assertEqual(sum(int(one["invocations"]) for one in instances), len(rows))
        self.assertLessEqual(summary["instances_at_a_time"], 3)
        self.assertGreater(summary["memory_mb_seconds"], 0)
        self.assertGreaterEqual(summary["memory_mb_seconds"], summary["idle_memory_mb_seconds"])
        self.assertAlmostEqual(summary["latency_us"]["all"]["max"], max(int(row["latency_ns"]) for row in rows) / 1e3, places=3)
        return process, summary, rows, instances

    def test_rate(self):
        process, summary, rows, _ = self.fleet("--rate", 20, "--duration", 3, "--arrival", "uniform")
        self.assertIn(len(rows), (59, 60, 61))
        self.assertLessEqual(summary["cold_starts"], 3)  # none grows old
        self.assertIn("cold starts", process.out)
        for file in "report.html", "latency.hlog", "run.json", "console.log":
            self.assertTrue((self.out / file).exists(), file)
        self.assertEqual(self.about()["status"], "complete")

    def test_trace_and_idle_timeout(self):
        """Nothing comes in the second minute: the instances of the first are gone in the third."""
        trace = self.folder / "trace.csv"
        trace.write_text("HashOwner,HashApp,HashFunction,Trigger,1,2,3\no,a,other,http,1,1,1\no,a,mine,http,5,0,4\n")
        _, summary, rows, instances = self.fleet(
            "--trace", trace, "--trace-function", "mine", "--trace-minute", 2, "--idle-timeout", 0.6, "-q"
        )
        self.assertEqual(len(rows), 9)
        self.assertEqual(summary["function"], "aes-c")
        self.assertGreaterEqual(summary["cold_starts"], 2)
        first, later = rows[:5], rows[5:]
        self.assertFalse({row["instance"] for row in first} & {row["instance"] for row in later})
        self.assertTrue(any(one["removed_ns"] for one in instances))

    def test_same_seed(self):
        due = []
        for name in "one", "two":
            self.out = self.folder / name
            _, _, rows, _ = self.fleet("--rate", 30, "-n", 20, "--seed", 7, "-q")
            due.append([row["due_ns"] for row in rows])
        self.assertEqual(*due)

    def test_killed(self):
        for number in signal.SIGINT, signal.SIGKILL:
            with self.subTest(number=number):
                process = self.start_native("--instances", 3, "--rate", 50, "--duration", 60, "-q")
                self.wait_until(self.started, process)
                process.send_signal(number)
                process.wait(60)
                self.nothing_is_left()
                self.assertEqual(process.survivors(10), {})

    def test_bad_input(self):
        trace = self.folder / "trace.csv"
        good = "HashOwner,HashApp,HashFunction,Trigger,1,2\n"
        for text, pattern in (
            (good + "o,a,f,http,1,-4\n", ".*trace.csv.*-4"),
            (good + "o,a,f,http,1\n", ".*trace.csv"),
            ("", ".*trace.csv"),
        ):
            trace.write_text(text)
            with self.subTest(text):
                self.refused(pattern, "run", "aes-c", "--engine", "native", "--instances", 2, "--trace", trace)
        for pattern, *arguments in (
            ("--instances: only with --engine native", "--instances", 2, "--rate", 1, "--duration", 1),
            ("--rate: only with --instances N", "--engine", "native", "--rate", 1),
            ("--instances: how often is it invoked", "--engine", "native", "--instances", 1),
            ("--rate: for how long", "--engine", "native", "--instances", 1, "--rate", 1),
            ("--rate and --trace: a trace has rates of its own", "--engine", "native", "--instances", 1, "--rate", 1, "--trace", trace),
            ("--rate -1: not a number above 0", "--engine", "native", "--rate", -1),
            ("--instances 0: not a number from 1", "--engine", "native", "--instances", 0),
        ):
            with self.subTest(arguments):
                self.refused(pattern, "run", "aes-c", *arguments, status=2)
