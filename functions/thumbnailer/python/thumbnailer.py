"""A small JPEG of a large one, as SeBS's thumbnailer. JPEG loses a little, so that colours are told in steps of 32, which the
image's four quarters lie in the middle of."""

import io

from PIL import Image

import inputs
import server
import thumbnailer_pb2

SIZES = {"small": (320, 240), "medium": (640, 480), "large": (1280, 960)}
QUARTERS = (208, 48, 80), (48, 176, 80), (80, 48, 208), (208, 208, 112)
THUMBNAIL = 128, 128
IMAGES = {}
for size, (width, height) in SIZES.items():
    picture = Image.new("RGB", (width, height))
    for i, colour in enumerate(QUARTERS):
        picture.paste(colour, (i % 2 * width // 2, i // 2 * height // 2, (i % 2 + 1) * width // 2, (i // 2 + 1) * height // 2))
    file = io.BytesIO()
    picture.save(file, "JPEG")
    IMAGES[size] = file.getvalue()


def make_thumbnail(request, context):
    size, _ = inputs.choose(request.name, SIZES, context)
    picture, file = Image.open(io.BytesIO(IMAGES[size])), io.BytesIO()
    picture.thumbnail(THUMBNAIL)
    picture.save(file, "JPEG")
    width, height = picture.size
    quarters = (picture.getpixel((width * x // 4, height * y // 4)) for y in (1, 3) for x in (1, 3))
    colours = " ".join("".join(str(value // 32) for value in colour) for colour in quarters)
    return thumbnailer_pb2.Reply(
        message=f"fn: Thumbnailer | image: {size} | thumbnail: {width}x{height} | quarters: {colours} | "
        f"bytes: {len(file.getvalue())} | runtime: python"
    )


server.serve("thumbnailer-python", server.arguments("thumbnailer-python").addr, thumbnailer_pb2, make_thumbnail)
