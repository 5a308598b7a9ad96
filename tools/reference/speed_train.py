"""Training steps in PyTorch for compare_speed.py: forward, both contrastive losses,
backward, gradient clipping, AdamW.

Two networks: transformers' GroupViT (the port) of the published size, and the
network of our recipes (local_network.py). Data are drawn as `groupvit bench --work
train` draws them: texts of the full context, a caption and three prompts a picture,
every pair known.
"""

import pathlib

import torch
from torch import nn
from torch.nn.functional import cross_entropy, log_softmax, normalize

from local_network import LocalNetwork, parameters, read_recipe

PROMPTS = 3  # a picture, as in the paper
CLIP = 5.0
DECAY, BETAS = 0.05, (0.9, 0.999)
MAX_SCALE = 100.0  # of the inverse temperature
# Trained values and running statistics of the networks: the published size as it is
# counted by hand; the recipes' as local_network.py counts and compares them with a
# model directory that groupvit wrote.
PUBLISHED = (55_726_610, 16_384)
RECIPES = {"photos.yaml": (789_202, 608), "default-first.yaml": (1_368_474, 912)}


class Published(nn.Module):
    """The port with the noun loss beside its own."""

    def __init__(self, model=None):
        super().__init__()
        from speed_worker import port_model

        self.model = model or port_model()
        self.multi_label_logit_scale = nn.Parameter(self.model.logit_scale.detach().clone())

    @property
    def logit_scale(self):
        return self.model.logit_scale

    def scores(self, pixels, ids):
        m = self.model
        u = normalize(m.visual_projection(m.vision_model(pixel_values=pixels).pooler_output), dim=-1)
        texts = normalize(m.text_projection(m.text_model(input_ids=ids).pooler_output), dim=-1)
        b = len(pixels)
        return u, texts[:b], u @ texts[b:].t()


def image_text_loss(u, v, scale):
    """Mean of both directions' cross entropy (paper, equation 5)."""
    logits, own = scale * u @ v.t(), torch.arange(len(u), device=u.device)
    return (cross_entropy(logits, own) + cross_entropy(logits.t(), own)) / 2


def noun_loss(scores, scale):
    """Multi-label loss of cosines [B, B·K], prompts of a picture together (equation 6)."""
    logits, b = scale * scores, len(scores)
    k = scores.shape[1] // b
    own = torch.eye(b, device=scores.device).repeat_interleave(k, dim=1)
    to_prompts = -(log_softmax(logits, dim=1) * own).sum() / (b * k)
    return (to_prompts + cross_entropy(logits.t(), torch.arange(b, device=scores.device).repeat_interleave(k))) / 2


def check_losses():
    """Against numbers computed independently in float64."""
    numbers = torch.arange(12, dtype=torch.float64).reshape(3, 4)
    u, v = normalize((0.9 * numbers + 0.2).sin(), dim=-1), normalize((0.7 * numbers).cos(), dim=-1)
    w = normalize((0.37 * torch.arange(36, dtype=torch.float64) + 1).sin().reshape(9, 4), dim=-1)
    got = image_text_loss(u, v, 1 / 0.07).item(), noun_loss(u @ w.t(), 1 / 0.07).item()
    if max(abs(got[0] - 2.9112844754), abs(got[1] - 15.2050636148)) > 1e-8:
        raise SystemExit(f"the losses are wrong: {got}")


def adamw(network):
    """AdamW with the decay groups of the published recipe."""
    decayed = [p for n, p in network.named_parameters() if p.dim() != 1 and not n.endswith(".bias")]
    others = [p for n, p in network.named_parameters() if p.dim() == 1 or n.endswith(".bias")]
    return torch.optim.AdamW(
        [{"params": decayed}, {"params": others, "weight_decay": 0.0}],
        lr=1e-6,
        betas=BETAS,
        weight_decay=DECAY,
        fused=True,
    )


def losses(network, u, v, nouns):
    """Both losses of what network.scores gives."""
    loss = image_text_loss(u, v, network.logit_scale.exp().clamp(max=MAX_SCALE))
    return loss + noun_loss(nouns, network.multi_label_logit_scale.exp().clamp(max=MAX_SCALE))


def step(spec):
    """A function that makes one training step."""
    check_losses()
    if spec["work"] == "train published":
        network, size, context, vocabulary = Published(), 224, 77, 49408
        want = PUBLISHED
    else:
        c = read_recipe(spec["recipe"])["model"]
        network, size, context, vocabulary = (
            LocalNetwork(c),
            c["image_size"],
            c["text"]["context"],
            c["text"]["vocabulary"],
        )
        want = RECIPES.get(pathlib.Path(spec["recipe"]).name)
    if parameters(network) != want:
        raise SystemExit(f"the network has {parameters(network)} parameters and statistics, ours {want}")
    network.train()
    pixels = torch.randn(spec["batch"], 3, size, size)
    ids = torch.randint(0, vocabulary - 2, (spec["batch"] * (1 + PROMPTS), context))
    ids[:, -1] = vocabulary - 1
    optimizer = adamw(network)

    def run():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=spec.get("precision") == "bf16"):
            scores = network.scores(pixels, ids)
        loss = losses(network, *(s.float() for s in scores))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        optimizer.step()
        return loss.item()

    return run
