"""Inside the guest: the container, core 1, m5, and the console's log-in."""

import os
import pty
import re
import select
import signal
import time

import pytest

from harness import Case

START = """set -e
slsuite-function start aes-c
pid=$(cat /run/slsuite/functions/aes-c/pid)
client -addr localhost:50051 -function aes -warm 20 -n 1 >/dev/null
"""

# What the scheduler puts on either core while the client sends 20 invocations, and again beside an intruder on core 1.
TRACE = (
    START
    + """
mount -t tracefs tracefs /sys/kernel/tracing
cd /sys/kernel/tracing
echo 16384 >buffer_size_kb
echo 0 >tracing_on
echo 1 >events/sched/sched_switch/enable
measure() {
    echo >trace
    echo 1 >tracing_on
    client -addr localhost:50051 -function aes -n 20 >/dev/null
    echo 0 >tracing_on
    cat trace >/tmp/$1
    m5 writefile /tmp/$1
}
measure alone.trace
taskset -c 1 sh -c 'while :; do :; done' &
measure intruder.trace
"""
)


def switches(path):
    """What began to run, as {core: {name: times}}."""
    cores = {0: {}, 1: {}}
    for core, name in re.findall(r"\[(\d+)\].* sched_switch: .* ==> next_comm=(.*) next_pid=", path.read_text()):
        cores[int(core)][name] = cores[int(core)].get(name, 0) + 1
    return cores


@pytest.mark.needs("checkpoint:shell-aes-c")
class Isolation(Case):
    def test_core_1_runs_the_function_alone(self):
        self.shell(TRACE, "aes-c")
        alone = switches(self.folder / "guest-alone.trace")
        self.assertEqual(set(alone[1]), {"aes-c", "swapper/1"}, alone)
        self.assertGreaterEqual(alone[1]["aes-c"], 20)
        self.assertIn("client", alone[0])
        self.assertNotIn("aes-c", alone[0])
        intruder = switches(self.folder / "guest-intruder.trace")
        self.assertIn("sh", intruder[1], "the test itself is blind")

    def test_container(self):
        """Own name spaces and cgroup, core 1, and only the image's files."""
        script = (
            START
            + r"""
for kind in pid ipc uts mnt net cgroup; do
    echo "namespace $kind $(readlink /proc/1/ns/$kind) $(readlink /proc/$pid/ns/$kind)"
done
grep -E 'Cpus_allowed_list|NoNewPrivs|CapEff' /proc/$pid/status
echo "cgroup $(cat /proc/$pid/cgroup) $(cat /sys/fs/cgroup/function/cpuset.cpus.effective)"
echo "client $(taskset -cp $$)"
echo "files $(ls -x -w 200 /proc/$pid/root)"
echo "isolated $(cat /sys/devices/system/cpu/isolated)"
slsuite-function status aes-c
slsuite-function stop aes-c
slsuite-function status aes-c || echo "status $?"
"""
        )
        said = self.shell(script, "aes-c").out
        namespaces = re.findall(r"namespace (\w+) (\S+) (\S+)", said)
        self.assertEqual(len(namespaces), 6, said)
        for kind, host, function in namespaces:
            self.assertNotEqual(host, function, kind)
        self.assertRegex(said, r"Cpus_allowed_list:\s+1\s")
        self.assertRegex(said, r"NoNewPrivs:\s+1\s")
        self.assertRegex(said, r"cgroup 0::/function\S* 1\s")
        self.assertRegex(said, r"client .*: 0\s")
        self.assertRegex(said, r"files (?=.*aes-c)(?!.*(usr|bin|etc/passwd))")
        self.assertRegex(said, r"isolated 1\s")
        self.assertRegex(said, r"aes-c: running, pid \d+\s+aes-c: not running\s+status 1\s")

    def test_no_function_of_that_name(self):
        process = self.refused(
            "the guest's step `container` failed with status 1: .*no /functions/auth-c",
            "shell",
            "aes-c",
            "--run",
            self.script("slsuite-function start auth-c"),
        )
        self.assertIn("there is no /functions/auth-c/config.json", process.err)

    def script(self, text):
        path = self.folder / "script"
        path.write_text(text)
        return path


