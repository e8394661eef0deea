"""tests/resume.py: what has passed is not run again on the same tree, and counts."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[1]
# Each test that runs leaves a line; what it does stands in a file that git ignores, so that the tree stays as it is.
SUITE = """import os, pathlib, pytest
HERE = pathlib.Path(__file__).parent
@pytest.mark.parametrize("name", "abcdef")
def test(name):
    with open(HERE / "ran", "a") as file:
        file.write(name)
    if (HERE / "does" / name).exists():
        exec((HERE / "does" / name).read_text())
"""


class Resume(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.folder / "does").mkdir()
        (self.folder / "test_it.py").write_text(SUITE)
        (self.folder / ".gitignore").write_text("does\nran\npassed\n__pycache__\n")
        self.git("init", "-q")
        self.git("add", ".")
        self.git("commit", "-qm", "all")

    def git(self, *arguments):
        subprocess.run(["git", "-C", self.folder, "-c", "user.name=x", "-c", "user.email=x", *arguments], check=True)

    def start(self, *options):
        """In an environment without the outer pytest's."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "GIT_"))}
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", "-p", "resume", "-p", "no:cacheprovider", "--resume", "passed", *options],
            cwd=self.folder,
            env=environment | {"PYTHONPATH": str(TESTS), "PYTHONDONTWRITEBYTECODE": "1"},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def run_(self, closing, ran, *options, status=0):
        """Its closing line, and which tests ran, in whichever order."""
        (self.folder / "ran").write_text("")
        process = self.start(*options)
        said, _ = process.communicate(timeout=120)
        self.assertEqual(process.returncode, status, said)
        self.assertRegex(said.splitlines()[-1], rf"^=+ {closing} in ")
        self.assertEqual("".join(sorted((self.folder / "ran").read_text())), ran)
        return said

    def does(self, name, what):
        (self.folder / "does" / name).write_text(what)

    def test_only_what_has_not_passed(self):
        for options in ("-p", "no:xdist"), ("-n", "2"):
            with self.subTest(options):
                (self.folder / "passed").unlink(missing_ok=True)
                self.does("b", "assert False")
                self.does("c", "pytest.skip('why')")
                self.run_("1 failed, 4 passed, 1 skipped", "abcdef", *options, status=1)
                said = self.run_("1 failed, 4 passed, 1 skipped", "bc", *options, status=1)
                self.assertRegex(
                    said, "(?m)^not run again, since they have passed on this same tree: 4 tests of 0 min; to run all: rm passed$"
                )
                self.does("b", "")
                self.does("c", "")
                self.run_("2 passed(, 4 deselected)?", "", *options, "-k", "[a] or [d]")
                self.run_("6 passed", "bc", *options)
                self.run_("6 passed", "", *options)

    def test_another_tree(self):
        """A change, a new file; and back. What git ignores is not part of it."""
        self.run_("6 passed", "abcdef")
        original = (self.folder / "test_it.py").read_text()
        (self.folder / "test_it.py").write_text(original + "# more\n")
        self.run_("6 passed", "abcdef")
        (self.folder / "test_it.py").write_text(original)
        self.run_("6 passed", "")
        (self.folder / "new").write_text("")
        self.run_("6 passed", "abcdef")
        self.git("add", "new")
        self.run_("6 passed", "")
        self.git("commit", "-qm", "new")  # a test may be of what is committed
        self.run_("6 passed", "abcdef")
        self.git("commit", "-q", "--amend", "-m", "better said")
        self.run_("6 passed", "")

    def test_killed(self):
        self.does("d", "import time; time.sleep(1000)")
        process = self.start("-p", "no:xdist")
        while not (self.folder / "ran").exists() or "d" not in (self.folder / "ran").read_text():
            self.assertIsNone(process.poll())
            time.sleep(0.05)
        process.kill()
        process.communicate()
        self.does("d", "")
        self.run_("6 passed", "def")

    def test_crash(self):
        """Of the process that runs a test: the one that takes its place has the same tests."""
        self.run_("1 passed", "a", "-n", "1", "-k", "[a]")
        self.does("c", f"os.kill(os.getpid(), {int(signal.SIGKILL)})")
        self.run_("1 failed, 5 passed", "bcdef", "-n", "1", status=1)
        self.does("c", "")
        self.run_("6 passed", "c", "-n", "1")

    def test_cut_off(self):
        """A line that a kill left at any length."""
        self.run_("6 passed", "abcdef", "-p", "no:xdist")
        whole = (self.folder / "passed").read_text()
        last = whole.rindex("\n")
        for length in last, last + 1, last + 2, (last + len(whole)) // 2, len(whole) - 1:
            with self.subTest(length):
                (self.folder / "passed").write_text(whole[:length])
                self.run_("6 passed", "f", "-p", "no:xdist")
                self.run_("6 passed", "", "-p", "no:xdist")

    def test_no_clone(self):
        subprocess.run(["rm", "-r", self.folder / ".git"], check=True)
        process = self.start()
        said, _ = process.communicate()
        self.assertEqual(process.returncode, 4, said)
        self.assertTrue(
            re.search(
                "(?m)^ERROR: --resume: cannot tell the state of the tree: fatal: not a git repository.*: run it in a clone, or without",
                said,
            ),
            said,
        )
