"""Writes testdata/paper: what the paper's zero-shot segmentation makes of a
picture that a formula draws, computed independently of our Go code.

The steps are written from their description (Xu et al., CVPR 2022, section 3.5,
and the behaviour of the official evaluation): resize so that the short side is
twice the training size (long side at most 2048/448 of that), slide windows of
twice the training size by one training size, last windows moved back inside; per
window follow the soft assignments through both groupings, resize them to the
window, give each pixel to its best group, score each group by softmax over the
five classes likeliest for the whole window times softmax over all classes, make
pixels below min(threshold, best score) background; average the windows, resize
to the picture, take the best class.

    tiny.json       network internal/network/testdata/tiny; windows of 64 by 32
    default.json    published size, weights by formula.py; windows of 448 by 224
    NAME_BG.png     label maps, 0 background, i the i-th label; BG 095, 035, none (no
                    background at all)

JSON: sizes, windows [y0, x0, y1, x1], token ids of the labels' prompts, and per
window: soft [N][G] (tiny only), groups E, image I and texts T (unit length, tiny
only), sigma, kept classes, group scores R; then for each background setting the
pixels of every label and scores [y, x, background, label 1, ...] of some pixels
of the photo, before the last decision. Everything in
float64. logit_scale is 4.5 here, not the formula's 2.5.

The picture, 400 wide, 300 high: level (y, x, c) is
floor(216 (r(500002, ((y//40)*16 + x//40)*3 + c) + 0.5))
    + floor(40 (r(500003, (y*400 + x)*3 + c) + 0.5))
with r of formula.py.

    python tools/reference/segment_paper.py     (after fixtures.py; a minute)
"""

import importlib.util
import json
import math
import pathlib

import cv2
import numpy as np
import torch
from PIL import Image
from torch.nn.functional import interpolate, normalize, softmax

import fixtures
import formula
import port

OUT = pathlib.Path(__file__).resolve().parents[2] / "testdata" / "paper"
WIDTH, HEIGHT = 400, 300
# Six of these texts are the labels: the draw whose result has the most even labels,
# so that the test says something (a random network prefers few texts).
WORDS = ("cat dog grass sky person table bird boat bottle bus car chair cow horse motorbike plant sheep sofa "
         "train monitor tree road water snow sand wall floor window door book clock lamp bed fence").split()
BACKGROUNDS = {"095": 0.95, "035": 0.35, "none": None}
LOGIT_SCALE = 4.5  # replaces the formula's: nearly where trained networks end
MEAN = torch.tensor([123.675, 116.28, 103.53], dtype=torch.float64)[:, None, None]
STD = torch.tensor([58.395, 57.12, 57.375], dtype=torch.float64)[:, None, None]


