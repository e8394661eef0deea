"""Never stuck: functions and guests that misbehave end with one clear line, the console's tail, exit 1, in bounded time."""

import json
import os
import signal
import time

import pytest

from harness import ODD_WARM_UPS, REPOSITORY, Case, checkpoints, files_below, slow


class Function(Case):
    def odd_alone(self, *misbehaviour, **more):
        """With a cache of its own."""
        return {"environment": self.odd(*misbehaviour, **more), "cache": self.own_cache("kernel", "initramfs", "base", "rootfs")}

    def fails_before_the_checkpoint(self, pattern, at, how, *options, **more):
        odd = self.odd_alone(at, how, **more)
        process = self.refused(pattern, "run", "odd-c", "--out", self.out, *options, **odd)
        self.assertIn("the guest's console ends with:\n", process.err)
        self.assertEqual(checkpoints(odd["cache"]), [])
        self.assertFalse([name for name in files_below(odd["cache"] / "checkpoints") if ".tmp" in name])
        self.assertFalse(self.out.exists())

    def fails_while_measured(self, pattern, how, *options):
        """At the second of three invocations."""
        odd = self.odd_alone(ODD_WARM_UPS + 2, how)
        self.slsuite("run", "odd-c", "-n", 1, "-q", **odd)  # so far all is well
        process = self.refused(pattern, "run", "odd-c", "-n", 3, "--out", self.out, *options, **odd)
        self.assertIn("the guest's console ends with:\n", process.err)
        self.assertFalse(self.out.exists())
        failed = self.folder / "run.failed"
        self.assertEqual(json.loads((failed / "run.json").read_text())["status"], "failed")
        self.assertTrue((failed / "console.log").exists())
        self.assertFalse((failed / "stats.txt").exists())

    def test_crashes_at_start(self):
        self.fails_before_the_checkpoint(".*`container`.*it ended before it listened on port 50051", 0, "crash")

    def test_exits_at_start(self):
        self.fails_before_the_checkpoint(".*`container`.*it ended before it listened on port 50051", 0, "exit")

    @slow  # a minute of the guest's time, awake every tenth of a second
    def test_never_listens(self):
        self.fails_before_the_checkpoint(".*`container`.*it does not listen on port 50051 after 60 s", 0, "idle")

    def test_spins_at_start(self):
        self.fails_before_the_checkpoint("the guest was not done within 10 s", 0, "spin", "--timeout", "10")

    def test_crashes_at_the_first_request(self):
        self.fails_before_the_checkpoint(".*warm-up 0: ", 1, "crash")

    def test_exits_at_the_second_request(self):
        self.fails_before_the_checkpoint(".*warm-up 1: ", 2, "exit")

    def test_never_answers(self):
        self.fails_before_the_checkpoint(".*warm-up 0: .*10 s", 1, "idle")

    def test_spins_at_the_first_request(self):
        # The client's patience is guest time, which a fast host is through with before 15 s: it must be the host that ends it.
        self.fails_before_the_checkpoint("the guest was not done within 15 s", 1, "spin", "--timeout", "15",
                                         client="-function, helloworld, -timeout, 600")

    def test_answers_wrongly(self):
        self.fails_before_the_checkpoint(".*warm-up 0: ", 1, "wrong")

    def test_is_another_service(self):
        self.fails_before_the_checkpoint(".*warm-up 0: .*UNIMPLEMENTED", 9, "wrong", client="-function, aes")

    def test_crashes_while_measured(self):
        self.fails_while_measured("invocation 1: ", "crash")

    def test_exits_while_measured(self):
        self.fails_while_measured("invocation 1: ", "exit")

    def test_never_answers_while_measured(self):
        self.fails_while_measured("invocation 1: .*10 s", "idle")

    def test_spins_while_measured(self):
        self.fails_while_measured("the guest was not done within 5 s", "spin", "--timeout", "5")

    def test_answers_wrongly_while_measured(self):
        self.fails_while_measured("invocation 1: ", "wrong")

    def test_marks_of_its_own_do_no_harm(self):
        odd = self.odd_alone(ODD_WARM_UPS + 2, "mark")
        self.slsuite("run", "odd-c", "-n", 3, "--out", self.out, **odd)
        rows = (self.out / "invocations.csv").read_text().splitlines()
        self.assertEqual(len(rows), 1 + 3)
        reader = self.slsuite(self.out, program=REPOSITORY / "tests/check_run_folder.py")
        self.assertRegex(reader.out, " 0 failed")


class Machine(Case):
    def test_qemu_is_killed(self):
        process = self.start("run", "aes-c", "-n", 3000, "--out", self.out)
        for _ in range(1200):
            if simulating := [pid for pid, command in process.family().items() if " -incoming " in command]:
                break
            time.sleep(0.1)
        time.sleep(2)
        os.kill(simulating[0], signal.SIGKILL)
        self.finish(process, status=1)
        self.assertRegex(process.err, r"(?m)^slsuite: QEMU (ended by itself|closed its control connection): see .*run\.failed$")
        self.assertFalse(self.out.exists())


@pytest.mark.needs("checkpoint:shell")
class Guest(Case):
    def fails(self, pattern, script, *options, console=None):
        path = self.folder / "script"
        path.write_text(script)
        process = self.refused(pattern, "shell", "--kvm", "off", "--run", path, *options)
        if console:
            self.assertRegex(process.err, rf"the guest's console ends with:\n(  \| .*\n)*  \| .*{console}")

    def test_kernel_panics(self):
        self.fails("the guest.* kernel panicked", "echo c >/proc/sysrq-trigger", console=r"RIP: \d")

    def test_hangs_busily(self):
        self.fails("the guest was not done within 5 s", "echo hanging; while :; do :; done", "--timeout", "5", console="hanging")

    def test_hangs_idly(self):
        self.fails("the guest was not done within 5 s", "echo hanging; read line </dev/tty0 || sleep infinity", "--timeout", "5",
                   console="hanging")

    def test_script_fails(self):
        self.fails("the guest's step `script` failed with status 7: .*no such thing", "echo no such thing >&2; exit 7",
                   console="no such thing")

    def test_script_is_killed(self):
        self.fails("the guest's step `script` failed with status 137", "kill -9 $$")

    def test_script_is_no_script(self):
        self.fails("the guest's step `script` failed with status (2|127)", "\0\1\2\3(")

    def test_powers_off_early(self):
        self.fails("the guest powered off before it was done", "echo o >/proc/sysrq-trigger; sleep 100")

    def test_reboots(self):
        self.fails("the guest reset itself", "echo b >/proc/sysrq-trigger; sleep 100")

    def test_floods_the_console(self):
        self.fails("the guest's step `script` failed with status 1", "seq 200000 >/dev/null; yes | head -c 300000; exit 1")

    def test_floods_the_channel(self):
        """Lines that mean nothing, too long, and a file that is announced but never comes."""
        self.fails("the guest", """
slsuite-channel "$(head -c 3000 /dev/zero | tr '\\0' x)"
slsuite-channel stage "$(head -c 3000 /dev/zero | tr '\\0' y)"
slsuite-channel invocation 99999999999999999999 -1
slsuite-channel failed
slsuite-channel file broken 1000000000000
""", "--timeout", "45")
