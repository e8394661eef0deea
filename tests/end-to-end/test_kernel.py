"""`slsuite kernel check`: the guest's own kernel, this computer's, and configurations that lack something."""

import gzip
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess

from harness import REPOSITORY, Case, slow


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


class Elsewhere(Case):
    """Configurations of other people's kernels: of other versions, compressed, through pipes, in a kernel."""

    prepared = False
    COMPRESS = ["gzip", "-c"], ["xz", "-c"], ["xz", "-c", "--format=lzma"], ["zstd", "-qc"], ["bzip2", "-c"]

    def text(self, version="5.4.84", without=("X86_IOPL_IOPERM",), more=""):
        """All that gem5's kernels need, but these."""
        section = (REPOSITORY / "recipes/kernel-requirements.list").read_text().partition("[gem5]")[2]
        options = [name for name in re.findall(r"(?m)^needed +([0-9A-Z_]+)", section) if name not in without]
        head = f"#\n# Automatically generated file; DO NOT EDIT.\n# Linux/x86 {version} Kernel Configuration\n#\n" if version else ""
        return head + "".join(f"CONFIG_{name}=y\n" for name in options) + more

    def check(self, text, status=0, who="gem5"):
        path = self.folder / "config"
        path.write_text(text)
        return self.slsuite("kernel", "check", path, "--for", who, status=status).out

    def compressed(self, data, command):
        return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout

    def test_age(self):
        """What a kernel of this version has without an option is not asked for, and is named; a younger one must have it."""
        said = self.check(self.text())
        self.assertIn("\nLinux 5.4.84\n", said)
        self.assertRegex(said, r"(?m)^ok X86_IOPL_IOPERM +always there in Linux 5.4.84: an option since 5.5 only$")
        self.assertRegex(said, r"(?m)^ok gem5 +ready \(not asked for, younger than Linux 5.4.84: X86_IOPL_IOPERM\)$")
        for version in "5.5.0", "5.10.0-rc1", "6.12.9-mine", "10.0.1":
            self.assertRegex(self.check(self.text(version), status=1), r"(?m)^!! X86_IOPL_IOPERM +missing: m5")
        for version in "4.4.1", "4.14.336-generic", "5.3.0":
            self.assertRegex(self.check(self.text(version)), r"(?m)^ok gem5 +ready ")
        self.assertRegex(self.check(self.text().replace("Linux/x86 ", "Linux/x86_64 ")), r"(?m)^ok gem5 +ready ")
        self.assertRegex(self.check(self.text().replace("\n", "\r\n")), r"(?m)^ok gem5 +ready ")

    def test_age_of_a_changed_kernel(self):
        """An option that the configuration speaks of is one, whatever the version."""
        off = "# CONFIG_X86_IOPL_IOPERM is not set\n"
        self.assertRegex(self.check(self.text("4.18.0-553", more=off), status=1), r"(?m)^!! X86_IOPL_IOPERM +missing: m5")

    def test_no_head(self):
        said = self.check(self.text(version=None), status=1)
        self.assertIn("\nno head that tells the version: options are asked for as of the newest kernel\n", said)
        self.assertRegex(said, r"(?m)^!! X86_IOPL_IOPERM +missing: m5")
        self.assertRegex(self.check(self.text(version=None, without=())), r"(?m)^ok gem5 +ready$")

    def test_options_that_are_gone(self):
        """Asked for of the kernels that have them; not a word of them otherwise."""
        self.assertRegex(self.check(self.text("5.0.21", without=("NFT_CHAIN_NAT_IPV4",)), status=1), r"(?m)^!! NFT_CHAIN_NAT_IPV4 +missing")
        self.assertNotIn("NFT_CHAIN_NAT_IPV4", self.check(self.text("5.1.0", without=("NFT_CHAIN_NAT_IPV4",))))
        for version, option, found in (
            ("5.19.0", "SWAP", "MEMCG_SWAP +missing"),
            ("5.19.0", "MEMCG_SWAP", "MEMCG_SWAP +built in"),
            ("6.1.0", "SWAP", "SWAP +built in"),
            ("6.1.0", "SMP", "SWAP +missing"),
        ):
            with self.subTest(version=version, option=option):
                said = self.check(f"# Linux/x86 {version} Kernel Configuration\nCONFIG_{option}=y\n", status=1, who="containers")
                self.assertRegex(said, rf"(?m)^(ok|--) {found}\b")

    def test_compressed(self):
        """By its bytes, whatever the name; from a file, standard input, a pipe in /dev/fd."""
        path = self.folder / "config"
        text = self.text().encode()
        for command in ["cat"], *self.COMPRESS:
            path.write_bytes(self.compressed(text, command))
            for name in path, "-", "/dev/stdin":
                with self.subTest(command=command, name=str(name)):
                    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat:
                        said = self.slsuite("kernel", "check", name, "--for", "gem5", stdin=cat.stdout).out
                    self.assertRegex(said, r"(?m)^ok gem5 +ready ")
        reading, writing = os.pipe()
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(path.read_bytes())
        said = self.slsuite("kernel", "check", f"/dev/fd/{reading}", "--for", "gem5", pass_fds=[reading]).out
        os.close(reading)
        self.assertRegex(said, r"(?m)^ok gem5 +ready ")

    def test_in_a_kernel(self):
        """What CONFIG_IKCONFIG puts into a vmlinux, and into the one that a vmlinuz has in it."""
        path = self.folder / "kernel"
        vmlinux = b"\x7fELF" + bytes(5000) + b"IKCFG_ST" + gzip.compress(self.text().encode()) + b"IKCFG_ED" + bytes(5000)
        path.write_bytes(vmlinux)
        self.assertRegex(self.slsuite("kernel", "check", path, "--for", "gem5").out, r"(?m)^ok gem5 +ready ")
        for command in self.COMPRESS:
            with self.subTest(command=command):
                payload = self.compressed(vmlinux, command) + (b"" if command[0] == "gzip" else struct.pack("<I", len(vmlinux)))
                header = bytearray(5 * 512 + 64)
                header[0x1F1] = 4
                header[0x202:0x206] = b"HdrS"
                header[0x248:0x250] = struct.pack("<II", 64, len(payload))
                path.write_bytes(header + payload + bytes(100))
                self.assertRegex(self.slsuite("kernel", "check", path, "--for", "gem5").out, r"(?m)^ok gem5 +ready ")
                header[0x248:0x250] = struct.pack("<II", 64, len(payload) + 1000)
                path.write_bytes(header + payload)
                self.refused(".* is no kernel's configuration, nor a kernel with one in it", "kernel", "check", path)
        self.refused(".* is no kernel's configuration, nor a kernel with one in it", "kernel", "check", "/bin/true")

    def test_bad_input(self):
        path = self.folder / "config"
        for command in self.COMPRESS:
            with self.subTest(command=command):
                path.write_bytes(self.compressed(self.text().encode(), command)[:60])
                self.refused(".*config is damaged, or cut off", "kernel", "check", path)
        path.write_bytes(self.compressed(bytes(300 << 20), ["zstd", "-qc"]))
        self.refused(".*config is no kernel's configuration: unpacked it has more than 256 MiB", "kernel", "check", path)
        path.write_bytes(self.compressed(b"CONFIG_SMP=y\n" * (2 << 20), ["xz", "-c0"]))
        self.refused(".*config is no kernel's configuration: it has more than 16 MiB", "kernel", "check", path)
        for _ in range(10):
            path.write_bytes(gzip.compress(path.read_bytes()))
        self.refused(".*config is no kernel's configuration: it is compressed over and over", "kernel", "check", path)
        self.refused("cannot read .*: Is a directory", "kernel", "check", self.folder)
        self.refused("- is no kernel's configuration: ", "kernel", "check", "-")


