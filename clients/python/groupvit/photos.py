"""Photos as the bytes of a file, which is how requests carry them."""

from __future__ import annotations

import io
import os
import struct
import zlib
from typing import Any, Union

import numpy as np
import numpy.typing as npt
from PIL import Image

#: A path, the bytes of a file, a Pillow image, or an array.
Photo = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, Image.Image, "npt.NDArray[Any]"]

# Modes that PNG stores without loss; the server reads them as it does files, so that alpha
# lies over white and 16 bits become 8.
_PNG_MODES = {"1", "L", "LA", "P", "RGB", "RGBA"}
_GREY_16 = {"I;16", "I;16L", "I;16B", "I;16N"}


def encoded(photo: Photo) -> bytes:
    """The bytes of a file. An array is [height, width] or [height, width, 3 or 4] of uint8 or
    uint16: grey, RGB or RGBA. Pixels stay where they are: an orientation in a Pillow image's
    EXIF is not applied, so that masks fit the image as it is."""
    if isinstance(photo, (str, os.PathLike)):
        with open(photo, "rb") as f:
            return f.read()
    if isinstance(photo, (bytes, bytearray, memoryview)):
        return bytes(photo)
    if isinstance(photo, np.ndarray):
        return _png(photo)
    if isinstance(photo, Image.Image):
        return _of_pillow(photo)
    raise TypeError(f"a photo is a path, bytes, a Pillow image or an array, not {type(photo).__name__}")


def _of_pillow(photo: Image.Image) -> bytes:
    if photo.mode in _GREY_16:
        return _png(np.asarray(photo).astype(np.uint16))
    if photo.mode == "I":
        values = np.asarray(photo)
        if values.size and (values.min() < 0 or values.max() > 0xFFFF):
            raise TypeError(f"a Pillow image of mode I holds {values.min()} to {values.max()}, allowed are 0 to 65535")
        return _png(values.astype(np.uint16))
    out = io.BytesIO()
    if photo.mode == "F":
        photo.save(out, "TIFF")
    elif photo.mode in _PNG_MODES:
        photo.save(out, "PNG", compress_level=1, exif=b"")
    else:
        to = {"PA": "RGBA", "RGBa": "RGBA", "La": "LA"}.get(photo.mode, "RGB")
        photo.convert(to).save(out, "PNG", compress_level=1, exif=b"", icc_profile=None)
    return out.getvalue()


def _png(array: npt.NDArray[Any]) -> bytes:
    """A PNG of 8 or 16 bits a channel; Pillow writes none of 16 in colour."""
    channels = 1 if array.ndim == 2 else array.shape[2] if array.ndim == 3 else 0
    if array.dtype not in (np.uint8, np.uint16) or channels not in (1, 3, 4) or 0 in array.shape:
        raise TypeError(
            "an array must be [height, width] or [height, width, 3 or 4] of uint8 or uint16, "
            f"this is {list(array.shape)} of {array.dtype}"
        )
    height, width = array.shape[:2]
    samples = array.astype(">u2") if array.dtype == np.uint16 else array
    rows = np.ascontiguousarray(samples).view(np.uint8).reshape(height, -1)
    filtered = np.zeros((height, rows.shape[1] + 1), np.uint8)  # no filter
    filtered[:, 1:] = rows
    colour = {1: 0, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, 8 * array.dtype.itemsize, colour, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(filtered.tobytes(), 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
