"""Runs ONNX graphs that groupvit wrote with ONNX Runtime, or another program, and
compares what they compute with what groupvit computed.

    python tools/reference/check_onnx.py DIR [--bound 1e-4] [--runtime openvino]

DIR holds pairs: NAME.onnx and NAME.safetensors, which has, for runs K = 0, 1, …, the
inputs (K/in/NAME) and the outputs (K/out/NAME) that are expected. Every graph goes
through onnx.checker with its shape inference; every output must have its name and its
shape, differ nowhere by more than the bound, and have its largest channel where it is
expected (axis 1 of maps, the last of vectors), unless the two that compete are closer
than twice the bound. One JSON object a graph goes to stdout, and a last one for all;
exit code 1 if anything fails.

A test writes such a folder of every kind of network:

    GROUPVIT_PYTHON=/tmp/speed/bin/python go test ./internal/onnx -run Runtime -v

with GROUPVIT_RUNTIME=openvino for OpenVINO.
"""

import argparse
import importlib.metadata
import json
import pathlib
import sys

import numpy as np
import onnx
from safetensors.numpy import load_file


def runs(tensors):
    """The runs of a file: inputs and outputs by name."""
    found = {}
    for key, values in tensors.items():
        run, direction, name = key.split("/")
        found.setdefault(int(run), {"in": {}, "out": {}})[direction][name] = values
    return [found[k] for k in sorted(found)]


def winners(values):
    """What wins at each place."""
    return np.argmax(values, axis=1 if values.ndim == 4 else -1)


def flips(got, want, bound):
    """At how many places another channel wins, though not by a hair."""
    axis = 1 if want.ndim == 4 else want.ndim - 1
    order = np.sort(want, axis=axis)
    if order.shape[axis] < 2:
        return 0
    clear = np.take(order, -1, axis) - np.take(order, -2, axis) > 2 * bound
    return int(((winners(got) != winners(want)) & clear).sum())


def onnx_runtime(path):
    """A function from inputs to outputs, by name."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 2
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    return lambda inputs: dict(zip(names, session.run(None, inputs)))


def openvino(path):
    import openvino

    model = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda inputs: {o.get_any_name(): v for o, v in model(inputs).items()}


RUNTIMES = {"onnxruntime": onnx_runtime, "openvino": openvino}


def compare(compute, run, bound):
    """The largest difference by output, and what is wrong."""
    got = compute(run["in"])
    wrong = [f"outputs {sorted(got)}, expected {sorted(run['out'])}"] if set(got) != set(run["out"]) else []
    differences, flipped = {}, 0
    for name in sorted(set(got) & set(run["out"])):
        a, b = got[name], run["out"][name]
        if a.shape != b.shape:
            wrong.append(f"{name}: shape {a.shape}, expected {b.shape}")
            continue
        differences[name] = float(np.abs(a - b).max())
        flipped += flips(a, b, bound)
        if not differences[name] <= bound:
            wrong.append(f"{name} of {[v.shape for v in run['in'].values()]} differs by {differences[name]:.3g}")
    if flipped:
        wrong.append(f"{flipped} places where another channel wins")
    return differences, wrong


def check(path, runtime, bound):
    """What is to say of one graph."""
    onnx.checker.check_model(onnx.load(path), full_check=True)
    compute = RUNTIMES[runtime](path)
    report = {"graph": path.stem, "runs": 0, "worst": {}, "wrong": []}
    for run in runs(load_file(path.with_suffix(".safetensors"))):
        differences, wrong = compare(compute, run, bound)
        report["runs"] += 1
        report["wrong"] += wrong
        for name, d in differences.items():
            report["worst"][name] = max(d, report["worst"].get(name, 0))
    return report


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=pathlib.Path)
    p.add_argument("--bound", type=float, default=1e-4)
    p.add_argument("--runtime", choices=sorted(RUNTIMES), default="onnxruntime")
    a = p.parse_args()
    reports = []
    for path in sorted(a.folder.glob("*.onnx")):
        reports.append(check(path, a.runtime, a.bound))
        print(json.dumps(reports[-1]), flush=True)
    print(json.dumps({
        "graphs": len(reports),
        "runs": sum(r["runs"] for r in reports),
        "worst": max((d for r in reports for d in r["worst"].values()), default=None),
        "failed": [r["graph"] for r in reports if r["wrong"]],
        "runtime": f"{a.runtime} {importlib.metadata.version(a.runtime)}",
    }))
    sys.exit(not reports or any(r["wrong"] or not r["runs"] for r in reports))


if __name__ == "__main__":
    main()
