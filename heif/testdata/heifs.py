"""Writes small HEIC and AVIF files, each with NAME.want.png, what Pillow makes of it.

    pip install pillow==13.0.0 pillow-heif==1.8.1 numpy
    python heif/testdata/heifs.py
"""

import io
import pathlib

import numpy as np
import pillow_heif
from PIL import Image, ImageOps

pillow_heif.register_heif_opener()
OUT = pathlib.Path(__file__).resolve().parent
W, H = 184, 136  # the decoder of HEIC reads no side below 128

y, x = np.mgrid[0:H, 0:W]
RGB = np.stack([127 + 120 * np.sin(x / 26 + y / 29), 255 * x / W, 127 + 120 * np.cos(y / 25)], 2).astype(np.uint8)
RGB[8:24, 10:40] = (230, 30, 40)
PHOTO = Image.fromarray(RGB)
SMALL = PHOTO.resize((70, 45))


def put(name, image, format, **options):
    b = io.BytesIO()
    image.save(b, format, **options)
    (OUT / name).write_bytes(b.getvalue())
    want = ImageOps.exif_transpose(Image.open(io.BytesIO(b.getvalue())))
    if "A" in want.mode and format == "AVIF":  # of HEIC the colours alone are read
        want = Image.alpha_composite(Image.new("RGBA", want.size, "white"), want.convert("RGBA"))
    want.convert("RGB").save(OUT / (name + ".want.png"), optimize=True)


def main():
    for image, format, ending in ((PHOTO, "HEIF", "heic"), (SMALL, "AVIF", "avif")):
        w, h = image.size
        clear = image.copy()
        clear.putalpha(Image.fromarray(np.linspace(0, 255, h).astype(np.uint8)[:, None].repeat(w, 1)))
        put(f"plain.{ending}", image, format, quality=90)
        put(f"alpha.{ending}", clear, format, quality=90)
        put(f"grey.{ending}", image.convert("L"), format, quality=90)
        for n in (2, 3, 4, 5, 6, 7, 8) if ending == "avif" else (5, 6):
            exif = Image.Exif()
            exif[0x0112] = n
            put(f"turned-{n}.{ending}", image, format, quality=90, exif=exif.tobytes())
    put("444.heic", PHOTO, "HEIF", quality=95, chroma=444)
    deep = pillow_heif.from_bytes("RGB;16", (W, H), (RGB.astype(np.uint16) * 257).tobytes())
    deep.save(OUT / "ten-bits.heic", quality=95)
    want = Image.open(OUT / "ten-bits.heic").convert("RGB")
    want.save(OUT / "ten-bits.heic.want.png", optimize=True)
    put("lossless.avif", SMALL, "AVIF", quality=100, subsampling="4:4:4")


if __name__ == "__main__":
    main()
