"""The client as a load generator: real functions, and servers that misbehave."""

import base64
import collections
import contextlib
import csv
import gzip
import io
import itertools
import json
import lzma
import math
import os
import pathlib
import pty
import re
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest
import zlib

import peers

HOUR = 3600 * 10**9


def run(port, *arguments, limit=120):
    return peers.client(port, *arguments, limit=limit)


def summary(result):
    """Of -format json."""
    return json.loads(result.stdout)


# --- HdrHistogram's logs, decoded by the book ---------------------------------------------------------------------


def numbers(data):
    """ZigZag numbers of 7 bits a byte; the ninth byte has 8."""
    at = 0
    while at < len(data):
        bits = 0
        for i in range(9):
            byte = data[at]
            at += 1
            bits |= (byte if i == 8 else byte & 0x7F) << 7 * i
            if i == 8 or not byte & 0x80:
                break
        yield bits >> 1 ^ -(bits & 1)


def decode(text):
    """{highest value of a count: count}, with the maximum's as its key's."""
    packed = base64.b64decode(text, validate=True)
    cookie, length = struct.unpack(">II", packed[:8])
    assert cookie == 0x1C849314 and length == len(packed) - 8
    data = zlib.decompress(packed[8:])
    cookie, length, offset, digits, lowest, highest, ratio = struct.unpack(">IIIIqqd", data[:40])
    assert (cookie, length, offset, digits, lowest, highest, ratio) == (0x1C849313, len(data) - 40, 0, 3, 1, HOUR, 1.0)
    counts, index = collections.OrderedDict(), 0
    for number in numbers(data[40:]):
        if number < 0:
            index += -number
            continue
        bucket, sub = (index >> 10) - 1, (index & 1023) + 1024
        if bucket < 0:
            bucket, sub = 0, index
        if number:
            counts[((sub + 1) << bucket) - 1] = number
        index += 1
    return counts


def percentile(counts, percent):
    rank, below = math.ceil(percent / 100 * sum(counts.values())), 0
    for value, count in counts.items():
        below += count
        if below >= rank:
            return value


def read_log(path):
    """[(tag, begin, length, maximum in ms, counts)]."""
    lines = pathlib.Path(path).read_text().splitlines()
    assert "#[Histogram log format version 1.3]" in lines and lines[3].startswith('"StartTimestamp"')
    rows = []
    for line in lines[4:]:
        tag, line = line.split(",", 1) if line.startswith("Tag=") else ("", line)
        begin, length, most, histogram = line.split(",")
        rows.append((tag.removeprefix("Tag="), float(begin), float(length), float(most), decode(histogram)))
    return rows


# --- (a) functions that work --------------------------------------------------------------------------------------


