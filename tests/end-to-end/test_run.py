"""`slsuite run` of each function: what it prints, what it writes, and whether the replies are right."""

import csv
import io
import json
import re
import shutil
import subprocess
import sys

import pytest

from harness import BUILD, FUNCTIONS, LANGUAGES, REPOSITORY, Case, slow

CONTRACT = "run.json", "stats.txt", "invocations.csv", "invocations.json", "report.html", "console.log"
EVERY = sorted("-".join(path.parts[-3:-1]) for path in REPOSITORY.glob("functions/*/*/function.yaml"))
KEY = "6368616e676520746869732070617373"


def aes(plaintext):
    """By OpenSSL."""
    command = ["openssl", "enc", "-aes-128-ctr", "-K", KEY, "-iv", "0" * 32]
    return subprocess.run(command, input=plaintext.encode(), stdout=subprocess.PIPE, check=True).stdout.hex()


class Run(Case):
    def run_and_check(self, function, *options, count=3, **more):
        """The replies of a run whose folder is as promised."""
        result = self.slsuite("run", function, "-n", count, "--out", self.out, *options, **more)
        for name in CONTRACT:
            self.assertTrue((self.out / name).exists(), name)
        manifest = json.loads((self.out / "run.json").read_text())
        self.assertEqual((manifest["function"], manifest["status"]), (function, "complete"))
        reader = subprocess.run([sys.executable, REPOSITORY / "tests/check_run_folder.py", self.out], capture_output=True, text=True)
        self.assertEqual(reader.returncode, 0, reader.stdout + reader.stderr)
        rows = list(csv.DictReader(open(self.out / "invocations.csv", newline="")))
        self.assertEqual([row["invocation"] for row in rows], [str(i) for i in range(count)])
        for row in rows:
            self.assertGreater(int(row["instructions_user"]), 1000)
            self.assertGreaterEqual(int(row["cycles_total"]), int(row["instructions_total"]))
        return result, [row["reply"] for row in rows]

    def test_aes(self):
        result, replies = self.run_and_check("aes-c")
        expected = f"fn: AES | plaintext: defaultplaintext | ciphertext: {aes('defaultplaintext')} | runtime: c"
        self.assertEqual(replies, [expected] * 3)
        for line in r"user\s+[\d,]+\s+[\d,]+\s+\d+\.\d+", r"kernel\s+[\d,]+", r"mean", f"results: {self.out}":
            self.assertRegex(result.out, line)

    def test_aes_in_each_language(self):
        for language in LANGUAGES:
            with self.subTest(language):
                shutil.rmtree(self.out, ignore_errors=True)
                _, replies = self.run_and_check(f"aes-{language}")
                expected = f"fn: AES | plaintext: defaultplaintext | ciphertext: {aes('defaultplaintext')} | runtime: {language}"
                self.assertEqual(replies, [expected] * 3)

    def test_aes_of_other_texts(self):
        _, replies = self.run_and_check("aes-c", "--generator", "random", count=5)
        self.assertGreater(len(set(replies)), 1)
        for reply in replies:
            text, cipher = re.fullmatch(r"fn: AES \| plaintext: (.*) \| ciphertext: ([0-9a-f]*) \| runtime: c", reply).groups()
            self.assertEqual(cipher, aes(text))

    def test_auth(self):
        _, replies = self.run_and_check("auth-c")
        for reply in replies:
            self.assertRegex(reply, r"^fn: Auth \|.*runtime: c$")

    def test_fibonacci(self):
        _, replies = self.run_and_check("fibonacci-c", "--input", "30")
        for reply in replies:
            self.assertRegex(reply, r"^fn: Fib: .*\| x: 30 y: 832040 \| runtime: c$")

    def test_helloworld(self):
        _, replies = self.run_and_check("helloworld-c", "--input", "architect")
        for reply in replies:
            self.assertRegex(reply, r"architect")

    def test_json(self):
        result, replies = self.run_and_check("aes-c", "--format", "json")
        data = json.loads(result.out)
        self.assertEqual([one["reply"] for one in data["invocations"]], replies)
        self.assertEqual(data, json.loads((self.out / "invocations.json").read_text()))

    def test_csv(self):
        result, replies = self.run_and_check("aes-c", "--format", "csv")
        self.assertEqual([row["reply"] for row in csv.DictReader(io.StringIO(result.out))], replies)
        self.assertEqual(result.out, (self.out / "invocations.csv").read_text())

    def test_footprint(self):
        """It is the program's: the same on every system, and told in the table; the code of a call is more than its instructions' bytes."""
        kinds = [f"{what}_footprint_bytes_{mode}" for what in ("code", "data") for mode in ("user", "kernel", "total")]
        seen = []
        for system in "simple", "inorder", "icelake":
            folder = self.folder / system
            said = self.slsuite("run", "helloworld-c", "-n", 3, "--system", system, "--out", folder).out
            rows = list(csv.DictReader(open(folder / "invocations.csv", newline="")))
            seen.append([[int(row[kind]) for kind in kinds] for row in rows])
        self.assertEqual(seen[0], seen[1])
        self.assertEqual(seen[0], seen[2])
        for user, kernel, total, *_ in seen[0]:
            self.assertEqual(user + kernel, total)
            self.assertEqual(total % 64, 0)
            self.assertGreater(kernel, 64 * 1024)  # a whole network stack
        mean = sum(row[2] for row in seen[0]) / 3 / 1024
        self.assertIn(f"mean footprint: code {mean:.1f} kB (user ", said)

    def test_four_cores(self):
        """The function has core 1, and that is what the table tells of."""
        simple = (BUILD / "systems/simple.yaml").read_text()
        four = self.folder / "four.yaml"
        four.write_text(simple.replace("cores: 2 ", "cores: 4 "))
        self.assertNotEqual(four.read_text(), simple)
        self.run_and_check("aes-c", "--system", four)

    def test_names_of_gem5(self):
        """Scripts that people have for gem5 find what they read; micro-operations on all cores where all cores count them, and else none."""
        skylake = self.folder / "same.yaml"
        skylake.write_text((BUILD / "systems/skylake.yaml").read_text().replace("others: blocking", "others: same"))
        for system, has_ops in ("simple", False), ("skylake", False), (skylake, True):
            with self.subTest(system=str(system)):
                shutil.rmtree(self.out, ignore_errors=True)
                self.run_and_check("aes-c", "--system", system, count=1)
                script = """$1=="system.cpu1.exec_context.thread_0.numInsts"{i=$2} $1=="system.cpu1.numCycles"{c=$2}
                    $1=="system.cpu1.commitStats0.cpi"{p=$2} $1=="system.cpu1.commitStats0.ipc"{q=$2} $1=="system.cpu1.dcache.demandMisses::total"{d=$2}
                    $1=="system.cpu1.icache.ReadReq.misses::total"{r=$2} $1=="system.llc.demandMissRate::total"{m=$2} $1=="simInsts"{s=$2} $1=="simOps"{o=$2}
                    END{print i+0, c+0, p+0, q+0, d+0, r+0, m+0, s+0, o+0}"""
                said = subprocess.run(["awk", script, self.out / "stats.txt"], capture_output=True, text=True, check=True).stdout
                instructions, cycles, cpi, ipc, misses, fetch_misses, rate, of_all, ops = map(float, said.split())
                self.assertAlmostEqual(cycles / instructions, cpi, places=3)
                self.assertAlmostEqual(instructions / cycles, ipc, places=3)
                self.assertTrue(0 < misses < fetch_misses < instructions < of_all, said)
                self.assertTrue(0 < rate < 1, said)
                self.assertTrue(ops > of_all if has_ops else ops == 0, said)

    def test_default_folder_and_latest(self):
        self.slsuite("run", "aes-c", "-n", 1)
        latest = (self.folder / "results/latest").resolve()
        self.assertRegex(latest.name, r"^\d{8}-\d{6}-aes-c-simple$")
        self.assertTrue((latest / "stats.txt").exists())

    def test_quiet(self):
        self.assertEqual(self.slsuite("run", "aes-c", "-n", 1, "-q", "--out", self.out).err, "")

    def test_list(self):
        listed = [line.split()[0] for line in self.slsuite("function", "list").out.splitlines()]
        self.assertEqual(listed, EVERY)
        self.assertEqual([name for name in listed if name.endswith("-c")], sorted(FUNCTIONS))
        self.assertEqual({name.rpartition("-")[2] for name in listed}, {"c", *LANGUAGES})

    def test_progress_on_a_terminal(self):
        """Every long step with a time estimate; plain lines without a terminal."""
        command = f"{BUILD}/slsuite run aes-c -n 1 --out {self.out}"
        shown = self.slsuite("-qec", command, "/dev/null", program="/usr/bin/script").out
        self.assertRegex(shown, r"(?s)simulate 1 invocations .*%.*\x1b\[K✓ simulate 1 invocations +[\d.]+ s")


def of_function(function, language):
    @slow
    @pytest.mark.needs(*([] if language == "c" else [f"layer:{language}"]))
    def test(self):
        """The client in the guest checks the replies."""
        _, replies = self.run_and_check(function, count=2)
        self.assertTrue(all(reply.startswith("fn: ") for reply in replies), replies)

    return test


# A test each, so that a run that is interrupted loses only one.
for name in EVERY:
    setattr(Run, f"test_every_{name.replace('-', '_')}", of_function(name, name.rpartition("-")[2]))
