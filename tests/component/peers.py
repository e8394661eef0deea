"""The other ends of gRPC's calls, for tests: our own programs, grpcio as client and as server, and HTTP/2 by hand, to misbehave with."""

import atexit
import concurrent.futures
import contextlib
import importlib
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

import grpc

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KEY = "6368616e676520746869732070617373"
NAMES = ["aes", "auth", "fibonacci", "helloworld"]
PATHS = {name: f"/{name}.Greeter/SayHello" for name in NAMES} | {"aes": "/aes.Aes/ShowEncryption"}
FIELDS = dict.fromkeys(NAMES, ("HelloRequest", "name", "HelloReply", "message"))
FIELDS["aes"] = ("PlainTextMessage", "plaintext_message", "ReturnEncryptionInfo", "encryption_info")
SIZED = {
    "compression": "FileCompress/CompressFile",
    "crud-api": "CrudApi/Handle",
    "dna-visualisation": "DNAVisualisation/Visualise",
    "dynamic-html": "DynamicHTML/Render",
    "graph-bfs": "GraphBFSBenchmark/GetBfs",
    "graph-mst": "GraphMST/GetMst",
    "graph-pagerank": "GraphPageRank/GetPageRank",
    "hotel-profile": "HotelProfile/GetProfiles",
    "hotel-search": "HotelSearch/Nearby",
    "image-rotate": "ImageRotate/RotateImage",
    "rnn-serving": "RNNServing/GenerateString",
    "thumbnailer": "Thumbnailer/MakeThumbnail",
    "video-processing": "VideoProcessing/ConvertToGrayscale",
}
for name, method in SIZED.items():
    PATHS[name] = f"/{name.replace('-', '_')}.{method}"
    FIELDS[name] = "Request", "name", "Reply", "message"
FIELDS["rnn-serving"] = "SendLanguage", "language", "GetString", "message"
BUILD = os.environ["SLSUITE_BUILD"]
MODULES = {}  # of each service: its messages, as protoc makes them for Python


def program(name):
    place = "src/guest/client/client" if name == "client" else f"functions/{name}/c/{name}-c"
    return os.path.join(BUILD, place)


def compile_protocols():
    """Once a process, when it is first imported."""
    folder = tempfile.TemporaryDirectory(prefix="slsuite-protocols-")
    atexit.register(folder.cleanup)
    folder = folder.name
    protos = os.path.join(REPOSITORY, "functions/proto")
    subprocess.run(
        ["protoc", f"--proto_path={protos}", f"--python_out={folder}"]
        + [os.path.join(protos, name.replace("-", "_") + ".proto") for name in [*PATHS, "reflection"]],
        check=True,
    )
    sys.path.insert(0, folder)
    MODULES.update({name: importlib.import_module(name.replace("-", "_") + "_pb2") for name in [*PATHS, "reflection"]})


compile_protocols()


# --- peers ---------------------------------------------------------------------------------------------


def start(name, *options):
    """One of our functions: its process and its port."""
    process = subprocess.Popen([program(name), "-addr", "127.0.0.1:0", *options], stderr=subprocess.PIPE, text=True)
    return process, int(process.stderr.readline().rsplit(":", 1)[1])


def stop(process):
    """It must still be there, and leave cleanly on SIGTERM."""
    try:
        assert process.poll() is None, f"{process.args} died: {process.stderr.read()}"
        process.terminate()
        status = process.wait(10)
        assert status == 0, f"{process.args}: exit status {status}: {process.stderr.read()}"
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


@contextlib.contextmanager
def function(name, *options):
    process, port = start(name, *options)
    try:
        yield port
    finally:
        stop(process)


def call(port, name, text, path=None, timeout=20, **options):
    request_type, request_field, reply_type, reply_field = FIELDS[name]
    module = MODULES[name]
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        method = channel.unary_unary(path or PATHS[name], lambda m: m.SerializeToString(), getattr(module, reply_type).FromString)
        request = getattr(module, request_type)(**{request_field: text})
        return getattr(method(request, timeout=timeout, **options), reply_field)


