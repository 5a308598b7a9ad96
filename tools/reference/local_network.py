"""The network of our recipes with a convolutional stem, in plain PyTorch, written
from docs/ and the recipe, with the parameter names of our checkpoints. It serves
speed_train.py.

    local_network.py RECIPE.yaml DIR     checks it against a model directory that
                                         groupvit trained with the recipe: every
                                         name, every shape
"""

import pathlib
import sys

import torch
import yaml
from torch import nn
from torch.nn.functional import gelu, normalize, relu, scaled_dot_product_attention


def read_recipe(path):
    """A recipe's settings over those of its base."""
    path = pathlib.Path(path)
    settings = yaml.safe_load(path.read_text())
    return merged(read_recipe(path.parent / settings["base"]), settings) if "base" in settings else settings


def merged(below, above):
    out = dict(below)
    for key, value in above.items():
        out[key] = merged(out[key], value) if isinstance(value, dict) and isinstance(out.get(key), dict) else value
    return out


class StemBlock(nn.Module):
    """x + two 3×3 convolutions, BatchNorm and ReLU after each."""

    def __init__(self, width):
        super().__init__()
        self.conv1, self.conv2 = (nn.Conv2d(width, width, 3, padding=1, bias=False) for _ in range(2))
        self.norm1, self.norm2 = nn.BatchNorm2d(width), nn.BatchNorm2d(width)

    def forward(self, x):
        y = relu(self.norm1(self.conv1(x)))
        return relu(x + self.norm2(self.conv2(y)))


class StemStep(nn.Module):
    """A 3×3 convolution of stride 2 with BatchNorm and ReLU, then residual blocks."""

    def __init__(self, width, out, blocks):
        super().__init__()
        self.conv = nn.Conv2d(width, out, 3, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(out)
        if blocks:
            self.blocks = nn.ModuleList(StemBlock(out) for _ in range(blocks))

    def forward(self, x):
        x = relu(self.norm(self.conv(x)))
        for block in getattr(self, "blocks", ()):
            x = block(x)
        return x


class MLP(nn.Module):
    def __init__(self, width, hidden, activation, norm=False):
        super().__init__()
        self.fc1, self.fc2, self.activation = nn.Linear(width, hidden), nn.Linear(hidden, width), activation
        if norm:
            self.layer_norm = nn.LayerNorm(width)

    def forward(self, x):
        x = self.layer_norm(x) if hasattr(self, "layer_norm") else x
        return self.fc2(self.activation(self.fc1(x)))


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x, mask):
        q, k, v = (
            p(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for p in (self.q_proj, self.k_proj, self.v_proj)
        )
        return self.out_proj(scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).flatten(2))


class TextBlock(nn.Module):
    def __init__(self, width, heads, ratio):
        super().__init__()
        self.layer_norm1, self.layer_norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.self_attn = Attention(width, heads)
        self.mlp = MLP(width, ratio * width, lambda x: x * torch.sigmoid(1.702 * x))

    def forward(self, x, mask):
        x = x + self.self_attn(self.layer_norm1(x), mask)
        return x + self.mlp(self.layer_norm2(x))


class Projection(nn.ModuleDict):
    """linear, GELU, linear; named as the paper's head, whose 1 is BatchNorm."""

    def __init__(self, width, hidden, out):
        super().__init__({"0": nn.Linear(width, hidden), "3": nn.Linear(hidden, out)})

    def forward(self, x):
        return self["3"](gelu(self["0"](x)))


