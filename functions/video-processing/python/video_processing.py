"""The frames of a video in shades of grey, as vSwarm's video-processing, which decodes MPEG with OpenCV besides; here they are
raw. Weights of ITU-R BT.601."""

import zlib

import numpy

import inputs
import server
import video_processing_pb2

SIZES = {"small": 2, "medium": 10, "large": 50}  # frames
WIDTH, HEIGHT = 160, 120
FRAME = numpy.frombuffer(inputs.pixels(WIDTH, HEIGHT), numpy.uint8).reshape(HEIGHT, WIDTH, 3)
WEIGHTS = numpy.array([299, 587, 114], numpy.uint32)


def frames(count):
    """The picture moves one line a frame."""
    return (numpy.roll(FRAME, i, axis=0) for i in range(count))


def convert_to_grayscale(request, context):
    size, count = inputs.choose(request.name, SIZES, context)
    checksum = 0
    for frame in frames(count):
        grey = ((frame * WEIGHTS).sum(axis=2) // 1000).astype(numpy.uint8)
        checksum = zlib.crc32(grey.tobytes(), checksum)
    return video_processing_pb2.Reply(
        message=f"fn: VideoProcessing | video: {size} | frames: {count} | crc32: {checksum:08x} | runtime: python"
    )


server.serve("video-processing-python", server.arguments("video-processing-python").addr, video_processing_pb2, convert_to_grayscale)
