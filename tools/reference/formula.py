"""The deterministic numbers that Python and Go both compute, so that fixtures
need not store weights or pictures.

r(k, j), the j-th number of stream k, is in [-0.5, 0.5):

    u = (k*2654435761 + j*40503 + 1) mod 2^32
    u ^= u >> 15;  u = u*2246822519 mod 2^32;  u ^= u >> 13
    r = u/2^32 - 0.5

Weights: sort the port's float parameter and buffer names (num_batches_tracked
and multi_label_logit_scale left out) as byte strings; the k-th tensor in that
order, of flat row-major element j, is

    logit_scale                                        2.5
    ...running_var                                     1 + 0.6 r
    ...running_mean                                    0.4 r
    one axis, ending in .weight (LayerNorm, BatchNorm) 1 + 0.4 r
    one axis else (biases)                             0.2 r
    embeddings and group tokens                        2 r
    assign.q_proj.weight, assign.k_proj.weight         4 sqrt(12/n) r
    anything else, n = elements per output row         1.5 sqrt(12/n) r

computed in float64 and rounded to float32. Pictures: pixel (c, y, x) of picture
b is 3 r(100000+b, (c*64 + y//32)*64 + x//32) + r(200000+b, flat index of c,y,x):
coloured squares of 32 pixels with noise, as normalised values.

tools/reference/README.md lists who uses this. It writes nothing.
"""

import numpy as np

EMBEDDINGS = (
    "token_embedding.weight", "position_embedding.weight",
    "position_embeddings", "group_token",
)
ASSIGN = ("assign.q_proj.weight", "assign.k_proj.weight")


def r(k, start, count):
    """r(k, start .. start+count-1) as float64."""
    j = np.arange(start, start + count, dtype=np.uint64)
    u = ((np.uint64(k * 2654435761 & 0xFFFFFFFF) + j * np.uint64(40503) + np.uint64(1))
         & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    u ^= u >> np.uint32(15)
    u *= np.uint32(2246822519)
    u ^= u >> np.uint32(13)
    return u.astype(np.float64) / 2.0**32 - 0.5


def tensor(name, k, shape):
    """The k-th tensor, float32."""
    n = int(np.prod(shape)) if shape else 1
    v = r(k, 0, n)
    if name == "logit_scale":
        v = np.full(n, 2.5)
    elif name.endswith("running_var"):
        v = 1 + 0.6 * v
    elif name.endswith("running_mean"):
        v = 0.4 * v
    elif name.endswith(EMBEDDINGS):
        v = 2 * v
    elif len(shape) == 1:
        v = 1 + 0.4 * v if name.endswith(".weight") else 0.2 * v
    else:
        gain = 4.0 if name.endswith(ASSIGN) else 1.5
        v = gain * np.sqrt(12.0 / (n // shape[0])) * v
    return v.astype(np.float32).reshape(shape)


def names(state_dict):
    """The sorted names that have an index, from a port state dict."""
    return sorted((n for n in state_dict if not n.endswith(("num_batches_tracked", "position_ids"))),
                  key=lambda s: s.encode())


def fill(model):
    """Fills a port model in place."""
    import torch

    state = model.state_dict()
    with torch.no_grad():
        for k, name in enumerate(names(state)):
            state[name].copy_(torch.from_numpy(tensor(name, k, tuple(state[name].shape))))
    return model


def picture(b, height, width):
    """Picture b, float32 [3, height, width]."""
    square = r(100000 + b, 0, 3 * 64 * 64).reshape(3, 64, 64)
    y, x = np.arange(height) // 32, np.arange(width) // 32
    noise = r(200000 + b, 0, 3 * height * width).reshape(3, height, width)
    return (3 * square[:, y][:, :, x] + noise).astype(np.float32)


def caption(b, length, context, vocabulary):
    """Ids of text b: start, length words, end, zeros; int64 [context]."""
    words = 1 + np.floor((r(300000 + b, 0, length) + 0.5) * (vocabulary - 4)).astype(np.int64)
    ids = np.zeros(context, np.int64)
    ids[0], ids[1:1 + length], ids[1 + length] = vocabulary - 2, words, vocabulary - 1
    return ids
