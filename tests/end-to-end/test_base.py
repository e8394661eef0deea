"""The guest's root file system from another release's packages: `image build --distribution`, `run --base`."""

import json
import re
import subprocess

from harness import Case, slow


def mirror():
    """Where this computer has its distribution's packages from."""
    return subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Identifier: Packages"], capture_output=True, text=True, check=True
    ).stdout.split()[0]


class Base(Case):
    def test_bad_input(self):
        cache = self.own_cache("kernel", "initramfs")
        build = "image", "build"
        self.refused("image build: --distribution and --release go together", *build, "--release", "noble", status=2)
        self.refused(
            "'fedora:40' is no distribution: debian:RELEASE or ubuntu:RELEASE",
            *build,
            "--distribution",
            "fedora",
            "--release",
            40,
            status=2,
        )
        self.refused("'ubuntu:../x' is no distribution", "run", "aes-c", "--base", "ubuntu:../x", status=2)
        self.refused("'ftp://x' is no mirror", *build, "--distribution", "ubuntu", "--release", "noble", "--mirror", "ftp://x", status=2)
        self.refused(
            "cannot make the guest's root file system: .*: check the network",
            *build,
            "--distribution",
            "ubuntu",
            "--release",
            "noble",
            "--mirror",
            "http://127.0.0.1:9/ubuntu",
            cache=cache,
        )
        self.assertEqual([path.name for path in (cache / "base").glob("[!.]*")], [])

    @slow
    def test_another_release(self):
        """Of the same mirror: its own C library, the same function, the same bytes twice."""
        distribution = dict(re.findall(r'(?m)^(ID|VERSION_CODENAME)="?([a-z]+)', open("/etc/os-release").read()))
        other = next(
            name
            for name in {"debian": ("trixie", "bookworm"), "ubuntu": ("noble", "jammy")}[distribution["ID"]]
            if name != distribution["VERSION_CODENAME"]
        )
        base = f"{distribution['ID']}:{other}"
        cache = self.own_cache("kernel", "initramfs", "functions", "layers")
        self.slsuite("image", "build", "--distribution", distribution["ID"], "--release", other, "--mirror", mirror(), cache=cache)
        said = self.shell("cat /etc/os-release", "--base", base, cache=cache).out
        self.assertIn(f"VERSION_CODENAME={other}", said)
        self.slsuite("run", "aes-c", "--base", base, "-n", 2, "-q", "--out", self.out, cache=cache)
        self.assertEqual(json.loads((self.out / "run.json").read_text())["base"], base)
        self.slsuite("verify", self.out, cache=cache)
