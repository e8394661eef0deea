"""Do README and docs say what is true? Their commands are run, and what they print is held against what the pages show; their links,
options, paths, and the names of functions, systems, files and statistics must exist. How a page says what is what: documents.py."""

import functools
import glob
import pathlib
import re
import subprocess
import sys

import pytest

import documents
from harness import BUILD, REPOSITORY, Case

README, DOCS = REPOSITORY / "README.md", sorted((REPOSITORY / "docs").glob("*.md"))
PAGES = [README, *REPOSITORY.glob("CONTRIBUTING.md"), *DOCS]
WIDTH, README_LENGTH = 120, 200
KINDS = {"sh", "text", "c", "diff", "yaml", "table"}
SLSUITE, CLIENT = BUILD / "slsuite", BUILD / "src/guest/client/client"
PYTEST = sys.executable, "-m", "pytest", "--rootdir", REPOSITORY, "--build", BUILD, REPOSITORY / "tests"


@functools.cache
def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@functools.cache
def subcommands():
    return set(re.findall(r"^  (\w+) ", output(SLSUITE, "--help"), re.M))


@functools.cache
def options_of(*command):
    """What `--help` lists: of a subcommand, of the client; or, for none, of all that the pages are about."""
    if command == ():
        return frozenset().union(
            *(options_of(SLSUITE, name) for name in subcommands()),
            options_of(SLSUITE, "function", "add"),
            options_of(CLIENT),
            ("--help", "-help"),
            re.findall(r"--\w[\w-]*", output(*PYTEST, "--help")),
        )
    text = output(*command, "-help" if command[0] == CLIENT else "--help")
    if command[0] == CLIENT:
        return frozenset(re.findall(r"(?<![\w-])-[a-z][\w-]*", text))
    return frozenset(re.findall(r"(?<![\w-])--?[a-zA-Z?][\w-]*", text)) | {"--help"}


def unknown_options(line):
    """Of the commands of a line of shell, those options that the program does not have."""
    unknown = []
    for part in re.split(r"\s[|&;]+\s|\s#", line):
        words = re.sub(r"^\w+=\S+ ", "", part.strip()).split()
        if not words:
            continue
        program, rest = words[0].rsplit("/")[-1], words[1:]
        rest = rest[: rest.index("--")] if "--" in rest else rest
        if program == "slsuite" and rest and not rest[0].startswith("-"):
            if rest[0] not in subcommands() | {"COMMAND"}:
                unknown.append(f"{program} {rest[0]}")
                continue
            known = options_of(*(() if rest[0] == "COMMAND" else (SLSUITE, *rest[: 1 + (rest[:2] == ["function", "add"])])))
            rest = re.sub(r"'[^']*'", "TEXT", " ".join(rest)).split()
        elif program == "client":
            known = options_of(CLIENT)
        else:
            continue
        given = (word.split("=")[0] for word in rest if re.match(r"--?[a-zA-Z]", word))
        unknown += [f"{program} {rest[0]}: {option}" for option in given if option not in known]
    return unknown


def is_listed(name, names):
    """In a table, NAME_* and the like stand for many names."""
    return any(re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name) for pattern in names)


class Runner(Case):
    """A page's items in their order, in a folder where `build` leads to the build under test, and `systems` is, as in a clone."""

    def setUp(self):
        super().setUp()
        (self.folder / "build").symlink_to(BUILD.resolve())
        (self.folder / "systems").symlink_to(REPOSITORY / "systems")
        (self.folder / "home").mkdir()

    def bash(self, script, where, seconds):
        environment = {
            "PATH": f"{BUILD.resolve()}:{CLIENT.resolve().parent}:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self.folder / "home"),
        }
        process = self.start("-c", script, program="bash", environment=environment)
        process.out, process.err = process.communicate(timeout=seconds)
        said = process.out + process.err
        self.assertEqual(process.returncode, 0, f"{where}: {said[-3000:]}")
        self.assertEqual(process.survivors(), {}, where)
        return said

    def run_block(self, page, item):
        """Line by line. What it left running in the background ends with it."""
        script = ["trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT"]
        lines = list(documents.commands(item.text))
        for number, (line, command) in enumerate(lines, 1):
            status = int(item.notes.get("fails", 0)) if number == len(lines) else 0
            script += [
                command,
                f"status=$?; [ $status = {status} ] || {{ echo line {item.line + 1 + line}: "
                f"exit status $status, not {status} >&2; exit 1; }}",
            ]
        return self.bash("\n".join(script), f"{page.path.name}:{item.line}", 1800 if "slow" in item.notes else 300)

    def check_text(self, page, item, printed):
        if "printed by" in item.notes:
            printed = self.bash(item.notes["printed by"], f"{page.path.name}:{item.line}", 300)
        percent = item.notes.get("within")
        missing = documents.not_printed(item.text, printed, percent and float(percent.removesuffix("%")))
        self.assertEqual(missing, [], f"{page.path.name}:{item.line}: this was not printed, but:\n{printed[-6000:]}")

    def listed(self, what):
        """What a table that `lists` it must name."""
        kind, _, place = what.partition(" of ")
        if kind in ("functions", "systems"):
            return {line.split()[0] for line in self.slsuite(kind.removesuffix("s"), "list").out.splitlines()}
        if kind == "files":
            return {path.name for path in (self.folder / place).iterdir()}
        if kind == "columns":
            return set((self.folder / place).read_text(encoding="utf-8").splitlines()[0].split(","))
        raise ValueError(f"a test cannot list {what}")

    def check_table(self, page, item):
        there = self.listed(item.notes["lists"])
        where = f"{page.path.name}:{item.line}: {item.notes['lists']}"
        self.assertEqual([name for name in there if not is_listed(name, item.names)], [], f"{where}: not in the table")
        self.assertEqual([name for name in item.names if not any(is_listed(other, [name]) for other in there)], [], f"{where}: not there")

    def check(self, page, slow):
        printed = None  # by the last block of commands; None: it was not run
        for item in page.items:
            skipped = "not run" in item.notes or "drawing" in item.notes or "slow" in item.notes and not slow
            if "file" in item.notes:
                (self.folder / item.notes["file"]).write_text(item.text, encoding="utf-8")
            elif item.kind == "sh":
                printed = None if skipped else self.run_block(page, item)
            elif item.kind == "text" and not skipped and (printed is not None or "printed by" in item.notes):
                self.check_text(page, item, printed)
            elif item.kind == "table" and "lists" in item.notes and not skipped:
                self.check_table(page, item)


