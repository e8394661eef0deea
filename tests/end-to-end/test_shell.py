"""`slsuite shell`: what is kept from one time to the next, the booted guest's checkpoint, and the way in by ssh."""

import os
import re
import signal
import socket
import subprocess
import time
import unittest

import pytest

from harness import CACHE, Case, checkpoints, copy_sparse, slow

WRITE = "cat /root/kept 2>/dev/null\necho once >>/root/kept\n"


class Commit(Case):
    def setUp(self):
        super().setUp()
        self.cache = self.own_cache()

    def commit(self, script, *arguments, **options):
        return self.shell(script, "--commit", *arguments, cache=self.cache, **options)

    def disks(self):
        return sorted(path.name for path in (self.folder / "data/slsuite/disks").iterdir() if not path.name.endswith(".lock"))

    def test_kept(self):
        """From one time to the next, until it is forgotten; runs never see it."""
        self.assertNotIn("once", self.commit(WRITE + "touch /usr/bin/mine").out)
        self.assertEqual(self.disks(), ["crun"])
        self.assertEqual(self.commit(WRITE + "test -e /usr/bin/mine").out.count("once"), 1)
        self.assertNotIn("once", self.shell(WRITE).out)
        self.assertNotIn("once", self.commit(WRITE, "--forget").out)

    def test_failed_script(self):
        self.commit(WRITE)
        self.assertRegex(self.commit("echo failed >/root/kept\nexit 3", status=1).err, r"(?m)^slsuite: .*status 3")
        self.assertIn("once", self.commit(WRITE).out)
        self.assertEqual(self.disks(), ["crun"])

    def test_killed(self):
        """At once, and when it has written: what was kept before is there, and whole."""
        self.commit(WRITE)
        path = self.folder / "script"
        path.write_text("echo lost >/root/kept\nsync\nslsuite-channel stage written\nsleep 1000")
        shell = "shell", "--kvm", "off", "--commit", "--run", path
        for begin in lambda: self.start(*shell, cache=self.cache), lambda: self.show("written", *shell, cache=self.cache):
            process = begin()
            process.qemu()
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            self.assertEqual(process.survivors(), {})
        said = self.commit(WRITE).out
        self.assertIn("once", said)
        self.assertNotIn("lost", said)

    def test_bad_input(self):
        self.refused("--forget: only with --commit", "shell", "--forget", status=2)
        self.refused("--engine gem5: the shell is on qemu", "shell", "--engine", "gem5", status=2)
        self.refused("--kvm maybe: there are auto, on and off", "shell", "--kvm", "maybe", status=2)
        self.refused("--ssh", "shell", "--ssh", "70000", status=2)


@pytest.mark.needs("checkpoint:shell")
class Checkpoint(Case):
    """Of the booted guest: made by the first `shell --run`, restored by all others, and nobody can tell."""

    BOOT = r"(?m)^boot the guest: done"
    SCRIPT = """echo "$0 $*"; env | sort; id; pwd; ls / /run/slsuite; m5 readfile; m5 initparam; tr '\\0' ' ' </proc/$$/cmdline; date +%F
echo bytes >/tmp/bytes; m5 writefile /tmp/bytes
"""

    def said(self, process):
        """What the script said: the kernel's words have times."""
        return [line for line in process.out.replace("\r", "").splitlines() if not line.startswith("[")]

    def damaged_copy(self):
        """A cache with the checkpoint, whose last byte of state is missing."""
        self.shell("true")
        cache = self.own_cache()
        (cache / "checkpoints").mkdir()
        without_function = [path for path in checkpoints(CACHE) if re.fullmatch("shell-[0-9a-f]{16}", path.name)]
        used_last = max(without_function, key=lambda path: path.stat().st_mtime)
        copy_sparse(used_last, cache / "checkpoints")
        state = cache / "checkpoints" / used_last.name / "state"
        os.truncate(state, state.stat().st_size - 1)
        return cache

    def test_is_as_a_boot(self):
        """Where a disk is to be kept, the guest boots."""
        booted = self.shell(self.SCRIPT, "--commit")
        self.assertRegex(booted.err, r"(?m)^boot and run the script in the guest: done")
        self.shell("true")
        restored = self.shell(self.SCRIPT)
        self.assertNotIn("boot", restored.err)
        self.assertIn("date +%F", "".join(self.said(restored)))
        self.assertEqual(self.said(restored), self.said(booted))
        self.assertEqual((self.folder / "guest-bytes").read_text(), "bytes\n")

    def test_made_once_by_two(self):
        """And what each changes of the guest, no other sees."""
        cache = self.own_cache()
        path = self.folder / "script"
        path.write_text("cat /root/mine && exit 1\necho mine >/root/mine\n")
        both = [self.start("shell", "--kvm", "off", "--run", path, cache=cache) for _ in range(2)]
        said = [self.finish(process).err for process in both]
        self.assertEqual(sum(bool(re.search(self.BOOT, text)) for text in said), 1, said)
        self.assertNotRegex(self.slsuite("shell", "--kvm", "off", "--run", path, cache=cache).err, self.BOOT)
        (name,) = (checkpoint.name for checkpoint in checkpoints(cache))
        self.assertRegex(name, "^shell-")
        self.assertIn(name, self.slsuite("checkpoint", "list", "--check", cache=cache).out)
        self.assertIn(f"removed {name}\n", self.slsuite("checkpoint", "prune", "--all", cache=cache).out)

    def test_damaged(self):
        cache = self.damaged_copy()
        self.assertIn("damaged", self.slsuite("checkpoint", "list", "--check", cache=cache).out)
        process = self.shell("echo alive", cache=cache)
        self.assertRegex(process.err, "is damaged: making it again")
        self.assertRegex(process.err, self.BOOT)
        self.assertEqual(self.said(process), ["alive"])
        self.assertNotIn("damaged", self.slsuite("checkpoint", "list", "--check", cache=cache).out)

    def test_scripts_of_all_sizes(self):
        self.shell("")
        self.assertEqual(self.said(self.shell("echo no newline")), ["no newline"])
        padding = f"# {'padding' * 10}\n" * 50000
        self.assertEqual(self.said(self.shell(f"echo begin\n{padding}echo end\nexit 0")), ["begin", "end"])

    def test_too_large(self):
        path = self.folder / "script"
        path.touch()
        os.truncate(path, 200 << 20)
        self.refused("the script has 210 MB, and at most 134 MB fit", "shell", "--kvm", "off", "--run", path)

    @unittest.skipUnless(os.access("/dev/kvm", os.R_OK | os.W_OK), "there is no /dev/kvm")
    def test_not_with_kvm(self):
        """Whether it gets anywhere here or not: a QEMU that tells how it was started."""
        commands = self.folder / "commands"
        path = self.folder / "qemu"
        path.write_text(f'#!/bin/sh\necho "$*" >>{commands}\nexec qemu-system-x86_64 "$@"\n')
        path.chmod(0o755)
        cache = self.own_cache()
        process = self.start("shell", "--kvm", "on", "--run", "/dev/null", cache=cache, environment={"SLSUITE_QEMU": str(path)})
        while process.poll() is None and not (commands.exists() and " -accel " in commands.read_text()):
            time.sleep(0.05)
        process.end()
        self.assertIn(" kvm ", commands.read_text())
        self.assertNotIn(" -incoming ", commands.read_text())
        self.assertEqual(checkpoints(cache), [])


