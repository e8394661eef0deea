"""Our gRPC functions and client against grpcio, OpenSSL, and peers that misbehave. Everything on 127.0.0.1, at ports the kernel chooses."""

import concurrent.futures
import contextlib
import json
import logging
import os
import pathlib
import re
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

import grpc

from peers import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    KEY,
    MODULES,
    NAMES,
    PATHS,
    PING,
    PREFACE,
    RST_STREAM,
    SETTINGS,
    Reflection,
    call,
    client,
    exchange,
    fields,
    frame,
    frames,
    function,
    grpcio_server,
    message,
    program,
    raw_server,
    read_request,
    request_head,
    start,
    stop,
    text_field,
)

# --- (a) our functions, grpcio as client ------------------------------------------------------------------


class Functions(unittest.TestCase):
    def test_auth(self):
        with function("auth") as port:
            for token, effect in (("allow", "Allow"), ("deny", "Deny")):
                reply = call(port, "auth", token)
                head, response, runtime = re.fullmatch(r"(fn: Auth \| token: \w+) \| resp: (\{.*\}) \| runtime: (.*)", reply).groups()
                self.assertEqual((head, runtime), (f"fn: Auth | token: {token}", "c"))
                policy = json.loads(response)
                self.assertEqual(policy["principalId"], "user")
                statement = policy["policyDocument"]["Statement"][0]
                self.assertEqual((statement["Effect"], statement["Action"]), (effect, "execute-api:Invoke"))
                self.assertTrue(policy["context"]["booleanKey"])
            self.assertEqual(call(port, "auth", "unauthorized"), "fn: Auth | token: unauthorized | resp: Unauthorized | runtime: c")
            self.assertEqual(call(port, "auth", "x y"), "fn: Auth | token: x y | resp: Error: Invalid token | runtime: c")

    def test_fibonacci(self):
        a, b, numbers = 0, 1, []
        for _ in range(3001):
            numbers.append(a)
            a, b = b, a + b
        with function("fibonacci") as port:
            for x in [*range(100), 178, 179, 180, 1000, 3000]:
                self.assertEqual(call(port, "fibonacci", str(x)), f"fn: Fib: y = fib(x) | x: {x} y: {numbers[x]} | runtime: c")
            for text, x in (("", 0), ("world", 0), ("12a", 0), ("-5", -5)):
                self.assertEqual(call(port, "fibonacci", text), f"fn: Fib: y = fib(x) | x: {x} y: 0 | runtime: c")
            for text in ("1000001", "99999999999999999999"):
                with self.assertRaises(grpc.RpcError) as raised:
                    call(port, "fibonacci", text)
                self.assertEqual(raised.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)

    def test_helloworld(self):
        with function("helloworld") as port:
            for name in ("world", "", "Zoë ☃ 🙂", "x" * 1000000):
                self.assertEqual(call(port, "helloworld", name), f"fn: HelloWorld | name: {name} | greeting: Hello, {name}! | runtime: c")
            with self.assertRaises(grpc.RpcError) as raised:  # twice the name is above 4 MB
                call(port, "helloworld", "x" * 3000000)
            self.assertEqual(raised.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)

    def test_many_calls_at_once(self):
        with function("helloworld") as port, grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            module = MODULES["helloworld"]
            method = channel.unary_unary(PATHS["helloworld"], lambda m: m.SerializeToString(), module.HelloReply.FromString)
            texts = [f"{i} " * (i * 7 % 5000) for i in range(400)]
            calls = [method.future(module.HelloRequest(name=t), timeout=30) for t in texts]
            for text, answer in zip(texts, calls):
                self.assertIn(f"name: {text} | greeting", answer.result().message)

    def test_many_connections(self):
        with function("helloworld") as port:
            idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(200)]
            self.assertIn("Hello, you!", call(port, "helloworld", "you"))
            for s in idle:
                s.close()
            self.assertIn("Hello, you!", call(port, "helloworld", "you"))

    def test_idle_function_sleeps(self):
        process, port = start("helloworld")
        status = pathlib.Path(f"/proc/{process.pid}/status")

        def switches():
            return re.findall(r"ctxt_switches:\s+(\d+)", status.read_text())

        call(port, "helloworld", "you")
        time.sleep(0.2)
        before = switches()
        time.sleep(1)
        self.assertEqual(before, switches())
        stop(process)

    def test_options(self):
        for arguments, status in (
            (["-addr", "127.0.0.1"], 2),
            (["-addr", "nowhere:1"], 2),
            (["-bogus"], 2),
            (["extra"], 2),
            (["-addr", "127.0.0.1:70000"], 2),
            (["-key", "12"], 2),
            (["-key", "x" * 32], 2),
            (["-help"], 0),
        ):
            result = subprocess.run([program("aes"), *arguments], capture_output=True, text=True, timeout=10)
            self.assertEqual(result.returncode, status, arguments)
        with function("aes") as port:
            result = subprocess.run([program("aes"), "-addr", f"127.0.0.1:{port}"], capture_output=True, text=True, timeout=10)
            self.assertEqual(result.returncode, 1)
            self.assertIn("Address already in use", result.stderr)

    def test_sizes(self):
        for name in NAMES:
            self.assertLess(os.path.getsize(program(name)), 3 << 20)


