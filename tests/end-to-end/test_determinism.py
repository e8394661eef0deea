"""The same inputs give the same bytes: runs, checkpoints, images; and `slsuite verify` tells."""

import json
import os
import re
import subprocess
import sys

import pytest

from harness import CACHE, FUNCTIONS, PROGRAMS, Case, checkpoints, slow

pytestmark = pytest.mark.needs("checkpoint:aes-c")

WORST_MOMENT = {"LD_PRELOAD": str(PROGRAMS / "worst_moment.so")}


class Determinism(Case):
    def repeat(self, count, environments=({},)):
        """Each in the next one of these environments."""
        folders = [self.folder / str(i) for i in range(count)]
        for i, folder in enumerate(folders):
            self.slsuite("run", "aes-c", "-q", "--out", folder, environment=environments[i % len(environments)])
        self.same_results(*folders)

    def test_runs_are_identical(self):
        """Also when QEMU's threads get in each other's way, as they would in one run of many, on a busy host."""
        self.repeat(4, environments=({}, WORST_MOMENT))

    @slow  # 15 s
    def test_30_runs_are_identical(self):
        self.repeat(30)

    def test_a_cache_by_another_name(self):
        """A symbolic link, a needless slash, a relative path: the same files, so the same results."""
        (self.folder / "link").symlink_to(CACHE)
        caches = str(CACHE), str(self.folder / "link"), f"{CACHE}//", os.path.relpath(CACHE, self.folder.resolve())
        folders = [self.folder / str(i) for i in range(len(caches))]
        for folder, cache in zip(folders, caches):
            self.slsuite("run", "aes-c", "-n", 3, "-q", "--out", folder, cache=cache)
        self.same_results(*folders)

    def two_at_once(self, attempts, **options):
        self.slsuite("run", "aes-c", "-q", "-n", 50, "--out", self.folder / "alone")
        for attempt in range(attempts):
            folders = [self.folder / f"{attempt}-{i}" for i in range(2)]
            for process in [self.start("run", "aes-c", "-q", "-n", 50, "--out", folder, **options) for folder in folders]:
                self.finish(process)
            self.same_results(self.folder / "alone", *folders)

    def test_two_at_once(self):
        self.two_at_once(1, environment=WORST_MOMENT)

    @slow  # the machine is loaded
    def test_two_at_once_on_a_loaded_machine(self):
        load = [self.start("-c", "while True: pass", program=sys.executable) for _ in range(2 * os.cpu_count())]
        self.two_at_once(3)
        for process in load:
            self.assertIsNone(process.poll())

    @slow  # fails up to once in five runs, by what is simulated before the program's first mark: a fault that is not yet understood
    def test_threads_at_the_worst_moment(self):
        """In a program's first seconds the guest mostly sleeps: a thousand moments."""
        folders = [self.folder / str(i) for i in range(4)]
        for folder in folders:
            self.slsuite(
                "exec",
                "-q",
                "--out",
                folder,
                "--",
                PROGRAMS / "marked",
                "reset",
                "compute",
                "1",
                "dump",
                environment=WORST_MOMENT if folder != folders[0] else {},
            )
        self.same_results(*folders)

    def test_checkpoint_made_again_from_power_on(self):
        self.slsuite("run", "aes-c", "-q", "--out", self.out)
        cache, again = self.own_cache(), self.folder / "again"
        self.slsuite("run", "aes-c", "-q", "--out", again, cache=cache, environment=WORST_MOMENT)
        names = {path.name for path in checkpoints(cache)}
        self.assertEqual(len(names), 1)
        first, second = (
            json.loads((place / "checkpoints" / names.copy().pop() / "checkpoint.json").read_text()) for place in (CACHE, cache)
        )
        self.assertEqual(first["checksum"], second["checksum"])
        self.same_results(self.out, again)

    def test_function_images_made_again(self):
        cache = self.own_cache("kernel")
        first = self.slsuite("function", "build", *FUNCTIONS).out
        again = self.slsuite("function", "build", *FUNCTIONS, cache=cache, umask=0o077).out
        self.assertEqual(first.replace(str(CACHE), ""), again.replace(str(cache), ""))
        for path in (cache / "functions").glob("*/function.ext4"):
            self.assertEqual(subprocess.run(["cmp", path, CACHE / path.relative_to(cache)]).returncode, 0)

    def digests(self, cache, **options):
        said = self.slsuite("image", "build", cache=cache, **options).out
        return re.findall(r"^(kernel|initramfs|rootfs) +([0-9a-f]{64})", said, re.M)

    def test_base_image_made_again(self):
        """From the same packages; the packages themselves again in the slow test below."""
        self.assertEqual(self.digests(self.own_cache("kernel", "base"), umask=0o077), self.digests(CACHE))

    @slow  # packages are installed again: a minute
    def test_base_image_made_again_from_packages(self):
        self.assertEqual(self.digests(self.own_cache("kernel"), umask=0o077), self.digests(CACHE))

    @slow  # kernel, base image and a language's base layer twice: 5 minutes
    def test_everything_made_anew_from_packages(self):
        cache = self.folder / "cache"
        build = lambda: self.slsuite("function", "build", "aes-nodejs", cache=cache, seconds=1800).out
        made = lambda: {path: path.stat().st_ino for kind in ("base", "layers") for path in (cache / kind).glob("[!.]*")}
        images, function = self.digests(cache), build()
        first = made()
        self.slsuite("image", "build", "--anew", cache=cache, seconds=1800)
        again = made()
        self.assertEqual(first.keys(), again.keys())
        self.assertFalse(first.items() & again.items())
        self.assertEqual((images, function), (self.digests(cache), build()))

    def test_verify(self):
        self.slsuite("run", "aes-c", "--generator", "random", "-n", 4, "--out", self.out)
        self.assertRegex(self.slsuite("verify", self.out).out, "^identical")

        stats = self.out / "stats.txt"
        text = stats.read_text()
        cycles = re.search(r"system\.cpu1\.numCycles +(\d+)", text)
        stats.write_text(text[: cycles.start(1)] + "9" * len(cycles[1]) + text[cycles.end(1) :])
        said = self.slsuite("verify", self.out, status=1).out
        self.assertRegex(said, r"^different: .*stats\.txt.*numCycles")
        self.assertNotIn("not the same any more", said)
        stats.write_text(text)

        system = self.out / "system.yaml"
        described = system.read_text()
        system.write_text(re.sub(r"(l1d:\n +size: )16 kB", r"\g<1>32 kB", described))
        self.assertNotEqual(described, system.read_text())
        said = self.slsuite("verify", self.out, status=1).out
        self.assertRegex(said, r"^different: (.|\n)*not the same any more: system")
        self.refused("cannot read nowhere/run.json", "verify", "nowhere")
