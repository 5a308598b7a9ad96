"""Writes internal/evaluate/testdata/miou.json: mean IoU by NumPy, as the usual
evaluation of segmentation counts it (truth 255 is ignored in truth and
prediction; classes that occur in neither have no IoU and are left out of the
mean; sums over the whole set).

Masks are a formula over r of formula.py: truth of picture p at flat index j is
floor((r(600000+p, j//5) + 0.5) * classes) where that class is in "present", else
present[0]; 255 where r(610000+p, j) > 0.4; the prediction is the truth where
r(620000+p, j) < 0.2, else floor((r(630000+p, j) + 0.5) * classes) where that is
in "predicted", else predicted[0]. In a case with "reduce" (reduce_zero_label) truth
is drawn among one class more, as a file stores it; then 0 becomes 255 and every
other value one less, and the prediction is the truth only where that is not 255.

    python tools/reference/miou.py     (a second)
"""

import json
import pathlib

import numpy as np

import formula

OUT = pathlib.Path(__file__).resolve().parents[2] / "internal" / "evaluate" / "testdata"
CASES = [
    dict(name="all classes", classes=4, sizes=[[20, 30], [17, 11]], present=[0, 1, 2, 3], predicted=[0, 1, 2, 3]),
    dict(name="absent from truth and prediction", classes=6, sizes=[[20, 30]], present=[0, 2, 3], predicted=[0, 2, 5]),
    dict(name="predicted, never true", classes=3, sizes=[[9, 9], [5, 40], [8, 8]], present=[0, 1], predicted=[0, 1, 2]),
    dict(name="21 classes", classes=21, sizes=[[60, 80], [50, 40]], present=list(range(0, 21, 2)),
         predicted=list(range(21))),
    dict(name="zero ignored, 150 classes", classes=150, reduce=True, sizes=[[40, 50], [30, 20]],
         present=list(range(0, 151, 7)), predicted=list(range(150))),
]


def masks(case, p, height, width):
    n, classes = height * width, case["classes"]

    def among(values, allowed):
        return np.where(np.isin(values, allowed), values, allowed[0])

    blocks = formula.r(600000 + p, 0, n)[np.arange(n) // 5]
    reduce = case.get("reduce", False)
    truth = among(np.floor((blocks + 0.5) * (classes + reduce)).astype(int), case["present"])
    if reduce:
        truth = np.where(truth == 0, 255, truth - 1)
    other = among(np.floor((formula.r(630000 + p, 0, n) + 0.5) * classes).astype(int), case["predicted"])
    prediction = np.where((formula.r(620000 + p, 0, n) < 0.2) & (truth != 255), truth, other)
    return np.where(formula.r(610000 + p, 0, n) > 0.4, 255, truth), prediction


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for case in CASES:
        intersection, predicted, true = (np.zeros(case["classes"]) for _ in range(3))
        for p, (height, width) in enumerate(case["sizes"]):
            truth, prediction = masks(case, p, height, width)
            valid = truth != 255
            truth, prediction = truth[valid], prediction[valid]
            bins = lambda x: np.histogram(x, bins=case["classes"], range=(0, case["classes"]))[0]
            intersection += bins(truth[truth == prediction])
            predicted += bins(prediction)
            true += bins(truth)
        with np.errstate(invalid="ignore"):
            iou = intersection / (predicted + true - intersection)
        case.update(
            iou=[None if np.isnan(v) else float(v) for v in iou], miou=float(np.nanmean(iou)),
            pixel_accuracy=float(intersection.sum() / true.sum()), counted=int(true.sum()))
        print(case["name"], case["miou"], case["pixel_accuracy"])
    (OUT / "miou.json").write_text(json.dumps(dict(numpy=np.__version__, cases=CASES), indent=1) + "\n")


if __name__ == "__main__":
    main()
