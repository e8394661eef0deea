"""Bad input and bad surroundings: one line that says what, why and what to do; the right status; nothing left behind."""

import os
import shutil
import subprocess
import time

import pytest

from harness import BUILD, CACHE, Case, as_root, checkpoints, files_below

pytestmark = pytest.mark.needs("checkpoint:aes-c")

NOTHING = {"PATH": "/nowhere"}


class Input(Case):
    def rejected(self, pattern, *arguments, status=1, cache=None, **options):
        """One line, and neither here nor in the cache anything new."""
        cache = cache or self.folder / "cache"
        before = files_below(self.folder)
        process = self.refused(pattern, *arguments, status=status, cache=cache, **options)
        self.assertEqual(len(process.err.splitlines()), 1, process.err)
        self.assertEqual(process.out, "")
        self.assertEqual(files_below(self.folder), before)

    def test_usage(self):
        for pattern, *arguments in (
            ("no command is named walk", "walk"),
            ("which function", "run"),
            ("one function at a time: auth-c", "run", "aes-c", "auth-c"),
            ("-n 0: not a number", "run", "aes-c", "-n", "0"),
            ("-n -3: not a number", "run", "aes-c", "-n", "-3"),
            ("-n 3x: not a number", "run", "aes-c", "-n", "3x"),
            ("-n : not a number", "run", "aes-c", "-n", ""),
            ("-n 9999999999999999999: not a number", "run", "aes-c", "-n", "9999999999999999999"),
            ("-w -1: not a number", "run", "aes-c", "-w", "-1"),
            ("--timeout 0: not a number", "run", "aes-c", "--timeout", "0"),
            ("no engine is named steam", "run", "aes-c", "--engine", "steam"),
            ("no generator is named magic", "run", "aes-c", "--generator", "magic"),
            ("--out: the folder has no name", "run", "aes-c", "--out", ""),
            ("--out: the folder has no name", "exec", "--out", "", "--", "/bin/true"),
            (".*xml", "run", "aes-c", "--format", "xml"),
            ("run: an unknown option.*see slsuite run --help", "run", "aes-c", "--colour"),
            (".*see slsuite run --help", "run", "aes-c", "-n"),
            (".*see slsuite checkpoint --help", "checkpoint"),
            (".*see slsuite checkpoint --help", "checkpoint", "burn"),
            ("function export takes one function.s name", "function", "export", "aes-c", "auth-c"),
            (".*see slsuite image --help", "image", "burn"),
            (".*see slsuite verify --help", "verify"),
            ("--timeout x: not a number", "shell", "--timeout", "x"),
        ):
            with self.subTest(arguments):
                self.rejected(pattern, *arguments, status=2)

    def test_help(self):
        self.assertRegex(self.slsuite("--version").out, r"^slsuite \d+\.\d+\.\d+\n$")
        self.assertIn("usage: slsuite", self.slsuite("--help").out)
        self.assertIn("usage: slsuite", self.slsuite(status=2).err)
        for command in "run", "verify", "function", "checkpoint", "image", "shell", "doctor":
            self.assertIn(f"slsuite {command}", self.slsuite(command, "--help").out)

    def test_unknown_names(self):
        self.rejected("no function is named aes-cobol: known are aes-c, aes-go", "run", "aes-cobol", status=2)
        self.rejected(".* is no function's name", "run", "../aes-c", status=2)
        self.rejected(".* is no function's name", "run", "aes-c; reboot", status=2)
        self.rejected(".*pentium", "run", "aes-c", "--system", "pentium", status=2)
        self.rejected("cannot read missing", "shell", "--run", "missing")

    def test_bad_system(self):
        """Each with the line where it is."""
        simple = (BUILD / "systems/simple.yaml").read_text().splitlines()
        at = next(number for number, line in enumerate(simple) if line.strip().startswith("size: 16 kB"))
        for value, why in (
            ("size: 16 kg", "unit"),
            ("size: 15 kB", ""),
            ("sice: 16 kB", "sice"),
            ("size: [", ""),
            ("size: -1 kB", "not a number"),
            ("size: 16 kB\n    size: 16 kB", "twice"),
        ):
            with self.subTest(value):
                path = self.folder / "bad.yaml"
                path.write_text("\n".join(simple[:at] + [simple[at].split("size:")[0] + value] + simple[at + 1 :]))
                where = r"\d+" if why in ("", "twice") else str(at + 1)
                self.rejected(f"{path}:{where}: .*{why}", "run", "aes-c", "--system", path)
        for cores in 1, 9:
            with self.subTest(cores):
                path.write_text("\n".join(simple).replace("cores: 2 ", f"cores: {cores} "))
                self.rejected(f"{path}: cores: there must be 2 to 8", "run", "aes-c", "--system", path, status=2)
        (self.folder / "empty.yaml").touch()
        self.rejected(".*empty.yaml", "run", "aes-c", "--system", self.folder / "empty.yaml")

    def test_bad_function(self):
        place = self.folder / "mine/odd/c"
        place.mkdir(parents=True)
        good = (BUILD / "functions/aes/c/function.yaml").read_text().replace("name: aes-c", "name: odd-c")
        with_service = good + "services:\n  redis: {image: services, port: 6379, entrypoint: [redis-server]}\n"
        for text, pattern in (
            ("", "empty"),
            ("[", r":\d+: not YAML"),
            ("- a\n", "not a mapping"),
            ("name: odd-c\n", "description"),
            (good + "colour: red\n", "unknown key"),
            (good.replace("files: [aes-c]", "files: aes-c"), "files: must be a list"),
            (good.replace("name: odd-c", "name: even-c"), "name: even-c, but its folders say odd-c"),
            (good.replace("port: 50051", "port: 0"), "port: 0: must be a number from 1 to 65535"),
            (good.replace("warm-ups: 20", "warm-ups: many"), "warm-ups: many: not a number"),
            (good.replace("warm-ups: 20", "warm-ups: 20x"), "warm-ups: 20x: not a number"),
            (good.replace("port: 50051", "port: [1]"), "port: must be a text"),
            (good + "services: [redis]\n", "services: must be a mapping"),
            (with_service.replace("redis:", "Redis:"), "services: Redis: a name is"),
            (with_service.replace("6379", "70000"), "services: redis: port: must be a number"),
            (with_service.replace("[redis-server]", "redis-server"), "services: redis: entrypoint: must be a list"),
            (with_service.replace("image: services", "image: mine"), "services: redis: image: must be `services`"),
            (with_service.replace("image", "colour"), "services: redis: has an unknown key"),
        ):
            with self.subTest(text):
                (place / "function.yaml").write_text(text)
                self.rejected(
                    f"{place}/function.yaml.*{pattern}", "run", "odd-c", environment={"SLSUITE_FUNCTIONS": str(self.folder / "mine")}
                )

    def test_missing_file_of_a_function(self):
        place = self.folder / "mine/odd/c"
        place.mkdir(parents=True)
        description = (BUILD / "functions/aes/c/function.yaml").read_text().replace("name: aes-c", "name: odd-c")
        (place / "function.yaml").write_text(description)
        cache = self.own_cache("kernel", "initramfs", "base", "rootfs")
        self.refused(
            f"cannot read {place}/aes-c", "run", "odd-c", cache=cache, environment={"SLSUITE_FUNCTIONS": str(self.folder / "mine")}
        )
        self.assertEqual(list((cache / "functions").glob("[!.]*")) if (cache / "functions").exists() else [], [])

    def test_qemu(self):
        old = self.folder / "qemu"
        old.write_text("#!/bin/sh\necho 'QEMU emulator version 8.2.2 (Debian 1:8.2.2)'\n")
        old.chmod(0o755)
        for qemu, pattern in (
            ("/nonexistent", "cannot start /nonexistent: .*make deps.*SLSUITE_QEMU"),
            (old, "QEMU 8.2.2 is too old: .*10.0"),
            ("/bin/true", "QEMU of unknown version is too old"),
            ("/bin/false", "cannot start /bin/false: "),
        ):
            with self.subTest(qemu):
                self.rejected(pattern, "run", "aes-c", environment={"SLSUITE_QEMU": str(qemu)})

    def without_network(self):
        """A PATH whose apt-get finds out what there is, but fetches nothing."""
        stub = self.folder / "bin/apt-get"
        stub.parent.mkdir()
        stub.write_text("""#!/bin/sh
for word; do case $word in update | download)
    echo "E: Failed to fetch http://deb.example.org  Temporary failure resolving 'deb.example.org'" >&2; exit 100;;
esac; done
exec /usr/bin/apt-get "$@"
""")
        stub.chmod(0o755)
        self.folder.chmod(0o755)
        return {"PATH": f"{stub.parent}:{os.environ['PATH']}"}

    def test_no_network(self):
        """One line, and it names what could not be fetched: for the kernel, and for the packages."""
        environment, cache = self.without_network(), self.folder / "cache"
        self.refused(".*Failed to fetch .*check the network", "run", "aes-c", cache=cache, environment=environment)
        shutil.rmtree(cache)
        cache = self.own_cache("kernel", "initramfs")
        self.refused(".*Failed to fetch .*check the network", "run", "aes-c", cache=cache, environment=environment)
        self.assertEqual([name for name in files_below(cache / "base") if not name.startswith(".")], [])

    def test_image_anew_without_network(self):
        """What was there is still there."""
        environment, cache = self.without_network(), self.folder / "cache"
        cache.mkdir()
        for name in "kernel", "initramfs", "base", "rootfs":
            subprocess.run(["cp", "-r", "--sparse=always", CACHE / name, cache], check=True)
        before = self.slsuite("image", "show", cache=cache).out
        files = files_below(cache)
        self.refused(".*Failed to fetch", "image", "build", "--anew", cache=cache, environment=environment)
        self.assertEqual(files_below(cache), files)
        self.assertEqual(self.slsuite("image", "show", cache=cache, environment=environment).out, before)

    def test_doctor(self):
        """Each thing with its version, and what is missing with the command that mends it."""
        said = self.slsuite("doctor").out
        for line in r"processor +x86_64", r"QEMU +1\d\.\d+\.\d+ .*loads the timing plugin", r"mke2fs +\d", r"to build +(\d+) of \1 ":
            self.assertRegex(said, f"(?m)^ok {line}")
        self.assertNotIn("!!", said)
        said = self.slsuite("doctor", status=1, environment=NOTHING).out
        self.assertRegex(said, r"!! mmdebstrap +missing .*\n +→ make deps \(or: apt-get install mmdebstrap\)\n")
        self.assertRegex(said, r"!! QEMU +cannot start qemu-system-x86_64: .*make deps")
        self.assertRegex(said, r"\d+ of what `slsuite run` needs are missing\n$")

    def test_qemu_that_fails_to_start(self):
        broken = self.folder / "qemu"
        broken.write_text("#!/bin/sh\n[ $1 = --version ] && exec qemu-system-x86_64 --version\necho no such machine >&2; exit 1\n")
        broken.chmod(0o755)
        cache = self.own_cache()
        self.refused(
            "cannot start QEMU: no such machine", "run", "aes-c", "--out", self.out, cache=cache, environment={"SLSUITE_QEMU": str(broken)}
        )
        self.assertEqual(checkpoints(cache), [])
        self.assertFalse(self.out.exists())

    def test_no_programs(self):
        self.refused(r".*(not found|cannot start)", "run", "aes-c", cache=self.folder / "cache", environment=NOTHING)
        self.assertEqual(
            [name for name in files_below(self.folder) if not name.rsplit("/", 1)[-1].startswith(".") and name.count("/") > 1], []
        )

    def test_out(self):
        self.slsuite("run", "aes-c", "-n", 1, "-q", "--out", self.out)  # its checkpoint is there from now on
        whole = {path: path.read_bytes() for path in self.out.iterdir()}
        self.refused(f"making the results folder {self.out}: it exists and is not empty: ", "run", "aes-c", "-n", 1, "--out", self.out)
        self.assertEqual(whole, {path: path.read_bytes() for path in self.out.iterdir()})
        for place in "/dev/null/run", "/proc/run", "script/run":
            (self.folder / "script").touch()
            with self.subTest(place):
                self.refused(".*(results folder|cannot create the folder).*: ", "run", "aes-c", "-n", 1, "--out", place)
        empty = self.folder / "empty"
        empty.mkdir()
        self.slsuite("run", "aes-c", "-n", 1, "-q", "--out", empty)
        self.assertEqual(
            sorted(files_below(self.folder)),
            sorted([f"{name}/{path.name}" for name in ("run", "empty") for path in whole] + ["empty", "run", "script"]),
        )

    def test_long_input(self):
        self.slsuite("run", "aes-c", "-n", 1, "-q", "--input", "x" * 1000)
        self.refused(".*too long", "run", "aes-c", "-n", 1, "--input", "x" * 5000)
        self.refused("--input holds a line break", "run", "aes-c", "-n", 1, "--input", "a\nb", status=2)
        self.refused(".*", "verify", self.folder)

    def test_unwritable_cache(self):
        for cache in "/proc/cache", "/dev/null/cache":
            with self.subTest(cache):
                self.refused(".*SLSUITE_CACHE", "run", "aes-c", cache=cache)


