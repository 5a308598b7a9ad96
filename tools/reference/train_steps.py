"""Training steps of the two small variants, computed independently in PyTorch:
losses and gradient norms of a few steps of AdamW with clipping.

Writes internal/train/stepper/testdata/steps.json, which TestStepsAgainstPyTorch reads.

    python tools/reference/train_steps.py

Networks, losses and optimizer are written here from their formulas; the numbers
of weights and inputs are formula.py's. The sizes are tiny. "scenes" has groups
over local values, soft assignment and nouns against groups and patches; "photos"
is a residual stem with BatchNorm, nouns against patches, with some captions and
some pairs left out.
"""

import json
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import formula

torch.set_num_threads(1)

IMAGE, WIDTH, GROUPS, VOCABULARY, CONTEXT, HIDDEN, EMBED = 32, 16, 5, 40, 10, 24, 12
CHANNELS, LOCAL, BATCH, PROMPTS, STEPS, RATE = (8, 12, 16), 32, 6, 7, 4, 2e-3
DECAY = 5.0  # a hundred times the recipes', so that a wrong group shows in the losses
VISION, STAGE = "vision_model.", "vision_model.encoder.stages.0."


def shapes(kind):
    """Name and shape of every parameter and running statistic."""
    s = {"logit_scale": (), "multi_label_logit_scale": ()}

    def norm(name, n):
        s[name + ".weight"] = s[name + ".bias"] = (n,)

    def linear(name, i, o):
        s[name + ".weight"], s[name + ".bias"] = (o, i), (o,)

    def mlp(name, i, h):
        linear(name + ".fc1", i, h)
        linear(name + ".fc2", h, i)

    def attention(name, out, n):
        for part in ("q_proj", "k_proj", "v_proj", out):
            linear(f"{name}.{part}", n, n)

    def batch_norm(name, n):
        norm(name, n)
        s[name + ".running_mean"] = s[name + ".running_var"] = (n,)

    before = 3
    for i, c in enumerate(CHANNELS):
        name = f"local_model.stem.{i}"
        s[name + ".conv.weight"] = (c, before, 3, 3)
        if kind == "scenes":
            s[name + ".conv.bias"] = (c,)
        else:
            batch_norm(name + ".norm", c)
            if i > 0:
                for j in (1, 2):
                    s[f"{name}.blocks.0.conv{j}.weight"] = (c, c, 3, 3)
                    batch_norm(f"{name}.blocks.0.norm{j}", c)
        before = c
    norm(VISION + "embeddings.layernorm", WIDTH)
    norm("local_model.mlp.layer_norm", WIDTH)
    mlp("local_model.mlp", WIDTH, LOCAL)
    norm(VISION + "layernorm", WIDTH)
    if kind == "scenes":
        s[VISION + "embeddings.position_embeddings"] = (1, (IMAGE // 8) ** 2, WIDTH)
        norm("local_model.value_norm", WIDTH)
        s[STAGE + "group_token"] = (1, GROUPS, WIDTH)
        for b in range(2):
            name = f"{STAGE}layers.{b}"
            norm(name + ".layer_norm1", WIDTH)
            norm(name + ".layer_norm2", WIDTH)
            attention(name + ".self_attn", "out_proj", WIDTH)
            mlp(name + ".mlp", WIDTH, 4 * WIDTH)
        name = STAGE + "downsample"
        for n in ("norm_tokens", "norm_x", "norm_post_tokens", "norm_new_x", "pre_assign_attn.norm2", "pre_assign_attn.norm_post"):
            norm(f"{name}.{n}", WIDTH)
        attention(name + ".pre_assign_attn.attn", "out_proj", WIDTH)
        mlp(name + ".pre_assign_attn.mlp", WIDTH, 4 * WIDTH)
        attention(name + ".assign", "proj", WIDTH)
        mlp(name + ".mlp_channels", WIDTH, 4 * WIDTH)
    s["text_model.embeddings.token_embedding.weight"] = (VOCABULARY, WIDTH)
    s["text_model.embeddings.position_embedding.weight"] = (CONTEXT, WIDTH)
    name = "text_model.encoder.layers.0"
    norm(name + ".layer_norm1", WIDTH)
    norm(name + ".layer_norm2", WIDTH)
    attention(name + ".self_attn", "out_proj", WIDTH)
    mlp(name + ".mlp", WIDTH, 4 * WIDTH)
    norm("text_model.final_layer_norm", WIDTH)
    for name in ("visual_projection", "text_projection"):
        linear(name + ".0", WIDTH, HIDDEN)
        linear(name + ".3", HIDDEN, EMBED)
    return s


def parameters(kind):
    """Weights by formula; both temperatures start at e^2.5."""
    s, out = shapes(kind), {}
    for k, name in enumerate(sorted(s, key=str.encode)):
        as_name = "logit_scale" if s[name] == () else name
        out[name] = torch.from_numpy(formula.tensor(as_name, k, s[name]))
    return out


def norm(p, name, x):
    return F.layer_norm(x, x.shape[-1:], p[name + ".weight"], p[name + ".bias"], 1e-5)


def linear(p, name, x):
    return F.linear(x, p[name + ".weight"], p[name + ".bias"])


def mlp(p, name, x):
    return linear(p, name + ".fc2", F.gelu(linear(p, name + ".fc1", x)))


def project(p, name, x):
    return linear(p, name + ".3", F.gelu(linear(p, name + ".0", x)))


def attend(p, name, out, query, key, mask=None):
    def split(part, x):
        return linear(p, f"{name}.{part}", x).unflatten(-1, (2, -1)).transpose(1, 2)

    y = F.scaled_dot_product_attention(split("q_proj", query), split("k_proj", key), split("v_proj", key), attn_mask=mask)
    return linear(p, f"{name}.{out}", y.transpose(1, 2).flatten(2))


def block(p, name, x):
    y = norm(p, name + ".layer_norm1", x)
    x = x + attend(p, name + ".self_attn", "out_proj", y, y)
    return x + mlp(p, name + ".mlp", norm(p, name + ".layer_norm2", x))


def batch_norm(p, name, x):
    running = [p[f"{name}.running_{s}"] for s in ("mean", "var")]
    return F.batch_norm(x, *running, p[name + ".weight"], p[name + ".bias"], True, 0.1, 1e-5)


def stem(p, kind, x):
    for i in range(len(CHANNELS)):
        name = f"local_model.stem.{i}"
        x = F.conv2d(x, p[name + ".conv.weight"], p.get(name + ".conv.bias"), 2, 1)
        if kind == "scenes":
            x = F.gelu(x) if i < len(CHANNELS) - 1 else x
            continue
        x = F.relu(batch_norm(p, name + ".norm", x))
        if i > 0:
            b = name + ".blocks.0"
            y = F.relu(batch_norm(p, b + ".norm1", F.conv2d(x, p[b + ".conv1.weight"], None, 1, 1)))
            x = F.relu(x + batch_norm(p, b + ".norm2", F.conv2d(y, p[b + ".conv2.weight"], None, 1, 1)))
    return x.flatten(2).transpose(1, 2)


def image(p, kind, pixels):
    """The picture's vector, projected patches, projected groups, their areas."""
    e = norm(p, VISION + "embeddings.layernorm", stem(p, kind, pixels))
    local = e + mlp(p, "local_model.mlp", norm(p, "local_model.mlp.layer_norm", e))
    patches = project(p, "visual_projection", norm(p, VISION + "layernorm", local))
    if kind == "photos":
        return patches.mean(1), patches, None, None
    x = e + p[VISION + "embeddings.position_embeddings"]
    n = x.shape[1]
    x = torch.cat([x, p[STAGE + "group_token"].expand(len(x), -1, -1)], 1)
    for b in range(2):
        x = block(p, f"{STAGE}layers.{b}", x)
    x, g = x[:, :n], x[:, n:]
    name = STAGE + "downsample"
    x = norm(p, name + ".norm_x", x)
    g = norm(p, name + ".norm_post_tokens", norm(p, name + ".norm_tokens", g))
    g = g + attend(p, name + ".pre_assign_attn.attn", "out_proj", g, x)
    g = norm(p, name + ".pre_assign_attn.norm_post", g + mlp(p, name + ".pre_assign_attn.mlp", norm(p, name + ".pre_assign_attn.norm2", g)))
    logits = linear(p, name + ".assign.q_proj", g) @ linear(p, name + ".assign.k_proj", x).transpose(1, 2) / math.sqrt(WIDTH)
    logits = logits - logits.mean(2, keepdim=True)
    logits = logits - logits.mean(1, keepdim=True)
    logits = 3 * logits / (logits.square().mean((1, 2), keepdim=True).sqrt() + 0.0033)
    a = logits.softmax(1)
    share = a / (a.sum(2, keepdim=True) + 0.01)
    m = norm(p, "local_model.value_norm", local)
    o = linear(p, name + ".assign.proj", share @ linear(p, name + ".assign.v_proj", m)) + share @ m
    o = o + mlp(p, name + ".mlp_channels", norm(p, name + ".norm_new_x", o))
    groups = project(p, "visual_projection", norm(p, VISION + "layernorm", o))
    w = (GROUPS * a.detach().mean(2)).clamp(max=1)
    return (w[..., None] * groups).sum(1) / w.sum(1, keepdim=True), patches, groups, w


def text(p, ids):
    end, at = ids.argmax(1, keepdim=True), torch.arange(ids.shape[1])[None]
    x = p["text_model.embeddings.token_embedding.weight"][ids] + p["text_model.embeddings.position_embedding.weight"]
    name = "text_model.encoder.layers.0"
    y = norm(p, name + ".layer_norm1", x)
    x = x + attend(p, name + ".self_attn", "out_proj", y, y, (at <= end)[:, None, None])
    h = linear(p, name + ".mlp.fc1", norm(p, name + ".layer_norm2", x))
    x = x + linear(p, name + ".mlp.fc2", h * torch.sigmoid(1.702 * h))
    words = ((at >= 1) & (at < end)).float()
    mean = (x * words[..., None]).sum(1) / words.sum(1, keepdim=True)
    return project(p, "text_projection", norm(p, "text_model.final_layer_norm", mean))


def best_parts(parts, words, areas):
    q = torch.einsum("bmp,up->bum", F.normalize(parts, dim=-1), words)
    logits = 10 * q
    if areas is not None:
        logits = logits + torch.log(areas + 1e-4)[:, None]
    return (logits.softmax(-1) * q).sum(-1)


def noun_loss(scores, targets, known):
    """Loops, as the sentence says it: pairs that are not known do not exist."""
    to_prompts, to_pictures, with_targets = 0, 0, 0
    counts = (targets * known).sum(0)
    for i in range(len(scores)):
        own = [u for u in range(scores.shape[1]) if targets[i, u] * known[i, u] > 0]
        seen = [u for u in range(scores.shape[1]) if known[i, u] > 0 and counts[u] > 0]
        if own:
            total = sum(float(targets[i, u]) for u in own)
            normal = torch.logsumexp(scores[i, seen] + torch.log(counts[seen]), 0)
            to_prompts = to_prompts + sum(float(targets[i, u]) / total * (normal - scores[i, u]) for u in own)
            with_targets += 1
    for u in range(scores.shape[1]):
        seen = [i for i in range(len(scores)) if known[i, u] > 0]
        for i in seen:
            if targets[i, u] > 0:
                to_pictures = to_pictures + float(targets[i, u]) * (torch.logsumexp(scores[seen, u], 0) - scores[i, u])
    return (to_prompts / with_targets + to_pictures / counts.sum()) / 2


def batch(kind):
    pixels = torch.from_numpy(np.stack([formula.picture(b, IMAGE, IMAGE) for b in range(BATCH)]))
    ids = torch.from_numpy(np.stack([formula.caption(b, 1 + b % 5, CONTEXT, VOCABULARY) for b in range(BATCH + PROMPTS)]))
    draw = formula.r(400000, 0, BATCH * PROMPTS).reshape(BATCH, PROMPTS)
    targets = torch.from_numpy(np.where(draw > 0.1, np.where(draw > 0.4, 2.0, 1.0), 0.0)).float()
    targets[:, -1] = 0  # padding
    known, weight = torch.ones_like(targets), torch.ones(BATCH)
    if kind == "photos":
        hidden = formula.r(500000, 0, BATCH * PROMPTS).reshape(BATCH, PROMPTS) > 0.2
        known, weight = torch.from_numpy(~hidden).float(), torch.tensor([1.0, 0, 1, 1, 0, 1])
    return pixels, ids, targets, known, weight


def losses(p, kind, inputs):
    pixels, ids, targets, known, weight = inputs
    vector, patches, groups, areas = image(p, kind, pixels)
    texts = F.normalize(text(p, ids), dim=-1)
    captions, prompts = texts[:BATCH], texts[BATCH:]
    own = weight > 0
    logits = p["logit_scale"].exp() * F.normalize(vector, dim=-1)[own] @ captions[own].T
    label = torch.arange(len(logits))
    image_text = (F.cross_entropy(logits, label) + F.cross_entropy(logits.T, label)) / 2
    scale = p["multi_label_logit_scale"].exp()
    nouns = noun_loss(scale * best_parts(patches, prompts, None), targets, known)
    if kind == "scenes":
        nouns = nouns + noun_loss(scale * best_parts(groups, prompts, areas), targets, known)
    return image_text, nouns


def decays(name, x):
    return x.dim() > 1 and "position_embedding" not in name and not name.endswith("group_token")


def steps(kind):
    p, inputs, out = parameters(kind), batch(kind), []
    trained = {n: x.requires_grad_() for n, x in p.items() if "running_" not in n}
    optimizer = torch.optim.AdamW([
        {"params": [x for n, x in trained.items() if decays(n, x)], "weight_decay": DECAY},
        {"params": [x for n, x in trained.items() if not decays(n, x)], "weight_decay": 0.0},
    ], lr=RATE, betas=(0.9, 0.98), eps=1e-8)
    for _ in range(STEPS):
        image_text, nouns = losses(p, kind, inputs)
        optimizer.zero_grad()
        (image_text + nouns).backward()
        size = torch.nn.utils.clip_grad_norm_(list(trained.values()), 1.0)
        optimizer.step()
        out.append({"loss_image_text": image_text.item(), "loss_nouns": nouns.item(), "gradient_norm": size.item()})
    return out


if __name__ == "__main__":
    path = Path(__file__).parents[2] / "internal/train/stepper/testdata/steps.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({kind: steps(kind) for kind in ("scenes", "photos")}, indent=1) + "\n")
