"""The README's two commands as a stranger gives them: on a fresh Debian with git and make, of this mirror's packages. A package that tools/packages lacks,
or a compiler that warns, is found here. What is tested is HEAD: what a clone has."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
RELEASES = pytest.mark.parametrize("release", ("bookworm", "trixie"))  # Debian 12, Debian 13
CERTIFICATES = "usr/local/share/ca-certificates"  # where an administrator puts those of the organisation
# Nothing of the host's environment but how it reaches the network.
ENVIRONMENT = {
    "HOME": "/root",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "TERM": "dumb",
    "LANG": "C.UTF-8",
} | {name: value for name, value in os.environ.items() if re.fullmatch("(?i)(https?|ftp|all|no)_proxy", name)}
# All that is started dies with us, also when we are killed: the signal of our death kills `unshare`, its death the first process of the name spaces.
ENCLOSED = ("setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: mounts a file system's /proc, /sys and /dev, and changes into it"),
    pytest.mark.skipif(not shutil.which("mmdebstrap"), reason="needs mmdebstrap"),
]


def said(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def sources(release):
    """This computer's apt sources of the distribution, as those of that release; what a stranger has, so no backports."""
    own = re.search(r"(?m)^VERSION_CODENAME=(\S+)", pathlib.Path("/etc/os-release").read_text())[1]
    lines = said(
        "apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)", "Identifier: Packages", "Component: main", "Origin: Debian"
    ).splitlines()
    found = [
        f"deb {uri} {release}{suite.removeprefix(own)} main"
        for suite, uri in map(str.split, lines)
        if suite in (own, f"{own}-updates", f"{own}-security")
    ]
    return found or pytest.skip("this computer's apt has no mirror of Debian")


def network(root):
    """Certificates and npm's registry, where this computer has others than a fresh one."""
    for name in "resolv.conf", "hosts":
        shutil.copyfile(f"/etc/{name}", root / "etc" / name)
    if pathlib.Path("/", CERTIFICATES).is_dir():
        shutil.copytree(f"/{CERTIFICATES}", root / CERTIFICATES, dirs_exist_ok=True)
        subprocess.run(["chroot", root, "update-ca-certificates"], check=True, capture_output=True)
    npm = subprocess.run(["npm", "config", "get", "registry"], capture_output=True, text=True) if shutil.which("npm") else None
    if npm and npm.returncode == 0:
        (root / "root/.npmrc").write_text(f"registry={npm.stdout}")


class Root:
    """A bare root file system, in the build folder: what a kill leaves of it goes when the next is made."""

    def __init__(self, release, name):
        self.folder = pathlib.Path(os.environ["SLSUITE_BUILD"]).resolve() / "bare-root" / f"{release}-{name}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.root, self.log = self.folder / "root", self.folder / "log"
        self.remove()
        self.log.write_text("")
        (self.folder / "apt.conf").write_text(
            "".join(re.findall(r"(?m)^Acquire::(?:https?|Check|Retries).*\n", said("apt-config", "dump")))
        )
        self.run(
            "root file system",
            "mmdebstrap",
            "--quiet",
            "--variant=minbase",
            "--include=git,make,ca-certificates",
            f"--aptopt={self.folder / 'apt.conf'}",
            release,
            self.root,
            *sources(release),
            seconds=1800,
        )
        network(self.root)
        # The whole history, as a clone has it, and no links to the host's files. Not in root's home: tests of ordinary users use the build, too.
        self.clone = self.root / "srv/serverless-suite"
        self.run("clone", "git", "clone", "--quiet", "--no-local", REPOSITORY, self.clone, seconds=600)

    def remove(self):
        shutil.rmtree(self.root, ignore_errors=True)

    def start(self, *command):
        with open(self.log, "a", encoding="utf-8") as log:
            return subprocess.Popen([*ENCLOSED, *command], env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)

    def run(self, what, *command, seconds):
        """Its output. The seconds are a bound that only a hang exceeds."""
        begun, length = time.monotonic(), self.log.stat().st_size
        process = self.start(*command)
        try:
            status = process.wait(seconds)
        finally:
            process.kill()
            process.wait()
        text = self.log.read_bytes()[length:].decode(errors="replace")
        assert status == 0, f"{what}: status {status}: all of it is in {self.log}\n{text[-6000:]}"
        assert not self.left(), self.left()
        print(f"{what}: {time.monotonic() - begun:.0f} s")
        return text

    def inside(self, *command):
        return (HERE / "bare-root", self.root, "env", "-C", "/srv/serverless-suite", *command)

    def make(self, *target, seconds):
        text = self.run(f"make {target[0]}", *self.inside("make", *target), seconds=seconds)
        assert not re.findall(r"(?im)^.*\bwarning\b.*$", text)
        return text

    def left(self, seconds=5):
        """What of it is still mounted, or running, after at most so long."""
        end = time.monotonic() + seconds
        while True:
            found = [line for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines() if str(self.root) in line]
            for process in pathlib.Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):  # it has ended
                    if self.root.samefile(process / "root"):
                        found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            if not found or time.monotonic() > end:
                return found
            time.sleep(0.05)


@pytest.fixture
def root(release, request, record_property):
    changes = said("git", "-C", REPOSITORY, "status", "--porcelain", "--untracked-files=no")
    if changes:
        print(f"not tested, since no clone has it yet:\n{changes}")
    begun = time.monotonic()
    made = Root(release, request.function.__name__.removeprefix("test_make_"))
    yield made
    record_property("seconds", round(time.monotonic() - begun))
    made.remove()


def shows_the_result(root, text):
    assert re.search(r"(?m)^ +mean user +[0-9,]+ +[0-9,]+ ", text), text
    assert re.search(r"(?m)^results: results/\S+ ", text), text
    assert (root.clone / "results/latest/report.html").stat().st_size > 10000


def leaves_nothing_when_killed(root):
    process = root.start(*root.inside("sh", "-c", "sleep 1000 & sleep 1000"))
    while len(root.left(0)) < 5:  # unshare, the script, the shell, and both
        assert process.poll() is None, root.log.read_text()
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not root.left()


@RELEASES
def test_make_run(root):
    leaves_nothing_when_killed(root)
    shows_the_result(root, root.make("run", seconds=3600))


@RELEASES
@pytest.mark.exclusive
def test_make_test(root):
    """After `make run`, as the README has it."""
    shows_the_result(root, root.make("run", seconds=3600))
    text = root.make("test", "ARGS=-rfEs", seconds=10800)
    assert re.search(r"\b[1-9][0-9]* passed\b", text)
    assert not re.findall(r"(?m)^SKIPPED .*make deps.*$", text)  # the reason of those that lack a package
