"""Writes internal/imaging/testdata/resize.json and resize.bin: what PIL and
OpenCV make of small pictures, for the tests of our resizes.

Source pictures are a formula: pixel (y, x, c) of a W x H picture is
floor(256 (r(400000+seed, (y*W + x)*3 + c) + 0.5) * 0.35
      + 166 * (0.5 + 0.5*sin(0.21*x + 0.13*y + c)))   (an 8-bit level)
with r of formula.py: smooth waves with noise. resize.bin holds the results' RGB
bytes one after the other; resize.json lists them in order: library, filter, seed,
source width and height, result width and height, offset.

    python tools/reference/imaging.py     (a second)
"""

import json
import pathlib

import cv2
import numpy as np
import PIL
from PIL import Image

import formula

OUT = pathlib.Path(__file__).resolve().parents[2] / "internal" / "imaging" / "testdata"
# (seed, width, height) of sources, and the sizes they are resized to.
SOURCES = [(1, 64, 48), (2, 33, 57), (3, 7, 5), (4, 1, 1), (5, 120, 9),
           (6, 34, 60), (7, 60, 90)]
SIZES = {1: [(32, 24), (17, 13), (64, 48), (100, 75), (224 // 4, 48), (96, 72), (5, 40)],
         2: [(16, 28), (50, 90), (11, 57), (33, 19)],
         3: [(28, 20), (3, 2), (1, 1), (14, 3)],
         4: [(4, 3)],
         5: [(60, 18), (40, 3)],
         6: [(80, 40), (34, 20), (30, 22), (20, 31), (19, 30)],  # Pillow begins with the height, mostly
         7: [(64, 48), (45, 50), (41, 51)]}


def source(seed, width, height):
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    noise = formula.r(400000 + seed, 0, width * height * 3).reshape(height, width, 3) + 0.5
    wave = 0.5 + 0.5 * np.sin(0.21 * x + 0.13 * y + c)
    return np.floor(256 * noise * 0.35 + 166 * wave).astype(np.uint8)


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    cases, data = [], b""
    for seed, width, height in SOURCES:
        picture = source(seed, width, height)
        for w, h in SIZES[seed]:
            pil = Image.fromarray(picture)
            results = {
                ("pil", "bilinear"): np.asarray(pil.resize((w, h), Image.BILINEAR)),
                ("pil", "bicubic"): np.asarray(pil.resize((w, h), Image.BICUBIC)),
                ("opencv", "linear"): cv2.resize(picture, (w, h), interpolation=cv2.INTER_LINEAR),
            }
            for (library, filter_), result in results.items():
                cases.append(dict(library=library, filter=filter_, seed=seed, width=width, height=height,
                                  to_width=w, to_height=h, offset=len(data)))
                data += result.tobytes()
    note = dict(pillow=PIL.__version__, opencv=cv2.__version__,
                first_pixels=source(1, 64, 48)[0, :4].tolist(), cases=cases)
    (OUT / "resize.json").write_text(json.dumps(note) + "\n")
    (OUT / "resize.bin").write_bytes(data)
    print(len(cases), "cases", len(data), "bytes")


if __name__ == "__main__":
    main()
