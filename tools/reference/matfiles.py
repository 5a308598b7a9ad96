"""Writes internal/bench/convert/mat5/testdata/*.mat with SciPy: small files in the
forms of SBD (a struct GTcls with Segmentation, a cell of sparse Boundaries and
CategoriesPresent; compressed) and of PASCAL Context (LabelMap, uint16), one in big
endian by hand, and one with numbers in all classes.

    python tools/reference/matfiles.py     (a second; needs scipy)
"""

import pathlib

import numpy as np
from scipy.io import savemat
from scipy.sparse import csc_matrix

OUT = pathlib.Path(__file__).resolve().parents[2] / "internal" / "bench" / "convert" / "mat5" / "testdata"


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    segmentation = np.array([[0, 8, 8], [12, 255, 20]], np.uint8)
    boundaries = np.empty((20, 1), object)
    for i in range(20):
        boundaries[i, 0] = csc_matrix(np.eye(2, 3))
    savemat(OUT / "sbd.mat", dict(GTcls=dict(
        Boundaries=boundaries, Segmentation=segmentation, CategoriesPresent=np.array([[8], [12], [20]], np.uint8))),
        do_compression=True)
    label_map = np.array([[1, 2, 459], [9, 458, 0]], np.uint16)
    savemat(OUT / "context.mat", dict(LabelMap=label_map), do_compression=True)
    savemat(OUT / "classes.mat", {f"a_{t}": np.array([[1, 2], [3, 100]], t) for t in (
        "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64")} | dict(
        text="hello", empty=np.zeros((0, 3))))
    # Big endian: the header's mark is MI, every number is turned round.
    tag = lambda kind, data: kind.to_bytes(4, "big") + len(data).to_bytes(4, "big") + data + bytes(-len(data) % 8)
    four = lambda *v: b"".join(x.to_bytes(4, "big") for x in v)
    inside = tag(6, four(11, 0)) + tag(5, four(2, 2)) + tag(1, b"LabelMap") + tag(4, b"".join(x.to_bytes(2, "big") for x in (1, 9, 2, 458)))
    (OUT / "big.mat").write_bytes(b"MATLAB 5.0 MAT-file".ljust(124) + b"\x01\x00MI" + tag(14, inside))


if __name__ == "__main__":
    main()