class LocalNetwork(nn.Module):
    """A recipe's network without blocks or groups: stem, local MLP, words against
    patches, the mean over words as the text."""

    def __init__(self, c):
        super().__init__()
        v, t = c["variant"], c["text"]
        supported = dict(
            batch_norm=v["stem"]["batch_norm"],
            local=v["patch_embeddings"] == "local",
            mean=v["text_pooling"] == "mean",
            pooled=v["patch_pooled"],
            plain=v["plain_projection"],
            against=v["nouns_against"] == ["patches"],
            no_trunk=not any(c["depths"]) and not any(c["group_tokens"]),
        )
        if not all(supported.values()):
            raise SystemExit(f"the recipe's network is another one: {supported}")
        channels, blocks, width = v["stem"]["channels"], v["stem"]["blocks"], c["width"]
        self.sharpness = v["noun_sharpness"]
        self.local_model = nn.ModuleDict(
            {
                "stem": nn.ModuleList(StemStep(i, o, b) for i, o, b in zip([3, *channels], channels, blocks)),
                "mlp": MLP(width, v["local_mlp"], gelu, norm=True),
            }
        )
        self.vision_model = nn.ModuleDict(
            {"embeddings": nn.ModuleDict({"layernorm": nn.LayerNorm(width)}), "layernorm": nn.LayerNorm(width)}
        )
        self.text_model = nn.ModuleDict(
            {
                "embeddings": nn.ModuleDict(
                    {
                        "token_embedding": nn.Embedding(t["vocabulary"], t["width"]),
                        "position_embedding": nn.Embedding(t["context"], t["width"]),
                    }
                ),
                "encoder": nn.ModuleDict(
                    {
                        "layers": nn.ModuleList(
                            TextBlock(t["width"], t["heads"], t["mlp_ratio"]) for _ in range(t["depth"])
                        )
                    }
                ),
                "final_layer_norm": nn.LayerNorm(t["width"]),
            }
        )
        self.visual_projection = Projection(width, c["projection_width"], c["embed_width"])
        self.text_projection = Projection(t["width"], c["projection_width"], c["embed_width"])
        self.logit_scale = nn.Parameter(torch.tensor(1 / c["temperature"]).log())
        self.multi_label_logit_scale = nn.Parameter(torch.tensor(1 / c["temperature"]).log())

    def image(self, pixels):
        """Projected patches [B, N, P] and their mean [B, P]."""
        x = pixels
        for step in self.local_model["stem"]:
            x = step(x)
        e = self.vision_model["embeddings"]["layernorm"](x.flatten(2).transpose(1, 2))
        f = e + self.local_model["mlp"](e)
        patches = self.visual_projection(self.vision_model["layernorm"](f))
        return patches, patches.mean(dim=1)

    def text(self, ids):
        """Projected texts [n, P]: the mean over the words, between start and end."""
        model, at = self.text_model, torch.arange(ids.shape[1])
        x = model["embeddings"]["token_embedding"](ids) + model["embeddings"]["position_embedding"](at)
        end = ids.argmax(dim=1, keepdim=True)
        for layer in model["encoder"]["layers"]:
            x = layer(x, (at <= end)[:, None, None])
        words = ((at >= 1) & (at <= (end - 1).clamp(min=1))).to(x.dtype)
        pooled = (x * (words / words.sum(dim=1, keepdim=True)).unsqueeze(-1)).sum(dim=1)
        return self.text_projection(model["final_layer_norm"](pooled))

    def scores(self, pixels, ids):
        """Unit pictures, unit captions, and cosines of pictures and prompts."""
        patches, pooled = self.image(pixels)
        texts = normalize(self.text(ids), dim=-1)
        b = len(pixels)
        q = torch.einsum("bmp,up->bum", normalize(patches, dim=-1), texts[b:])
        nouns = ((self.sharpness * q).softmax(dim=-1) * q).sum(dim=-1)
        return normalize(pooled, dim=-1), texts[:b], nouns


def parameters(network):
    """Trained values, and running statistics."""
    statistics = sum(b.numel() for n, b in network.named_buffers() if "running" in n)
    return sum(p.numel() for p in network.parameters()), statistics


def main():
    from safetensors.torch import load_file

    network = LocalNetwork(read_recipe(sys.argv[1])["model"])
    ours = load_file(pathlib.Path(sys.argv[2]) / "model.safetensors")
    theirs = network.state_dict()
    wrong = sorted(
        k for k in ours.keys() | theirs.keys() if k not in ours or k not in theirs or ours[k].shape != theirs[k].shape
    )
    counts = parameters(network)
    print(f"{len(ours)} tensors, {counts[0]} parameters, {counts[1]} running statistics; different: {wrong or 'none'}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
