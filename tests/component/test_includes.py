"""Which folder includes what of which other one: as the table "Folders" of docs/architecture.md says, no more and no less."""

import graphlib
import pathlib
import re
import unittest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
ROOTS = "src", "functions", "src/guest"  # where meson has the compiler look for "folder/header.h"
NOTHING = "–"


def table():
    """{folder: what it may use, headers and folders}, of the rows whose last cell says something; all as paths of the repository."""
    lines = (REPOSITORY / "docs/architecture.md").read_text().splitlines()
    begin = lines.index("| folder | what lives there | may use |") + 2
    rows = {}
    for line in lines[begin : lines.index("", begin)]:
        folder, _, cell = [cell.strip() for cell in line.split("|")[1:-1]]
        if cell:
            rows[folder.strip("`").rstrip("/")] = [] if cell == NOTHING else [permitted(word, folder) for word in cell.split(", ")]
    return rows


def permitted(word, folder):
    name = re.fullmatch(r"`([\w./-]+)`", word)
    if not name:
        raise AssertionError(f"docs/architecture.md: {folder}: {word}: not a folder or a header in backticks, nor {NOTHING}")
    return name[1] if name[1].startswith("functions/") else "src/" + name[1]


def sources():
    """Each C file with its row of the table."""
    for path in sorted(path for root in ("src", "functions") for path in (REPOSITORY / root).rglob("*.[ch]")):
        first, second, *_ = path.relative_to(REPOSITORY).parts
        yield path, "functions/NAME/LANGUAGE" if first == "functions" and second not in ("lib", "proto") else f"{first}/{second}"


def find(name, path):
    """The included file, of those that there are or that meson makes, as a path of the repository."""
    places = [path.parent, *(REPOSITORY / root for root in ROOTS)]
    found = [place / name for place in places if (place / name).is_file()] or [
        place / name for place in places if (place / name).parent.is_dir()
    ]
    return str(found[0].resolve().relative_to(REPOSITORY))


def inside(header, permission):
    return header == permission or header.startswith(permission + "/")


class Includes(unittest.TestCase):
    def test_the_table_is_true(self):
        rows, wrong = table(), []
        unused = {(folder, permission) for folder, permissions in rows.items() for permission in permissions}
        for path, folder in sources():
            self.assertTrue(folder in rows, f"docs/architecture.md has no row for {folder}, or it does not say what it may use")
            for name in re.findall(r'(?m)^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', path.read_text()):
                header = find(name, path)
                used = {(folder, permission) for permission in rows[folder] if inside(header, permission)}
                unused -= used
                if not used and not inside(header, folder):
                    wrong.append(f"{path.relative_to(REPOSITORY)} includes {header}: docs/architecture.md does not let {folder} use it")
        wrong += [f"docs/architecture.md lets {folder} use {permission}: nothing there does" for folder, permission in sorted(unused)]
        self.assertFalse(wrong, "\n" + "\n".join(wrong))

    def test_no_circle(self):
        rows = table()
        uses = {
            folder: {row for row in rows for permission in permissions if inside(permission, row)} for folder, permissions in rows.items()
        }
        list(graphlib.TopologicalSorter(uses).static_order())  # raises CycleError
