"""Writes randaugment.json: what Pillow makes of a small picture with each
operation of RandAugment at level 9, the strengths being those of timm's
"rand-m9-mstd0.5-inc1". Run: python3 randaugment.py > randaugment.json
(Pillow 11 or later)."""

import base64
import json
import math

from PIL import Image, ImageEnhance, ImageOps

W, H, FILL, LEVEL = 24, 16, (124, 116, 104), 9


def picture():
    pixels = [
        (
            int(127 + 90 * math.sin(0.7 * x + 0.3 * y)),
            int(120 + 70 * math.cos(0.4 * x - 0.9 * y)),
            (37 * x + 59 * y) % 200 + 20,
        )
        for y in range(H)
        for x in range(W)
    ]
    im = Image.new("RGB", (W, H))
    im.putdata(pixels)
    return im


def affine(im, m):
    return im.transform(im.size, Image.AFFINE, m, Image.BILINEAR, fillcolor=FILL)


def solarize_add(im, add):
    return im.point([min(255, v + add) if v < 128 else v for v in range(256)] * 3)


def operations(sign):
    f, l = 1 + sign * 0.09 * LEVEL, LEVEL
    yield "auto contrast", ImageOps.autocontrast
    yield "equalize", ImageOps.equalize
    yield "invert", ImageOps.invert
    yield "rotate", lambda im: im.rotate(sign * 3 * l, resample=Image.BILINEAR, fillcolor=FILL)
    yield "posterize", lambda im: ImageOps.posterize(im, 4 - int(0.4 * l))
    yield "solarize", lambda im: ImageOps.solarize(im, 256 - int(25.6 * l))
    yield "solarize add", lambda im: solarize_add(im, int(11 * l))
    yield "color", lambda im: ImageEnhance.Color(im).enhance(f)
    yield "contrast", lambda im: ImageEnhance.Contrast(im).enhance(f)
    yield "brightness", lambda im: ImageEnhance.Brightness(im).enhance(f)
    yield "sharpness", lambda im: ImageEnhance.Sharpness(im).enhance(f)
    yield "shear x", lambda im: affine(im, (1, sign * 0.03 * l, 0, 0, 1, 0))
    yield "shear y", lambda im: affine(im, (1, 0, 0, sign * 0.03 * l, 1, 0))
    yield "translate x", lambda im: affine(im, (1, 0, sign * 0.045 * l * W, 0, 1, 0))
    yield "translate y", lambda im: affine(im, (1, 0, 0, 0, 1, sign * 0.045 * l * H))


def text(im):
    return base64.b64encode(im.tobytes()).decode()


cases = [
    {"name": name, "sign": sign, "pixels": text(operation(picture()))}
    for sign in (1, -1)
    for name, operation in operations(sign)
]
print(json.dumps({"width": W, "height": H, "level": LEVEL, "pixels": text(picture()), "cases": cases}, indent=1))
