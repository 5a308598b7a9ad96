"""Writes checkpoint files in PyTorch's formats into internal/weights/testdata:

    official.pth          the tiny network of internal/network/testdata/tiny in the
                          official code's layout and names, below the key "model",
                          beside what its training saves (epoch, optimizer state,
                          a config object of a class that a reader does not know);
                          with multi_label_logit_scale 2.0
    official_legacy.pth   the tensors alone, names behind "module.", in the format
                          from before PyTorch 1.6 (no zip)
    pytorch_model.bin     the port's state dict (with num_batches_tracked)
    names.json            official name -> [official shape, [port names]]
    hostile_call.pth      calls os.system("touch /tmp/groupvit-pwned") when unpickled
    hostile_legacy.pth    the same as a bare pickle
    hostile_build.pth     the same call through eval
    hostile_huge.pth      a tensor that claims 2^40 elements in a storage of 4 bytes
    hostile_stride.pth    a tensor whose strides point outside its storage

    python tools/reference/official_pth.py     (after fixtures.py; seconds)
"""

import io
import json
import os
import pathlib
import pickle
import re
import sys
import types
import zipfile
from collections import OrderedDict

import torch

import fixtures
import port

OUT = pathlib.Path(__file__).resolve().parents[2] / "internal" / "weights" / "testdata"
NOUN_SCALE = 2.0

# The port's name of a tensor that both have, by rewriting the official one.
RENAME = [
    (r"^img_encoder\.pos_embed$", "vision_model.embeddings.position_embeddings"),
    (r"^img_encoder\.patch_embed\.proj\.", "vision_model.embeddings.patch_embeddings.projection."),
    (r"^img_encoder\.patch_embed\.norm\.", "vision_model.embeddings.layernorm."),
    (r"^img_encoder\.norm\.", "vision_model.layernorm."),
    (r"^img_encoder\.layers\.(\d+)\.blocks\.(\d+)\.norm", r"vision_model.encoder.stages.\1.layers.\2.layer_norm"),
    (r"^img_encoder\.layers\.(\d+)\.blocks\.(\d+)\.attn\.proj\.",
     r"vision_model.encoder.stages.\1.layers.\2.self_attn.out_proj."),
    (r"^img_encoder\.layers\.(\d+)\.blocks\.", r"vision_model.encoder.stages.\1.layers."),
    (r"^img_encoder\.layers\.(\d+)\.downsample\.pre_assign_attn\.attn\.proj\.",
     r"vision_model.encoder.stages.\1.downsample.pre_assign_attn.attn.out_proj."),
    (r"^img_encoder\.layers\.", "vision_model.encoder.stages."),
    (r"^text_encoder\.token_embedding\.", "text_model.embeddings.token_embedding."),
    (r"^text_encoder\.positional_embedding$", "text_model.embeddings.position_embedding.weight"),
    (r"^text_encoder\.ln_final\.", "text_model.final_layer_norm."),
    (r"^text_encoder\.transformer\.resblocks\.(\d+)\.ln_(\d)\.", r"text_model.encoder.layers.\1.layer_norm\2."),
    (r"^text_encoder\.transformer\.resblocks\.(\d+)\.mlp\.c_fc\.", r"text_model.encoder.layers.\1.mlp.fc1."),
    (r"^text_encoder\.transformer\.resblocks\.(\d+)\.mlp\.c_proj\.", r"text_model.encoder.layers.\1.mlp.fc2."),
    (r"^text_encoder\.transformer\.resblocks\.(\d+)\.attn\.out_proj\.",
     r"text_model.encoder.layers.\1.self_attn.out_proj."),
    (r"^img_projector\.linear_hidden\.", "visual_projection."),
    (r"^img_projector\.linear_out\.", "visual_projection.3."),
    (r"^text_projector\.linear_hidden\.", "text_projection."),
    (r"^text_projector\.linear_out\.", "text_projection.3."),
]


def official_names(config):
    """The official code's names for a network of the port's configuration."""
    v, t = config.vision_config, config.text_config
    both = lambda *names: [f"{n}.{end}" for n in names for end in ("weight", "bias")]
    names = ["logit_scale", "img_encoder.pos_embed"]
    names += both("img_encoder.patch_embed.proj", "img_encoder.patch_embed.norm", "img_encoder.norm")
    for i, depth in enumerate(v.depths):
        layer = f"img_encoder.layers.{i}"
        for b in range(depth):
            block = f"{layer}.blocks.{b}"
            names += both(*(f"{block}.{x}" for x in
                            ("norm1", "norm2", "attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")))
        if v.num_group_tokens[i]:
            names.append(f"{layer}.group_token")
            names += both(*(f"{layer}.downsample.{x}" for x in (
                "norm_tokens", "norm_post_tokens", "norm_x", "norm_new_x", "mlp_inter.fc1", "mlp_inter.fc2",
                "pre_assign_attn.attn.q_proj", "pre_assign_attn.attn.k_proj", "pre_assign_attn.attn.v_proj",
                "pre_assign_attn.attn.proj", "pre_assign_attn.norm2", "pre_assign_attn.norm_post",
                "pre_assign_attn.mlp.fc1", "pre_assign_attn.mlp.fc2", "assign.q_proj", "assign.k_proj",
                "assign.v_proj", "assign.proj", "mlp_channels.fc1", "mlp_channels.fc2")))
        if i > 0 and v.num_group_tokens[i]:
            names += both(*(f"{layer}.group_projector.{x}" for x in ("0", "1.fc1", "1.fc2")))
    names += ["text_encoder.token_embedding.weight", "text_encoder.positional_embedding"]
    names += both("text_encoder.ln_final")
    for n in range(t.num_hidden_layers):
        block = f"text_encoder.transformer.resblocks.{n}"
        names += [f"{block}.attn.in_proj_weight", f"{block}.attn.in_proj_bias"]
        names += both(*(f"{block}.{x}" for x in ("attn.out_proj", "ln_1", "ln_2", "mlp.c_fc", "mlp.c_proj")))
    for head in ("img_projector", "text_projector"):
        names += both(*(f"{head}.{x}" for x in ("linear_hidden.0", "linear_hidden.1", "linear_out")))
        names += [f"{head}.linear_hidden.1.{x}" for x in ("running_mean", "running_var", "num_batches_tracked")]
    return names


