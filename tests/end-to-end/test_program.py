"""The language `program`: a ready program and its data as a function, and every way in which they cannot be one."""

import csv
import json
import pathlib
import shutil
import signal
import socket
import tarfile

from harness import BUILD, Case

GREETING = """name: greeting-program
description: my own server
service: /helloworld.Greeter/SayHello
port: 50051
entrypoint: [{entry}, -addr, 0.0.0.0:50051]
files: [{files}]
client: [-function, helloworld, -input, stranger, -no-verify]
warm-ups: 3
"""
GREETER = BUILD / "functions/helloworld/c/helloworld-c"
LOADER = "lib64/ld-linux-x86-64.so.2"
MACHINE, CLASS = 18, 4  # where an ELF file's head says them


class Program(Case):
    def setUp(self):
        super().setUp()
        self.place = self.folder / "mine/greeting/program"
        self.place.mkdir(parents=True)
        shutil.copy(GREETER, self.place / "server")
        self.own = {"SLSUITE_FUNCTIONS": str(self.folder / "mine")}

    def describe(self, files="server", entry="/server", more=""):
        (self.place / "function.yaml").write_text(GREETING.format(files=files, entry=entry) + more)

    def write(self, name, content, mode=0o755):
        (self.place / name).parent.mkdir(parents=True, exist_ok=True)
        (self.place / name).write_bytes(content)
        (self.place / name).chmod(mode)

    def write_changed(self, name, at, value):
        """The greeter with another number in its head."""
        content = bytearray(GREETER.read_bytes())
        content[at] = value
        self.write(name, content)

    def build(self):
        return self.slsuite("function", "build", "greeting-program", environment=self.own)

    def rejected(self, pattern):
        process = self.refused(pattern, "function", "build", "greeting-program", environment=self.own)
        self.assertEqual(process.out, "")


class Works(Program):
    def test_it_is_a_function_as_others(self):
        self.describe()
        self.assertRegex(
            self.slsuite("function", "list", environment=self.own).out, r"(?m)^greeting-program +/helloworld\S+ +my own server$"
        )
        self.assertEqual(
            self.slsuite("function", "test", "greeting-program", environment=self.own).out.split(),
            ["greeting-program", "20", *"replies are right".split()],
        )
        for engine, options in ("sim", ()), ("native", ("--runtime", "none")):
            out = self.folder / engine
            self.slsuite("run", "greeting-program", "-n", 2, "-q", "--engine", engine, *options, "--out", out, environment=self.own)
            self.assertEqual(len(list(csv.DictReader(open(out / "invocations.csv", newline="")))), 2)
            self.assertEqual(json.loads((out / "run.json").read_text())["function"], "greeting-program")
            self.assertIn("greeting: Hello, stranger!", (out / "invocations.json").read_text())

    def test_serve(self):
        self.describe()
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        server = self.start("function", "serve", "greeting-program", "-p", port, environment=self.own)
        # The client knows what this function's reply must be.
        client = self.slsuite(
            "-addr",
            f"127.0.0.1:{port}",
            "-function",
            "helloworld",
            "-input",
            "you",
            "-wait",
            60,
            "-n",
            1,
            program=BUILD / "src/guest/client/client",
        )
        self.assertIn("1 invocations of /helloworld.Greeter/SayHello", client.out + client.err)
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=60)
        self.assertEqual(server.survivors(), {})

    def test_files_keep_their_paths(self):
        """What a link within the folder names is copied; what else lies there stays where it is."""
        self.write("data/words.txt", b"one two\n", 0o600)
        self.write("not-listed", b"")
        (self.place / "bin").mkdir()
        (self.place / "bin/server").symlink_to("../server")
        self.describe("bin/server, ./data/words.txt", "/bin/server")
        archive = self.folder / "greeting.tar"
        self.slsuite("function", "export", "greeting-program", "-o", archive, environment=self.own)
        with tarfile.open(archive) as image:
            (layer,) = json.load(image.extractfile("manifest.json"))[0]["Layers"]
            with tarfile.open(fileobj=image.extractfile(layer)) as files:
                members = {member.name.removeprefix("./"): member for member in files if not member.isdir()}
                self.assertEqual(
                    {name: oct(member.mode) for name, member in members.items()}, {"bin/server": "0o755", "data/words.txt": "0o644"}
                )
                for name, member in members.items():
                    self.assertEqual(files.extractfile(member).read(), (self.place / name).read_bytes())

    def test_what_interprets_it_may_be_in_the_image(self):
        self.write("script", b"#! /server -addr\n")
        self.describe("script, server", "/script")
        self.build()
        shutil.copy("/bin/true", self.place / "server")
        self.write(LOADER, pathlib.Path("/", LOADER).read_bytes())
        self.describe(f"server, {LOADER}")
        self.build()


class Refused(Program):
    def test_files(self):
        description = f"{self.place}/function.yaml: files: "
        (self.place / "folder").mkdir()
        (self.folder / "outside").touch()
        (self.place / "link").symlink_to(self.folder / "outside")
        (self.place / "up").symlink_to("..")
        for name, pattern in (
            ("lost", f"cannot read {self.place}/lost: No such file"),
            ("folder", f"{description}folder is not a file: "),
            *(
                (name, f"{description}'{name}' is not in this folder: copy it there")
                for name in (".", "../../../outside", "/etc/hostname", "link", "up/../../outside")
            ),
        ):
            with self.subTest(name):
                self.describe(f"server, {name}")
                self.rejected(pattern)

    def test_entry_points(self):
        self.write("plain", GREETER.read_bytes(), 0o644)
        self.write("text", b"hello\n")
        self.write("script", b"#!/bin/sh\nexec /server\n")
        self.write("itself", b"#!/itself\n")
        self.write("cut", GREETER.read_bytes()[:100])
        self.write_changed("arm", MACHINE, 183)
        self.write_changed("small", CLASS, 1)
        shutil.copy("/bin/true", self.place / "dynamic")
        for entry, pattern in (
            ("/lost", "the image has no such file: name it in `files`"),
            ("/folder", "the image has no such file"),
            ("/plain", r"it is not executable: chmod \+x it"),
            ("/text", "it is no ELF program$"),
            ("/script", "it is a script for /bin/sh, which the image does not have"),
            ("/itself", "it is a script for /itself"),
            ("/cut", "the file is cut off"),
            ("/arm", r"it is a 64-bit program for ELF machine 183: the guest is x86-64"),
            ("/small", "it is a 32-bit program"),
            ("/dynamic", f"it is linked dynamically, .*/{LOADER}: link it statically"),
        ):
            with self.subTest(entry):
                self.describe("server, plain, text, script, itself, cut, arm, small, dynamic", entry)
                self.rejected(f"cannot build greeting-program: cannot run {entry}: {pattern}")
        self.describe(entry="server")
        self.rejected("cannot build greeting-program: the entry point 'server' must be a path in the image")
        self.describe(more="services: {other: {port: 7000, entrypoint: [/lost]}}\n")
        self.rejected("cannot build greeting-program: cannot run /lost: the image has no such file")

    def test_another_language(self):
        self.place.rename(self.place.parent / "cobol")
        (self.place.parent / "cobol/function.yaml").write_text(
            GREETING.format(files="server", entry="/server").replace("-program", "-cobol")
        )
        self.refused(
            ".* in the language cobol cannot be built: there is no .*cobol/build: put a ready program into a folder `program`",
            "function",
            "build",
            "greeting-cobol",
            environment=self.own,
        )
