"""Writes internal/network/testdata/tiny/gradients.safetensors: losses and
gradients of the tiny network, by autograd through transformers' port in float64.

Four cases (the first part of a name in the file):

    hard      evaluation mode, hard straight-through assignment, image-text loss
    soft      evaluation mode, soft assignment, image-text loss
    nouns     as soft, plus the multi-label loss with two prompts a picture
    training  as nouns, with the projection heads' batch statistics; also the
              running statistics after the step ("training/update/NAME")

The port has neither noise-free training nor the multi-label loss: noise is
switched off in its assignment, and the multi-label loss is written here from the
paper (Xu et al., CVPR 2022, section 3.4): a picture's target is 1/K on each of
its K prompts among all B*K, a prompt's target is its picture. Its temperature
theta_m is 2.

    python tools/reference/gradients.py     (after fixtures.py; seconds)
"""

import torch
from torch.nn.functional import cross_entropy, log_softmax, normalize

import fixtures
import port

B, K, THETA = 3, 2, 2.0
PARAMETERS = (
    "logit_scale",
    "text_model.embeddings.position_embedding.weight",
    "text_model.encoder.layers.0.self_attn.k_proj.weight",
    "text_model.final_layer_norm.weight",
    "text_projection.0.weight",
    "text_projection.1.bias",
    "vision_model.embeddings.patch_embeddings.projection.bias",
    "vision_model.embeddings.position_embeddings",
    "vision_model.encoder.stages.0.downsample.assign.k_proj.bias",
    "vision_model.encoder.stages.0.downsample.assign.q_proj.weight",
    "vision_model.encoder.stages.0.downsample.mlp_inter.fc1.weight",
    "vision_model.encoder.stages.0.group_token",
    "vision_model.encoder.stages.0.layers.0.self_attn.v_proj.weight",
    "vision_model.encoder.stages.1.downsample.pre_assign_attn.attn.q_proj.weight",
    "vision_model.encoder.stages.1.group_projector.1.fc1.weight",
    "visual_projection.1.weight",
    "visual_projection.3.weight",
)
STATISTICS = ("visual_projection.1.running_mean", "visual_projection.1.running_var",
              "text_projection.1.running_mean", "text_projection.1.running_var")


def quiet_assignment(hard):
    """Replaces the port's assignment by its noise-free one."""
    def get_attn(self, attn, gumbel=True, **options):
        if hard and options.get("hard", True):
            return port.code.hard_softmax(attn, dim=-2)
        return attn.softmax(dim=-2)

    port.code.GroupViTAssignAttention.get_attn = get_attn


def losses(model, pixels, ids, nouns):
    image = model.visual_projection(model.vision_model(pixel_values=pixels, return_dict=True).pooler_output)
    texts = model.text_projection(model.text_model(input_ids=ids).pooler_output)
    u, t = normalize(image, dim=-1), normalize(texts, dim=-1)
    v, w = t[:B], t[B:]
    own = torch.arange(B)
    scale = model.logit_scale.exp().clamp(max=100)
    logits = scale * u @ v.t()
    image_text = (cross_entropy(logits, own) + cross_entropy(logits.t(), own)) / 2
    theta = torch.tensor(THETA, dtype=torch.float64, requires_grad=True)
    multi = torch.zeros((), dtype=torch.float64)
    if nouns:
        scores = theta.exp().clamp(max=100) * u @ w.t()
        owner = torch.arange(B * K) // K
        to_prompts = -log_softmax(scores, dim=1)[owner, torch.arange(B * K)].mean()
        to_images = cross_entropy(scores.t(), owner)
        multi = (to_prompts + to_images) / 2
    return image_text, multi, theta


def main():
    ids = fixtures.captions(port.tiny_config(), (10, 3, 6, 2, 4, 1, 2, 3, 1))
    stored = {"ids": ids.int()}
    pixels = fixtures.pictures(20, B, 32, 32).double()
    for name, hard, nouns, training in (("hard", True, False, False), ("soft", False, False, False),
                                        ("nouns", False, True, False), ("training", False, True, True)):
        quiet_assignment(hard)
        model = port.build(port.tiny_config(), fixtures.tiny_fill).double()
        model.train(training)
        rows = ids if nouns else ids[:B]
        image_text, multi, theta = losses(model, pixels, rows, nouns)
        (image_text + multi).backward()
        stored[f"{name}/loss/image_text"] = image_text.reshape(1)
        if nouns:
            stored[f"{name}/loss/nouns"] = multi.reshape(1)
            stored[f"{name}/gradient/multi_label_logit_scale"] = theta.grad.reshape(1)
        parameters = dict(model.named_parameters())
        for p in PARAMETERS:
            stored[f"{name}/gradient/{p}"] = parameters[p].grad.reshape(-1)
        if training:
            state = model.state_dict()
            for p in STATISTICS:
                stored[f"{name}/update/{p}"] = state[p]
        print(name, image_text.item(), multi.item())
        for p in PARAMETERS:
            print("   ", p, float(parameters[p].grad.abs().max()))
    port.save(fixtures.HERE / "tiny" / "gradients.safetensors", stored)


if __name__ == "__main__":
    main()
