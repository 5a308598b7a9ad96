"""Loads a model directory that groupvit wrote with transformers' GroupViTModel
and prints what it makes of it, as one JSON object on stdout.

    python tools/reference/check_save.py DIR [EXPECTED]

EXPECTED is a safetensors file like internal/network/testdata/tiny/expected.safetensors:
the network is then run on the formula's pictures of its training size and on the
stored ids, and the largest difference from the stored embeddings, relative to
their largest magnitude, is printed. Exit code 1 if keys are missing or unexpected,
or a difference exceeds 1e-2 (half precision) or 1e-5 (float32).

With a tokenizer.json in DIR, "tokens" holds what transformers' CLIPTokenizer,
loaded from DIR, makes of a few texts, and DIR/resaved what it writes itself.

A test saves models in several ways and runs this program on them:

    GROUPVIT_PYTHON=/tmp/reference/bin/python go test ./internal/weights -run PortLoads -v
"""

import json
import os
import sys

import torch
import transformers
from safetensors.torch import load_file

import fixtures
import port

TEXTS = ["", "a photo of a cat.", "don't you think they're fine? I'll say it's 100%", "café naïve façade — über",
         "東京タワー", "I love 🍕", "rock'n'roll 1/2 cup", "<|startoftext|> hi <|endoftext|>"]


def main():
    folder = sys.argv[1]
    model, info = port.GroupViTModel.from_pretrained(
        folder, output_loading_info=True, dtype=torch.float32, local_files_only=True)
    stored = load_file(f"{folder}/model.safetensors")
    half = any(t.dtype == torch.float16 for t in stored.values())
    report = {"missing": sorted(info["missing_keys"]), "unexpected": sorted(info["unexpected_keys"]),
              "mismatched": [str(k) for k in info["mismatched_keys"]], "tensors": len(stored), "half": half}
    # The multi-label temperature is ours; the port has none.
    bad = [k for k in report["unexpected"] if k != "multi_label_logit_scale"]
    failed = bool(report["missing"] or bad or report["mismatched"])
    if len(sys.argv) > 2:
        expected = load_file(sys.argv[2])
        side = model.config.vision_config.image_size
        first = 0 if side == 32 else 10
        out = port.run(model.eval(), fixtures.pictures(first, 2, side, side), expected["ids"].long())
        report["difference"] = {}
        for key in ("image_embedding", "text_embedding", "soft.0", "soft.1"):
            want = expected[f"{side}x{side}/{key}"]
            d = float((out[key] - want).abs().max() / want.abs().max())
            report["difference"][key] = d
            failed |= not d <= (1e-2 if half else 1e-5)
    if os.path.exists(f"{folder}/tokenizer.json"):
        tokenizer = transformers.CLIPTokenizer.from_pretrained(folder, local_files_only=True)
        report["tokens"] = [{"text": s, "ids": tokenizer(s)["input_ids"]} for s in TEXTS]
        tokenizer.save_pretrained(f"{folder}/resaved")
    print(json.dumps(report))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
