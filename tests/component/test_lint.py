"""tools/lint/run, whose rules are in .clang-format, .clang-tidy, pyproject.toml and .shellcheckrc: each linter sees its fault."""

import os
import pathlib
import subprocess
import tempfile
import unittest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ["SLSUITE_BUILD"]).resolve()
NAMES = "#include <string.h>\n\nint is_one(const char *name);\n\nint is_one(const char *name) {\n    return %s;\n}\n"
FAULTS = {
    # name: text, what is found
    "layout.c": ("int zero( void);\n", r"layout\.c:1:10: error: code should be clang-formatted"),
    "compare.c": (NAMES % '!strcmp(name, "1") || strcmp(name, "one")', r"compare\.c:6:\d+: error: .*bugprone-suspicious-string-compare"),
    "warned.c": (NAMES % 'name == "1"', r"warned\.c:6:\d+: error: .*clang-diagnostic-string-compare"),
    "unused.py": ("import os\n", r"unused\.py:1:8: F401 "),
    "layout.py": ("x = { 1:2 }\n", r"layout\.py:1:1: not formatted|Would reformat: .*layout\.py"),
    "torn.py": ("x = (\n", r"torn\.py:\d:\d+: invalid-syntax"),
    "script": ("#!/usr/bin/python3\nprint(unknown)\n", r"script:2:7: F821 "),
    "quote": ("#!/bin/sh\nrm -f $1\n", r"quote:2:7: note: .*SC2086"),
}


class Lint(unittest.TestCase):
    """Within the repository, where the linters find their rules."""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(dir=REPOSITORY, prefix="build-lint-")))

    def lint(self, *arguments):
        command = [REPOSITORY / "tools/lint/run", f"--build={BUILD}", *arguments]
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def test_faults(self):
        """All at once, as each start of a linter costs time."""
        done = self.lint(*(self.write(name, text) for name, (text, _) in FAULTS.items()))
        self.assertEqual((done.returncode, done.stderr), (1, ""), done.stdout)
        for name, (_, expected) in FAULTS.items():
            self.assertRegex(done.stdout, expected, name)
        self.assertRegex(done.stdout, rf"\nlint: {len(FAULTS)} files in \d+ s: \d+ findings\n\Z")

    def test_clean(self):
        """The same without faults; and made so by --format, but for what only a person can put right."""
        files = [
            self.write("layout.c", "int zero(void);\nint zero(void) {\n  return 0; }\n"),
            self.write("script", '#!/usr/bin/python3\nimport sys\nimport os\n\nprint(os.name, sys.path,  "…")\n'),
        ]
        formatted = self.lint("--format", *files)
        self.assertEqual(formatted.returncode, 0, formatted.stdout + formatted.stderr)
        self.assertEqual(files[1].read_text(), '#!/usr/bin/python3\nimport os\nimport sys\n\nprint(os.name, sys.path, "…")\n')
        done = self.lint(*files, self.write("quote", '#!/bin/sh\nrm -f "$1"\n'))
        self.assertRegex(done.stdout, r"\Alint: 3 files in \d+ s: nothing found\n\Z")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_refused(self):
        for pattern, arguments in {
            "lint: .*notes is neither C, Python nor a shell script\n": [self.write("notes", "words\n")],
            "lint: there is no .*compile_commands.json: run `make build`\n": [f"--build={self.folder}", self.write("a.c", "\n")],
        }.items():
            done = self.lint(*arguments)
            self.assertRegex(done.stderr, rf"\A{pattern}\Z")
            self.assertEqual((done.returncode, done.stdout), (1, ""))
