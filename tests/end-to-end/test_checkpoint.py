"""Checkpoints: found, checked, rebuilt, listed, pruned; nothing half-written is taken for whole, whoever is killed when."""

import json
import os
import signal
import time

import pytest

from harness import CACHE, Case, checkpoints, copy_sparse, files_below

pytestmark = pytest.mark.needs("checkpoint:aes-c")

BOOT = "boot and warm up aes-c"


def flip_a_byte(folder):
    """In the middle of what the guest has written."""
    (folder / "ram").chmod(0o644)
    with open(folder / "ram", "r+b") as ram:
        place = os.lseek(ram.fileno(), 512 << 20, os.SEEK_DATA) + 100
        ram.seek(place)
        byte = ram.read(1)[0]
        ram.seek(place)
        ram.write(bytes([byte ^ 1]))


def truncate_state(folder):
    os.truncate(folder / "state", (folder / "state").stat().st_size - 1)


def remove_ram(folder):
    (folder / "ram").unlink()


def remove_description(folder):
    (folder / "checkpoint.json").unlink()


class Checkpoint(Case):
    def copied_cache(self):
        """A cache with aes-c's checkpoint, and that."""
        self.slsuite("run", "aes-c", "-q", "--out", self.folder / "good")
        cache = self.own_cache()
        key = json.loads((self.folder / "good/run.json").read_text())["digests"]["checkpoint"]
        (cache / "checkpoints").mkdir()
        for path in checkpoints(CACHE):
            if json.loads((path / "checkpoint.json").read_text())["checksum"] == key:
                copy_sparse(path, cache / "checkpoints")
        (checkpoint,) = checkpoints(cache)
        return cache, checkpoint

    def test_is_found_the_second_time(self):
        cache, _ = self.copied_cache()
        before = files_below(cache)
        second = self.slsuite("run", "aes-c", "--out", self.out, cache=cache)
        self.assertNotIn(BOOT, second.err)
        self.assertEqual([name for name in files_below(cache) if name != "timings.json"], before)

    def damaged(self, damage):
        cache, checkpoint = self.copied_cache()
        self.assertNotIn("damaged", self.slsuite("checkpoint", "list", "--check", cache=cache).out)
        damage(checkpoint)
        self.assertRegex(self.slsuite("checkpoint", "list", "--check", cache=cache).out, f"{checkpoint.name} .*damaged")
        result = self.slsuite("run", "aes-c", "--out", self.out, cache=cache)
        self.assertIn("damaged", result.err)
        self.assertIn(BOOT, result.err)
        self.same_results(self.folder / "good", self.out)
        self.assertNotIn("damaged", self.slsuite("checkpoint", "list", "--check", cache=cache).out)

    def test_with_a_byte_flipped(self):
        self.damaged(flip_a_byte)

    def test_without_its_description(self):
        self.damaged(remove_description)

    def test_damaged_and_wanted_by_three(self):
        cache, checkpoint = self.copied_cache()
        truncate_state(checkpoint)
        self.assertRegex(self.slsuite("checkpoint", "list", "--check", cache=cache).out, f"{checkpoint.name} .*damaged")
        folders = [self.folder / str(i) for i in range(3)]
        runs = [self.start("run", "aes-c", "--out", folder, cache=cache) for folder in folders]
        said = [self.finish(run).err for run in runs]
        self.assertEqual(sum(f"{BOOT}: done" in text for text in said), 1, said)
        self.same_results(self.folder / "good", *folders)

    def test_list_and_prune(self):
        cache, checkpoint = self.copied_cache()
        listed = self.slsuite("checkpoint", "list", cache=cache).out.splitlines()
        self.assertRegex(listed[1], f"^{checkpoint.name} ")
        self.assertRegex(listed[-1], r"^1 checkpoints, \d+ MB$")
        self.assertRegex(self.slsuite("checkpoint", "prune", cache=cache).out, r"^0 removed")
        copy_sparse(checkpoint, checkpoint.parent / "aes-c-0123456789abcdef")
        os.utime(checkpoint.parent / "aes-c-0123456789abcdef", (0, 0))
        self.assertRegex(self.slsuite("checkpoint", "prune", cache=cache).out, r"removed aes-c-0123456789abcdef\n1 removed")
        remove_ram(checkpoint)
        self.assertRegex(self.slsuite("checkpoint", "prune", cache=cache).out, rf"removed {checkpoint.name}\n1 removed")
        copied = CACHE / "checkpoints" / checkpoint.name
        copy_sparse(copied, checkpoint)
        self.assertRegex(self.slsuite("checkpoint", "prune", "--all", cache=cache).out, rf"removed {checkpoint.name}\n1 removed")
        self.assertEqual(checkpoints(cache), [])
        self.assertTrue(copied.exists())

    def test_two_first_runs_make_it_once(self):
        cache = self.own_cache()
        folders = self.folder / "first", self.folder / "second"
        runs = [self.start("run", "aes-c", "--out", folder, cache=cache) for folder in folders]
        said = [self.finish(run).err for run in runs]
        self.assertEqual(sum(f"{BOOT}: done" in text for text in said), 1, said)
        self.assertEqual(len(checkpoints(cache)), 1)
        self.same_results(*folders)

    def kill(self, process):
        """kill -9 slsuite alone: QEMU must follow."""
        pid = process.qemu()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        self.assertEqual(process.survivors(), {}, f"QEMU {pid} outlives us")

    def being_saved(self, *run, cache):
        """The RAM is whole, and the rest is being written."""
        process = self.start(*run, cache=cache)
        while not list((cache / "checkpoints").glob(".*.tmp/state")) and process.poll() is None:
            time.sleep(0.002)
        return process

    def test_killed_while_it_is_made(self):
        """In the boot (later in it: the test below), and while the checkpoint is saved. The store at every instant: tests/unit/test_store.c."""
        cache, run = self.own_cache(), ("run", "aes-c", "-n", 1000, "--out", self.out)
        self.kill(self.show("kernel", *run, cache=cache))
        self.assertEqual(checkpoints(cache), [])
        self.assertFalse(self.out.exists())
        process = self.being_saved(*run, cache=cache)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        self.assertEqual(process.survivors(), {})
        self.assertNotIn("damaged", self.slsuite("checkpoint", "list", "--check", cache=cache).out)
        self.slsuite("run", "aes-c", "--out", self.out, cache=cache)
        self.assertEqual(len(checkpoints(cache)), 1)
        self.assertFalse([name for name in files_below(cache / "checkpoints") if ".tmp" in name])

    def test_prune_clears_what_the_killed_left(self):
        """But not what is still being made."""
        cache = self.own_cache()
        process = self.show("kernel", "run", "aes-c", "-w", 7, "--out", self.out, cache=cache)
        self.assertRegex(self.slsuite("checkpoint", "prune", cache=cache).out, "^0 removed")
        self.assertTrue(list((cache / "checkpoints").glob(".*.tmp/ram")))
        self.kill(process)
        self.assertEqual(checkpoints(cache), [])
        self.assertRegex(self.slsuite("checkpoint", "prune", cache=cache).out, "^removed 1 that were never finished\n0 removed")
        self.assertFalse(list((cache / "checkpoints").glob(".*.tmp")))

    def test_killed_while_simulating(self):
        """As soon as there is a QEMU, and while it simulates."""
        self.slsuite("run", "aes-c", "-q", "--out", self.folder / "good")
        run = "run", "aes-c", "-n", 2000, "--out", self.out
        for begin in lambda: self.start(*run), lambda: self.show(" of 2000", *run):
            self.kill(begin())
            self.assertFalse(self.out.exists())
        self.slsuite("run", "aes-c", "--out", self.out)
        self.same_results(self.folder / "good", self.out)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["good", "run"])

    def test_interrupted(self):
        """Ctrl-C and a polite kill leave no QEMU either."""
        for number in signal.SIGINT, signal.SIGTERM:
            process = self.start("run", "aes-c", "-n", 2000, "--out", self.out)
            process.qemu()
            process.send_signal(number)
            self.assertNotEqual(process.wait(10), 0)
            self.assertEqual(process.survivors(), {})
            self.assertFalse(self.out.exists())
