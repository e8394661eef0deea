"""Collects the unit tests, which are C (cmocka): a test of pytest's for each case of a tests/unit/test_NAME.c.

A group's program runs all its cases, in milliseconds as a rule; its report is kept for the cases that come after the first. Where there is a
sanitized build of the group, that is one more test.
"""

import os
import re
import subprocess
import xml.etree.ElementTree

import pytest

SECONDS = 600  # a bound that only a hang exceeds


def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".c" and file_path.parent.name == "unit" and file_path.name.startswith("test_"):
        return Group.from_parent(parent, path=file_path)


class Group(pytest.File):
    """A tests/unit/test_NAME.c."""

    def collect(self):
        self.report = None
        cases = re.findall(r"\bcmocka_unit_test\w*\((\w+)", self.path.read_text(encoding="utf-8"))
        for case in cases:
            yield Case.from_parent(self, name=case.removeprefix("test_"), case=case)
        yield Sanitized.from_parent(self, name="sanitized")

    def program(self, option):
        build = self.config.invocation_params.dir / self.config.getoption(option)
        return build.resolve() / "tests/unit" / self.path.stem

    def run(self, program):
        # What sanitizers find must end the program: a test that goes on would hide it.
        environment = os.environ | {
            "SLS_SOURCE": str(self.config.rootpath),
            "CMOCKA_MESSAGE_OUTPUT": "XML",
            "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
        }
        done = subprocess.run(
            [program], env=environment, capture_output=True, text=True, errors="replace", timeout=SECONDS, cwd=program.parents[2]
        )
        said = done.stdout + done.stderr
        outcome = {}
        for report in re.findall(r"<testsuites>.*?</testsuites>", said, re.S):
            for case in xml.etree.ElementTree.fromstring(report).iter("testcase"):
                outcome[case.get("name")] = case
        return done.returncode, outcome, said

    def outcome(self):
        if self.report is None:
            self.report = self.run(self.program("build"))
        return self.report


class Item(pytest.Item):
    def reportinfo(self):
        return self.path, None, f"{self.parent.path.stem}: {self.name}"

    def repr_failure(self, excinfo, style=None):
        if isinstance(excinfo.value, Failure):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)


class Failure(Exception):
    pass


class Case(Item):
    def __init__(self, *, case, **more):
        super().__init__(**more)
        self.case = case

    def runtest(self):
        status, outcome, said = self.parent.outcome()
        if self.case not in outcome:
            raise Failure(f"{self.parent.program('build')} ended with status {status} and did not report {self.case}:\n{said}")
        case = outcome[self.case]
        if case.find("skipped") is not None:
            pytest.skip(f"skipped by {self.parent.path.name}")
        if (failure := case.find("failure")) is not None:
            raise Failure("".join(failure.itertext()))
        if status and all(one.find("failure") is None for one in outcome.values()):
            raise Failure(f"no case failed, but the program ended with status {status}:\n{said}")


class Sanitized(Item):
    """All cases of the group once more, with address and undefined-behaviour sanitizers."""

    def runtest(self):
        program = self.parent.program("sanitized")
        if not program.exists():
            pytest.skip("no sanitized build: make test builds one")
        status, outcome, said = self.parent.run(program)
        if status or not outcome:
            raise Failure(f"{program} ended with status {status}:\n{said}")
