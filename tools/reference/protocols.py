"""Writes internal/assign/testdata/protocols.json: what the evaluations of TCL and
SCLIP make of a photo, from the cosines of groups with words, computed with PyTorch
in float64 and written from their description, not from our Go code.

The photo has 37 x 26 pixels and was seen at 28 x 20, in two windows of 20 x 20
at x = 0 and x = 8, each with a grid of 5 x 5 tokens and 3 groups; vectors have 6
numbers. With r of formula.py, row-major:

    group g of window w   r(700000 + w, 6 g + k) + 0.2, made unit
    assignment of token n softmax over g of 6 r(710000 + w, 3 n + g)
    word t                r(720000, 6 t + k) + 0.2, made unit

A word's map in a window is sum_g assignment[n, g] * cos(group g, word t).

TCL: sigmoid(10 cos - 2.5), bilinear to the window (align_corners false), windows
summed and divided by the visits, bilinear to the photo, one more class of constant
score 0.5 first, argmax. Words 0 to 3 are the labels.

SCLIP: cosines bilinear to the window, averaged, bilinear to the photo, times the
scale, softmax over all words; a class is the largest of its words'; words 0 and 1
are background, 2 and 3 label 1, 4 label 2, 5 and 6 label 3. Classes whose share of
the pixels that are not background is at most "area" are zeroed, then argmax; below
"threshold" the answer is background.

    python tools/reference/protocols.py     (a second)
"""

import json
import pathlib

import numpy as np
import torch
from torch.nn.functional import interpolate

import formula

OUT = pathlib.Path(__file__).resolve().parents[2] / "internal" / "assign" / "testdata"
SEEN, PHOTO, LEFTS, SIDE, GRID, GROUPS, WIDTH = (20, 28), (26, 37), (0, 8), 20, 5, 3, 6
OWNERS = [0, 0, 1, 1, 2, 3, 3]
CASES = {
    "tcl": {},
    "tcl without background": dict(background=None),
    "sclip": dict(scale=50, threshold=0.1, area=0),
    "sclip, a high threshold": dict(scale=20, threshold=0.45, area=0),
    "sclip, small areas dropped": dict(scale=65, threshold=0.1, area=0.25),
}


def unit(stream, rows):
    v = torch.tensor(formula.r(stream, 0, rows * WIDTH).reshape(rows, WIDTH) + 0.2)
    return v / v.norm(dim=1, keepdim=True)


def maps(window, words):
    """[words, 5, 5]"""
    soft = torch.tensor(6 * formula.r(710000 + window, 0, GRID * GRID * GROUPS)).reshape(-1, GROUPS).softmax(1)
    return (words @ unit(700000 + window, GROUPS).T @ soft.T).reshape(-1, GRID, GRID)


def slide(of_window, words):
    total, visits = torch.zeros(1, len(words), *SEEN, dtype=torch.float64), torch.zeros(*SEEN, dtype=torch.float64)
    for w, left in enumerate(LEFTS):
        part = interpolate(of_window(maps(w, words))[None], size=(SIDE, SIDE), mode="bilinear", align_corners=False)
        total[:, :, :, left : left + SIDE] += part
        visits[:, left : left + SIDE] += 1
    return interpolate(total / visits, size=PHOTO, mode="bilinear", align_corners=False)[0]


def tcl(background=0.5):
    scores = slide(lambda cos: torch.sigmoid(10 * cos - 2.5), unit(720000, 4))
    if background is None:
        return scores.argmax(0) + 1
    return torch.cat([torch.full((1, *PHOTO), background, dtype=torch.float64), scores]).argmax(0)


def sclip(scale, threshold, area):
    p = (scale * slide(lambda cos: cos, unit(720000, len(OWNERS)))).softmax(0)
    owners = np.array(OWNERS)
    p = torch.stack([p[torch.tensor(owners == c)].max(0).values for c in range(max(OWNERS) + 1)])
    if area:
        best = p.argmax(0)
        pixels = torch.tensor([(best == c).sum() for c in range(1, len(p))])
        p[1:][pixels <= area * pixels.sum()] = 0
    best = p.argmax(0)
    best[p.max(0).values < threshold] = 0
    return best


def main():
    OUT.mkdir(exist_ok=True)
    out = {}
    for name, options in CASES.items():
        labels = (tcl if name.startswith("tcl") else sclip)(**options)
        out[name] = "".join(str(int(v)) for v in labels.flatten())
        print(name, np.bincount(labels.flatten().numpy()))
    (OUT / "protocols.json").write_text(json.dumps(dict(torch=torch.__version__, maps=out), indent=1) + "\n")


if __name__ == "__main__":
    main()