@pytest.mark.needs("checkpoint:shell")
class M5(Case):
    def test_operations(self):
        script = r"""
head -c 300000 /dev/urandom >/tmp/random.bin
m5 writefile /tmp/random.bin
m5 writefile /tmp/random.bin ../other.bin
: >/tmp/empty; m5 writefile /tmp/empty
echo "sum $(cksum </tmp/random.bin)"
m5 readfile | cmp - /run/slsuite/script && echo readfile
[ "$(m5 initparam)" = 0 ] && echo initparam
printf 'a=1\nname=the value\n' >/tmp/parameters
mount --bind /tmp/parameters /sys/firmware/qemu_fw_cfg/by_name/opt/slsuite/parameters/raw
echo "named $(m5 initparam name)"
for operation in resetstats dumpstats dumpresetstats "workbegin 3 1" "workend 3 1"; do
    m5 $operation && m5 --mark $operation && echo "fine $operation"
done
M5_SPELLING=mark m5 resetstats && echo "fine by environment"
for wrong in "" nothing "sum 1" "sum 1 2" "exit now" "fail" "initparam other" "initparam 12345678901234567" "writefile" \
        "writefile /missing" "writefile /tmp/empty .." "dumpstats 5" "--inst" "--nothing exit" "exit 1 2"; do
    m5 $wrong >/dev/null 2>&1 && echo "taken: m5 $wrong"
done
echo end
"""
        said = self.shell(script).out.replace("\r", "")
        files = {path.name: path.read_bytes() for path in self.folder.glob("guest-*")}
        self.assertEqual(
            {name: len(data) for name, data in files.items()}, {"guest-random.bin": 300000, "guest-other.bin": 300000, "guest-empty": 0}
        )
        self.assertEqual(files["guest-random.bin"], files["guest-other.bin"])
        checksum = self.slsuite(self.folder / "guest-random.bin", program="/usr/bin/cksum").out.split()[:2]
        self.assertIn(f"sum {' '.join(checksum)}\n", said)
        for line in "readfile", "initparam", "named the value", "fine by environment", "end":
            self.assertIn(f"{line}\n", said)
        self.assertEqual(len(re.findall("^fine ", said, re.M)), 6, said)
        self.assertNotIn("taken:", said)

    def test_exit(self):
        said = self.shell("echo before\nm5 exit\necho after").out
        self.assertIn("before", said)
        self.assertNotIn("after", said)

    def test_fail(self):
        self.assertRegex(self.shell("m5 fail 3", status=1).err, r"(?m)^slsuite: .*status 3")


class Console(Case):
    def setUp(self):
        super().setUp()
        self.master, slave = pty.openpty()
        self.addCleanup(os.close, self.master)
        self.process = self.start("shell", "--kvm", "off", stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        self.text = ""

    def expect(self, pattern, seconds=300):
        """Read until it appears; what was before is forgotten."""
        end = time.monotonic() + seconds
        while not (match := re.search(pattern, self.text)):
            ready, _, _ = select.select([self.master], [], [], max(0, end - time.monotonic()))
            if not ready:
                self.fail(f"no {pattern!r} within {seconds} s: {self.text!r}")
            try:
                self.text += os.read(self.master, 4096).decode(errors="replace")
            except OSError:
                self.fail(f"it ended without {pattern!r}: {self.text!r}")
        self.text = self.text[match.end() :]
        return match

    def type(self, line):
        os.write(self.master, f"{line}\n".encode())

    def log_in(self, password):
        self.expect("login: ")
        self.type("root")
        self.expect("Password: ")
        self.type(password)

    def test_log_in(self):
        self.log_in("wrong")
        self.expect("Login incorrect")
        self.log_in("root")
        self.expect("# ")
        self.type("id -u; tty; stty size; echo $((6 * 7))")
        self.expect(r"[\r\n]0\r")
        self.expect(r"/dev/ttyS0\r")
        self.expect(r"\n42\r")
        self.type("exit")
        self.log_in("root")
        self.expect("# ")
        self.type("poweroff")
        self.assertEqual(self.process.wait(20), 0)
        self.assertEqual(self.process.survivors(), {})

    def test_closed_terminal(self):
        """Nobody is there any more: neither is the guest, nor its memory on the disk."""
        self.expect("login: ")
        memory = re.search(r"id=ram,[^ ]*mem-path=([^, ]*)", self.process.family()[self.process.qemu()])[1]
        self.process.send_signal(signal.SIGHUP)
        self.process.wait(10)
        self.assertEqual(self.process.survivors(), {})
        self.assertFalse(os.path.exists(memory), memory)
