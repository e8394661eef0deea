"""Markdown pages, as test_docs.py needs them: in the order of the page its blocks, its tables, and what each is said to be.

A fenced block of the language `sh` is commands, one of `text` is what a command prints. Anything special about a block or a table
stands in an HTML comment on the line before it, `<!-- test: NOTE; NOTE -->`:

    slow                  only with --slow
    not run: WHY          it cannot be run by a test: it needs root, a network, a gem5, somebody's terminal
    fails N               the last command of the block exits with status N, the others with 0
    printed by COMMAND    a text: run this for it, instead of taking what the commands before it printed
    within N %            a text: its figures, too, not only its words, are as printed, but for so much
    drawing               a text that nobody prints
    file NAME             any block: this file, for the commands after it
    lists WHAT            a table: each of them, and no other, is named in it: functions, systems, files of FOLDER, columns of FILE
"""

import dataclasses
import functools
import pathlib
import re

import markdown_it

NOTES = ("slow", "not run", "fails", "printed by", "within", "drawing", "file", "lists")
NUMBER = r"[-−+]?\d+(?:,\d{3})*(?:\.\d+)?|n/a"


@dataclasses.dataclass
class Item:
    """A block, with its text, or a table: of each row the code spans of the first cell that has any."""

    kind: str  # the block's language, `indented`, or `table`
    line: int
    text: str = ""
    names: list = dataclasses.field(default_factory=list)
    notes: dict = dataclasses.field(default_factory=dict)


def parse_notes(comment):
    """`<!-- test: fails 2; slow -->` is {"fails": "2", "slow": ""}; None: it is another comment."""
    match = re.fullmatch(r"<!-- test: (.*?) -->", comment.strip())
    if not match:
        return None
    notes = {}
    for note in match[1].split("; "):
        name = next((name for name in NOTES if re.match(rf"{name}\b", note)), None)
        if not name:
            raise ValueError(f"no such note for the test: {note}")
        notes[name] = note.removeprefix(name).removeprefix(":").strip()
    return notes


class Page:
    def __init__(self, path, text=None):
        self.path = pathlib.Path(path)
        self.text = self.path.read_text(encoding="utf-8") if text is None else text
        self.tokens = markdown_it.MarkdownIt("commonmark").enable("table").parse(self.text)

    @functools.cached_property
    def items(self):
        items, notes = [], None
        for at, token in enumerate(self.tokens):
            if token.type == "html_block":
                notes = parse_notes(token.content)
            elif token.type in ("fence", "code_block", "table_open"):
                kind = {"fence": token.info.strip(), "code_block": "indented", "table_open": "table"}[token.type]
                items.append(Item(kind, token.map[0] + 1, token.content, self.names(at) if kind == "table" else [], notes or {}))
                notes = None
            elif notes is not None:
                raise ValueError(f"{self.path.name}:{token.map[0] + 1}: neither a block nor a table follows the note for the test")
        return items

    def names(self, start):
        """The code spans of the body of a table whose first token is this."""
        names, row = [], []
        for token in self.tokens[start:]:
            if token.type == "tbody_open":
                names = []
            elif token.type == "tr_open":
                row = []
            elif token.type == "inline" and not row:
                row = [child.content for child in token.children if child.type == "code_inline"]
                names += row
            elif token.type == "table_close":
                return names
        raise ValueError(f"{self.path.name}: a table without an end")

    def inline(self, kind):
        """(line, token) of each inline token of this kind."""
        for token in self.tokens:
            for child in token.children or ():
                if child.type == kind:
                    yield token.map[0] + 1, child

    def links(self):
        return [
            (line, token.attrs.get("href") or token.attrs["src"]) for kind in ("link_open", "image") for line, token in self.inline(kind)
        ]

    def codes(self):
        """What stands in backquotes."""
        return [(line, token.content) for line, token in self.inline("code_inline")]

    def anchors(self):
        """As GitHub makes them of headings."""
        titles = (self.tokens[at + 1].content for at, token in enumerate(self.tokens) if token.type == "heading_open")
        return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}

    def long_lines(self, limit):
        """Rows of tables cannot be broken."""
        return [(number, len(line)) for number, line in enumerate(self.text.splitlines(), 1) if len(line) > limit and line[0] != "|"]


def commands(text):
    """A block's commands, in order, as (line in the block, command): what bash would take as one, with its here-documents."""
    pending, first, end = [], 0, None
    for number, line in enumerate(text.splitlines()):
        if not pending:
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            first = number
        pending.append(line)
        if end is None and (here := re.search(r"<<-?\s*['\"]?(\w+)", line)):
            end = here[1]
        elif end is not None and line.strip() == end:
            end = None
        if end is None and not line.endswith("\\"):
            yield first, "\n".join(pending)
            pending = []
    if pending:
        raise ValueError(f"a command without an end: {pending[0]}")


def shape(line):
    """What stays of a line of output from run to run: its words, and where its numbers are."""
    line = re.sub(r"─+", "─", re.sub(r"\b\d{8}-\d{6}\b", "DATE", line))
    return " ".join(re.sub(NUMBER, "#", line).split()).removeprefix("* ")


def numbers(line):
    return [float(text.replace(",", "").replace("−", "-")) for text in re.findall(NUMBER, line) if text != "n/a"]


def is_close(shown, printed, percent):
    pairs = list(zip(numbers(shown), numbers(printed)))
    return all(abs(a - b) <= abs(b) * percent / 100 for a, b in pairs)


def not_printed(shown, printed, percent=None):
    """The lines of a text in a page that are not in what was printed: of the same words and as many numbers; within so many per
    cent, if it is said. `⋮` stands for any lines, `…` at the end of a line for its rest."""
    lines, missing = printed.splitlines(), []
    for line in shown.splitlines():
        wanted = shape(line)
        if wanted in ("", "⋮", "…"):
            continue
        same = [other for other in lines if shape(other) == wanted or wanted.endswith(" …") and shape(other).startswith(wanted[:-2])]
        if not any(percent is None or is_close(line, other, percent) for other in same):
            missing.append(line)
    return missing