def port_names(name):
    """The port's tensors that an official one holds, one below the other."""
    packed = re.match(r"^img_encoder\.layers\.(\d+)\.blocks\.(\d+)\.attn\.qkv\.(weight|bias)$", name)
    if packed:
        i, b, kind = packed.groups()
        return [f"vision_model.encoder.stages.{i}.layers.{b}.self_attn.{x}_proj.{kind}" for x in "qkv"]
    packed = re.match(r"^text_encoder\.transformer\.resblocks\.(\d+)\.attn\.in_proj_(weight|bias)$", name)
    if packed:
        n, kind = packed.groups()
        return [f"text_model.encoder.layers.{n}.self_attn.{x}_proj.{kind}" for x in "qkv"]
    for pattern, to in RENAME:
        new, found = re.subn(pattern, to, name)
        if found:
            return [new]
    return [name]


def official_state(model):
    """The state dict in the official layout, and the table of names."""
    state, left = model.state_dict(), set(model.state_dict())
    official, table = OrderedDict(), {}
    for name in official_names(model.config):
        sources = port_names(name)
        left -= set(sources)
        value = torch.cat([state[s] for s in sources]) if len(sources) > 1 else state[sources[0]].clone()
        if re.match(r"^(img|text)_projector\.linear_(hidden\.0|out)\.weight$", name):
            value = value.unsqueeze(-1)  # a convolution of width 1
        official[name] = value
        table[name] = [list(value.shape), sources]
    assert not left, f"port tensors without an official name: {sorted(left)}"
    return official, table


class Call:
    """Unpickles to the result of function(*arguments)."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


class Storage:
    def __init__(self, elements):
        self.elements = elements


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        if isinstance(value, Storage):
            return ("storage", torch.FloatStorage, "0", "cpu", value.elements)


def archive(path, value, data=b"\0\0\0\0"):
    """A PyTorch zip archive whose pickle is value and whose one storage is data."""
    buffer = io.BytesIO()
    Pickler(buffer, protocol=2).dump(value)
    with zipfile.ZipFile(path, "w") as z:
        for name, body in (("data.pkl", buffer.getvalue()), ("byteorder", b"little"),
                           ("data/0", data), ("version", b"3\n")):
            z.writestr(zipfile.ZipInfo(f"archive/{name}", (1980, 1, 1, 0, 0, 0)), body)


def hostile():
    command = "touch /tmp/groupvit-pwned"
    call = Call(os.system, command)
    archive(OUT / "hostile_call.pth", {"model": OrderedDict(), "epoch": call})
    (OUT / "hostile_legacy.pth").write_bytes(pickle.dumps(call, protocol=2))
    archive(OUT / "hostile_build.pth", {"model": {"logit_scale": Call(eval, f"__import__('os').system('{command}')")}})
    rebuild = torch._utils._rebuild_tensor_v2
    huge = Call(rebuild, Storage(2**40), 0, (2**20, 2**20), (2**20, 1), False, OrderedDict())
    archive(OUT / "hostile_huge.pth", {"model": OrderedDict(logit_scale=huge)})
    outside = Call(rebuild, Storage(1), 0, (4, 4), (1000, 1000), False, OrderedDict())
    archive(OUT / "hostile_stride.pth", {"model": OrderedDict(logit_scale=outside)})


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    model = port.build(port.tiny_config(), fixtures.tiny_fill)
    official, table = official_state(model)
    official["multi_label_logit_scale"] = torch.tensor(NOUN_SCALE)

    # The official training saves its OmegaConf settings too.
    package, module = types.ModuleType("omegaconf"), types.ModuleType("omegaconf.dictconfig")
    module.DictConfig = type("DictConfig", (), {"__module__": "omegaconf.dictconfig"})
    sys.modules.update({"omegaconf": package, "omegaconf.dictconfig": module})
    package.dictconfig = module
    settings = module.DictConfig()
    settings.model = {"multi_label": 3}
    step = {"step": 7, "exp_avg": torch.zeros(3), "exp_avg_sq": torch.ones(3)}
    torch.save({"model": official, "optimizer": {"state": {0: step}, "param_groups": [{"lr": 1e-3, "params": [0]}]},
                "lr_scheduler": {"base_values": [1e-3]}, "epoch": 29, "max_accuracy": 43.7,
                "metrics": {"max_miou": 52.3}, "config": settings}, OUT / "official.pth")
    torch.save(OrderedDict((f"module.{k}", v) for k, v in official.items()), OUT / "official_legacy.pth",
               _use_new_zipfile_serialization=False)
    torch.save(model.state_dict(), OUT / "pytorch_model.bin")
    (OUT / "names.json").write_text(json.dumps(table, indent=0) + "\n")
    hostile()
    for f in sorted(OUT.iterdir()):
        print(f.name, f.stat().st_size)


if __name__ == "__main__":
    main()
