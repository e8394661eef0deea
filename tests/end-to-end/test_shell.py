"""`slsuite shell`: what is kept from one time to the next, and the way in by ssh."""

import os
import re
import signal
import socket
import subprocess
import time
import unittest

from harness import Case, slow

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
        self.assertNotIn("once", self.shell(WRITE, cache=self.cache).out)
        self.assertNotIn("once", self.commit(WRITE, "--forget").out)

    def test_failed_script(self):
        self.commit(WRITE)
        self.assertRegex(self.commit("echo failed >/root/kept\nexit 3", status=1).err, r"(?m)^slsuite: .*status 3")
        self.assertIn("once", self.commit(WRITE).out)
        self.assertEqual(self.disks(), ["crun"])

    def test_killed(self):
        """At any instant: what was kept before is there, and whole."""
        self.commit(WRITE)
        path = self.folder / "script"
        path.write_text("echo lost >/root/kept\nsync\nsleep 1000")
        for seconds in 0.1, 3:
            process = self.start("shell", "--kvm", "off", "--commit", "--run", path, cache=self.cache)
            process.qemu()
            time.sleep(seconds)
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
            self.assertEqual(process.survivors(), {})
        said = self.commit(WRITE).out
        self.assertIn("once", said)
        self.assertNotIn("lost", said)

    def test_bad_input(self):
        self.refused("--forget: only with --commit", "shell", "--forget", status=2)
        self.refused("--engine gem5: the shell is on qemu", "shell", "--engine", "gem5", status=2)
        self.refused("--kvm maybe: there are auto, on and off", "shell", "--kvm", "maybe", status=2)
        self.refused("--ssh", "shell", "--ssh", "70000", status=2)


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
            self.refused(f"port {port} of this computer, for ssh, cannot be had: Address already in use: name another with --ssh", "shell",
                         "--with", "docker", "--network", "--ssh", port)

    def log_in(self, port, command):
        """With the password root, on loopback only."""
        answer = self.folder / "answer"
        answer.write_text("#!/bin/sh\necho root\n")
        answer.chmod(0o755)
        options = [f"-o{option}" for option in ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR",
                                                "PubkeyAuthentication=no", "ConnectTimeout=20")]
        return subprocess.run(["ssh", "-p", str(port), *options, "root@127.0.0.1", command], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, start_new_session=True, timeout=60,
                              env=os.environ | {"SSH_ASKPASS": str(answer), "SSH_ASKPASS_REQUIRE": "force"})

    @slow
    def test_log_in(self):
        """And docker is there, and what is made by it is kept."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        script = self.folder / "script"
        script.write_text("while [ ! -e /root/end ]; do sleep 0.2; done\ndocker volume ls\n")
        cache = self.own_cache()
        process = self.start("shell", "--kvm", "off", "--with", "docker", "--network", "--ssh", port, "--commit", "--run", script, cache=cache)
        process.qemu(1800)
        end = time.monotonic() + 1800
        while (said := self.log_in(port, "id -u; docker volume create mine; touch /root/end")).returncode and time.monotonic() < end:
            time.sleep(1)
        self.assertEqual(said.stdout.split(), ["0", "mine"], said.stderr)
        listening = subprocess.run(["ss", "-Hltn", f"sport = {port}"], capture_output=True, text=True).stdout
        self.assertEqual(listening.split()[3], f"127.0.0.1:{port}")
        self.assertRegex(self.finish(process).out, r"local +mine")
        self.assertRegex(self.shell("docker volume ls", "--with", "docker", "--commit", cache=cache).out, r"local +mine")
