"""Writes internal/pairs/testdata/augment.json: what timm 0.4.12, with which
GroupViT trains, makes of pictures, for the tests of our augmentation.

- "operations": each of RandAugment's operations at several levels and both signs,
  on one small picture (base64 of RGB bytes); one entry where neither matters.
- "draws": 10,000 pictures' choices by "rand-m9-mstd0.5-inc1": how often each
  operation is applied, deciles of the level (read off Rotate's degrees).
- "crops": RandomResizedCrop's boxes for some sizes of pictures: deciles of area,
  aspect and place over 20,000 draws.
- "erasing": the same of RandomErasing's boxes in 64 x 64 pictures, 5,000 draws.
- "order": the names of the published transform's steps.

Deciles are empirical, so the tests compare distributions and allow for that.

    python3 -m venv /tmp/timm && /tmp/timm/bin/pip install torch==2.15.0 torchvision==0.29.2 timm==0.4.12 numpy==2.4.6 pillow==13.0.0
    /tmp/timm/bin/python tools/reference/augment.py     (half a minute)
"""

import base64
import collections
import json
import math
import pathlib
import random
import unittest.mock

import numpy as np
import torch
from PIL import Image
from timm.data import auto_augment, create_transform, random_erasing, transforms

import formula

OUT = pathlib.Path(__file__).resolve().parents[2] / "internal" / "pairs" / "testdata" / "augment.json"
# Level 10 keeps no bit; Pillow 13 refuses that, where earlier ones mask all away.
posterize = auto_augment.ImageOps.posterize
auto_augment.ImageOps.posterize = lambda im, bits: posterize(im, bits) if bits else im.point(lambda _: 0)
W, H = 20, 13
LEVELS = [0, 3.3, 9, 9.6, 10]
HPARAMS = dict(translate_const=100, img_mean=(124, 116, 104), interpolation=Image.BILINEAR)
RULE = "rand-m9-mstd0.5-inc1"


def picture():
    y, x, c = np.meshgrid(np.arange(H), np.arange(W), np.arange(3), indexing="ij")
    noise = formula.r(410000, 0, W * H * 3).reshape(H, W, 3)
    wave = np.sin(0.31 * x + 0.23 * y + 2 * c)
    return Image.fromarray(np.floor(120 + 25 * c + 60 * wave + 50 * noise).clip(0, 255).astype(np.uint8))


def text(im):
    return base64.b64encode(im.tobytes()).decode()


def operations():
    for name in auto_augment._RAND_INCREASING_TRANSFORMS:
        before = None
        for level in LEVELS:
            for sign, drawn in ((1, 0.0), (-1, 0.9)):
                op = auto_augment.AugmentOp(name, prob=1.0, magnitude=level, hparams=HPARAMS)
                with unittest.mock.patch.object(random, "random", lambda: drawn):
                    pixels = text(op(picture()))
                if pixels != before:
                    yield {"name": name, "level": level, "sign": sign, "pixels": pixels}
                before = pixels


def deciles(values):
    return [round(float(v), 6) for v in np.quantile(np.asarray(values), np.arange(1, 10) / 10)]


def draws(n=10000):
    rule = auto_augment.rand_augment_transform(RULE, dict(HPARAMS))
    applied, degrees = collections.Counter(), []
    for op, name in zip(rule.ops, auto_augment._RAND_INCREASING_TRANSFORMS):
        def record(im, *args, name=name, **_):
            applied[name] += 1
            if name == "Rotate":
                degrees.append(args[0])
            return im
        op.aug_fn = record
    im = picture()
    for _ in range(n):
        rule(im)
    return {
        "operations": rule.num_layers, "chance": rule.ops[0].prob, "level": rule.ops[0].magnitude,
        "deviation": rule.ops[0].magnitude_std, "pictures": n, "applied": applied,
        "levels": deciles([abs(d) / 3 for d in degrees]), "negative": sum(d < 0 for d in degrees) / len(degrees),
    }


def crops(width, height, n=20000):
    rule, im = transforms.RandomResizedCropAndInterpolation(224), Image.new("RGB", (width, height))
    boxes = [rule.get_params(im, rule.scale, rule.ratio) for _ in range(n)]
    tops, lefts, heights, widths = map(np.array, zip(*boxes))
    return {
        "width": width, "height": height, "area": deciles(heights * widths / (width * height)),
        "aspect": deciles(np.log(widths / heights)), "left": deciles(lefts / width), "top": deciles(tops / height),
    }


def erasing(side=64, n=5000):
    rule = random_erasing.RandomErasing(probability=1, mode="pixel", max_count=1, device="cpu")
    boxes = []
    for _ in range(n):
        changed = rule(torch.zeros(3, side, side))[0].nonzero()
        (top, left), (bottom, right) = changed.min(0).values.tolist(), changed.max(0).values.tolist()
        boxes.append((top, left, bottom + 1 - top, right + 1 - left))
    tops, lefts, heights, widths = map(np.array, zip(*boxes))
    return {
        "side": side, "area": deciles(heights * widths / side**2), "aspect": deciles(np.log(widths / heights)),
        "left": deciles(lefts / side), "top": deciles(tops / side),
    }


random.seed(1)
np.random.seed(1)
torch.manual_seed(1)
torch.set_num_threads(1)
published = create_transform(224, is_training=True, color_jitter=0.4, auto_augment=RULE,
                             re_prob=0.25, re_mode="pixel", re_count=1, interpolation="bilinear")
OUT.write_text(json.dumps({
    "width": W, "height": H, "source": text(picture()), "operations": list(operations()), "draws": draws(),
    "crops": [crops(*size) for size in ((500, 375), (300, 300), (900, 200), (60, 240))],
    "erasing": erasing(), "order": [type(t).__name__ for t in published.transforms],
}, indent=1) + "\n")
