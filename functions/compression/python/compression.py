"""A file is read, deflated and written, as vSwarm's compression. A zlib stream ends in the Adler-32 of what went in."""

import pathlib
import tempfile
import zlib

import compression_pb2
import inputs
import server

FOLDER = pathlib.Path(tempfile.mkdtemp())
SIZES = {"small": 16384, "medium": 131072, "large": 1048576}
for size, count in SIZES.items():
    (FOLDER / size).write_bytes(inputs.text(count))


def compress_file(request, context):
    file, count = inputs.choose(request.name, SIZES, context)
    stream = zlib.compress((FOLDER / file).read_bytes())
    (FOLDER / f"{file}.z").write_bytes(stream)
    return compression_pb2.Reply(
        message=f"fn: CompressFile | file: {file} | original: {count} bytes, adler32: {stream[-4:].hex()} | "
        f"compressed: {len(stream)} bytes | runtime: python"
    )


server.serve("compression-python", server.arguments("compression-python").addr, compression_pb2, compress_file)