class Service(grpc.GenericRpcHandler):
    """A vSwarm service in Python: `reply` maps the text that came to the text that goes."""

    def __init__(self, name, reply):
        self.name, self.reply, self.seen = name, reply, []

    def service(self, details):
        request_type, request_field, reply_type, reply_field = FIELDS[self.name]
        module = MODULES[self.name]

        def handle(request, context):
            text = getattr(request, request_field)
            self.seen.append(text)
            self.last = request
            return getattr(module, reply_type)(**{reply_field: self.reply(text)})

        if details.method != PATHS[self.name]:
            return None
        return grpc.unary_unary_rpc_method_handler(handle, getattr(module, request_type).FromString, lambda m: m.SerializeToString())


class Reflection(grpc.GenericRpcHandler):
    """gRPC's server reflection, as far as the names of services: of the newer protocol or of the older one."""

    def __init__(self, names, version="v1"):
        self.names, self.path = names, f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo"

    def service(self, details):
        if details.method != self.path:
            return None
        module = MODULES["reflection"]

        def handle(requests, context):
            for request in requests:
                assert request.list_services
                yield module.Response(services=module.ServiceList(service=[module.Service(name=name) for name in self.names]))

        return grpc.stream_stream_rpc_method_handler(handle, module.Request.FromString, lambda m: m.SerializeToString())


@contextlib.contextmanager
def grpcio_server(name, reply, *more):
    """And what else the server has."""
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=2))
    service = Service(name, reply)
    server.add_generic_rpc_handlers([service, *more])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port, service
    finally:
        server.stop(0).wait()


@contextlib.contextmanager
def raw_server(behave):
    """A TCP server that does to each connection what `behave(connection)` does."""
    listener = socket.create_server(("127.0.0.1", 0))

    def loop():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(5)
                behave(connection)

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


def client(port, *arguments, function="helloworld", limit=30):
    """Our client calling this function, unless the arguments name another; function None: it finds out."""
    words = [str(word) for word in arguments]
    if function and not {"-function", "--function", "-method"}.intersection(words):
        words = ["-function", function, *words]
    return subprocess.run([program("client"), "-addr", f"127.0.0.1:{port}", *words], capture_output=True, text=True, timeout=limit)


# --- HTTP/2 by hand ------------------------------------------------------------------------------------

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, CONTINUATION = 0, 1, 3, 4, 6, 7, 9
END_STREAM, END_HEADERS = 1, 4


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def fields(*pairs):
    """HPACK without its table: literal fields, never indexed."""
    block = b""
    for name, value in pairs:
        name, value = name.encode(), value.encode()
        assert len(name) < 127 and len(value) < 127
        block += b"\x10" + bytes([len(name)]) + name + bytes([len(value)]) + value
    return block


def request_head(path, stream=1, method="POST", kind="application/grpc"):
    return frame(
        HEADERS,
        END_HEADERS,
        stream,
        fields((":method", method), (":scheme", "http"), (":path", path), (":authority", "x"), ("te", "trailers"), ("content-type", kind)),
    )


def message(payload, flag=0, length=None):
    return bytes([flag]) + struct.pack(">I", len(payload) if length is None else length) + payload


def text_field(text):
    assert len(text) < 128
    return b"\x0a" + bytes([len(text)]) + text


def exchange(port, data, seconds=5):
    """Send bytes; everything that comes back until a stream ends, the peer closes, or time is out."""
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.settimeout(0.2)
        received, deadline = b"", time.monotonic() + seconds
        with contextlib.suppress(ConnectionError):
            s.sendall(data)
        while time.monotonic() < deadline:
            try:
                part = s.recv(65536)
            except TimeoutError:
                if any(f[1] & END_STREAM and f[0] in (DATA, HEADERS) for f in frames(received)):
                    break
                continue
            except ConnectionError:
                part = b""
            if not part:
                return received, True
            received += part
        return received, False


def frames(data):
    result = []
    while len(data) >= 9:
        length = int.from_bytes(data[:3], "big")
        result.append((data[3], data[4], int.from_bytes(data[5:9], "big"), data[9 : 9 + length]))
        data = data[9 + length :]
    return result


def read_request(connection):
    """Until the client's request has ended on its stream."""
    data = b""
    while True:
        part = connection.recv(65536)
        if not part:
            return
        data += part
        if any(f[0] == DATA and f[1] & END_STREAM for f in frames(data[len(PREFACE) :])):
            return