# --- (c) AES against OpenSSL --------------------------------------------------------------------------------


class Aes(unittest.TestCase):
    @staticmethod
    def openssl(plaintext, key=KEY):
        return subprocess.run(
            ["openssl", "enc", "-aes-128-ctr", "-K", key, "-iv", "0" * 32], input=plaintext.encode(), capture_output=True, check=True
        ).stdout.hex()

    def check(self, port, text, plaintext, key=KEY):
        self.assertEqual(
            call(port, "aes", text), f"fn: AES | plaintext: {plaintext} | ciphertext: {self.openssl(plaintext, key)} | runtime: c"
        )

    def test_against_openssl(self):
        with function("aes") as port:
            for text in ("", "world"):
                self.check(port, text, "defaultplaintext")
            alphabet = "abcdefghijklmnopqrstuvwxyz |:0123456789äß€🙂"
            texts = [
                "".join(alphabet[(i * 7 + length) % len(alphabet)] for i in range(length))
                for length in [*range(1, 50), 255, 256, 4096, 65536]
            ]
            for text in [*texts, "worlds", "Grüße, 世界 🌍", "tab\tnew\nline", "%s%n", "x" * 1000000]:
                self.check(port, text, text)

    def test_options(self):
        key = "000102030405060708090a0b0c0d0e0f"
        with function("aes", "-key", key, "--default-plaintext", "something else") as port:
            self.check(port, "world", "something else", key)
            self.check(port, "text", "text", key)


# --- (b) our client, grpcio as server --------------------------------------------------------------------------


def right_reply(name):
    """What vSwarm's functions answer, each in the words of some language of vSwarm's."""

    def aes(text):
        plaintext = text if text not in ("", "world") else "defaultplaintext"
        return f"fn: AES | plaintext: {plaintext} | ciphertext: {Aes.openssl(plaintext)} | runtime: golang"

    def auth(text):
        go = (
            "{{principalId:user policyDocument:{{Version:2012-10-17 Statement:[{{Action:execute-api:Invoke "
            "Effect:{} Resource:arn:aws:execute-api:x}}]}} context:{{stringKey:stringval numberKey:123 "
            "booleanKey:true}}}}"
        )
        response = {"allow": go.format("Allow"), "deny": go.format("Deny"), "unauthorized": "Unauthorized"}.get(
            text, "Error: Invalid token"
        )
        return f"fn: Auth | token: {text} | resp: {response} | runtime: golang"

    def fibonacci(text):
        a, b = 0, 1
        for _ in range(int(text)):
            a, b = b, a + b
        return f"fn: Fib: y = fib(x) | x: {text} y: {a} | runtime: python"

    def helloworld(text):
        return f"Hello {text}"

    return {"aes": aes, "auth": auth, "fibonacci": fibonacci, "helloworld": helloworld}[name]


