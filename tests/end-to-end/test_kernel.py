"""`slsuite kernel check`: the guest's own kernel, this computer's, and configurations that lack something."""

import gzip
import json
import os
import pathlib
import re
import shutil

from harness import Case, slow


class Check(Case):
    def check(self, *arguments, status):
        return self.slsuite("kernel", "check", *arguments, status=status).out

    def guest(self):
        """The configuration of the distribution's kernel, which runs use."""
        return pathlib.Path(self.check("--for", "sim", status=0).splitlines()[0])

    def verdicts(self, said):
        """{who: the closing line}"""
        return dict(re.findall(r"^(?:ok|!!) (containers|docker|sim|gem5) +(.*)$", said, re.M))

    def test_of_the_guest(self):
        """Ready for all that it is used for; its modules do for QEMU, not for gem5, which cannot load any before the root."""
        said = self.check(status=1)
        verdicts = self.verdicts(said)
        self.assertEqual([verdicts[who] for who in ("containers", "docker", "sim")], ["ready"] * 3)
        self.assertRegex(verdicts["gem5"], "^not ready: [0-9]+ of what is necessary")
        self.assertRegex(said, r"(?m)^ok BLK_DEV_PMEM +(module|built in)$")
        self.assertRegex(said, r"(?m)^!! ATA_PIIX +(module, must be built in|missing): the disk")
        self.assertEqual(list(self.verdicts(self.check("--for", "docker,containers", status=0))), ["containers", "docker"])

    def test_crippled(self):
        text = self.guest().read_text()
        for option, who in ("CPUSETS", "containers"), ("VETH", "containers"), ("BRIDGE", "docker"), ("ACPI_NFIT", "sim"):
            with self.subTest(option):
                path = self.folder / "config"
                path.write_text(re.sub(rf"(?m)^CONFIG_{option}=.*$", f"# CONFIG_{option} is not set", text))
                said = self.check(path, "--for", "containers,docker,sim", status=1)
                self.assertRegex(said, rf"(?m)^!! {option} +missing: ")
                self.assertEqual(said.count("\n!! "), 2, said)  # this and the verdict
                self.assertEqual(self.verdicts(said)[who], "not ready: 1 of what is necessary")

    def test_built_in(self):
        """All that is a module built in, and without what gem5 stumbles over: ready for it, too."""
        text = self.guest().read_text().replace("=m\n", "=y\n") + "CONFIG_DEVTMPFS_MOUNT=y\n"
        for option in "INTEL_IOMMU", "AMD_IOMMU", "P2SB", "PERF_EVENTS_INTEL_UNCORE":
            text = text.replace(f"CONFIG_{option}=y\n", "")
        path = self.folder / "config.gz"
        path.write_bytes(gzip.compress(text.encode()))
        self.assertEqual(set(self.verdicts(self.check(path, status=0)).values()), {"ready"})
        path.write_bytes(gzip.compress((text + "CONFIG_P2SB=y\n").encode()))
        self.assertRegex(self.check(path, status=1), r"(?m)^!! P2SB +built in, must not be there: .*gem5 panics")

    def test_one_of_several(self):
        """The one that is there is told; of none, all that would do."""
        text = re.sub(r"(?m)^CONFIG_(IP_NF_IPTABLES|NFT_COMPAT)=.*$", "", self.guest().read_text())
        path = self.folder / "config"
        path.write_text(text + "CONFIG_NFT_COMPAT=m\n")
        self.assertRegex(self.check(path, "--for", "docker", status=0), r"(?m)^ok NFT_COMPAT +module$")
        path.write_text(text)
        self.assertRegex(self.check(path, "--for", "docker", status=1), r"(?m)^!! IP_NF_IPTABLES\|NFT_COMPAT +missing: iptables")

    def test_running(self):
        if os.path.exists("/proc/config.gz") or os.path.exists(f"/boot/config-{os.uname().release}"):
            process = self.start("kernel", "check", "running", "--for", "containers")
            said, _ = process.communicate()
            self.assertIn(process.returncode, (0, 1))
            self.assertIn("containers", self.verdicts(said))
        else:
            self.refused("the configuration of this computer's kernel is neither in ", "kernel", "check", "running")

    def test_bad_input(self):
        self.refused("cannot read .*none: No such file", "kernel", "check", self.folder / "none")
        self.refused(".* is no kernel's configuration: it has no line CONFIG_NAME=y", "kernel", "check", "/etc/passwd")
        (self.folder / "cut.gz").write_bytes(gzip.compress(b"CONFIG_SMP=y\n" * 1000)[:30])
        self.refused(".*cut.gz", "kernel", "check", self.folder / "cut.gz")
        self.refused("--for lxc: there are containers, docker, sim and gem5", "kernel", "check", "--for", "lxc", status=2)
        self.refused("kernel: ", "kernel", status=2)
        self.refused("kernel: ", "kernel", "mend", status=2)


