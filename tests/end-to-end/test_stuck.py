"""Never stuck: functions and guests that misbehave end with one clear line, the console's tail, exit 1, in bounded time."""

import json
import os
import signal

import pytest

from harness import ODD, REPOSITORY, Case, checkpoints, files_below, slow

goes_wrong_later = pytest.mark.needs("checkpoint:odd-c")


class Function(Case):
    """One of each kind of step by `run`; what else can go wrong before the checkpoint is in the class Before."""

    def fails_before_the_checkpoint(self, pattern, *options, **odd):
        cache = self.own_cache("kernel", "initramfs", "base", "rootfs")
        process = self.refused(pattern, "run", "odd-c", "--out", self.out, *options, environment=self.odd(**odd), cache=cache)
        self.assertIn("the guest's console ends with:\n", process.err)
        self.assertEqual(checkpoints(cache), [])
        self.assertFalse([name for name in files_below(cache / "checkpoints") if ".tmp" in name])
        self.assertFalse(self.out.exists())

    def fails_while_measured(self, pattern, how, *options):
        """At the second of three invocations. One checkpoint serves all."""
        process = self.refused(pattern, "run", "odd-c", "-n", 3, "--input", f"{how} at 2", "--out", self.out, *options, environment=ODD)
        self.assertIn("the guest's console ends with:\n", process.err)
        self.assertFalse(self.out.exists())
        failed = self.folder / "run.failed"
        self.assertEqual(json.loads((failed / "run.json").read_text())["status"], "failed")
        self.assertTrue((failed / "console.log").exists())
        self.assertFalse((failed / "stats.txt").exists())

    def test_crashes_at_start(self):
        self.fails_before_the_checkpoint(".*`container`.*it ended before it listened on port 50051", start="crash")

    @slow  # a minute of the guest's time, awake every tenth of a second
    def test_never_listens(self):
        self.fails_before_the_checkpoint(".*`container`.*it does not listen on port 50051 after 60 s", start="idle")

    def test_spins_at_start(self):
        self.fails_before_the_checkpoint(
            "the guest was not done within 5 s: it hangs in its step `container`, or needs longer", "--timeout", 5, start="spin"
        )

    def test_spins_at_the_first_request(self):
        self.fails_before_the_checkpoint(
            "the guest was not done within 5 s: it hangs in its step `warm-up`, or needs longer",
            "--timeout",
            5,
            client="-function, helloworld, -timeout, 600, -input, spin at 1",
        )

    def test_exits_at_the_second_request(self):
        self.fails_before_the_checkpoint(".*warm-up 1: ", client="-function, helloworld, -input, exit at 2")

    @goes_wrong_later
    def test_crashes_while_measured(self):
        self.fails_while_measured("invocation 1: ", "crash")

    @goes_wrong_later
    def test_exits_while_measured(self):
        self.fails_while_measured("invocation 1: ", "exit")

    @goes_wrong_later
    def test_never_answers_while_measured(self):
        self.fails_while_measured("invocation 1: .*10 s", "idle")

    @goes_wrong_later
    def test_spins_while_measured(self):
        # The client's patience is 10 s of the guest's time, of which a simulation has far less than the host: it is the host that ends it.
        self.fails_while_measured("the guest was not done within 5 s", "spin", "--timeout", 5)

    @goes_wrong_later
    def test_answers_wrongly_while_measured(self):
        self.fails_while_measured("invocation 1: .*good evening", "wrong")

    @goes_wrong_later
    def test_marks_of_its_own_do_no_harm(self):
        self.slsuite("run", "odd-c", "-n", 3, "--input", "mark at 2", "--out", self.out, environment=ODD)
        rows = (self.out / "invocations.csv").read_text().splitlines()
        self.assertEqual(len(rows), 1 + 3)
        reader = self.slsuite(self.out, program=REPOSITORY / "tests/check_run_folder.py")
        self.assertRegex(reader.out, " 0 failed")


# In one boot what many would show: the programs that a run's script starts, as it starts them, and what they say. The
# channel's lines are shown, and not sent, so that the host does not take the first for the end.
BEFORE = r"""
printf '#!/bin/sh\necho "channel: $*"\n' >/run/channel
chmod +x /run/channel
mount --bind /run/channel /usr/lib/slsuite/slsuite-channel
bundle=/functions/odd-c
begin() { # HOW
    echo "case start $1"
    sed "s/\"well\"/\"$1\"/" $bundle/config.json >/run/config.json
    mount --bind /run/config.json $bundle/config.json
    slsuite-function start odd-c
    echo "status $?"
}
end() {
    slsuite-function stop odd-c
    umount $bundle/config.json
}
for how in crash exit; do
    begin $how
    end
done
call() { # OPTION...
    echo "case $*"
    client -addr localhost:50051 -wait 10 -warm 3 -m5ops "$@"
    echo "status $?"
}
for how in crash exit idle wrong; do
    begin well
    call -function helloworld -input "$how at 1"
    end
done
begin well
call -function aes
end
"""


class Before(Case):
    def test_the_checkpoint(self):
        said = self.shell(BEFORE, "odd-c", environment=ODD).out.replace("\r", "")
        cases = {}
        for part in said.split("case ")[1:]:
            name, text = part.split("\n", 1)
            cases.setdefault(name, []).append(text)
        for how in "crash", "exit":
            with self.subTest(start=how):
                (text,) = cases[f"start {how}"]
                self.assertRegex(text, r"(?m)^channel: failed container 1$")
                self.assertRegex(text, r"(?m)^channel: output cannot start odd-c: it ended before it listened on port 50051$")
                self.assertRegex(text, r"(?m)^status 1$")
        self.assertEqual(len(cases["start well"]), 5)
        for text in cases["start well"]:
            self.assertRegex(text, r"(?m)^status 0$")
        for call, pattern in (
            ("crash at 1", "warm-up 0: "),
            ("exit at 1", "warm-up 0: "),
            ("idle at 1", r"warm-up 0: .*10 s"),
            ("wrong at 1", "warm-up 0: .*good evening"),
        ):
            with self.subTest(call):
                (text,) = cases[f"-function helloworld -input {call}"]
                self.assertRegex(text, rf"\Aclient: {pattern}.*\nstatus 1\n")
        (text,) = cases["-function aes"]
        self.assertRegex(text, r"\Aclient: warm-up 0: .*UNIMPLEMENTED.*\nstatus 1\n")


class Machine(Case):
    def test_qemu_is_killed(self):
        process = self.show(" of 3000", "run", "aes-c", "-n", 3000, "--out", self.out)
        os.kill(process.qemu(), signal.SIGKILL)
        while process.read(60):
            pass
        self.assertEqual(process.wait(60), 1)
        self.assertEqual(process.survivors(), {})
        self.assertRegex(process.shown, r"slsuite: QEMU (ended by itself|closed its control connection): see .*run\.failed\s*$")
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
        self.fails(
            "the guest was not done within 5 s", "echo hanging; read line </dev/tty0 || sleep infinity", "--timeout", "5", console="hanging"
        )

    def test_script_fails(self):
        self.fails(
            "the guest's step `script` failed with status 7: .*no such thing", "echo no such thing >&2; exit 7", console="no such thing"
        )

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
        self.fails(
            "the guest",
            """
slsuite-channel "$(head -c 3000 /dev/zero | tr '\\0' x)"
slsuite-channel stage "$(head -c 3000 /dev/zero | tr '\\0' y)"
slsuite-channel invocation 99999999999999999999 -1
slsuite-channel failed
slsuite-channel file broken 1000000000000
""",
            "--timeout",
            "45",
        )
