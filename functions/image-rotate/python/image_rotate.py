"""An image is decoded, turned by a quarter and encoded, as vSwarm's image-rotate; PNG, which loses nothing."""

import io
import zlib

from PIL import Image

import image_rotate_pb2
import inputs
import server

SIZES = {"small": (64, 48), "medium": (320, 240), "large": (640, 480)}
IMAGES = {}
for size, (width, height) in SIZES.items():
    file = io.BytesIO()
    Image.frombytes("RGB", (width, height), inputs.pixels(width, height)).save(file, "PNG")
    IMAGES[size] = file.getvalue()


def rotate_image(request, context):
    size, _ = inputs.choose(request.name, SIZES, context)
    turned = Image.open(io.BytesIO(IMAGES[size])).transpose(Image.Transpose.ROTATE_90)
    turned.save(io.BytesIO(), "PNG")
    return image_rotate_pb2.Reply(
        message=f"fn: ImageRotate | image: {size} | size: {turned.width}x{turned.height} | "
        f"crc32: {zlib.crc32(turned.tobytes()):08x} | runtime: python"
    )


server.serve("image-rotate-python", server.arguments("image-rotate-python").addr, image_rotate_pb2, rotate_image)
