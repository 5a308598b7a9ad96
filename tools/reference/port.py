"""Builds and runs transformers' GroupViTModel (the port) for the fixtures.

What the port's forward computes is taken from it; for pictures of another size
than the network's, which forward refuses, run() calls the port's own submodules
with interpolate_pos_encoding on. It writes nothing.
"""

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import torch
import transformers
from torch.nn.functional import normalize
from transformers import GroupViTConfig, GroupViTModel
from transformers.models.groupvit import modeling_groupvit as code

torch.set_num_threads(1)


def tiny_config():
    """All mechanisms in 90,000 parameters: two groupings, a projector, 4x4 patches."""
    return GroupViTConfig(
        projection_dim=16, projection_intermediate_dim=32,
        vision_config=dict(
            hidden_size=24, intermediate_size=96, depths=[2, 1, 1], num_hidden_layers=4,
            num_group_tokens=[6, 3, 0], num_output_groups=[6, 3, 3], num_attention_heads=2,
            image_size=32, patch_size=8, assign_mlp_ratio=[0.5, 4]),
        text_config=dict(
            vocab_size=60, hidden_size=24, intermediate_size=96, num_hidden_layers=2,
            num_attention_heads=2, max_position_embeddings=12,
            bos_token_id=58, eos_token_id=59, pad_token_id=1),
    )


def default_config():
    """The published size. Its end token is the last id, as in the hub's config files."""
    return GroupViTConfig(text_config=dict(bos_token_id=49406, eos_token_id=49407, pad_token_id=1))


def build(config, fill=None):
    torch.manual_seed(20220222)
    model = GroupViTModel(config)
    if fill is not None:
        fill(model)
    return model.eval()


def image(model, pixels):
    """The vision side for pictures of any size: a dict of tensors."""
    vision = model.vision_model
    x = vision.embeddings(pixels, interpolate_pos_encoding=True)
    encoded = vision.encoder(x, output_attentions=True, return_dict=True)
    groups = vision.layernorm(encoded.last_hidden_state)
    pooled = groups.mean(dim=1)
    flat = groups.reshape(-1, groups.shape[-1])
    out = {"groups": groups, "pooled": pooled, "image_embedding": model.visual_projection(pooled),
           "group_embeddings": model.visual_projection(flat).reshape(*groups.shape[:2], -1)}
    for i, soft in enumerate(encoded.attentions):
        out[f"soft.{i}"] = soft
        out[f"hard.{i}"] = code.hard_softmax(soft.log(), dim=-2)
    return out, encoded.attentions


def text(model, ids):
    pooled = model.text_model(input_ids=ids).pooler_output
    return {"text_pooled": pooled, "text_embedding": model.text_projection(pooled)}


def run(model, pixels, ids):
    """Everything the fixtures hold, for pixels [B,3,H,W] and ids [n,T]."""
    with torch.no_grad():
        out, attentions = image(model, pixels)
        out.update(text(model, ids))
        side = model.config.vision_config.image_size
        if pixels.shape[2:] == (side, side):
            whole = model(input_ids=ids, pixel_values=pixels, output_segmentation=True, return_dict=True)
            out["segmentation_logits"] = whole.segmentation_logits
            out["logits_per_image"] = whole.logits_per_image
        else:
            scale = model.logit_scale.exp()
            maps = code.get_grouping_from_attentions(attentions, tuple(pixels.shape[2:]))
            cosines = normalize(out["group_embeddings"], dim=-1) @ normalize(out["text_embedding"], dim=-1).t()
            flat = maps.reshape(*maps.shape[:2], -1)
            logits = torch.matmul(cosines.permute(0, 2, 1) * scale, flat) * scale
            out["segmentation_logits"] = logits.reshape(len(pixels), len(ids), *pixels.shape[2:])
    return out


def near_ties(soft, margin=1e-4):
    """How many tokens have two best groups closer than margin, and the smallest distance."""
    best = soft.topk(2, dim=1).values
    gap = best[:, 0] - best[:, 1]
    return int((gap < margin).sum()), float(gap.min())


def versions():
    return {"transformers": transformers.__version__, "torch": torch.__version__.split("+")[0],
            "numpy": np.__version__}


def save(path, tensors):
    """Writes a safetensors file of contiguous float32 (or int) tensors."""
    from safetensors.torch import save_file

    def plain(t):
        t = t.detach()
        return (t.float() if t.is_floating_point() else t).contiguous().clone()

    save_file({k: plain(v) for k, v in tensors.items()}, path)
    os.chmod(path, 0o644)
