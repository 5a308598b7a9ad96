"""Writes testdata/processor/expected.json: the vectors that transformers' image
processor and GroupViTModel make of photos, for several files of preprocessing.

The model is internal/network/testdata/tiny. Each case names a file of the model
directory (preprocessor_config.json, or processor_config.json as transformers 5
writes it) and its content, and holds for each photo the unit vector of
get_image_features. The processor is the one that resizes with Pillow; the one of
torchvision rounds some levels otherwise.

Photos are a formula: channel c of pixel (y, x) is
(3x + 5y + 2yc + 60c + (u >> 26)) mod 256 with u = hash((y*W + x)*3 + c) of 32 bits:
u = j*2654435761 + 1; u ^= u >> 15; u *= 2246822519; u ^= u >> 13.

    python tools/reference/processor.py     (seconds)
"""

import json
import pathlib
import tempfile

import numpy as np
import torch
from PIL import Image
from transformers import AutoImageProcessor

import port

ROOT = pathlib.Path(__file__).resolve().parents[2]
TINY = ROOT / "internal" / "network" / "testdata" / "tiny"
OUT = ROOT / "testdata" / "processor" / "expected.json"
SHAPES = [(50, 40), (40, 50), (33, 90), (201, 130), (21, 24), (32, 32)]  # width, height

CLIP = {"image_processor_type": "CLIPImageProcessor", "do_resize": True, "size": {"shortest_edge": 32}, "resample": 3,
        "do_center_crop": True, "crop_size": {"height": 32, "width": 32}, "do_rescale": True,
        "rescale_factor": 1 / 255, "do_normalize": True, "do_convert_rgb": True,
        "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711]}


def but(**changes):
    """CLIP's, changed; None leaves a key out."""
    return {k: v for k, v in {**CLIP, **changes}.items() if v is not None}


CASES = {
    "as published": CLIP,
    "numbers, older name": but(image_processor_type=None, feature_extractor_type="CLIPFeatureExtractor", size=32, crop_size=32),
    "no class named, defaults": {"size": 32, "crop_size": 32},
    "bilinear": but(resample=2),
    "nearest": but(resample=0),
    "lanczos": but(resample=1),
    "box": but(resample=4),
    "hamming": but(resample=5),
    "larger, then cut": but(size={"shortest_edge": 37}),
    "another shape": but(size={"height": 44, "width": 35}),
    "no cut": but(size={"height": 32, "width": 32}, do_center_crop=False),
    "a list": but(size=[36, 40], crop_size=[32, 32]),
    "both edges": but(size={"shortest_edge": 30, "longest_edge": 40}),
    "within": but(size={"max_height": 34, "max_width": 45}),
    "not resized": but(do_resize=False),
    "not rescaled": but(do_rescale=False, image_mean=[120.0, 110.0, 100.0], image_std=[60.0, 61.0, 62.0]),
    "another factor": but(rescale_factor=1 / 127.5, image_mean=[1.0, 1.0, 1.0], image_std=[1.0, 1.0, 1.0]),
    "not normalised": but(do_normalize=False),
    "one mean for all": but(image_mean=[0.5, 0.5, 0.5], image_std=[0.5, 0.5, 0.5]),
    "ViT": {"image_processor_type": "ViTImageProcessor", "size": 32},
    "ViT, older name": {"feature_extractor_type": "ViTFeatureExtractor", "size": {"height": 32, "width": 32}},
    "DeiT": {"image_processor_type": "DeiTImageProcessor", "size": 40, "crop_size": 32},
    "nested": but(size={"shortest_edge": 40}),
}


def photo(width, height):
    with np.errstate(over="ignore"):
        u = np.arange(width * height * 3, dtype=np.uint32) * np.uint32(2654435761) + np.uint32(1)
        u ^= u >> np.uint32(15)
        u *= np.uint32(2246822519)
        u ^= u >> np.uint32(13)
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    noise = (u >> np.uint32(26)).astype(np.int64).reshape(height, width, 3)
    return ((3 * x + 5 * y + 2 * y * c + 60 * c + noise) % 256).astype(np.uint8)


def main():
    model = port.GroupViTModel.from_pretrained(TINY, local_files_only=True).eval()
    cases = []
    for name, settings in CASES.items():
        file, content = "preprocessor_config.json", settings
        if name == "nested":
            file, content = "processor_config.json", {"image_processor": settings, "processor_class": "CLIPProcessor"}
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "config.json").write_text((TINY / "config.json").read_text())
            pathlib.Path(folder, file).write_text(json.dumps(content))
            processor = AutoImageProcessor.from_pretrained(folder, backend="pil", local_files_only=True)
        if processor.backend != "pil":
            raise SystemExit(f"{name}: {processor.backend}")
        vectors = []
        for width, height in SHAPES:
            pixels = processor(Image.fromarray(photo(width, height)), return_tensors="pt").pixel_values
            with torch.no_grad():
                vector = model.double().get_image_features(pixels.double()).pooler_output
            vectors.append([round(v, 7) for v in port.normalize(vector, dim=-1)[0].tolist()])
        cases.append({"name": name, "file": file, "content": content, "vectors": vectors})
    OUT.parent.mkdir(parents=True, exist_ok=True)
    note = {"versions": port.versions(), "shapes": SHAPES, "first_pixels": photo(50, 40)[0, :4].tolist(), "cases": cases}
    OUT.write_text(json.dumps(note) + "\n")
    print(len(cases), "cases")


if __name__ == "__main__":
    main()