class Pages(Runner):
    """Their tests are made from the pages."""


def add_pages():
    """A test for each page, and one more, slow, for those that have slow blocks."""
    for path in PAGES:
        page = documents.Page(path)
        name = path.stem.lower()

        def fast(self, page=page):
            self.check(page, slow=False)

        def slow(self, page=page):
            self.check(page, slow=True)

        setattr(Pages, f"test_{name}", pytest.mark.needs("checkpoint:aes-c")(fast))
        if re.search(r"^<!-- test: .*\bslow\b", page.text, re.M):
            setattr(Pages, f"test_{name}_with_what_is_slow", pytest.mark.slow(pytest.mark.needs("checkpoint:aes-c")(slow)))


add_pages()


def faults(page):
    """What is wrong with a page, as it stands: a line each."""
    where = page.path.name
    for number, length in page.long_lines(WIDTH):
        yield f"{where}:{number}: {length} columns"
    for line, target in page.links():
        if not re.match("https?://", target) and not link_leads_somewhere(page, target):
            yield f"{where}:{line}: leads nowhere: {target}"
    before = None
    for item in page.items:
        if item.kind not in KINDS:
            yield f"{where}:{item.line}: a block that does not say what it is: commands are `sh`, what they print is `text`"
        elif item.kind == "text" and not item.notes and (before is None or "not run" in before.notes):
            yield f"{where}:{item.line}: nothing prints this text: say `printed by`, or `drawing`"
        elif item.kind == "sh":
            before = item
            for line, command in documents.commands(item.text):
                yield from (f"{where}:{item.line + 1 + line}: no such option: {option}" for option in unknown_options(command))
    for line, code in page.codes():
        if problem := unknown_code(code):
            yield f"{where}:{line}: {problem}: {code}"


def link_leads_somewhere(page, target):
    name, _, anchor = target.partition("#")
    path = (page.path.parent / name).resolve() if name else page.path
    return path.exists() and (not anchor or anchor in (page if not name else documents.Page(path)).anchors())


@functools.cache
def tracked():
    """The repository's files; in an archive without git, all."""
    found = subprocess.run(["git", "-C", REPOSITORY, "ls-files"], capture_output=True, text=True).stdout.splitlines()
    found = found or [str(path.relative_to(REPOSITORY)) for path in REPOSITORY.rglob("*")]
    return {pathlib.Path(name).name for name in found}


OTHERS_OPTIONS = {"--add-host", "-icount", "-seed", "-action", "-static", "--junitxml"}  # of Docker, QEMU, gcc, pytest
NOT_HERE = {"src/model/prefetcher_next_two.c", "tests/durations.json", "build/test-cache"}  # what readers and tests would make


def unknown_code(code):
    """What is wrong with something in backquotes, or None."""
    if re.match(r"--?[a-z]", code) and re.match(r"--?[\w-]+", code)[0] not in options_of() | OTHERS_OPTIONS:
        return "no such option"
    if re.match(r"slsuite |client ", code) and unknown_options(code):
        return "no such option"
    if re.fullmatch(r"make [a-z-]+", code) and not re.search(rf"^{code[5:]}:", (REPOSITORY / "Makefile").read_text(), re.M):
        return "no such target"
    if re.fullmatch(r"(src|docs|tests|tools|bench|functions|systems|recipes)/[a-z][\w./*-]*", code) and not (
        glob.glob(code, root_dir=REPOSITORY) or re.search("[A-Z]{3}", code) or code in NOT_HERE
    ):
        return "no such file"
    if re.fullmatch(r"build/[a-z][\w./-]*", code) and not (BUILD / code[6:]).exists() and code not in NOT_HERE:
        return "is not built"
    if re.fullmatch(r"[a-z]\w+\.(c|h|py)", code) and code not in tracked():
        return "no such file"
    return None


