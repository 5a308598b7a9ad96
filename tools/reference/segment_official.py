"""Segments photos with the published network's evaluation in PyTorch, end to end:
what compare_speed.py sets our `segment --protocol paper` beside.

The steps are written from their description (Xu et al., CVPR 2022, section 3.5, and
the behaviour of the official evaluation), none from the official code: decode with
OpenCV, short side 448, windows of 448 by 224, in each window one pass of the
encoder for the pictures' and groups' features and a second one for the assignment
maps, soft assignments followed through both groupings and resized to the window,
each pixel to its best group, a group's score for a class, background below the
threshold, the mean over the windows resized to the photo, the best class.

    segment_official.py --make-model DIR             a model directory of the published
                                                     size with weights by formula.py
    segment_official.py --model DIR -o OUT PHOTO...  OUT/NAME.mask.png: 0 background, i
                                                     the i-th of the VOC classes

It prints one JSON object: photos, windows, seconds of the photos (without the
imports and the model), versions.
"""

import argparse
import json
import math
import pathlib
import time

import cv2
import numpy as np
import torch
from PIL import Image
from torch.nn.functional import interpolate, normalize, softmax

import formula
import port
from segment_classes import CLASSES

WINDOW, STRIDE, LONG, SHORT = 448, 224, 2048, 448
MEAN = np.array([123.675, 116.28, 103.53], np.float32)
STD = np.array([58.395, 57.12, 57.375], np.float32)
KEPT = 5  # classes of a window
MAX_SCALE = 100.0


def class_vectors(model):
    """Unit vectors [classes, P] of one prompt a class."""
    ids = torch.zeros(len(CLASSES), 77, dtype=torch.long)
    for row, name in zip(ids, CLASSES.values()):
        tokens = [49406, 320, 1125, 539, 320, *name, 269, 49407]
        row[: len(tokens)] = torch.tensor(tokens)
    return normalize(model.text_projection(model.text_model(input_ids=ids).pooler_output), dim=-1)


def prepared(picture):
    """BGR uint8 [h, w, 3] to normalised float32 [1, 3, H, W]."""
    h, w = picture.shape[:2]
    factor = min(LONG / max(h, w), SHORT / min(h, w))
    small = cv2.resize(picture, (int(w * factor + 0.5), int(h * factor + 0.5)), interpolation=cv2.INTER_LINEAR)
    x = (cv2.cvtColor(small, cv2.COLOR_BGR2RGB).astype(np.float32) - MEAN) / STD
    return torch.from_numpy(np.ascontiguousarray(x.transpose(2, 0, 1)))[None]


def starts(length):
    """First and last pixel of the windows along one side."""
    count = max(length - WINDOW + STRIDE - 1, 0) // STRIDE + 1
    ends = [min(STRIDE * i + WINDOW, length) for i in range(count)]
    return [(max(e - WINDOW, 0), e) for e in ends]


def encode(vision, pixels):
    """One pass of the encoder: group tokens [1, 8, D], soft assignments."""
    x = vision.embeddings(pixels, interpolate_pos_encoding=True)
    encoded = vision.encoder(x, output_attentions=True, return_dict=True)
    return vision.layernorm(encoded.last_hidden_state), encoded.attentions


def window_scores(model, texts, sigma, threshold, pixels):
    """Scores [1 + classes, h, w] of a window, background first."""
    groups, _ = encode(model.vision_model, pixels)
    e = normalize(model.visual_projection(groups[0]), dim=-1)
    whole = normalize(model.visual_projection(groups.mean(dim=1))[0], dim=-1)

    _, (first, second) = encode(model.vision_model, pixels)
    h, w = pixels.shape[2:]
    chained = (first[0].t() @ second[0].t()).t()  # [8, N]
    scale = round(math.sqrt(h * w // chained.shape[1]))
    columns = w // scale if h > w else chained.shape[1] // (h // scale)
    grid = chained.reshape(1, len(chained), -1, columns)
    winner = interpolate(grid, size=(h, w), mode="bilinear", align_corners=False)[0].argmax(dim=0)

    logits = sigma * e @ texts.t()
    kept = softmax(sigma * texts @ whole, dim=0).topk(min(KEPT, len(texts))).indices
    hidden = torch.full_like(logits, -math.inf)
    hidden[:, kept] = logits[:, kept]
    scores = softmax(hidden, dim=1) * softmax(logits, dim=1)
    pixel = scores[winner].permute(2, 0, 1)
    background = (pixel.amax(dim=0) < min(threshold, scores.max().item())).to(pixel.dtype)
    return torch.cat([background[None], pixel])


def segment(model, texts, sigma, threshold, path):
    """The label map of a photo, uint8 [h, w], and its number of windows."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise SystemExit(f"{path}: not a picture that OpenCV reads")
    pixels = prepared(picture)
    height, width = pixels.shape[2:]
    total, seen = torch.zeros(1 + len(texts), height, width), torch.zeros(height, width)
    boxes = [(y, x) for y in starts(height) for x in starts(width)]
    for (y0, y1), (x0, x1) in boxes:
        total[:, y0:y1, x0:x1] += window_scores(model, texts, sigma, threshold, pixels[:, :, y0:y1, x0:x1])
        seen[y0:y1, x0:x1] += 1
    full = interpolate((total / seen)[None], size=picture.shape[:2], mode="bilinear", align_corners=False)
    return softmax(full, dim=1)[0].argmax(dim=0).to(torch.uint8).numpy(), len(boxes)


def load(folder):
    from transformers import GroupViTModel

    return GroupViTModel.from_pretrained(folder, local_files_only=True).eval()


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("photos", nargs="*", type=pathlib.Path)
    p.add_argument("--make-model", type=pathlib.Path, metavar="DIR")
    p.add_argument("--model", type=pathlib.Path, metavar="DIR")
    p.add_argument("-o", "--output", type=pathlib.Path, default=pathlib.Path("."), metavar="DIR")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--background", type=float, default=0.95, help="the threshold (default 0.95, that of VOC)")
    a = p.parse_args()
    if a.make_model:
        port.build(port.default_config(), formula.fill).save_pretrained(a.make_model)
        return
    if not a.model or not a.photos:
        p.error("give --model and photos, or --make-model")
    torch.set_num_threads(a.threads)
    cv2.setNumThreads(a.threads)
    a.output.mkdir(parents=True, exist_ok=True)
    model = load(a.model)
    start, windows = time.perf_counter(), 0
    with torch.inference_mode():
        texts, sigma = class_vectors(model), min(model.logit_scale.exp().item(), MAX_SCALE)
        for path in a.photos:
            labels, n = segment(model, texts, sigma, a.background, path)
            windows += n
            Image.fromarray(labels).save(a.output / f"{path.stem}.mask.png")
    seconds = time.perf_counter() - start
    print(
        json.dumps(
            dict(
                photos=len(a.photos),
                windows=windows,
                seconds=round(seconds, 3),
                versions=dict(port.versions(), opencv=cv2.__version__),
            )
        )
    )


if __name__ == "__main__":
    main()