class Machine(Case):
    def test_as_the_documented_road_has_it(self):
        """Memory and processors of one's own, `./client` from root's home, of a function that nobody named."""
        said = self.shell(
            """set -e
grep MemTotal /proc/meminfo
echo "processors $(grep -c ^processor /proc/cpuinfo)"
slsuite-function start aes-c
cd && ./client -addr localhost:50051 -n 100
""",
            "aes-c",
            "--memory",
            "3GB",
            "--cpus",
            "4",
        ).out.replace("\r", "")
        kilobytes = int(re.search(r"MemTotal: +(\d+) kB", said)[1])
        self.assertTrue(2.7 * 2**20 < kilobytes < 3 * 2**20, said)
        self.assertIn("processors 4\n", said)
        self.assertIn("localhost:50051 serves /aes.Aes/ShowEncryption", said)
        self.assertIn("100 invocations of /aes.Aes/ShowEncryption", said)

    def test_bad_input(self):
        for size in "8", "8GBB", "x", "-1G", " 8G", "2TB", "100MB", "1025GB", f"{2**64}G":
            self.refused(f"--memory {size}: not a size from 256MB to 1024GB", "shell", "--memory", size, status=2)
        for number in 1, 65, "x":
            self.refused(f"--cpus {number}: not a number from 2 to 64", "shell", "--cpus", number, status=2)


class Kvm(Case):
    @unittest.skipUnless(os.access("/dev/kvm", os.R_OK | os.W_OK), "there is no /dev/kvm")
    def test_auto(self):
        """Whether it works or hangs here: the guest runs, and it is tried once only."""
        cache = self.own_cache()
        path = self.folder / "script"
        path.write_text("echo alive\n")
        said = [self.slsuite("shell", "--run", path, cache=cache) for _ in range(2)]
        self.assertIn("alive", said[0].out)
        self.assertIn("alive", said[1].out)
        self.assertRegex(said[0].err, r"(?m)^try KVM")
        self.assertNotIn("KVM", said[1].err)


class Ssh(Case):
    def test_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.refused(
                f"port {port} of this computer, for ssh, cannot be had: Address already in use: name another with --ssh",
                "shell",
                "--with",
                "docker",
                "--network",
                "--ssh",
                port,
            )

    def log_in(self, port, command):
        """With the password root, on loopback only."""
        answer = self.folder / "answer"
        answer.write_text("#!/bin/sh\necho root\n")
        answer.chmod(0o755)
        options = [
            f"-o{option}"
            for option in (
                "StrictHostKeyChecking=no",
                "UserKnownHostsFile=/dev/null",
                "LogLevel=ERROR",
                "PubkeyAuthentication=no",
                "ConnectTimeout=20",
            )
        ]
        return subprocess.run(
            ["ssh", "-p", str(port), *options, "root@127.0.0.1", command],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            timeout=60,
            env=os.environ | {"SSH_ASKPASS": str(answer), "SSH_ASKPASS_REQUIRE": "force"},
        )

    @slow
    def test_log_in(self):
        """And docker is there, and what is made by it is kept."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        script = self.folder / "script"
        script.write_text("while [ ! -e /root/end ]; do sleep 0.2; done\ndocker volume ls\n")
        cache = self.own_cache()
        process = self.start(
            "shell", "--kvm", "off", "--with", "docker", "--network", "--ssh", port, "--commit", "--run", script, cache=cache
        )
        process.qemu(1800)
        end = time.monotonic() + 1800
        while (said := self.log_in(port, "id -u; docker volume create mine; touch /root/end")).returncode and time.monotonic() < end:
            time.sleep(1)
        self.assertEqual(said.stdout.split(), ["0", "mine"], said.stderr)
        listening = subprocess.run(["ss", "-Hltn", f"sport = {port}"], capture_output=True, text=True).stdout
        self.assertEqual(listening.split()[3], f"127.0.0.1:{port}")
        self.assertRegex(self.finish(process).out, r"local +mine")
        self.assertRegex(self.shell("docker volume ls", "--with", "docker", "--commit", cache=cache).out, r"local +mine")
