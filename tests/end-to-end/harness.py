"""What the end-to-end tests share: the program under test, its cache, and ways to run it and to see what it leaves."""

import contextlib
import difflib
import functools
import os
import pathlib
import pty
import select
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import uuid

import pytest

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
BUILD = pathlib.Path(os.environ["SLSUITE_BUILD"])
CACHE = pathlib.Path(os.environ["SLSUITE_CACHE"]).resolve()
PARTS = "kernel", "initramfs", "base", "rootfs", "layers", "functions"  # of a cache, without the checkpoints
FUNCTIONS = "aes-c", "auth-c", "fibonacci-c", "helloworld-c"
LANGUAGES = "go", "nodejs", "python"  # whose functions need a while to be built: only by the tests that run them

# A program that `nohup` started, or a shell without job control in the background, ignores these, and so would ours.
for number in signal.SIGHUP, signal.SIGINT:
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, lambda *_: None)

PROGRAMS = BUILD / "tests/programs"
ODD = {"SLSUITE_FUNCTIONS": str(PROGRAMS)}  # an environment with the function odd-c, which goes wrong when its requests say so

slow = pytest.mark.slow
as_root = unittest.skipUnless(os.geteuid() == 0, "needs root")


class Process(subprocess.Popen):
    """A program of ours. It and all its children carry a token in their environment, by which they are found."""

    def __init__(self, *command, environment={}, **options):
        self.token = f"SLSUITE_TEST={uuid.uuid4()}"
        key, value = self.token.split("=")
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
        super().__init__([str(word) for word in command], env=os.environ | {key: value} | environment, **options)

    def family(self):
        """What runs of it, as {process id: command line}."""
        found = {}
        for place in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if self.token.encode() in (place / "environ").read_bytes().split(b"\0"):
                    found[int(place.name)] = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                pass  # it has ended, or is somebody else's
        return found

    def qemu(self, seconds=300):
        """Wait until its QEMU runs: its process id."""
        for _ in range(int(seconds * 50)):
            for pid, command in self.family().items():
                if "qemu-system" in command and "--version" not in command:
                    return pid
            time.sleep(0.02)
        raise AssertionError("no QEMU was started")

    def survivors(self, seconds=5):
        """What is still there of it after at most so long."""
        end = time.monotonic() + seconds
        while (left := self.family()) and time.monotonic() < end:
            time.sleep(0.05)
        return left

    def end(self):
        """Whatever happened, leave nothing."""
        for pid in [self.pid, *self.family()] if self.returncode is None else self.family():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.wait()


class Shown(Process):
    """One on a terminal, where it shows what it is at."""

    def __init__(self, *command, **options):
        self.screen, terminal = pty.openpty()
        super().__init__(*command, **options | {"stdin": terminal, "stdout": terminal, "stderr": terminal})
        os.close(terminal)
        self.shown = ""

    def read(self, seconds):
        """Whether it has shown more within so long. It shows no more once it has ended."""
        ready, _, _ = select.select([self.screen], [], [], seconds)
        try:
            more = os.read(self.screen, 65536).decode(errors="replace") if ready else ""
        except OSError:
            more = ""
        self.shown += more
        return bool(more)

    def until(self, text, seconds=300):
        """Wait until it shows this."""
        while text not in self.shown:
            if not self.read(seconds):
                raise AssertionError(f"no {text!r}: {self.shown!r}")
        return self

    def end(self):
        super().end()
        os.close(self.screen)


@functools.cache
def prepare():
    """Kernel, base image and functions' images in the shared cache."""
    (CACHE / "layers").mkdir(parents=True, exist_ok=True)
    for command in ("image", "build"), ("function", "build", *FUNCTIONS):
        subprocess.run([BUILD / "slsuite", *command], check=True, capture_output=True)


class Case(unittest.TestCase):
    longMessage = True
    prepared = True

    def setUp(self):
        if self.prepared:
            prepare()
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="slsuite-test-")))
        self.out = self.folder / "run"

    def start(self, *arguments, cache=CACHE, environment={}, program=BUILD / "slsuite", kind=Process, **options):
        places = {"SLSUITE_CACHE": str(cache), "XDG_DATA_HOME": str(self.folder / "data")}
        process = kind(program, *arguments, environment=places | environment, **({"cwd": self.folder} | options))
        self.addCleanup(process.end)
        return process

    def finish(self, process, status=0, seconds=600):
        """Wait for it: it must end in time (a bound that only a hang exceeds), with this status, and leave no process behind."""
        try:
            process.out, process.err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.end()
            self.fail(f"{process.args}: not done within {seconds} s: {process.communicate()}")
        self.assertEqual(process.returncode, status, f"{process.args}\n{process.out[-2000:]}\n{process.err[-4000:]}")
        self.assertEqual(process.survivors(), {})
        return process

    def show(self, text, *arguments, **options):
        """Start it on a terminal, and wait until it shows this."""
        return self.start(*arguments, kind=Shown, **options).until(text)

    def slsuite(self, *arguments, status=0, seconds=600, **options):
        return self.finish(self.start(*arguments, **options), status, seconds)

    def refused(self, pattern, *arguments, status=1, **options):
        """It must fail, and its last line on stderr, the only one of its kind, says why."""
        process = self.slsuite(*arguments, status=status, **options)
        *before, last = process.err.splitlines()
        self.assertRegex(last, "^slsuite: " + pattern)
        self.assertFalse([line for line in before if line.startswith("slsuite")], process.err)
        return process

    def shell(self, script, *arguments, status=0, **options):
        """Run a script in the guest, in `slsuite shell`."""
        path = self.folder / "script"
        path.write_text(script)
        return self.slsuite("shell", "--kvm", "off", "--run", path, *arguments, status=status, **options)

    def own_cache(self, *shared):
        """A cache of its own, with these parts of the shared one."""
        cache = self.folder / "cache"
        cache.mkdir(exist_ok=True)
        for name in shared or PARTS:
            (cache / name).symlink_to(CACHE / name)
        return cache

    def odd(self, start="well", client="-function, helloworld"):
        """An environment with another odd-c: one that does this before it listens, or is called in this way."""
        place = self.folder / "functions/odd/c"
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROGRAMS / "odd/c/odd-c", place)
        text = (PROGRAMS / "odd/c/function.yaml").read_text()
        text = text.replace("-start, well", f"-start, {start}").replace("-function, helloworld", client)
        (place / "function.yaml").write_text(text)
        return {"SLSUITE_FUNCTIONS": str(self.folder / "functions")}

    def same_results(self, *folders):
        for name in "stats.txt", "invocations.csv":
            first, *others = ((folder / name).read_text().splitlines() for folder in folders)
            for folder, lines in zip(folders[1:], others):
                if lines != first:
                    differences = list(difflib.unified_diff(first, lines, str(folders[0]), str(folder), n=0, lineterm=""))
                    self.fail("\n".join([f"{name} differs in {len(differences)} lines:", *differences[:30]]))


def checkpoints(cache):
    """The whole ones: what a run would take."""
    return sorted(path for path in (cache / "checkpoints").glob("[!.]*"))


def copy_sparse(source, target):
    subprocess.run(["cp", "-r", "--sparse=always", source, target], check=True)


def files_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