def photo():
    y, x, c = np.meshgrid(np.arange(HEIGHT), np.arange(WIDTH), np.arange(3), indexing="ij")
    square = formula.r(500002, 0, 8 * 16 * 3)[((y // 40) * 16 + x // 40) * 3 + c]
    noise = formula.r(500003, 0, HEIGHT * WIDTH * 3).reshape(HEIGHT, WIDTH, 3)
    return (np.floor(216 * (square + 0.5)) + np.floor(40 * (noise + 0.5))).astype(np.uint8)


def resized(picture, side):
    """Keeps the ratio: short side twice the training size."""
    h, w = picture.shape[:2]
    factor = min(2048 / 448 * 2 * side / max(h, w), 2 * side / min(h, w))
    return cv2.resize(picture, (int(w * factor + 0.5), int(h * factor + 0.5)), interpolation=cv2.INTER_LINEAR)


def windows(height, width, size, stride):
    def starts(length):
        count = max(length - size + stride - 1, 0) // stride + 1
        ends = [min(stride * i + size, length) for i in range(count)]
        return [(max(e - size, 0), e) for e in ends]

    return [(y0, x0, y1, x1) for y0, y1 in starts(height) for x0, x1 in starts(width)]


def window_scores(model, pixels, texts, sigma):
    """Scores [n, h, w] of the classes in one window, its R and what led to it."""
    out, attentions = port.image(model, pixels[None])
    chained = attentions[0][0].T @ attentions[1][0].T  # [N, G]
    h, w = pixels.shape[1:]
    patch = model.config.vision_config.patch_size
    grid = chained.T.reshape(1, -1, h // patch, w // patch)
    winner = interpolate(grid, size=(h, w), mode="bilinear", align_corners=False)[0].argmax(0)
    groups = normalize(out["group_embeddings"][0], dim=-1)
    whole = normalize(out["image_embedding"][0], dim=-1)
    logits = sigma * groups @ texts.T
    kept = softmax(sigma * texts @ whole, dim=0).topk(min(5, len(texts))).indices
    hidden = torch.full_like(logits, -math.inf)
    hidden[:, kept] = logits[:, kept]
    scores = softmax(hidden, dim=1) * softmax(logits, dim=1)  # R [G, n]
    return scores[winner].permute(2, 0, 1), dict(
        soft=chained, groups=groups, image=whole, kept=kept, scores=scores, winner=winner,
        used=int(len(winner.unique())))


def digits(t):
    if t.is_floating_point():
        return json.loads(json.dumps(t.tolist()), parse_float=lambda s: float(f"{float(s):.9g}"))
    return t.tolist()


def choose(model, ids, passes, sigma):
    """Six rows of ids: of 2,000 draws the one with the most even labels of pixels."""
    texts = normalize(port.text(model, ids)["text_embedding"], dim=-1)
    random, best = np.random.default_rng(7), (-1.0, None)
    for _ in range(2000):
        rows = sorted(random.choice(len(ids), 6, replace=False).tolist())
        counts = torch.zeros(7)
        for inside in passes:
            logits = sigma * inside["groups"] @ texts[rows].T
            kept = (sigma * texts[rows] @ inside["image"]).topk(5).indices
            hidden = torch.full_like(logits, -math.inf)
            hidden[:, kept] = logits[:, kept]
            scores = softmax(hidden, dim=1) * softmax(logits, dim=1)
            label = hidden.argmax(1) + 1
            label[scores.max(1).values < min(0.35, scores.max().item())] = 0
            counts += torch.bincount(label[inside["winner"]].flatten(), minlength=7)
        share = counts / counts.sum()
        best = max(best, (-(share * (share + 1e-9).log()).sum().item(), rows))
    print("entropy of the labels", best)
    return best[1]


def run(name, model, ids, names, details):
    model.logit_scale.fill_(LOGIT_SCALE)
    side = model.config.vision_config.image_size
    small = resized(photo(), side)
    pixels = (torch.from_numpy(small).double().permute(2, 0, 1) - MEAN) / STD
    height, width = small.shape[:2]
    sigma = min(model.logit_scale.exp().item(), 100)
    boxes = windows(height, width, 2 * side, side)
    every = normalize(port.text(model, ids)["text_embedding"], dim=-1)
    first = [window_scores(model, pixels[:, y0:y1, x0:x1], every, sigma)[1] for y0, x0, y1, x1 in boxes]
    rows = choose(model, ids, first, sigma)
    ids, names = ids[rows], [names[i] for i in rows]
    texts = every[rows]
    passes = [window_scores(model, pixels[:, y0:y1, x0:x1], texts, sigma) for y0, x0, y1, x1 in boxes]

    record = dict(labels=names, ids=ids.tolist(), resized=[height, width], sigma=sigma, windows=[], results={})
    for box, (_, inside) in zip(boxes, passes):
        w = dict(box=box, kept=sorted(inside["kept"].tolist()), scores=digits(inside["scores"]), groups_used=inside["used"])
        if details:
            w.update(soft=digits(inside["soft"]), groups=digits(inside["groups"]), image=digits(inside["image"]))
        record["windows"].append(w)
    if details:
        record["texts"] = digits(texts)

    spots = [(7 + 41 * i % (HEIGHT - 10), 5 + 97 * i % (WIDTH - 10)) for i in range(24)]
    for tag, threshold in BACKGROUNDS.items():
        total = torch.zeros(1 + len(ids), height, width, dtype=torch.float64)
        seen = torch.zeros(height, width, dtype=torch.float64)
        for (y0, x0, y1, x1), (scores, inside) in zip(boxes, passes):
            best = scores.max(0).values
            background = torch.zeros_like(best)
            if threshold is not None:
                background[best < min(threshold, inside["scores"].max().item())] = 1
            total[:, y0:y1, x0:x1] += torch.cat([background[None], scores])
            seen[y0:y1, x0:x1] += 1
        full = interpolate((total / seen)[None], size=(HEIGHT, WIDTH), mode="bilinear", align_corners=False)[0]
        if threshold is None:
            labels = full[1:].argmax(0) + 1
        else:
            labels = full.argmax(0)
        Image.fromarray(labels.numpy().astype(np.uint8)).save(OUT / f"{name}_{tag}.png", optimize=True)
        record["results"][tag] = dict(
            threshold=threshold, pixels=torch.bincount(labels.flatten(), minlength=1 + len(ids)).tolist(),
            scores=[[y, x] + digits(full[:, y, x]) for y, x in spots])
        print(name, tag, record["results"][tag]["pixels"])
    (OUT / f"{name}.json").write_text(json.dumps(record) + "\n")


def prompts(words):
    """Ids [n, 77] of "a photo of a WORD.", by OpenAI's tokenizer."""
    folder = pathlib.Path(importlib.util.find_spec("clip").origin).parent
    spec = importlib.util.spec_from_file_location("simple_tokenizer", folder / "simple_tokenizer.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    tokenizer = module.SimpleTokenizer()
    ids = torch.zeros(len(words), 77, dtype=torch.long)
    for row, word in zip(ids, words):
        tokens = [49406] + tokenizer.encode(f"a photo of a {word}.") + [49407]
        row[:len(tokens)] = torch.tensor(tokens)
    return ids


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        tiny = port.build(port.tiny_config(), fixtures.tiny_fill).double()
        texts = fixtures.captions(tiny.config, [1 + i % 5 for i in range(60)])
        run("tiny", tiny, texts, [f"text {i}" for i in range(60)], details=True)
        default = port.build(port.default_config(), formula.fill).double()
        run("default", default, prompts(WORDS), WORDS, details=False)
    for f in sorted(OUT.iterdir()):
        print(f.name, f.stat().st_size)


if __name__ == "__main__":
    main()