@as_root
class Space(Case):
    def small(self, name, megabytes):
        """A file system of this size."""
        place = self.folder / name
        place.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "small", place], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", place], check=True)
        return place

    def small_cache(self, megabytes):
        self.small("cache", megabytes)
        return self.own_cache()

    def test_no_room_for_a_checkpoint(self):
        cache = self.small_cache(300)
        self.refused("not enough room for a checkpoint: .* MB free .* needed: free some", "run", "aes-c", cache=cache)
        self.assertEqual(checkpoints(cache), [])

    def test_disk_full_during_boot(self):
        """Somebody else takes the room: QEMU dies of it."""
        cache = self.small_cache(1000)
        process = self.start("run", "aes-c", "--out", self.out, cache=cache)
        while not [ram for ram in cache.glob("checkpoints/.*.tmp/ram") if ram.stat().st_blocks > 100 << 11] and process.poll() is None:
            time.sleep(0.02)  # until it boots
        with open(cache / "filling", "wb", buffering=0) as filling:
            try:
                while filling.write(b"x" * (1 << 20)):
                    pass
            except OSError:
                pass
        self.finish(process, status=1)
        self.assertRegex(process.err, r"(?m)^slsuite: QEMU ended by itself")
        self.assertEqual(checkpoints(cache), [])
        self.assertFalse(self.out.exists())
        (cache / "filling").unlink()
        self.slsuite("run", "aes-c", "--out", self.out, cache=cache)

    def test_no_room_for_results(self):
        self.slsuite("run", "aes-c", "-n", 1, "-q", "--out", self.out)
        place = self.small("results", 2)
        self.refused("not enough room for the results: .* MB free .* needed: ", "run", "aes-c", "-n", 50, "--out", place / "run")
        self.assertFalse((place / "run").exists())
