"""Writes internal/evaluate/testdata/boundary.json: the boundary F-score within 3
pixels by NumPy, written from its definition.

A pixel is on the boundary of its class where one of its four neighbours has
another class; ignored pixels (255) and the picture's edge are no neighbours.
Before, labels grow five times by one pixel into ignored pixels, each taking the
label of its first labelled neighbour of above, left, right, below; on what is still
ignored predicted boundaries do not count. A boundary pixel is found where the
other map has a boundary pixel of the same class at a distance of at most 3. Where
background is no class ("inside"), what labels grew by is taken back within 5 steps of
what is ignored still, and predictions count as ignored where truth is. Counts
are summed over the pictures; F = 2 P R / (P + R).

Picture p, with r of formula.py, blocks of s pixels being numbered 50 (y//s) + x//s:

    base   floor((r(800000 + p, block of 7) + 0.5) classes)
    truth  255 where r(810000 + p, block of 11) > 0.4 or x % 17 < 3, else base
    other  r(820000 + p, block of 9) > 0.3: floor((r(830000 + p, block of 9) + 0.5) classes)
           else base at (min(y + 1, h - 1), min(x + 2, w - 1))

    python tools/reference/boundary.py     (a second)
"""

import json
import pathlib

import numpy as np

import formula

OUT = pathlib.Path(__file__).resolve().parents[2] / "internal" / "evaluate" / "testdata"
CLASSES, SIZES = 4, [[60, 80], [41, 33]]


def field(stream, p, size, height, width):
    y, x = np.mgrid[:height, :width]
    return formula.r(stream + p, 0, 2500)[50 * (y // size) + x // size]


def classes(values):
    return np.floor((values + 0.5) * CLASSES).astype(int)


def pictures(p, height, width):
    y, x = np.mgrid[:height, :width]
    base = classes(field(800000, p, 7, height, width))
    truth = np.where((field(810000, p, 11, height, width) > 0.4) | (x % 17 < 3), 255, base)
    shifted = base[np.minimum(y + 1, height - 1), np.minimum(x + 2, width - 1)]
    other = np.where(field(820000, p, 9, height, width) > 0.3, classes(field(830000, p, 9, height, width)), shifted)
    return truth, other


def neighbours(labels):
    """[4, h, w]: above, left, right, below; 255 beyond the edge."""
    padded = np.pad(labels, 1, constant_values=255)
    return np.stack([padded[:-2, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:], padded[2:, 1:-1]])


def grow(labels):
    for _ in range(5):
        around = neighbours(labels)
        new = labels.copy()
        for direction in range(4):  # the first that is labelled wins
            take = (new == 255) & (around[direction] != 255)
            new[take] = around[direction][take]
        labels = new
    return labels


def shrink(labels, truth):
    for _ in range(5):
        labels = np.where((truth == 255) & (neighbours_inside(labels) == 255).any(0), 255, labels)
    return labels


def neighbours_inside(labels):
    """As neighbours, but 0 beyond the edge: nothing is taken back from there."""
    padded = np.pad(labels, 1, constant_values=0)
    return np.stack([padded[:-2, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:], padded[2:, 1:-1]])


def boundary(labels):
    around = neighbours(labels)
    return (labels != 255) & ((around != labels) & (around != 255)).any(0)


def found(these, those):
    """How many of these pixels have one of those at a distance of at most 3."""
    a, b = np.argwhere(these), np.argwhere(those)
    return int((((a[:, None] - b[None]) ** 2).sum(2) <= 9).any(1).sum()) if len(b) else 0


def count(surroundings):
    counts = np.zeros((CLASSES, 4), int)
    for p, (height, width) in enumerate(SIZES):
        raw, prediction = pictures(p, height, width)
        truth = grow(raw)
        if not surroundings:
            truth = shrink(truth, raw)
            prediction = np.where(truth == 255, 255, prediction)
        b_truth, b_prediction = boundary(truth), boundary(prediction) & (truth != 255)
        for c in range(CLASSES):
            t, q = b_truth & (truth == c), b_prediction & (prediction == c)
            counts[c] += [found(q, t), q.sum(), found(t, q), t.sum()]
    return counts


def main():
    note = dict(numpy=np.__version__, classes=CLASSES, sizes=SIZES)
    for name, surroundings in (("", True), ("inside_", False)):
        counts = count(surroundings)
        scores = []
        for predicted_near, predicted, true_near, true in counts:
            precision, recall = predicted_near / predicted, true_near / true
            scores.append(2 * precision * recall / (precision + recall))
        note[name + "counts"], note[name + "f"] = counts.tolist(), scores
    print(note)
    (OUT / "boundary.json").write_text(json.dumps(note, indent=1) + "\n")


if __name__ == "__main__":
    main()