class Client(unittest.TestCase):
    def check(self, result, status, *texts):
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        if status:
            self.assertRegex(result.stderr, r"\A(.*\n)?client: .*\n\Z")
        for text in texts:
            self.assertIn(text, result.stdout + result.stderr)

    def test_each_function_and_generator(self):
        for name in NAMES:
            with grpcio_server(name, right_reply(name)) as (port, service):
                for generator in ("unique", "linear", "random"):
                    self.check(
                        client(
                            port,
                            "-function",
                            f"{name}-go",
                            "-n",
                            30,
                            "-warm",
                            3,
                            "-generator",
                            generator,
                            "-lower",
                            0,
                            "-upper",
                            40,
                            "-m5ops",
                        ),
                        0,
                        f"30 invocations of {PATHS[name]}",
                    )
                self.assertEqual(len(service.seen), 99)

    def test_generators(self):
        with grpcio_server("fibonacci", right_reply("fibonacci")) as (port, service):

            def inputs(*arguments):
                service.seen.clear()
                self.check(client(port, "--function", "fibonacci", "-lower", 3, "-upper", 6, *arguments), 0)
                return list(service.seen)

            self.assertEqual(inputs("-n", 3), ["10"] * 3)
            self.assertEqual(inputs("-n", 3, "-input", "7"), ["7"] * 3)
            self.assertEqual(inputs("-n", 6, "-generator", "linear"), ["3", "4", "5", "6", "3", "4"])
            first = inputs("-n", 50, "-generator", "random")
            self.assertEqual(set(first), {"3", "4", "5", "6"})
            self.assertEqual(first, inputs("-n", 50, "-generator", "random", "-seed", 1))
            self.assertNotEqual(first, inputs("-n", 50, "-generator", "random", "-seed", 2))

    def test_a_function_that_nobody_named(self):
        """The server is asked what it serves; of one that cannot say, each known service is called."""
        for name in NAMES:
            with function(name) as port:
                found = client(port, "-n", 3, function=None)
                self.check(found, 0, f"3 invocations of {PATHS[name]}\n")
                self.assertIn(f"serves {PATHS[name]} ({name}; it has answered)", found.stderr)
        for version in "v1", "v1alpha":
            told = Reflection(["grpc.health.v1.Health", f"grpc.reflection.{version}.ServerReflection", "fibonacci.Greeter"], version)
            with grpcio_server("fibonacci", right_reply("fibonacci"), told) as (port, service):
                found = client(port, "-n", 2, "-input", "5", function=None)
                self.check(found, 0, "2 invocations of /fibonacci.Greeter/SayHello")
                self.assertIn("(fibonacci; the server says so)", found.stderr)
                self.assertEqual(service.seen, ["5", "5"])
        with grpcio_server("thumbnailer", lambda _: "fn: none") as (port, service):
            self.check(client(port, "-n", 1, "-no-verify", function=None), 0, f"1 invocations of {PATHS['thumbnailer']}")
            self.assertEqual(service.seen, ["small"] * 2)  # when it was looked for, and when it was measured

    def test_no_function_that_is_known(self):
        for told, pattern in (
            (Reflection(["mine.Own", "grpc.health.v1.Health"]), "serves mine.Own, and no function that the client knows: .*-method"),
            (Reflection([]), "serves nothing, and no function"),
            (Reflection(["mine.Own"], "v9"), "serves no function that the client knows: say what to call with -method"),
        ):
            server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=2))
            server.add_generic_rpc_handlers([told])
            port = server.add_insecure_port("127.0.0.1:0")
            server.start()
            result = client(port, "-n", 1, function=None)
            server.stop(0).wait()
            self.assertEqual((result.returncode, result.stdout), (2, ""))
            self.assertRegex(result.stderr, pattern)
        self.check(client(1, "-n", 1, function=None), 1, "Connection refused")
        self.check(client(1, "-cold", "aes-c", function=None), 2, "-cold: say which function it is")

    def test_vswarms_command_line(self):
        """As its users' scripts have it."""
        with grpcio_server("fibonacci", right_reply("fibonacci")) as (port, service), tempfile.TemporaryDirectory() as folder:
            words = ["-function-name", "fibonacci", "-url", "localhost", "-port", port, "-function-method", "0"]
            run = lambda *more: subprocess.run([program("client"), *map(str, (*words, *more))], capture_output=True, text=True, timeout=30)
            self.check(run("-n", 5, "-w", 2, "-m5ops", "-input", "10"), 0, "5 invocations")
            self.assertEqual(service.seen, ["10"] * 7)
            service.seen.clear()
            self.check(run("-n", 3, "-genType", "linear", "-lowerBound", 4, "-upperBound", 5, "-delay", 10), 0, "3 invocations")
            self.assertEqual(service.seen, ["4", "5", "4"])
            self.check(run("-n", 2, "-v"), 0, "invocation 1: fn: Fib: y = fib(x)")
            for times in 1, 2:
                self.check(run("-n", 2, "-logging", f"{folder}/log"), 0)
                self.assertEqual(pathlib.Path(folder, "log").read_text().count("2 invocations of"), times)
            self.check(run("-function-method", "1"), 2, "-function-method '1': each function has one method")
            self.check(run("-logging", f"{folder}/none/log"), 1, "open the log")
            self.check(run("-n", 2, "-v", "-rate", 5), 2, "-delay, -v: not in a load run")

    def test_names_of_options(self):
        with grpcio_server("helloworld", right_reply("helloworld")) as (port, service):
            self.check(client(port, "--n", 4), 0, "4 invocations of /helloworld.Greeter/SayHello")
            self.assertEqual(service.seen, ["world"] * 4)
            self.check(client(port, "-n", 1, "-name", "you"), 0)
            self.assertEqual(service.seen[-1], "you")

    def test_long_replies(self):
        with grpcio_server("helloworld", lambda text: "Hello " + text * 100) as (port, _):
            self.check(client(port, "-n", 10, "-input", "x" * 20000), 0)

    def test_json(self):
        with grpcio_server("helloworld", right_reply("helloworld")) as (port, _):
            summary = json.loads(client(port, "-n", 20, "-json").stdout)
            self.assertEqual(summary["invocations"], 20)
            us = summary["latency_us"]
            self.assertTrue(0 < us["min"] <= us["p50"] <= us["p90"] <= us["p95"] <= us["p99"] <= us["max"])
            self.assertTrue(us["min"] <= us["mean"] <= us["max"])

    def test_parameters(self):
        with grpcio_server("fibonacci", right_reply("fibonacci")) as (port, service), tempfile.NamedTemporaryFile() as file:

            def run(text):
                file.seek(0)
                file.write(text.encode().ljust(4096, b"\0"))
                file.flush()
                service.seen.clear()
                return client(port, "-function", "fibonacci", "-warm", 1, "-parameters", file.name)

            self.check(run("n=3\ninput=12\n"), 0, "3 invocations")
            self.assertEqual(service.seen, ["10", "12", "12", "12"])
            self.check(run("n=4\ngenerator=linear\nlower=5\nupper=6\n"), 0)
            self.assertEqual(service.seen, ["10", "5", "6", "5", "6"])
            self.check(run(""), 0, "10 invocations")
            self.check(run("n=many\n"), 2, "-n 'many': not a number")
            self.check(run("colour=red\n"), 2, "'colour' is no parameter")
            self.check(run("addr=x:1\n"), 2, "'addr' is no parameter")
            self.check(client(port, "-function", "fibonacci", "-parameters", "/nonexistent"), 1, "/nonexistent")
            self.check(client(port, "-function", "fibonacci", "-checkpoint"), 1, "cannot be stopped from inside")

    def test_command_after_the_warm_ups(self):
        with grpcio_server("fibonacci", right_reply("fibonacci")) as (port, service), tempfile.TemporaryDirectory() as folder:
            arguments = port, "-function", "fibonacci", "-warm", 2, "-n", 3
            self.check(client(*arguments, "-then", f"echo here >{folder}/said"), 0, "3 invocations")
            self.assertEqual(pathlib.Path(folder, "said").read_text(), "here\n")
            service.seen.clear()
            self.check(client(*arguments, "-then", "exit 3"), 1, "the command 'exit 3' failed")
            self.assertEqual(service.seen, ["10", "10"])  # the warm-ups, and no more

    def test_wait_for_the_port(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        self.check(client(port), 1, "Connection refused")
        began = time.monotonic()
        self.check(client(port, "-wait", 1), 1, "Connection refused")
        self.assertGreater(time.monotonic() - began, 0.9)
        late = threading.Timer(
            1, lambda: servers.append(subprocess.Popen([program("helloworld"), "-addr", f"127.0.0.1:{port}"], stderr=subprocess.DEVNULL))
        )
        servers = []
        late.start()
        self.check(client(port, "-wait", 20), 0)
        late.join()
        servers[0].terminate()
        self.assertEqual(servers[0].wait(10), 0)

    def test_options(self):
        for arguments in (
            ["-n", "0"],
            ["-n", "1x"],
            ["-function", "nothing"],
            ["-generator", "x"],
            ["-bogus"],
            ["-lower", "5", "-upper", "4"],
            ["-method", "SayHello"],
            ["extra"],
            ["-addr", "nohost"],
            ["-timeout", "0"],
        ):
            self.check(client(1, *arguments), 2)
        self.check(client(1, "-help"), 0, "usage: client")


# --- (d) servers that misbehave ----------------------------------------------------------------------------------

OK_HEAD = frame(HEADERS, END_HEADERS, 1, fields((":status", "200"), ("content-type", "application/grpc")))
OK_TAIL = frame(HEADERS, END_HEADERS | END_STREAM, 1, fields(("grpc-status", "0")))
GREETING = text_field(b"Hello world")
HANG = None  # the last thing a server does: hang()


def hang(connection):
    """Nothing, with the connection open, until the client has gone."""
    while connection.recv(65536):
        pass


class BadServers(unittest.TestCase):
    def check(self, behave, *texts, n=1):
        """(Whether a closed connection reads as closed or as reset depends on what was still under way.)"""
        with raw_server(behave) as port:
            began = time.monotonic()
            result = client(port, "-timeout", 1, "-n", n)
            self.assertLess(time.monotonic() - began, 30)  # not for ever
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertRegex(result.stderr, r"\Aclient: .*\n\Z")
        for text in texts:
            self.assertIn(text, result.stderr)

    def answering(self, *parts):
        def behave(connection):
            connection.sendall(frame(SETTINGS))
            read_request(connection)
            for part in parts:
                if part is HANG:
                    hang(connection)
                else:
                    connection.sendall(part)

        return behave

    def test_a_hand_made_server_is_understood(self):
        with raw_server(self.answering(OK_HEAD, frame(DATA, 0, 1, message(GREETING)), OK_TAIL)) as port:
            result = client(port, "-n", 1)
            self.assertEqual(result.returncode, 0, result.stderr)

    def test_not_http2(self):
        self.check(lambda c: c.recv(65536) and c.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), "HTTP/2")
        self.check(lambda c: c.sendall(os.urandom(70000)))
        self.check(lambda c: c.sendall(b"\0" * 100000))
        self.check(lambda c: None, "connection")
        self.check(hang, "no answer within 1 s")
        self.check(lambda c: (c.sendall(b"\0\0"), hang(c)), "no answer within 1 s")

    def test_endings(self):
        self.check(self.answering(HANG), "no answer within 1 s")
        self.check(self.answering(), "connection")
        self.check(self.answering(OK_HEAD), "connection")
        self.check(self.answering(OK_HEAD, frame(DATA, 0, 1, message(GREETING)[:9])), "connection")
        self.check(self.answering(OK_HEAD, frame(DATA, 0, 1, message(GREETING)), HANG), "no answer within 1 s")
        self.check(self.answering(frame(RST_STREAM, 0, 1, struct.pack(">I", 7)), HANG), "REFUSED_STREAM")
        self.check(self.answering(frame(GOAWAY, 0, 0, struct.pack(">II", 0, 11)), HANG), "GOAWAY, ENHANCE_YOUR_CALM")
        self.check(self.answering(frame(GOAWAY, 0, 0, struct.pack(">II", 0, 0))), "GOAWAY")
        self.check(
            self.answering(OK_HEAD, frame(DATA, 0, 1, message(GREETING)), OK_TAIL, frame(GOAWAY, 0, 0, struct.pack(">II", 1, 0)), HANG),
            "invocation 1: the server ended",
            n=2,
        )

    def test_malformed_replies(self):
        def reply(data):
            return self.answering(OK_HEAD, frame(DATA, 0, 1, data), OK_TAIL, HANG)

        self.check(reply(b""), "truncated reply")
        self.check(reply(message(GREETING)[:-1]), "truncated reply")
        self.check(reply(message(GREETING) * 2), "malformed reply")
        self.check(reply(message(GREETING, flag=1)), "malformed reply (UNIMPLEMENTED)")
        self.check(reply(message(GREETING, length=0xFFFFFFFF)), "malformed reply (RESOURCE_EXHAUSTED)")
        self.check(reply(message(b"\x0a\xff\xff\xff\xff\x7f")), "no message with a text")
        self.check(reply(message(text_field(b"\xff\xfe"))), "no message with a text")
        self.check(reply(message(b"")), "wrong reply")

    def test_statuses(self):
        def ending(*pairs):
            return self.answering(frame(HEADERS, END_HEADERS | END_STREAM, 1, fields(*pairs)), HANG)

        self.check(ending((":status", "404")), "HTTP status 404")
        self.check(ending((":status", "200"), ("content-type", "text/html")), "content-type")
        self.check(ending((":status", "200"), ("content-type", "application/grpc")), "grpc-status")
        self.check(
            ending((":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "13"), ("grpc-message", "out of luck")),
            "INTERNAL: out of luck",
        )
        self.check(ending((":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "x")), "UNKNOWN")

    def test_grpcio_errors(self):
        def fail(text):
            raise RuntimeError("out of luck")

        logging.disable(logging.CRITICAL)
        with grpcio_server("aes", fail) as (port, _):
            for arguments, text in ((["-function", "aes"], "UNKNOWN"), ([], "UNIMPLEMENTED"), (["-method", "/a.B/C"], "UNIMPLEMENTED")):
                result = client(port, *arguments)
                self.assertEqual(result.returncode, 1)
                self.assertIn(text, result.stderr)
        logging.disable(logging.NOTSET)

    def test_slow_server(self):
        gone = threading.Event()
        with grpcio_server("helloworld", lambda text: gone.wait(30)) as (port, _):
            result = client(port, "-timeout", 1)
            gone.set()
            self.assertEqual(result.returncode, 1)
            self.assertRegex(result.stderr, "no answer within 1 s|DEADLINE_EXCEEDED")

    def test_wrong_contents(self):
        good = right_reply("aes")("world")
        wrong = {
            "aes": [
                "",
                "hello",
                good[:-20],
                good.replace("fn: AES", "fn: Fib"),
                good.replace("| runtime", "runtime"),
                good.replace("ciphertext: ", "ciphertext: 00"),
                good.replace(" | runtime", "00 | runtime"),
                good.replace("defaultplaintext", "defaultplaintexT"),
                re.sub("ciphertext: (.)", "ciphertext: z", good),
                re.sub("ciphertext: (.)", lambda digit: f"ciphertext: {'1' if digit[1] == '0' else '0'}", good),
            ],
            "auth": [
                right_reply("auth")("deny").replace("token: deny", "token: allow"),
                right_reply("auth")("unauthorized"),
                right_reply("auth")("allow").replace("2012", "2013"),
                right_reply("auth")("allow").replace("Allow", "Deny"),
            ],
            "fibonacci": [
                right_reply("fibonacci")("11"),
                "fn: Fib: y = fib(x) | x: 10 y: 56 | runtime: c",
                "fn: Fib: y = fib(x) | x: 10 y: 055x | runtime: c",
                "fn: Fib: y = fib(x) | x: 10 y:  | runtime: c",
            ],
            "helloworld": ["Goodbye world", "Hello", "fn: HelloWorld | name: x | Hello x | runtime: c"],
        }
        for name, replies in wrong.items():
            for reply in replies:
                with grpcio_server(name, lambda text: reply) as (port, _):
                    for arguments in ([], ["-warm", 1]):
                        result = client(port, "-function", name, "-n", 2, *arguments)
                        self.assertEqual(result.returncode, 1, (name, reply))
                        self.assertRegex(result.stderr, r"\Aclient: (invocation|warm-up) 0: wrong reply: .*\n\Z")
                    self.assertEqual(client(port, "-function", name, "-no-verify").returncode, 0)

    def test_function_killed_between_invocations(self):
        server, port = start("helloworld")
        threading.Timer(1, server.kill).start()
        result = client(port, "-n", 1000000)
        server.wait()
        server.stderr.close()
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"\Aclient: invocation \d+: (the server closed|connection lost).*\n\Z")


# --- (e) clients that misbehave -----------------------------------------------------------------------------------


class BadClients(unittest.TestCase):
    def setUp(self):
        context = function("aes")
        self.port = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)

    def tearDown(self):
        """Whatever came, the function goes on serving."""
        self.assertIn("fn: AES", call(self.port, "aes", "world"))

    def status(self, *parts):
        """The grpc-status of a hand-made call on stream 1."""
        received, _ = exchange(self.port, PREFACE + frame(SETTINGS) + b"".join(parts))
        heads = [f for f in frames(received) if f[0] == HEADERS and f[2] == 1]
        self.assertTrue(heads, received)
        return heads

    def ask(self, data, path=PATHS["aes"], end=True, **options):
        heads = self.status(request_head(path, **options), frame(DATA, END_STREAM if end else 0, 1, data))
        return heads[-1]

    def expect(self, head, status):
        value = str(status).encode()  # nghttp2 sends digits plain: Huffman's code would not be shorter
        self.assertIn(bytes([len(value)]) + value, head[3], status)

    def test_by_hand(self):
        good = self.ask(message(text_field(b"text")))
        self.assertTrue(good[1] & END_STREAM)

    def test_statuses(self):
        self.expect(self.ask(message(b""), path="/aes.Aes/Nothing"), 12)
        self.expect(self.ask(message(b""), path="/"), 12)
        self.expect(self.ask(message(text_field(b"x"), flag=1)), 12)
        self.expect(self.ask(message(text_field(b"x"), flag=7)), 13)
        self.expect(self.ask(b""), 13)
        self.expect(self.ask(message(text_field(b"text"))[:-1]), 13)
        self.expect(self.ask(message(b"", length=50)), 13)
        self.expect(self.ask(message(b"\x0a\x7fx")), 13)
        self.expect(self.ask(message(b"\xff" * 20)), 13)
        self.expect(self.ask(message(text_field(b"\xc0\x80"))), 13)
        self.expect(self.ask(message(text_field(b"x")) * 2), 13)
        self.expect(self.ask(message(b"", length=0xFFFFFFFF), end=False), 8)
        self.expect(self.ask(message(b"", length=(4 << 20) + 1), end=False), 8)

    def test_unknown_fields_are_ignored(self):
        self.assertTrue(self.ask(message(b"\x7a\x03abc" + text_field(b"x")))[1] & END_STREAM)

    def test_not_grpc(self):
        for options in ({"method": "GET"}, {"kind": "text/html"}):
            self.ask(message(b""), **options)
        self.status(frame(HEADERS, END_HEADERS | END_STREAM, 1, request_head(PATHS["aes"])[9:]))

    def test_grpcio_sees_the_statuses(self):
        with self.assertRaises(grpc.RpcError) as raised:
            call(self.port, "aes", "x", path="/aes.Aes/Nothing")
        self.assertEqual(raised.exception.code(), grpc.StatusCode.UNIMPLEMENTED)
        with self.assertRaises(grpc.RpcError) as raised:
            call(self.port, "aes", "x" * 5000000)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
        with self.assertRaises(grpc.RpcError) as raised:
            call(self.port, "aes", "x" * 1000, compression=grpc.Compression.Gzip)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.UNIMPLEMENTED)

    def test_garbage(self):
        for data in (
            b"GET / HTTP/1.1\r\n\r\n",
            os.urandom(100000),
            b"\0" * 50000,
            PREFACE + os.urandom(50000),
            PREFACE + frame(HEADERS, END_HEADERS, 1, os.urandom(200)),
            PREFACE + frame(SETTINGS) + frame(DATA, 0, 1, b"x"),
            PREFACE + frame(SETTINGS) + frame(CONTINUATION, 0, 1, b"x"),
            PREFACE + frame(SETTINGS) + frame(HEADERS, END_HEADERS, 2, b""),
        ):
            self.assertTrue(exchange(self.port, data)[1], "the connection stays open")

    def test_cut_off_at_every_byte(self):
        whole = PREFACE + frame(SETTINGS) + request_head(PATHS["aes"]) + frame(DATA, END_STREAM, 1, message(text_field(b"text")))
        for length in range(len(whole)):
            with socket.create_connection(("127.0.0.1", self.port)) as s:
                s.sendall(whole[:length])

    def test_byte_by_byte(self):
        with socket.create_connection(("127.0.0.1", self.port)) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in PREFACE + frame(SETTINGS) + request_head(PATHS["aes"]) + frame(DATA, END_STREAM, 1, message(text_field(b"text"))):
                s.sendall(bytes([byte]))
            s.settimeout(5)
            data = b""
            while b"ciphertext" not in data:
                data += s.recv(65536)

    def test_mutations(self):
        """Each bit of a good call flipped: an answer, a closed connection or patience, never a crash."""
        whole = bytearray(PREFACE + frame(SETTINGS) + request_head(PATHS["aes"]) + frame(DATA, END_STREAM, 1, message(text_field(b"text"))))
        for bit in range(len(PREFACE) * 8, len(whole) * 8):
            whole[bit // 8] ^= 1 << bit % 8
            with socket.create_connection(("127.0.0.1", self.port)) as s:
                s.sendall(whole)
            whole[bit // 8] ^= 1 << bit % 8

    def test_peer_that_never_reads(self):
        call_bytes = b"".join(
            request_head(PATHS["aes"], stream) + frame(DATA, END_STREAM, stream, message(text_field(b"x" * 120)))
            for stream in range(1, 20001, 2)
        )
        with socket.create_connection(("127.0.0.1", self.port)) as s:
            s.settimeout(1)
            with contextlib.suppress(OSError):
                s.sendall(PREFACE + frame(SETTINGS) + call_bytes)
            self.assertIn("fn: AES", call(self.port, "aes", "world"))

    def test_ping_flood(self):
        with socket.create_connection(("127.0.0.1", self.port)) as s:
            s.settimeout(1)
            with contextlib.suppress(OSError):
                s.sendall(PREFACE + frame(SETTINGS) + frame(PING, 0, 0, b"12345678") * 200000)
            self.assertIn("fn: AES", call(self.port, "aes", "world"))