class Text(Case):
    maxDiff = None

    def setUp(self):
        """Nothing is run here but `--help`."""

    def test_the_pages_as_they_stand(self):
        self.assertEqual([fault for path in PAGES for fault in faults(documents.Page(path))], [])

    def test_the_readme_is_short(self):
        self.assertLessEqual(len(README.read_text(encoding="utf-8").splitlines()), README_LENGTH)

    def test_the_readme_leads_to_every_page(self):
        linked = {target.partition("#")[0] for _, target in documents.Page(README).links()}
        self.assertEqual([path.name for path in DOCS if f"docs/{path.name}" not in linked], [])


class Mistakes(Runner):
    """What the tests above would find: each of these pages has one."""

    def mistaken(self, text, pattern):
        page = documents.Page(REPOSITORY / "docs/mistaken.md", text)
        with self.assertRaisesRegex((AssertionError, ValueError), pattern):
            self.check(page, slow=False)

    def test_of_commands(self):
        self.mistaken("```sh\ntrue\nfalse\ntrue\n```", "line 3: exit status 1, not 0")
        self.mistaken("<!-- test: fails 2 -->\n```sh\nslsuite system list\n```", "exit status 0, not 2")
        self.mistaken("```sh\nslsuite run aes-c --no-such-option\n```", "exit status 2, not 0")
        self.mistaken("```sh\n(sleep 100 >/dev/null 2>&1 &)\n```", "sleep")

    def test_of_what_they_print(self):
        shown = "```sh\nslsuite system diff simple skylake\n```\n\n```text\n%s\n```"
        self.check(documents.Page("right.md", shown % "core.model      blocking   ooo\n⋮"), slow=False)
        self.mistaken(shown % "core.model      blocking   inorder", "this was not printed")
        self.mistaken(shown % "caches.l1i.size  16 kB  16 kB  32 kB", "this was not printed")
        printed = "<!-- test: printed by echo 100 cycles; within 5 %% -->\n```text\n%s cycles\n```"
        self.check(documents.Page("right.md", printed % 104), slow=False)
        self.mistaken(printed % 106, "this was not printed")

    def test_of_tables(self):
        table = "<!-- test: lists systems -->\n| a | b |\n|---|---|\n" + "".join(
            f"| `{name}` | |\n" for name in sorted(self.listed("systems"))
        )
        self.check(documents.Page("right.md", table), slow=False)
        self.mistaken(table + "| `vax` | |\n", "(?s)vax.*not there")
        self.mistaken(table.replace("| `zen4` | |\n", ""), "(?s)zen4.*not in the table")
        self.mistaken("<!-- test: lists systems -->\n\nno table", "neither a block nor a table")
        self.mistaken("<!-- test: pass -->\n```sh\ntrue\n```", "no such note")

    def test_of_the_text(self):
        mistakes = {
            "[a](nowhere.md)": "leads nowhere",
            "[a](using.md#nowhere)": "leads nowhere",
            "[a](#nowhere)": "leads nowhere",
            "x" * 121: "121 columns",
            "    indented": "does not say what it is",
            "```\nnothing\n```": "does not say what it is",
            "```bash\ntrue\n```": "does not say what it is",
            "```text\nshown\n```": "nothing prints this",
            "`--no-such-option`": "no such option",
            "`slsuite run aes-c --commit`": "no such option",
            "`slsuite fly`": "no such option",
            "`make nothing`": "no such target",
            "`src/model/none.c`": "no such file",
            "`none.c`": "no such file",
            "`build/none`": "is not built",
            "<!-- test: not run: no -->\n```sh\nslsuite suite run --no-such-option\n```": "no such option",
        }
        for text, pattern in mistakes.items():
            with self.subTest(text):
                found = list(faults(documents.Page(REPOSITORY / "docs/mistaken.md", text)))
                self.assertEqual(len(found), 1, found)
                self.assertIn(pattern, found[0])


class Statistics(Case):
    @pytest.mark.needs("checkpoint:aes-c")
    def test_they_are_named_as_in_the_files_of_a_run(self):
        """`numCycles` and the like; on a system that has all parts."""
        pages = [documents.Page(path) for path in PAGES]
        names = {
            code for page in pages for _, code in page.codes() if re.fullmatch("[a-z]+([A-Z][a-z]+)+", code) and code not in page.absent()
        }
        self.assertIn("numCycles", names)
        self.slsuite("run", "aes-c", "-n", 1, "--system", "icelake", "-q", "--out", self.out)
        printed = set(re.findall(r"\w+", (self.out / "stats.txt").read_text(encoding="utf-8")))
        self.assertEqual(names - printed, set())


if __name__ == "__main__":
    import unittest

    unittest.main()
