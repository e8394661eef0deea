"""Does the example of docs/extending.md do what the page says? Its file and its changes are taken out of the page, applied to
a copy of the sources, built, and run over a walk through a page of memory."""

import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
LIBRARIES = ["yaml-0.1", "nettle", "libxxhash", "jansson"]

# walk SYSTEM: loads one word of each of a page's 64 lines, in order, and prints the L1D's counts.
WALK = r"""
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/model.h"
#include "system/system.h"

#define DCACHE "system.cpu0.dcache"

static uint64_t statistic(struct model *model, const char *name) {
    static uint64_t values[4096];
    size_t count = model_statistic_count(model);
    if (count > sizeof values / sizeof *values)
        return UINT64_MAX;
    model_read_statistics(model, values);
    for (size_t i = 0; i < count; i++)
        if (strcmp(model_statistic(model, i)->name, name) == 0)
            return values[i];
    return 0; /* a cache without a prefetcher has none of its statistics */
}

int main(int argc, char **argv) {
    struct model_parameters parameters;
    struct error error;
    if (argc != 2 || system_load(argv[1], &parameters, &error) < 0) {
        fprintf(stderr, "%s\n", argc == 2 ? error.text : "usage: walk SYSTEM");
        return 1;
    }
    struct model *model = model_new(&parameters);
    struct segment *segment = calloc(1, sizeof *segment + sizeof segment->instruction[0]);
    if (!model || !segment)
        return 1;
    segment->address = segment->line = 0x400000;
    segment->count = segment->instruction[0].fetches = 1;
    for (uint64_t line = 0; line < 64; line++) {
        struct access access = {.address = 0x800000 + 64 * line, .virtual_address = 0x800000 + 64 * line, .size = 8};
        struct step step = {.segment = segment, .end = 1, .accesses = &access, .access_count = 1};
        model_run(model, 0, &step);
    }
    printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", statistic(model, DCACHE ".overallMshrMisses::total"),
           statistic(model, DCACHE ".prefetcher.pfIssued"), statistic(model, DCACHE ".prefetcher.pfUseful"),
           model_cycles(model, 0, MODEL_USER));
    free(segment);
    model_free(model);
    return 0;
}
"""


def blocks(language):
    page = (REPOSITORY / "docs/extending.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.S | re.M)


def change(folder, block):
    """Apply one of the page's changes: where its old lines stand, exactly once, its new ones are put."""
    first, *lines = block.splitlines()
    path = folder / first.removeprefix("--- ")
    old = "".join(line[1:] + "\n" for line in lines if line[0] in " -")
    new = "".join(line[1:] + "\n" for line in lines if line[0] in " +")
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{path.name}: {text.count(old)} places for this change of docs/extending.md:\n{block}"
    path.write_text(text.replace(old, new), encoding="utf-8")


class Prefetcher(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        shutil.copytree(REPOSITORY / "src", cls.folder / "src")
        shutil.copytree(REPOSITORY / "systems", cls.folder / "systems")
        (file,) = blocks("c")
        (cls.folder / "src/model/prefetcher_next_two.c").write_text(file, encoding="utf-8")
        for block in blocks("diff"):
            change(cls.folder, block)
        (cls.folder / "walk.c").write_text(WALK, encoding="utf-8")
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", *LIBRARIES], check=True, capture_output=True, text=True)
        sources = [str(path) for part in ("model", "system", "common") for path in sorted((cls.folder / "src" / part).glob("*.c"))]
        subprocess.run(
            [
                "gcc",
                "-std=gnu17",
                "-D_GNU_SOURCE",
                '-DSLS_VERSION="test"',
                "-Wall",
                "-Wextra",
                "-Werror",
                "-Wno-unused-parameter",
                "-Wno-missing-field-initializers",
                f"-I{cls.folder}/src",
                "-o",
                cls.folder / "walk",
                cls.folder / "walk.c",
                *sources,
                *flags.stdout.split(),
            ],
            check=True,
        )

    def walk(self, system):
        """Demand fills, lines prefetched, of these used, and cycles."""
        output = subprocess.run([self.folder / "walk", system], check=True, capture_output=True, text=True).stdout
        return [int(number) for number in output.split()]

    def test_the_example_prefetches_as_the_page_says(self):
        fills, issued, useful, cycles = self.walk(self.folder / "systems/simple.yaml")
        self.assertEqual((fills, issued, useful), (22, 42, 42))
        plain_fills, plain_issued, _, plain_cycles = self.walk(REPOSITORY / "systems/simple.yaml")
        self.assertEqual((plain_fills, plain_issued), (64, 0))
        self.assertLess(cycles, plain_cycles / 2)

    def test_a_system_file_knows_it_by_name_and_refuses_it_for_code(self):
        text = (self.folder / "systems/simple.yaml").read_text(encoding="utf-8")
        wrong = self.folder / "wrong.yaml"
        wrong.write_text(text.replace("prefetcher: none          #", "prefetcher: {name: next_two, degree: 2, distance: 1, entries: 1} #"))
        self.assertNotEqual(wrong.read_text(), text)
        answer = subprocess.run([self.folder / "walk", wrong], capture_output=True, text=True)
        self.assertEqual(answer.returncode, 1)
        self.assertIn("caches.l1i.prefetcher.name", answer.stderr)