class Load(unittest.TestCase):
    def check(self, result, calls=None):
        self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout)
        found = summary(result)
        self.assertEqual((found["failed"], found["failures"]), (0, {}))
        self.assertEqual(found["answered"], found["invocations"])
        self.assertEqual(found["latency_us"]["count"], found["answered"])
        if calls is not None:
            self.assertEqual(found["answered"], calls)
        steps = [found["latency_us"][name] for name in ("min", "p50", "p90", "p95", "p99", "p99.9", "p99.99", "max")]
        self.assertEqual(steps, sorted(steps))
        return found

    def test_closed_loop(self):
        with peers.function("helloworld") as port:
            for arguments in (
                ["-concurrency", 1],
                ["-concurrency", 32],
                ["-concurrency", 300],
                ["-concurrency", 10, "-connections", 3],
                ["-connections", 4],
                ["-concurrency", 3, "-connection", "new"],
            ):
                found = self.check(run(port, "-n", 3000, "-warm", 3, "-format", "json", *arguments), 3000)
                self.assertEqual(found["loop"], "closed")
                self.assertGreater(found["per_second"], 0)

    def test_each_call_arrives_once(self):
        with peers.grpcio_server("fibonacci", lambda text: f"fn: Fib: y = fib(x) | x: {text} y: {FIBONACCI[int(text)]} | runtime: py") as (
            port,
            service,
        ):
            self.check(
                run(
                    port,
                    "-function",
                    "fibonacci",
                    "-n",
                    90,
                    "-concurrency",
                    7,
                    "-generator",
                    "linear",
                    "-lower",
                    5,
                    "-upper",
                    14,
                    "-format",
                    "json",
                ),
                90,
            )
            self.assertEqual(collections.Counter(service.seen), {str(x): 9 for x in range(5, 15)})
            service.seen.clear()
            self.check(run(port, "-function", "fibonacci", "-n", 50, "-rate", 200, "-connection", "new", "-warm", 2, "-format", "json"), 50)
            self.assertEqual(len(service.seen), 52)

    def test_open_loop(self):
        with peers.function("fibonacci") as port:
            for kind in ("poisson", "uniform", "bursty"):
                found = self.check(
                    run(port, "-function", "fibonacci", "-rate", 1000, "-arrival", kind, "-burst", 5, "-duration", 1, "-format", "json")
                )
                self.assertEqual((found["loop"], found["arrival"]), ("open", kind))
                least, most = (1000, 1000) if kind == "uniform" else (700, 1300)  # five standard deviations of bursts
                self.assertTrue(least <= found["answered"] <= most, found["answered"])

    def test_same_seed_same_number(self):
        with peers.function("helloworld") as port:
            count = [
                self.check(run(port, "-rate", 3000, "-duration", 0.3, "-seed", seed, "-format", "json"))["answered"]
                for seed in (1, 1, 2, 3, 4)
            ]
        self.assertEqual(count[0], count[1])
        self.assertGreater(len(set(count)), 1)

    def test_trace(self):
        minutes = [0, 30, 0, 7, 120]
        text = (
            "HashOwner,HashApp,HashFunction,Trigger,"
            + ",".join(map(str, range(1, 6)))
            + "\r\n"
            + "o,a,aa11,http,1,2,3,4,5\r\no,a,bb22,timer,"
            + ",".join(map(str, minutes))
            + "\r\no,a,bb33,timer,-1,0,,0,0\r\n"
        )
        with peers.function("helloworld") as port, tempfile.TemporaryDirectory() as folder:
            trace = pathlib.Path(folder, "day.csv")
            trace.write_text(text)
            for arguments, calls in (
                ([], 15),
                (["-trace-function", "bb2"], 157),
                (["-trace-function", "bb22", "-n", 50], 50),
                (["-trace-function", "bb22", "-arrival", "poisson"], 157),
                (["-trace-function", "bb22", "-arrival", "bursty"], 157),
                (["-trace-function", "bb22", "-duration", 0.25], 30),
            ):
                self.check(run(port, "-trace", trace, "-trace-minute", 0.1, "-format", "json", *arguments), calls)
            said = run(port, "-trace", trace, "-trace-minute", 0.8, "-progress").stderr
            self.assertRegex(said.splitlines()[0], r"^ *\d+ s  \d+ of 15 calls")
            for arguments, why in (
                (["bb33"], ":4: minute 1: -1 is not from 0"),
                (["bb"], "begins two functions"),
                (["x"], "no function 'x'"),
            ):
                result = run(port, "-trace", trace, "-trace-function", *arguments)
                self.assertEqual(result.returncode, 1)
                self.assertRegex(result.stderr, rf"\Aclient: .*{re.escape(why)}.*\n\Z")
            trace.write_text("HashOwner,HashApp,HashFunction,Trigger,1,2\no,a,f,http,0,0\n")
            self.assertIn("was never invoked", run(port, "-trace", trace).stderr)
            trace.write_text("HashOwner,HashApp,HashFunction,Trigger,1,2,3\no,a,f,http,1,2\n")
            self.assertIn(":2: minute 3 is missing", run(port, "-trace", trace).stderr)

    def test_foreign_traces(self):
        """As R, pandas and Excel write them, compressed, through a pipe; Azure's of 2021 at its own times."""
        plain = "HashOwner,HashApp,HashFunction,Trigger,1,2\no,a,f1,http,2,3\no,a,f1,timer,20,0\no,b,f2,http,1,1\n"
        forms = {
            "bom": "\ufeff" + plain.replace("\n", "\r\n"),
            "pandas": ",HashOwner,HashApp,HashFunction,Trigger,1,2\n0,o,a,f1,http,2.0,3.0\n1,o,a,f1,timer,20.0,0.0\n",
            "r": '"","HashOwner","HashApp","HashFunction","Trigger","X1","X2"\n"1","o","a","f1","http",2,3\n"2","o","a","f1","timer",2e+01,0\n',
            "excel": "HashOwner;HashApp;HashFunction;Trigger;1;2\r\no;a;f1;http;2,0;3\r\no;a;f1;timer;20;0\r\n",
        }
        times = "app,func,end_timestamp,duration\na,f1,13,1\na,f2,2,2\na,f1,6.5,0.5\n"
        with peers.function("helloworld") as port, tempfile.TemporaryDirectory() as folder:
            trace = pathlib.Path(folder, "trace")

            def replay(data, calls, *arguments):
                trace.write_bytes(data)
                return self.check(run(port, "-trace", trace, "-trace-minute", 0.1, "-format", "json", *arguments), calls)

            for name, text in forms.items():
                with self.subTest(name):
                    self.assertEqual(replay(text.encode(), 25)["arrival"], "uniform")
            self.assertEqual(replay(gzip.compress(plain.encode()), 25)["function"], "f1")
            pipe = trace.with_name("pipe")
            os.mkfifo(pipe)
            writer = threading.Thread(target=lambda: pipe.write_bytes(plain.encode()))
            writer.start()
            self.check(run(port, "-trace", pipe, "-trace-minute", 0.1, "-format", "json"), 25)
            writer.join()
            found = replay(times.encode(), 2, "-trace-minute", 6)
            self.assertEqual((found["arrival"], found["function"]), ("recorded", "f1"))
            self.assertGreater(found["seconds"], 1.19)  # the last of them, after 12 s of which each takes 0.1 s
            self.assertLess(found["latency_us"]["max"], 1e6)
            self.assertEqual(replay(times.encode(), 2, "-arrival", "poisson")["arrival"], "poisson")
            for data, arguments, why in (
                (times.encode(), ["-trace-function", "f3"], "no function 'f3'"),
                (plain.encode(), ["-arrival", "recorded"], "this trace has counts a minute, and no times"),
                (lzma.compress(plain.encode()), [], "compressed by xz: make plain text of it first: xz -d"),
                (plain.encode("utf-16"), [], "text in UTF-16"),
                (gzip.compress(bytes(1 << 26)), [], ":1: a line of more than"),
                (plain.replace("20", "2.5").encode(), [], ":3: minute 1: '2.5' is not a whole number of invocations (column 5)"),
            ):
                trace.write_bytes(data)
                result = run(port, "-trace", trace, *arguments)
                self.assertEqual(result.returncode, 2 if "recorded" in arguments else 1)
                self.assertRegex(result.stderr, rf"client: .*{re.escape(why)}.*\n\Z")

    def test_formats(self):
        with peers.function("helloworld") as port:
            arguments = port, "-n", 200, "-concurrency", 4
            text = run(*arguments).stdout
            self.assertRegex(
                text,
                r"\A200 invocations of /helloworld.Greeter/SayHello in [\d.]+ s: [\d.]+/s answered\n"
                r"closed loop: 4 at a time, on 1 connection\n"
                r"latency in us: mean .*, p50 .*, p99.99 [\d.]+, max [\d.]+\nanswered 200, failed 0\n\Z",
            )
            rows = list(csv.DictReader(io.StringIO(run(*arguments, "-format", "csv").stdout)))
            self.assertEqual(len(rows), 1)
            self.assertEqual((rows[0]["answered"], rows[0]["failed"], rows[0]["concurrency"]), ("200", "0", "4"))
            self.assertLessEqual(float(rows[0]["p50_us"]), float(rows[0]["p99.99_us"]))
            self.assertEqual(set(summary(run(*arguments, "-json"))), set(summary(run(*arguments, "-format", "json"))))

    def test_hdr_log(self):
        with peers.function("helloworld") as port, tempfile.TemporaryDirectory() as folder:
            log = os.path.join(folder, "log")
            found = self.check(run(port, "-rate", 500, "-duration", 2.5, "-hdr-log", log, "-format", "json"))
            *parts, (tag, begin, _, most, whole) = read_log(log)
            self.assertEqual((tag, begin), ("whole", 0))
            self.assertGreaterEqual(len(parts), 3)
            self.assertEqual({part[0] for part in parts}, {""})
            self.assertEqual(sum((collections.Counter(part[4]) for part in parts), collections.Counter()), collections.Counter(whole))
            for before, after in itertools.pairwise(parts):
                self.assertAlmostEqual(before[1] + before[2], after[1], delta=0.002)
            self.assertEqual(sum(whole.values()), found["answered"])
            latency = found["latency_us"]
            self.assertAlmostEqual(most * 1e3, latency["max"], delta=1)
            for percent in (50, 90, 95, 99, 99.9, 99.99):
                value = min(percentile(whole, percent) / 1e3, latency["max"])
                self.assertAlmostEqual(value, latency[f"p{percent}"], delta=0.002)
            self.assertIn("No such file", run(port, "-n", 1, "-hdr-log", "/nonexistent/log").stderr)
            self.assertIn("No space left", run(port, "-n", 1, "-hdr-log", "/dev/full").stderr)

    def test_progress(self):
        with peers.function("helloworld") as port:
            arguments = port, "-rate", 100, "-duration", 2.3
            self.assertEqual(run(*arguments).stderr, "")
            lines = run(*arguments, "-progress").stderr.splitlines()
            self.assertGreaterEqual(len(lines), 1)
            for line in lines:
                self.assertRegex(line, r"^ *\d+ s of 2 s.*  \d+/s  p50 [\d.]+ ms  p99 [\d.]+ ms  0 failed$")

    def test_progress_on_a_terminal(self):
        """One line, drawn again and taken away at the end."""
        outer, inner = pty.openpty()
        with peers.function("helloworld") as port, os.fdopen(outer, "rb", 0) as terminal:
            process = subprocess.Popen(
                [peers.program("client"), "-addr", f"127.0.0.1:{port}", "-function", "helloworld", "-n", "600", "-rate", "200"],
                stdout=subprocess.DEVNULL,
                stderr=inner,
            )
            os.close(inner)
            said = b""
            with contextlib.suppress(OSError):  # how a terminal tells that nobody writes to it any more
                while part := terminal.read(4096):
                    said += part
            self.assertEqual(process.wait(30), 0)
        self.assertGreaterEqual(said.count(b"\r\x1b[K  "), 2)
        self.assertRegex(said, rb"\d of 600 calls, about \d s left  \d+/s")
        self.assertTrue(said.endswith(b"\r\x1b[K"))
        self.assertNotIn(b"\n", said)

    def test_interrupted(self):
        with peers.function("helloworld") as port:
            process = subprocess.Popen(
                [
                    peers.program("client"),
                    "-addr",
                    f"127.0.0.1:{port}",
                    "-function",
                    "helloworld",
                    "-duration",
                    "600",
                    "-format",
                    "json",
                    "-progress",
                ],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            process.stderr.readline()  # it is under way
            process.send_signal(signal.SIGINT)
            out, said = process.communicate(timeout=30)
            self.assertEqual(process.returncode, 1)
            found = json.loads(out)
            self.assertGreater(found["answered"], 0)
            self.assertEqual(found["failed"], 0)
            self.assertEqual(said.splitlines()[-1], f"client: ended early, by a signal, after {found['answered']} calls")

    def test_options(self):
        for arguments in (
            ["-concurrency", 0],
            ["-rate", 0],
            ["-rate", "x"],
            ["-rate", "inf"],
            ["-duration", "-1"],
            ["-arrival", "poisson"],
            ["-rate", 1, "-arrival", "often"],
            ["-rate", 1, "-trace", "x"],
            ["-format", "xml"],
            ["-connection", "old"],
            ["-connections", 2, "-concurrency", 1],
            ["-m5ops", "-rate", 1],
            ["-concurrency", 2, "-checkpoint"],
            ["-connection", "new", "-connections", 2, "-concurrency", 2],
            ["-trace-function", "x"],
            ["-n", 10**7],
        ):
            result = run(1, *arguments)
            self.assertEqual(result.returncode, 2, (arguments, result.stderr))
            self.assertRegex(result.stderr, r"\Aclient: .*\n\Z")


FIBONACCI = [0, 1]
for _ in range(20):
    FIBONACCI.append(FIBONACCI[-1] + FIBONACCI[-2])


# --- (b) latency from when a call was due -------------------------------------------------------------------------


class Stalls(unittest.TestCase):
    def test_coordinated_omission(self):
        """A server stalls once, for 600 ms: of 200 calls a second 120 are due meanwhile, and 80 of them, a fifth of all, wait for
        200 ms or longer. A closed loop of one sees a single slow call."""

        def slow_once():
            count = [0]

            def reply(text):
                count[0] += 1
                if count[0] == 100:
                    time.sleep(0.6)
                return f"Hello {text}"

            return reply

        with peers.grpcio_server("helloworld", slow_once()) as (port, _):
            closed = summary(run(port, "-n", 400, "-concurrency", 1, "-format", "json"))
        with peers.grpcio_server("helloworld", slow_once()) as (port, _):
            opened = summary(run(port, "-n", 400, "-rate", 200, "-arrival", "uniform", "-concurrency", 1, "-format", "json"))
        self.assertEqual((closed["failed"], opened["failed"]), (0, 0))
        self.assertGreaterEqual(closed["latency_us"]["max"], 600e3)
        self.assertGreaterEqual(opened["latency_us"]["max"], 600e3)
        self.assertGreaterEqual(opened["latency_us"]["p90"], 200e3)
        self.assertLess(closed["latency_us"]["p90"], opened["latency_us"]["p90"])
        self.assertGreaterEqual(opened["queue_max"], 50)
        self.assertGreaterEqual(opened["late_us"]["max"], 500e3)


# --- (c) servers that misbehave -----------------------------------------------------------------------------------


class Server:
    """Speaks HTTP/2 by hand: behaves well to the first connections (the client's first look), and then as told."""

    def __init__(self, behave, good=1):
        self.behave, self.good, self.connections = behave, good, 0
        self.requests = 0
        self.lock = threading.Lock()

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                first = self.connections <= self.good
            threading.Thread(target=self.serve, args=(connection, first), daemon=True).start()

    def serve(self, connection, first):
        with connection, contextlib.suppress(OSError):
            connection.settimeout(20)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(peers.frame(peers.SETTINGS))
            data, preface = b"", True
            while part := connection.recv(65536):
                data += part
                if preface and len(data) >= len(peers.PREFACE):
                    data, preface = data[len(peers.PREFACE) :], False
                while not preface and len(data) >= 9 and len(data) >= 9 + int.from_bytes(data[:3], "big"):
                    size = 9 + int.from_bytes(data[:3], "big")
                    kind, flags, stream = data[3], data[4], int.from_bytes(data[5:9], "big")
                    data = data[size:]
                    if kind == peers.DATA and flags & peers.END_STREAM:
                        with self.lock:
                            self.requests += not first
                            number = self.requests
                        if (reply if first else self.behave)(connection, stream, number) == "close":
                            return


def head(stream, *pairs, end=False):
    flags = peers.END_HEADERS | (peers.END_STREAM if end else 0)
    return peers.frame(peers.HEADERS, flags, stream, peers.fields(*pairs))


def parts(stream, payload=None):
    """Head, data and trailers of a right reply."""
    payload = peers.message(peers.text_field(b"Hello world")) if payload is None else payload
    return (
        head(stream, (":status", "200"), ("content-type", "application/grpc")),
        peers.frame(peers.DATA, 0, stream, payload),
        head(stream, ("grpc-status", "0"), end=True),
    )


def reply(connection, stream, number):
    connection.sendall(b"".join(parts(stream)))


class BadServers(unittest.TestCase):
    def check(self, behave, kinds, *arguments, n=40, good=1, first=""):
        """All of n calls are counted, `kinds` says how many failed of which; one line names them."""
        with Server(behave, good) as server:
            result = run(server.port, "-n", n, "-timeout", 2, "-format", "json", "-concurrency", 4, *arguments)
        self.assertRegex(result.stderr, r"\Aclient: .*\n\Z", result.stdout)
        self.assertEqual(result.returncode, 1)
        found = summary(result)
        failed = sum(found["failures"].values())
        self.assertEqual(found["invocations"], n)
        self.assertEqual((found["failed"], found["answered"]), (failed, n - failed), found)
        if isinstance(kinds, dict):
            self.assertEqual(found["failures"], kinds)
        else:
            self.assertLessEqual(set(found["failures"]), set(kinds))
        self.assertIn(f"client: {failed} of {n} calls failed: ", result.stderr)
        self.assertIn(first, result.stderr)
        return found, server

    def test_a_good_server(self):
        with Server(reply) as server:
            found = summary(run(server.port, "-n", 100, "-concurrency", 8, "-connections", 2, "-format", "json"))
            self.assertEqual((found["answered"], server.requests, server.connections), (100, 100, 3))
        with Server(reply) as server:
            found = summary(run(server.port, "-n", 50, "-concurrency", 2, "-connection", "new", "-format", "json"))
            self.assertEqual((found["answered"], server.requests, server.connections), (50, 50, 51))

    def test_reset(self):
        def every_fourth(connection, stream, number):
            if number % 4 == 0:
                connection.sendall(peers.frame(peers.RST_STREAM, 0, stream, struct.pack(">I", 8)))
            else:
                reply(connection, stream, number)

        _, server = self.check(every_fourth, {"call reset": 10}, first="cut off (CANCEL)")
        self.assertEqual(server.connections, 2)  # the connection lives on

    def test_statuses(self):
        def some(connection, stream, number):
            if number % 10 == 1:
                connection.sendall(
                    head(
                        stream,
                        (":status", "200"),
                        ("content-type", "application/grpc"),
                        ("grpc-status", "14" if number > 10 else "99"),
                        ("grpc-message", "gone"),
                        end=True,
                    )
                )
            elif number % 10 == 2:
                connection.sendall(head(stream, (":status", "502"), end=True))
            else:
                reply(connection, stream, number)

        self.check(some, {"gRPC status UNAVAILABLE": 3, "gRPC status no gRPC status": 1, "not gRPC": 4})

    def test_wrong_and_malformed(self):
        texts = [
            peers.message(peers.text_field(b"Goodbye")),
            peers.message(b"\xff"),
            peers.message(peers.text_field(b"Hello world"))[:-1],
            peers.message(peers.text_field(b"Hello world"), flag=1),
            b"",
        ]

        def some(connection, stream, number):
            connection.sendall(b"".join(parts(stream, texts[number % 8] if number % 8 < len(texts) else None)))

        self.check(some, {"wrong reply": 10, "malformed reply": 15}, n=40)
        self.check(some, {"malformed reply": 15, "wrong reply": 5}, "-no-verify", n=40)

    def test_closed_in_the_middle(self):
        for cut in range(3):  # before the reply, behind its head, in its message

            def closing(connection, stream, number):
                if number % 10 == 0:
                    connection.sendall(b"".join(parts(stream)[:cut])[: -2 if cut else None])
                    return "close"
                reply(connection, stream, number)

            found, server = self.check(closing, ["connection closed"], "-concurrency", 1)
            self.assertEqual(found["failed"], 4)
            self.assertEqual(server.connections, 5)  # opened again each time but the last

    def test_garbage(self):
        def garbage(connection, stream, number):
            if number % 8 == 0:
                connection.sendall(b"\xff" * 2000)
                time.sleep(0.3)
                return "close"
            reply(connection, stream, number)

        self.check(garbage, ["not HTTP/2", "connection closed"])

    def test_goaway(self):
        def leaving(connection, stream, number):
            if number % 10 == 0:  # this one is still answered, those behind it are not
                connection.sendall(peers.frame(peers.GOAWAY, 0, 0, struct.pack(">II", stream, 0)))
                reply(connection, stream, number)
                return "close"
            reply(connection, stream, number)

        with Server(leaving) as server:  # one at a time: nothing is lost
            result = run(server.port, "-n", 40, "-concurrency", 1, "-format", "json")
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertGreaterEqual(server.connections, 5)

        def refusing(connection, stream, number):
            connection.sendall(peers.frame(peers.GOAWAY, 0, 0, struct.pack(">II", 0, 11)))

        self.check(refusing, {"GOAWAY": 12}, n=12, first="GOAWAY, ENHANCE_YOUR_CALM")

    def test_timeouts(self):
        def silent(connection, stream, number):
            if number % 10 != 0:
                reply(connection, stream, number)

        found, server = self.check(silent, {"timeout": 4}, first="no answer within 2 s")
        self.assertGreaterEqual(found["latency_us"]["max"], 2e6)  # they count for as long as they were waited for
        self.assertEqual(found["latency_us"]["count"], 40)
        self.assertEqual(server.connections, 2)

        found, _ = self.check(silent, {"timeout": 4}, "-rate", 200)
        self.assertEqual(found["latency_us"]["count"], 40)
        found, _ = self.check(lambda *_: None, {"timeout": 40}, "-rate", 100, "-concurrency", 2)  # most wait in the queue
        self.assertGreaterEqual(found["queue_max"], 20)

    def test_nobody_listens(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            result = run(s.getsockname()[1], "-concurrency", 4, "-n", 10)
            self.assertEqual((result.returncode, result.stdout), (1, ""))
            self.assertRegex(result.stderr, r"\Aclient: connect to .*: Connection refused\n\Z")

    def test_closes_every_connection(self):
        found, _ = self.check(lambda *_: "close", {"connection closed": 12}, n=12, first="connection")
        self.assertEqual(found["answered"], 0)
        self.check(lambda *_: "close", {"connection closed": 12}, "-connection", "new", n=12)

    def test_server_dies(self):
        """For good: the client knocks in vain, not too often, and gives up."""
        process, port = peers.start("helloworld")
        threading.Timer(2, process.kill).start()
        result = run(port, "-n", 10**9, "-concurrency", 8, "-timeout", 1, "-format", "json")
        process.wait()
        process.stderr.close()
        found = summary(result)
        self.assertEqual(result.returncode, 1)
        self.assertGreater(found["answered"], 0)
        self.assertLessEqual(set(found["failures"]), {"connection refused", "connection closed"})
        self.assertLess(found["failed"], 8 * 100)
        self.assertRegex(result.stderr, r"\Aclient: \d+ of \d+ calls failed: .*: gave up after 1 s without a reply\n\Z")

    def test_server_comes_back(self):
        process, port = peers.start("helloworld")
        others = []

        def replace():
            process.kill()
            process.wait()
            time.sleep(0.5)
            others.append(subprocess.Popen([peers.program("helloworld"), "-addr", f"127.0.0.1:{port}"], stderr=subprocess.DEVNULL))

        threading.Timer(1, replace).start()
        result = run(port, "-rate", 200, "-arrival", "uniform", "-duration", 4, "-format", "json")
        process.stderr.close()
        peers.call(port, "helloworld", "you")
        others[0].kill()
        others[0].wait()
        found = summary(result)
        self.assertEqual(found["invocations"], 800)
        self.assertLessEqual(set(found["failures"]), {"connection refused", "connection closed"})
        self.assertGreater(found["answered"], 400)
