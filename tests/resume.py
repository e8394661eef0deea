"""A pytest plugin for runs of hours. --resume FILE: each test that passes is noted in FILE, with the tree that it passed on; the next run with that FILE does
not run it again as long as the tree is the same, and counts it as passed. Killed at any instant, a run loses only the tests in progress.

The tree is what is committed and what is not yet, without what git ignores. What is not part of it: the computer, its packages, the build's options.
FILE has a JSON object a line, {"tree": …, "test": node id, "seconds": …}, and is only ever appended to. Removing it is how to start over."""

import json
import os
import pathlib
import subprocess
import tempfile

import pytest


def pytest_addoption(parser):
    parser.addoption(
        "--resume", metavar="FILE", type=pathlib.Path, help="do not run again what has passed on this same tree: noted in FILE"
    )


def pytest_configure(config):
    if "resumed" in getattr(config, "workerinput", {}):
        config.pluginmanager.register(Resumed(set(config.workerinput["resumed"])), "resumed")
    elif (path := config.getoption("resume")) and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Resumption(path, digest(config.rootpath)), "resumption")


def git(folder, *arguments, **environment):
    try:
        return subprocess.run(
            ["git", "-C", folder, *arguments], env=os.environ | environment, capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        why = (getattr(error, "stderr", "") or str(error)).splitlines()[0]
        raise pytest.UsageError(f"--resume: cannot tell the state of the tree: {why}: run it in a clone, or without --resume") from error


def digest(folder):
    """HEAD's tree, and the one that committing all would make: in an index and a store of its own, so that nothing of the clone changes."""
    top, store = git(folder, "rev-parse", "--path-format=absolute", "--show-toplevel", "--git-path", "objects").splitlines()
    with tempfile.TemporaryDirectory() as own:
        places = {"GIT_INDEX_FILE": f"{own}/index", "GIT_OBJECT_DIRECTORY": own, "GIT_ALTERNATE_OBJECT_DIRECTORIES": store}
        git(top, "add", "--all", **places)
        return f"{git(top, 'rev-parse', 'HEAD^{tree}')} {git(top, 'write-tree', **places)}"


class Resumed:
    """In each process that runs tests: leaves out those that have passed."""

    def __init__(self, passed):
        self.passed, self.left_out = passed, []

    @pytest.hookimpl(trylast=True)  # after -k and -m
    def pytest_collection_modifyitems(self, config, items):
        self.left_out = [item.nodeid for item in items if item.nodeid in self.passed]
        items[:] = [item for item in items if item.nodeid not in self.passed]

    def pytest_sessionfinish(self, session):
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["left_out"] = self.left_out


class Resumption(Resumed):
    """In the process that counts, which with xdist is none of those that run tests."""

    def __init__(self, path, tree):
        self.path, self.tree, self.bad = path, tree, set()
        self.seconds = dict(self.read())
        super().__init__(set(self.seconds))

    def read(self):
        for line in self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else ():
            try:
                record = json.loads(line)
            except ValueError:
                continue  # what a kill has left of a line
            if record["tree"] == self.tree:
                yield record["test"], record["seconds"]

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node):
        # Not read by the workers themselves: one that replaces a crashed one must leave out the same.
        node.workerinput["resumed"] = sorted(self.passed)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node, error):
        self.left_out = getattr(node, "workeroutput", {}).get("left_out", self.left_out)

    def pytest_runtest_logreport(self, report):
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0) + report.duration
        if not report.passed:
            self.bad.add(report.nodeid)
        if report.when == "teardown" and report.nodeid not in self.bad:
            self.note(report.nodeid)

    def note(self, name):
        """The line's end comes before it: so the rest of a line that was cut off never spoils the next."""
        line = json.dumps({"tree": self.tree, "test": name, "seconds": round(self.seconds[name], 1)})
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(f"\n{line}")
            file.flush()
            os.fsync(file.fileno())

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session):
        if self.left_out and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = pytest.ExitCode.OK
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if reporter:  # in the closing line they are what they are: passed
            reporter.stats.setdefault("passed", []).extend(
                pytest.TestReport(name, ("", None, ""), {}, "passed", None, "call", duration=self.seconds[name]) for name in self.left_out
            )

    def pytest_terminal_summary(self, terminalreporter):
        if self.left_out:
            minutes = sum(self.seconds[name] for name in self.left_out) / 60
            terminalreporter.write_line(
                f"not run again, since they have passed on this same tree: {len(self.left_out)} tests of {minutes:.0f} min;"
                f" to run all: rm {self.path}"
            )