class Build(Case):
    def test_bad_input(self):
        cache = self.own_cache("base")
        build = "kernel", "build"
        self.refused("apt knows no package linux-source-1.0: ", *build, "--version", "1.0", cache=cache)
        self.refused("cannot read .*/none: No such file", *build, "--source", self.folder / "none", cache=cache)
        self.refused("cannot read .*/none: No such file", *build, "--source", self.folder, "--config", self.folder / "none", cache=cache)
        self.refused(
            "the kernel cannot be built: .* is no tree of Linux' source: .*: the whole is in .*failed-kernel.log",
            *build,
            "--source",
            self.folder,
            cache=cache,
        )
        self.refused("no kernel was built yet: slsuite kernel build", "run", "aes-c", "--kernel", "custom", cache=cache)
        self.refused("no kernel is named mine: there are distribution, and custom, ", "run", "aes-c", "--kernel", "mine", status=2)
        self.assertEqual([path.name for path in (cache / "kernels").glob("[!.]*")], [])

    @slow  # ten minutes and more
    def test_from_source(self):
        """Of the distribution's source: ready for all, gem5 included; runs the same twice, and Docker; the function's own work is
        what it is with the distribution's kernel."""
        cache = self.own_cache()
        (self.folder / "more.config").write_text('CONFIG_LOCALVERSION="-mine"\n')
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
        own, theirs = (
            json.loads((folder / "invocations.json").read_text())["mean"]["instructions"]["user"] for folder in (folders[0], self.out)
        )
        self.assertLess(abs(own - theirs), 0.01 * theirs)
        again = self.slsuite("kernel", "build", "--config", self.folder / "more.config", cache=cache)
        self.assertEqual(again.out, said)
        self.slsuite(
            "shell",
            "--kvm",
            "off",
            "--kernel",
            "custom",
            "--with",
            "docker",
            "--run",
            self.script("docker version"),
            cache=cache,
            seconds=1800,
        )

    def script(self, text):
        path = self.folder / "script"
        path.write_text(text)
        return path
