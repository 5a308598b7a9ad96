"""Training steps of transformers' GroupViT (the port) in PyTorch, as `groupvit bench
--work train` makes them: both contrastive losses, a caption and three prompts a
picture, backward, gradient clipping, AdamW with float32 weights.

    speed_torch.py --device cuda --precision bf16 --batch 256 [--config small.json]

Prints one JSON object: images_per_second, ms_median, peak_mb (CUDA's reserved memory,
or the process's largest resident memory on a CPU). bf16 is torch.autocast: products in
bfloat16; softmax of the losses, norms, temperatures and weights in float32.
"""

import argparse
import json
import pathlib
import resource
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "reference"))

import torch

import speed_train


def arguments():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--device", default="cuda", help="cuda or cpu")
    a.add_argument("--precision", default="bf16", choices=["bf16", "float32"])
    a.add_argument("--batch", type=int, default=256)
    a.add_argument("--config", help="a config.json of the port; without it the published size")
    a.add_argument("--threads", type=int, default=0, help="of a CPU; 0 is all")
    a.add_argument("--seconds", type=float, default=20)
    a.add_argument("--compile", action="store_true", help="through torch.compile")
    return a.parse_args()


def port(path):
    """The port of a config.json's size, drawn weights."""
    from transformers import GroupViTConfig, GroupViTModel

    config = json.loads(pathlib.Path(path).read_text())
    return GroupViTModel(GroupViTConfig.from_dict(config))


def sample(model, batch, device):
    """A batch of noise: texts of the full context that end in the end token."""
    vision, text = model.config.vision_config, model.config.text_config
    pixels = torch.randn(batch, 3, vision.image_size, vision.image_size, device=device)
    count = batch * (1 + speed_train.PROMPTS)
    ids = torch.randint(2, text.vocab_size - 2, (count, text.max_position_embeddings), device=device)
    ids[:, -1] = text.vocab_size - 1
    return pixels, ids


def stepper(network, pixels, ids, precision):
    """A function that makes one training step and returns its loss."""
    optimizer = speed_train.adamw(network)
    kind = pixels.device.type

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(kind, dtype=torch.bfloat16, enabled=precision == "bf16"):
            u, v, nouns = network.scores(pixels, ids)
        with torch.autocast(kind, enabled=False):
            loss = speed_train.losses(network, u.float(), v.float(), nouns.float())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), speed_train.CLIP)
        optimizer.step()
        return loss.item()  # waits for the device

    return step


def main():
    a = arguments()
    speed_train.check_losses()
    torch.manual_seed(20220222)
    if a.threads:
        torch.set_num_threads(a.threads)
    torch.backends.cuda.matmul.allow_tf32 = True  # as XLA does
    network = speed_train.Published(port(a.config) if a.config else None).to(a.device).train()
    pixels, ids = sample(network.model, a.batch, a.device)
    if a.compile:
        network.scores = torch.compile(network.scores)
    step = stepper(network, pixels, ids, a.precision)
    losses = [step() for _ in range(3)]
    if not all(x == x for x in losses):
        raise SystemExit(f"the losses are not finite: {losses}")
    times, end = [], time.perf_counter() + a.seconds
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    median = statistics.median(times)
    if a.device == "cpu":
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        name = torch.backends.cpu.get_cpu_capability()
    else:
        peak = torch.cuda.max_memory_reserved() / 2**20
        name = torch.cuda.get_device_name()
    print(
        json.dumps(
            {
                "about": f"torch {torch.__version__}, {name}",
                "device": a.device,
                "precision": a.precision,
                "batch": a.batch,
                "parameters": sum(p.numel() for p in network.parameters()),
                "ms_median": round(median * 1e3, 3),
                "runs": len(times),
                "images_per_second": round(a.batch / median, 3),
                "peak_mb": round(peak, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
