"""Writes internal/bench/convert/testdata/polygons.json: masks that COCO's own
mask API (pycocotools) makes of polygons, as run lengths of their union.

Polygon k of case i has corners (cx + a cos t, cy + b sin t) at angles that a formula
draws, with r of formula.py; the corners are stored, rounded to hundredths as COCO's
are. Some lie partly outside.

    python tools/reference/cocomasks.py     (a second; needs pycocotools)
"""

import json
import pathlib

import numpy as np
from pycocotools import mask as api

import formula

OUT = pathlib.Path(__file__).resolve().parents[2] / "internal" / "bench" / "convert" / "testdata"


def polygon(stream, width, height):
    r = formula.r(900000 + stream, 0, 64)
    n = 3 + int((r[0] + 0.5) * 12)
    angles = np.sort(r[8 : 8 + n] * 2 * np.pi) if stream % 3 else r[8 : 8 + n] * 2 * np.pi  # some cross themselves
    x = width * (0.5 + r[1] * 1.2) + width * (0.05 + 0.5 * (r[2] + 0.5)) * np.cos(angles)
    y = height * (0.5 + r[3] * 1.2) + height * (0.05 + 0.5 * (r[4] + 0.5)) * np.sin(angles)
    digits = 0 if stream % 5 == 0 else 2
    return np.round(np.stack([x, y], 1).ravel(), digits).tolist()


def main():
    OUT.mkdir(exist_ok=True)
    cases = []
    for i in range(40):
        width, height = 20 + 7 * (i % 9), 15 + 5 * (i % 11)
        polygons = [polygon(2 * i + k, width, height) for k in range(1 + i % 2)]
        runs = api.merge(api.frPyObjects(polygons, height, width))
        cases.append(dict(width=width, height=height, polygons=polygons, area=int(api.area(runs)),
                          counts=runs["counts"].decode()))
    print(len(cases), [c["area"] for c in cases])
    (OUT / "polygons.json").write_text(json.dumps(cases) + "\n")


if __name__ == "__main__":
    main()
