"""Writes decode/: small files of every format that Decode reads, each with
NAME.want.png, the upright RGB picture that Pillow makes of it (alpha over white).

    pip install pillow==13.0.0 numpy opencv-python-headless==5.0.0.93
    python internal/imaging/testdata/decode.py
"""

import io
import pathlib

import cv2
import numpy as np
from PIL import Image, ImageOps

OUT = pathlib.Path(__file__).resolve().parent / "decode"
W, H = 45, 31  # odd, so that halved chroma has a last column and row of its own

y, x = np.mgrid[0:H, 0:W]
RGB = np.stack([127 + 120 * np.sin(x / 6 + y / 9), 255 * x / W, 127 + 120 * np.cos(y / 5)], 2).astype(np.uint8)
RGB[8:16, 10:22] = (230, 30, 40)
PHOTO = Image.fromarray(RGB)
ALPHA = PHOTO.copy()
ALPHA.putalpha(Image.fromarray((255 * y / (H - 1)).astype(np.uint8)))


def over_white(image):
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)


def put(name, data, want=None):
    (OUT / name).write_bytes(data)
    if want is None:
        want = Image.open(io.BytesIO(data))
        want = ImageOps.exif_transpose(want)
        if "A" in want.mode or "transparency" in want.info:
            want = over_white(want)
    want.convert("RGB").save(OUT / (name + ".want.png"), optimize=True)


def save(name, image, format, want=None, **options):
    b = io.BytesIO()
    image.save(b, format, **options)
    put(name, b.getvalue(), want)


def main():
    OUT.mkdir(exist_ok=True)
    for sampling in ("4:4:4", "4:2:2", "4:2:0"):
        save(f"jpeg-{sampling.replace(':', '')}.jpg", PHOTO, "JPEG", quality=90, subsampling=sampling)
    save("jpeg-progressive.jpg", PHOTO, "JPEG", quality=90, progressive=True)
    save("jpeg-grey.jpg", PHOTO.convert("L"), "JPEG", quality=90)
    save("jpeg-cmyk.jpg", PHOTO.convert("CMYK"), "JPEG", quality=95)
    b = io.BytesIO()
    PHOTO.convert("CMYK").save(b, "JPEG", quality=95)
    data = bytearray(b.getvalue())
    data[data.index(b"Adobe") + 11] = 2  # the colour transform: read it as YCCK
    put("jpeg-ycck.jpg", bytes(data))
    for n in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = n
        save(f"jpeg-exif-{n}.jpg", PHOTO, "JPEG", quality=90, exif=exif)
    exif = Image.Exif()
    exif[0x0112] = 6
    save("png-rgb.png", PHOTO, "PNG")
    save("png-rgba.png", ALPHA, "PNG")
    save("png-grey-alpha.png", ALPHA.convert("LA"), "PNG")
    save("png-palette.png", PHOTO.quantize(16), "PNG")
    save("png-palette-transparent.png", PHOTO.quantize(16), "PNG", transparency=3)
    save("png-1-bit.png", PHOTO.convert("1"), "PNG")
    save("png-exif.png", PHOTO, "PNG", exif=exif)
    grey16 = (RGB[..., 1].astype(np.uint16) << 8) + 77
    save("png-grey-16.png", Image.fromarray(grey16), "PNG", want=Image.fromarray(RGB[..., 1]))
    wide = RGB.astype(np.uint16) * 256 + 77
    put("png-rgb-16.png", cv2.imencode(".png", wide[..., ::-1])[1].tobytes(), want=PHOTO)
    put("png-rgba-16.png", cv2.imencode(".png", np.dstack(
        [wide[..., ::-1], np.asarray(ALPHA).astype(np.uint16)[..., 3] * 257]))[1].tobytes(), want=over_white(ALPHA))
    save("gif.gif", PHOTO.quantize(64), "GIF")
    save("gif-transparent.gif", PHOTO.quantize(16), "GIF", transparency=3)
    save("gif-frames.gif", PHOTO.quantize(64), "GIF", want=PHOTO.quantize(64), save_all=True,
         append_images=[Image.new("P", (W, H), 1)])
    save("webp-lossy.webp", PHOTO, "WEBP", quality=90)
    save("webp-lossy-alpha.webp", ALPHA, "WEBP", quality=90)
    save("webp-lossless.webp", PHOTO, "WEBP", lossless=True)
    save("webp-lossless-alpha.webp", ALPHA, "WEBP", lossless=True, exact=True)
    save("webp-exif.webp", PHOTO, "WEBP", quality=90, exif=exif)
    save("bmp.bmp", PHOTO, "BMP")
    save("bmp-palette.bmp", PHOTO.quantize(200), "BMP")
    save("tiff.tif", PHOTO, "TIFF")
    save("tiff-lzw.tif", PHOTO, "TIFF", compression="tiff_lzw")
    save("tiff-deflate-exif.tif", PHOTO, "TIFF", compression="tiff_adobe_deflate", tiffinfo={0x0112: 6})
    save("tiff-rgba.tif", ALPHA, "TIFF")
    save("tiff-grey.tif", PHOTO.convert("L"), "TIFF")
    save("tiff-1-bit.tif", PHOTO.convert("1"), "TIFF")
    save("tiff-palette.tif", PHOTO.quantize(16), "TIFF")
    save("tiff-grey-16.tif", Image.fromarray(grey16), "TIFF", want=Image.fromarray(RGB[..., 1]))
    save("bmp-grey.bmp", PHOTO.convert("L"), "BMP")


if __name__ == "__main__":
    main()
