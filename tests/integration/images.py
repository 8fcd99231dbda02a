"""Picture files for tests: real ones by Pillow, and PNG chunk by chunk for what no program would write."""

import io
import struct
import zlib

from PIL import Image

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def picture(form, size=(16, 12), **options):
    """A file of a form that Pillow knows, with a gradient in it."""
    image = Image.new("RGB", size)
    image.putdata([(x * 255 // size[0], y * 255 // size[1], 128) for y in range(size[1]) for x in range(size[0])])
    if form == "GIF":
        image = image.convert("P")
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def pixels(data):
    """What a picture shows: each frame, as RGBA bytes."""
    image = Image.open(io.BytesIO(data))
    frames = []
    for n in range(getattr(image, "n_frames", 1)):
        image.seek(n)
        frames.append((image.size, image.convert("RGBA").tobytes()))
    return frames


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width=2, height=2, extra=b"", data=None):
    """A grey PNG that claims a size; extra chunks come before its data."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    if data is None:
        data = zlib.compress(b"".join(b"\0" + bytes(2) for _ in range(2)))
    return PNG_SIGNATURE + chunk(b"IHDR", header) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def upload(data, name="face.png", kind="image/png"):
    return {"image": (name, data, kind)}
