"""As an ordinary user with nothing prepared, and from an installation."""

import pathlib
import pwd
import shutil
import signal
import subprocess
import time
import uuid

import pytest

from harness import BUILD, Case, as_root, files_below

pytestmark = pytest.mark.needs("checkpoint:aes-c")


class Install(Case):
    def test_installed_program_finds_its_data(self):
        """The same run, from the same cache: nothing of it depends on where the program lies."""
        self.slsuite("run", "aes-c", "-n", 2, "-q", "--out", self.out)
        self.slsuite("install", "-C", BUILD, "--no-rebuild", "--destdir", self.folder / "destination", program=shutil.which("meson"))
        (installed,) = (self.folder / "destination").rglob("bin/slsuite")
        moved = self.folder / "elsewhere"
        shutil.move(installed.parents[1], moved)
        again = self.slsuite("run", "aes-c", "-n", 2, "--out", self.folder / "again", program=moved / "bin/slsuite")
        self.assertNotIn("boot", again.err)
        self.same_results(self.out, self.folder / "again")
        (moved / "lib/slsuite/slsuite-plugin.so").unlink()
        self.refused("cannot find the files that belong to slsuite: .*make build", "function", "list", program=moved / "bin/slsuite")

    def test_interrupted_while_packages_are_installed(self):
        """Ctrl-C: mmdebstrap, its children and its root file system in the temporary folder go, too."""
        self.folder.chmod(0o755)
        temporary = self.folder / "temporary"
        temporary.mkdir()
        temporary.chmod(0o1777)
        cache = self.own_cache("kernel", "initramfs")
        process = self.start("image", "build", cache=cache, environment={"TMPDIR": str(temporary)})
        end = time.monotonic() + 300
        while not list(temporary.glob("mmdebstrap.*/usr/bin/*")):  # packages are unpacked
            self.assertLess(time.monotonic(), end, list(temporary.iterdir()))
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(30), -signal.SIGINT)
        self.assertEqual(process.survivors(), {})
        self.assertEqual(files_below(temporary), [])
        self.assertEqual([name for name in files_below(cache / "base") if not name.startswith(".")], [])


@as_root
class User(Case):
    def setUp(self):
        super().setUp()
        self.name = f"slsuite-{uuid.uuid4().hex[:8]}"
        home = self.folder / "home"
        self.folder.chmod(0o755)
        subprocess.run(["useradd", "--create-home", "--home-dir", home, self.name], check=True)
        self.addCleanup(subprocess.run, ["userdel", "--remove", self.name], capture_output=True)
        if f"{self.name}:" not in pathlib.Path("/etc/subuid").read_text():
            subprocess.run(["usermod", "--add-subuids", "500000-565535", "--add-subgids", "500000-565535", self.name], check=True)
        self.user = pwd.getpwnam(self.name)
        if subprocess.run(["test", "-x", BUILD / "slsuite"], user=self.user.pw_uid, group=self.user.pw_gid, extra_groups=[]).returncode:
            self.skipTest(f"{BUILD} is closed to ordinary users")

    def test_from_nothing(self):
        """Kernel, packages, images, boot, run: a minute. Nothing needs root."""
        home = self.user.pw_dir
        process = self.slsuite(
            "run",
            "aes-c",
            "-n",
            3,
            "--out",
            f"{home}/run",
            cache=f"{home}/.cache/slsuite",
            seconds=400,
            cwd=home,
            environment={"HOME": home, "USER": self.name, "PATH": "/usr/local/bin:/usr/bin:/bin"},
            user=self.user.pw_uid,
            group=self.user.pw_gid,
            extra_groups=[],
        )
        for step in "kernel", "root file system: packages", "root file system: image", "function aes-c: image", "boot and warm up aes-c":
            self.assertIn(f"{step}: done in", process.err)
        self.slsuite("run", "aes-c", "-n", 3, "-q", "--out", self.out)
        self.same_results(pathlib.Path(home, "run"), self.out)
        owners = {path.lstat().st_uid for path in pathlib.Path(home, ".cache").rglob("*")}
        self.assertEqual(owners, {self.user.pw_uid})