class Build(Case):
    def test_bad_input(self):
        cache = self.own_cache("base")
        build = "kernel", "build"
        self.refused("apt knows no package linux-source-1.0: ", *build, "--version", "1.0", cache=cache)
        self.refused("cannot read .*/none: No such file", *build, "--source", self.folder / "none", cache=cache)
        self.refused("cannot read .*/none: No such file", *build, "--source", self.folder, "--config", self.folder / "none", cache=cache)
        self.refused("the kernel cannot be built: .* is no tree of Linux' source: .*: the whole is in .*failed-kernel.log", *build,
                     "--source", self.folder, cache=cache)
        self.refused("no kernel was built yet: slsuite kernel build", "run", "aes-c", "--kernel", "custom", cache=cache)
        self.refused("no kernel is named mine: there are distribution, and custom, ", "run", "aes-c", "--kernel", "mine", status=2)
        self.assertEqual([path.name for path in (cache / "kernels").glob("[!.]*")], [])

    @slow  # ten minutes and more
    def test_from_source(self):
        """Of the distribution's source: ready for all, gem5 included; runs the same twice, and Docker; the function's own work is
        what it is with the distribution's kernel."""
        cache = self.own_cache()
        (self.folder / "more.config").write_text("CONFIG_LOCALVERSION=\"-mine\"\n")
        said = self.slsuite("kernel", "build", "--config", self.folder / "more.config", cache=cache, seconds=7200).out
        self.assertRegex(said, r"(?m)^version +[0-9.]+-mine$")
        config = re.search(r"(?m)^config +(\S+)$", said)[1]
        self.assertEqual(set(Check.verdicts(self, self.slsuite("kernel", "check", config).out).values()), {"ready"})
        vmlinux = pathlib.Path(re.search(r"(?m)^vmlinux +(\S+) ", said)[1])
        self.assertEqual(vmlinux.read_bytes()[:4], b"\x7fELF")
        folders = [self.folder / name for name in ("first", "second")]
        for folder in folders:
            self.slsuite("run", "aes-c", "--kernel", "custom", "-n", 3, "-q", "--out", folder, cache=cache)
            shutil.rmtree(cache / "checkpoints")
        self.same_results(*folders)
        self.slsuite("verify", folders[0], cache=cache)
        self.slsuite("run", "aes-c", "-n", 3, "-q", "--out", self.out, cache=cache)
        own, theirs = (json.loads((folder / "invocations.json").read_text())["mean"]["instructions"]["user"] for folder in (folders[0], self.out))
        self.assertLess(abs(own - theirs), 0.01 * theirs)
        again = self.slsuite("kernel", "build", "--config", self.folder / "more.config", cache=cache)
        self.assertEqual(again.out, said)
        self.slsuite("shell", "--kvm", "off", "--kernel", "custom", "--with", "docker", "--run", self.script("docker version"), cache=cache, seconds=1800)

    def script(self, text):
        path = self.folder / "script"
        path.write_text(text)
        return path
