"""Writes the parity fixtures of internal/network/testdata from transformers' port:

    tiny/config.json, tiny/model.safetensors   a small network, whole
    tiny/expected.safetensors                  what the port computes with it
    default/expected.safetensors               the published size, weights by formula.py
    expected.json                              versions, near ties, float32's own error

Inputs come from formula.py and are not stored, except token ids. Values are
computed in float64 and stored as float32.

    python tools/reference/fixtures.py     (from the repository root; a minute)
"""

import json
import pathlib

import torch

import formula
import port

HERE = pathlib.Path(__file__).resolve().parents[2] / "internal" / "network" / "testdata"
STEP, OFFSET = 7, 3  # segmentation logits are stored at every 7th pixel, from the 4th


def tiny_fill(model):
    """The formula's values, with softer assignments; the tiny weights are stored."""
    formula.fill(model)
    for name, value in model.state_dict().items():
        if name.endswith(formula.ASSIGN):
            value.mul_(0.4)
    return model


def pictures(first, count, height, width):
    return torch.stack([torch.from_numpy(formula.picture(first + i, height, width)) for i in range(count)])


def captions(config, lengths):
    t = config.text_config
    rows = [formula.caption(i, n, t.max_position_embeddings, t.vocab_size) for i, n in enumerate(lengths)]
    return torch.stack([torch.from_numpy(r) for r in rows])


def case(model, name, pixels, ids, stored, notes, subsample):
    """Runs one case in float64 and float32; stores it under name/."""
    exact = port.run(model.double(), pixels.double(), ids)
    single = port.run(model.float(), pixels, ids)
    note = {"picture": list(pixels.shape), "near_ties": [], "smallest_margin": [], "port_float32_error": {}}
    for key in sorted(k for k in exact if k.startswith("soft.")):
        ties, smallest = port.near_ties(exact[key])
        note["near_ties"].append(ties)
        note["smallest_margin"].append(smallest)
    for key, value in exact.items():
        error = (single[key].double() - value).abs().max() / value.abs().max()
        note["port_float32_error"][key] = float(f"{float(error):.2g}")
        if key == "segmentation_logits" and subsample:
            value = value[:, :, OFFSET::STEP, OFFSET::STEP]
        if not key.startswith("hard.") or not subsample:
            stored[f"{name}/{key}"] = value
    notes[name] = note


def write(folder, model, cases, lengths, notes, subsample):
    folder.mkdir(parents=True, exist_ok=True)
    ids = captions(model.config, lengths)
    stored = {"ids": ids.int()}
    for name, (first, count, height, width) in cases.items():
        case(model, name, pictures(first, count, height, width), ids, stored,
             notes, subsample)
    port.save(folder / "expected.safetensors", stored)


def main():
    notes = {"versions": port.versions(), "tiny": {}, "default": {}}

    tiny = port.build(port.tiny_config(), tiny_fill)
    folder = HERE / "tiny"
    folder.mkdir(parents=True, exist_ok=True)
    tiny.save_pretrained(folder)
    for extra in folder.glob("generation_config.json"):
        extra.unlink()
    write(folder, tiny, {"32x32": (0, 2, 32, 32), "64x64": (2, 1, 64, 64), "40x56": (3, 1, 40, 56)},
          (10, 3, 6), notes["tiny"], subsample=False)

    default = port.build(port.default_config(), formula.fill)
    write(HERE / "default", default, {"224x224": (10, 2, 224, 224), "448x448": (12, 1, 448, 448)},
          (75, 3, 12), notes["default"], subsample=True)
    (HERE / "expected.json").write_text(json.dumps(notes, indent=1) + "\n")
    print(json.dumps(notes, indent=1))


if __name__ == "__main__":
    main()
