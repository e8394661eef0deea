"""Functions in other languages than C, from their images, on this computer: the same answers as in C, to the letter."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import grpc
import pytest

import peers
import reference

NEEDED = {"go": ("go", "protoc", "protoc-gen-go"), "nodejs": ("npm",), "python": ("protoc",)}
INPUTS = {
    "aes": ["", "world", "a", "exactly sixteen.", "seventeen letters", "Zoë ☃ 🙂", "x" * 1000, "a | b : c"],
    "auth": ["allow", "deny", "unauthorized", "", "Allow", "allow ", "x y", "<&>"],
    "fibonacci": [
        "0",
        "1",
        "2",
        "10",
        "93",
        "94",
        "1000",
        "3000",
        "",
        "world",
        "12a",
        "-5",
        "+7",
        " 8",
        "9 ",
        "007",
        "1e3",
        "0x10",
        "1_0",
        "٣",
        "-99999999999999999999",
    ],
}
REFUSED = {"fibonacci": ["1000001", "99999999999999999999"]}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


@contextlib.contextmanager
def served(name, path=None):
    """`slsuite function serve`, until it listens; it must end when it is told to, and leave nothing."""
    port = free_port()
    place = tempfile.mkdtemp(prefix="slsuite-test-")
    process = subprocess.Popen(
        [os.path.join(peers.BUILD, "slsuite"), "function", "serve", name, "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": place} | ({"PATH": path} if path else {}),
    )
    try:
        deadline = time.monotonic() + 900  # its language's base layer may have to be made
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(ConnectionError):
                socket.create_connection(("127.0.0.1", port)).close()
                break
            time.sleep(0.1)
        assert process.poll() is None, process.stderr.read()
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(100)
        process.stderr.close()
    os.rmdir(place)  # which fails when something was left in it
    with contextlib.suppress(ConnectionError):
        socket.create_connection(("127.0.0.1", port)).close()
        raise AssertionError(f"{name} still listens")


class Languages(unittest.TestCase):
    def compare(self, language):
        missing = [tool for tool in NEEDED[language] if not shutil.which(tool)]
        if missing:
            self.skipTest(f"there is no {', '.join(missing)}: make deps")
        for name, texts in INPUTS.items():
            with self.subTest(name), peers.function(name) as ours, served(f"{name}-{language}") as port:
                for text in texts:
                    expected = peers.call(ours, name, text)
                    self.assertTrue(expected.endswith(" | runtime: c"))
                    self.assertEqual(peers.call(port, name, text), expected[:-1] + language)
                for text in REFUSED.get(name, ()):
                    with self.assertRaises(grpc.RpcError) as raised:
                        peers.call(port, name, text)
                    self.assertEqual(raised.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
                with self.assertRaises(grpc.RpcError) as raised:
                    peers.call(port, name, "", path="/lost.Greeter/SayHello")
                self.assertEqual(raised.exception.code(), grpc.StatusCode.UNIMPLEMENTED)

    @pytest.mark.needs("layer:go")
    def test_go_answers_as_c(self):
        self.compare("go")

    @pytest.mark.needs("layer:nodejs")
    def test_nodejs_answers_as_c(self):
        self.compare("nodejs")

    @pytest.mark.needs("layer:python")
    def test_python_answers_as_c(self):
        self.compare("python")


class Sizes(unittest.TestCase):
    """The client's known answers are the reference's, and the functions give them."""

    @staticmethod
    def expected(name, text):
        return "fn: " + reference.FUNCTIONS[name](text if text in reference.SIZES else "small")

    def test_client_knows_the_answers(self):
        for name in reference.FUNCTIONS:
            with peers.grpcio_server(name, lambda _: reply) as (port, _):
                for text in (*reference.SIZES, "world"):
                    right = self.expected(name, text)
                    for reply, pattern in ((right + "1 | runtime: python", "^$"), (right[:-6] + "?" + right[-5:], "wrong reply: ")):
                        with self.subTest(name, text=text, reply=reply):
                            called = peers.client(port, "-function", name, "-input", text, "-n", 1)
                            self.assertRegex(called.stderr, pattern)

    def check(self, name):
        if not shutil.which("protoc"):
            self.skipTest("there is no protoc: make deps")
        with self.subTest(name), served(f"{name}-python") as port:
            for text in (*reference.SIZES, "", "World"):
                reply = peers.call(port, name, text)
                self.assertTrue(reply.startswith(self.expected(name, text)), reply)
                self.assertTrue(reply.endswith(" | runtime: python"), reply)
            with self.assertRaises(grpc.RpcError) as raised:
                peers.call(port, name, "vast")
            self.assertEqual(raised.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)

    @pytest.mark.needs("layer:python")
    def test_compression(self):
        self.check("compression")

    @pytest.mark.needs("layer:python", "layer:services")
    def test_crud_api(self):
        """With Redis beside it."""
        self.check("crud-api")

    @pytest.mark.needs("layer:python")
    def test_hotel_search(self):
        """By two services of its own."""
        self.check("hotel-search")

    @pytest.mark.needs("layer:python")
    def test_rnn_serving(self):
        """Its request has two fields."""
        self.check("rnn-serving")
        with served("rnn-serving-python") as port:
            called = peers.client(port, "-function", "rnn-serving", "-input", "Greek:3", "-n", 1)
        self.assertEqual((called.returncode, called.stderr), (0, ""))
        answers = {"language:Greek.n:3 | output:['A', 'B', 'C']": "^$", "language:Greek.n:0 | output:[]": "wrong reply: other"}
        for reply, pattern in answers.items():
            with peers.grpcio_server("rnn-serving", lambda _: f"fn: RNN-Serving | {reply} | runtime: Python") as (port, service):
                called = peers.client(port, "-function", "rnn-serving", "-input", "Greek:3", "-n", 1)
            self.assertRegex(called.stderr, pattern)
            self.assertEqual((service.last.language, service.last.numSamples), ("Greek", 3))


def of_function(name):
    @pytest.mark.slow
    @pytest.mark.needs("layer:python", "layer:services")
    def test(self):
        self.check(name)

    return test


# A test each, so that a run that is interrupted loses only one.
for name in reference.FUNCTIONS:
    setattr(Sizes, f"test_all_{name.replace('-', '_')}", of_function(name))


def slsuite(*arguments, **options):
    return subprocess.run(
        [os.path.join(peers.BUILD, "slsuite"), "function", *map(str, arguments)], capture_output=True, text=True, timeout=900, **options
    )


class Image(unittest.TestCase):
    def test_no_container_runtime(self):
        """Under a changed root, then."""
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        for place in os.environ["PATH"].split(":"):
            for program in pathlib.Path(place).glob("*") if os.path.isdir(place) else ():
                if program.name not in ("crun", "runc"):
                    with contextlib.suppress(FileExistsError):
                        (folder / program.name).symlink_to(program)
        with peers.function("aes") as ours, served("aes-c", str(folder)) as port:
            self.assertEqual(peers.call(port, "aes", "world"), peers.call(ours, "aes", "world"))

    def test_test(self):
        result = slsuite("test", "auth-c", "helloworld-c")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(
            [line.split() for line in result.stdout.splitlines()],
            [[name, *"20 replies are right".split()] for name in ("auth-c", "helloworld-c")],
        )

    def test_service_that_fails(self):
        """It is named, and nothing is left."""
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        place = folder / "hello/c"
        place.mkdir(parents=True)
        shutil.copy(peers.program("helloworld"), place / "helloworld-c")
        description = (
            (pathlib.Path(peers.BUILD) / "functions/helloworld/c/function.yaml").read_text().replace("helloworld-c\n", "hello-c\n", 1)
        )
        for options, pattern in (
            ("-addr, 0.0.0.0:7000, -lost", "the service other ended before it listened on port [0-9]+: "),
            ("-addr, 0.0.0.0:7000", "^$"),
        ):
            (place / "function.yaml").write_text(
                description + f"services: {{other: {{port: 7000, entrypoint: [/helloworld-c, {options}]}}}}\n"
            )
            result = slsuite("test", "hello-c", env=os.environ | {"SLSUITE_FUNCTIONS": str(folder)})
            self.assertRegex(result.stderr.splitlines()[-1] if result.returncode else "", pattern)

    def test_export(self):
        """What skopeo reads back is the same image, for the same machine."""
        if not shutil.which("skopeo"):
            self.skipTest("there is no skopeo: make deps")
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        result = slsuite("export", "aes-c", "--out", folder / "aes.tar")
        self.assertEqual(result.returncode, 0, result.stderr)
        subprocess.run(
            ["skopeo", "--insecure-policy", "copy", "-q", f"docker-archive:{folder}/aes.tar:aes-c:latest", f"oci:{folder}/back:latest"],
            check=True,
        )
        subprocess.run(
            ["umoci", "unpack", "--rootless", "--image", f"{folder}/back:latest", folder / "bundle"], check=True, capture_output=True
        )
        self.assertEqual((folder / "bundle/rootfs/aes-c").read_bytes(), pathlib.Path(peers.program("aes")).read_bytes())
        config = json.loads((folder / "bundle/config.json").read_text())
        self.assertEqual(config["process"]["args"], ["/aes-c", "-addr", "0.0.0.0:50051"])

    def test_bad_use(self):
        for arguments, status, pattern in (
            (("test", "lost-c"), 2, "no function is named lost-c: known are aes-c, "),
            (("export", "aes-c", "--out", "/nonexistent/x.tar"), 1, ".*/nonexistent"),
            (("export",), 2, "function export takes one function's name"),
            (("serve", "aes-c", "auth-c"), 2, "function serve takes one function's name"),
            (("serve", "aes-c", "--port", "0"), 2, "--port"),
            (("mend",), 2, ""),
        ):
            with self.subTest(arguments):
                result = slsuite(*arguments)
                self.assertEqual(result.returncode, status, result.stderr)
                *_, last = result.stderr.splitlines()
                self.assertRegex(last, "^slsuite: " + pattern)
