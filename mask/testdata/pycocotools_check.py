"""Checks COCO files against masks: pycocotools must read from NAME.json, whichever
form its regions have, exactly the pixels of NAME.png.

    python pycocotools_check.py FOLDER

Needs numpy, pillow and pycocotools."""
import contextlib
import io
import pathlib
import sys

import numpy
from PIL import Image
from pycocotools.coco import COCO

bad = count = 0
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(path))
    want = numpy.array(Image.open(path.with_suffix(".png")))
    got = numpy.zeros_like(want)
    for a in coco.loadAnns(coco.getAnnIds()):
        region = coco.annToMask(a)
        got[region > 0] = a["category_id"]
        if region.sum() != a["area"]:
            print(path.name, "annotation", a["id"], "covers", region.sum(), "pixels, says", a["area"])
            bad += 1
    if (got != want).any():
        print(path.name, "differs in", (got != want).sum(), "pixels")
        bad += 1
    count += 1
print(count, "files agree" if not bad else "files read")
sys.exit(bad > 0)
