"""`slsuite image import`: somebody's disk gets the run script's service, m5 and client; `shell --disk` boots it."""

import pathlib
import re
import shutil
import subprocess

import pytest

from harness import BUILD, Case, slow

pytestmark = pytest.mark.needs("checkpoint:aes-c")

ESSENTIAL = "usr/lib/os-release", "usr/lib/systemd/systemd", "usr/lib64/ld-linux-x86-64.so.2"
PACKAGES = "systemd-sysv,udev,linux-image-cloud-amd64,kmod,login"


def tool(*command):
    return subprocess.run(
        [str(word) for word in command], check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=3600
    ).stdout


class Import(Case):
    def tree(self, without=None):
        """What a Debian with systemd is known by."""
        tree = self.folder / "tree"
        shutil.rmtree(tree, ignore_errors=True)
        for name in ESSENTIAL:
            if name != without:
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                (tree / name).write_text('PRETTY_NAME="Tiny 1"\n')
        for name in "usr/bin", "etc":
            (tree / name).mkdir(parents=True, exist_ok=True)
        return tree

    def file_system(self, tree, size="64M"):
        path = self.folder / "part.ext4"
        path.unlink(missing_ok=True)
        tool("mke2fs", "-q", "-t", "ext4", "-d", tree, path, size)
        return path

    def disk(self, part, label="dos", before=()):
        """A disk with this file system on its last partition."""
        path = self.folder / "disk.raw"
        starts = [2048 + 32768 * index for index in range(len(before) + 1)]
        with open(path, "wb") as file:
            for start, content in zip(starts, [*before, part.read_bytes()]):
                file.seek(start * 512)
                file.write(content)
            file.truncate(file.tell() + (1 << 20))
        lines = [f"label: {label}", *(f"start={start}" + ("" if start == starts[-1] else ", size=32768") for start in starts)]
        subprocess.run(
            ["sfdisk", "-q", "--wipe-partitions", "never", path],
            stdout=subprocess.DEVNULL,
            input="\n".join(lines) + "\n",
            text=True,
            check=True,
        )
        return path

    def import_(self, disk, *arguments, **options):
        return self.slsuite("image", "import", disk, *arguments, **options)

    def check(self, image, offset):
        """Our programs and the service are in it, root's, and the file system is whole."""
        name = f"{image}?offset={offset}"
        for path, mode in (
            ("/usr/lib/slsuite/init", "0755"),
            ("/usr/lib/slsuite/m5", "0755"),
            ("/usr/lib/slsuite/client", "0755"),
            ("/etc/systemd/system/slsuite-init.service", "0644"),
        ):
            said = tool("debugfs", "-R", f"stat {path}", name)
            self.assertRegex(said, rf"Type: regular +Mode: +{mode}")
            self.assertRegex(said, r"User: +0 +Group: +0")
        self.assertIn(
            "../slsuite-init.service", tool("debugfs", "-R", "stat /etc/systemd/system/multi-user.target.wants/slsuite-init.service", name)
        )
        copy = self.folder / "copy"
        tool("debugfs", "-R", f"dump /usr/lib/slsuite/m5 {copy}", name)
        self.assertEqual(copy.read_bytes(), (BUILD / "src/guest/m5").read_bytes())
        tool("e2fsck", "-fn", name)

    def test_whole_disk(self):
        said = self.import_(self.file_system(self.tree())).out
        self.assertRegex(said, r"image +part-slsuite\.raw\nsystem +Tiny 1\nroot +/dev/vda, byte 0\n")
        self.check(self.folder / "part-slsuite.raw", 0)

    def test_partitions(self):
        for label in "dos", "gpt":
            with self.subTest(label):
                disk = self.disk(self.file_system(self.tree()), label, before=[b"\0" * 4096])
                before = disk.read_bytes()
                out = self.folder / f"{label}.raw"
                said = self.import_(disk, "--out", out).out
                self.assertRegex(said, r"root +/dev/vda2, byte 17825792")
                self.check(out, 17825792)
                self.assertEqual(disk.read_bytes(), before)

    def test_qcow2_and_again(self):
        """What was imported can be imported again."""
        qcow2 = self.folder / "cloud.qcow2"
        tool("qemu-img", "convert", "-O", "qcow2", self.disk(self.file_system(self.tree())), qcow2)
        self.import_(qcow2)
        self.import_(self.folder / "cloud-slsuite.raw", "--out", "again.raw")
        self.check(self.folder / "again.raw", 1048576)

    def test_bad_input(self):
        refuse = lambda pattern, disk, *arguments, **options: self.refused(pattern, "image", "import", disk, *arguments, **options)
        refuse("cannot read none: No such file", "none")
        (self.folder / "text").write_text("no disk\n" * 1000)
        refuse("cannot import text: no partition is an ext4 file system with /usr/lib/os-release", "text")
        refuse("cannot import part.ext4: it has no systemd", self.file_system(self.tree(ESSENTIAL[1])).name)
        refuse("cannot import part.ext4: it is not of an x86-64 system", self.file_system(self.tree(ESSENTIAL[2])).name)
        refuse(
            "cannot import part.ext4: its root file system has [0-9]+ MB free, and 16 MB are needed: enlarge it",
            self.file_system(self.tree(), "12M").name,
        )
        dirty = self.file_system(self.tree())
        tool("debugfs", "-w", "-R", "ssv state 0", dirty)
        refuse("cannot import part.ext4: its root file system was not unmounted: boot it and shut it down", dirty.name)
        (self.folder / "there.raw").write_text("mine")
        refuse("there.raw is there already: name another with --out", self.file_system(self.tree()).name, "--out", "there.raw")
        self.refused("image import: which disk", "image", "import", status=2)
        self.assertEqual((self.folder / "there.raw").read_text(), "mine")
        self.assertEqual([path.name for path in self.folder.glob("*.partial")], [])
        self.refused("--disk: it is booted as it is", "shell", "--disk", "text", "aes-c", status=2)
        self.refused("cannot read none", "shell", "--disk", "none")
        self.refused(
            "no kernel was built yet",
            "shell",
            "--disk",
            self.file_system(self.tree()),
            "--kernel",
            "custom",
            "--kvm",
            "off",
            cache=self.own_cache(),
        )

    @slow
    def test_debian(self):
        """A real one with systemd, with a kernel of its own: the service runs the script, and powers off as it ended."""
        tree, archive = self.folder / "debian", self.folder / "debian.tar"
        codename = re.search(r"(?m)^VERSION_CODENAME=(\S+)", pathlib.Path("/etc/os-release").read_text())[1]
        tool("mmdebstrap", "--quiet", "--variant=essential", f"--include={PACKAGES}", codename, archive)
        part, root = self.folder / "part.ext4", "mkdir $1 && tar -C $1 -xf $2 && mke2fs -q -t ext4 -d $1 $3 1500M"
        tool("fakeroot", "sh", "-ec", root, "sh", tree, archive, part)
        self.import_(self.disk(part), "--out", "debian.raw")
        self.check(self.folder / "debian.raw", 1048576)
        script, channel = self.folder / "script", self.folder / "channel"
        script.write_text("m5 readfile | grep -c readfile\nclient -version\nexit 7\n")
        kernel, initrd = (next((tree / "boot").glob(f"{name}*")) for name in ("vmlinuz", "initrd"))
        said = tool(
            "qemu-system-x86_64",
            "-accel",
            "tcg",
            "-cpu",
            "Nehalem-v1",
            "-m",
            "1024",
            "-nodefaults",
            "-display",
            "none",
            "-no-reboot",
            "-serial",
            "stdio",
            "-chardev",
            f"file,id=channel,path={channel}",
            "-device",
            "isa-debugcon,iobase=0x402,chardev=channel",
            "-kernel",
            kernel,
            "-initrd",
            initrd,
            "-append",
            "console=ttyS0 root=/dev/vda1 rw",
            "-drive",
            f"file={self.folder / 'debian.raw'},format=raw,if=virtio,snapshot=on",
            "-fw_cfg",
            f"name=opt/slsuite/script,file={script}",
        )
        self.assertIn("client of serverless-suite", said)
        self.assertRegex(channel.read_text(errors="replace"), r"(?s)stage script\n.*failed script 7\n.*done 7\n")
