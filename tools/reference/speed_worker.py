"""One of the others that compare_speed.py measures, in a process of its own, so
that no library's threads or settings reach another's.

    speed_worker.py NAME SPEC        NAME: OpenBLAS, PyTorch, ONNX Runtime, OpenVINO
    speed_worker.py export SPEC      writes SPEC's "onnx" and its outputs beside it
    speed_worker.py quantise SPEC    writes SPEC's "int8", the graph with weights and
                                     activations in 8 bits

SPEC is JSON: work, sizes, threads, precision (float32 where there is none). The worker prints {"about": ...} when it is
ready, then for each line {"seconds": s, "least": n} on its input measures and
prints {"times": [milliseconds, ...]}.
"""

import json
import os
import sys
import time

import numpy as np


def serve(run, about):
    """Measures on demand until the input ends."""
    run()
    print(json.dumps({"about": about}), flush=True)
    last = 0.0
    for line in sys.stdin:
        order = json.loads(line)
        if last < 1000:
            run()  # the others have used the caches since; a long run does not notice
        times, end = [], time.perf_counter() + order["seconds"]
        while len(times) < order["least"] or time.perf_counter() < end:
            start = time.perf_counter()
            run()
            times.append((time.perf_counter() - start) * 1e3)
        last = sorted(times)[len(times) // 2]
        print(json.dumps({"times": times}), flush=True)


def matrices(spec):
    random = np.random.default_rng(1)
    m, k, n = spec["m"], spec["k"], spec["n"]
    return random.standard_normal((m, k), np.float32), random.standard_normal((k, n), np.float32)


def check_product(a, b, c, share=1e-3):
    """A BLAS with a kernel that does not fit the CPU computes wrong numbers fast."""
    want = a[:8].astype(np.float64) @ b.astype(np.float64)
    wrong = np.abs(c[:8] - want).max()
    if not wrong < share * a.shape[1] ** 0.5:
        raise SystemExit(f"the product is wrong by {wrong}")


def openblas(spec):
    from threadpoolctl import threadpool_info, threadpool_limits

    threadpool_limits(spec["threads"])
    a, b = matrices(spec)
    c = np.empty((spec["m"], spec["n"]), np.float32)
    np.dot(a, b, out=c)
    check_product(a, b, c)
    pool = next(p for p in threadpool_info() if p["internal_api"] == "openblas")
    about = f"OpenBLAS {pool['version']} of numpy {np.__version__}, kernels {pool['architecture']}"
    about += f", {pool['num_threads']} threads"
    serve(lambda: np.dot(a, b, out=c), about)


def start_torch(threads):
    import torch

    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    torch.manual_seed(20220222)
    about = f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}, {torch.get_num_threads()} threads"
    return torch, about


def port_model(size=224):
    """transformers' GroupViTModel of the published size with drawn weights."""
    import transformers

    import formula
    import port

    transformers.logging.set_verbosity_error()
    config = port.default_config()
    config.vision_config.image_size = size
    return port.build(config, formula.fill)


def tower(size):
    """What `groupvit bench --work image` computes, as a module: the projected
    picture, the projected groups, both soft assignments."""
    import torch

    model = port_model(size)

    class Tower(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.vision, self.head = model.vision_model, model.visual_projection

        def forward(self, pixels):
            x = self.vision.embeddings(pixels)
            encoded = self.vision.encoder(x, output_attentions=True, return_dict=True)
            groups = self.vision.layernorm(encoded.last_hidden_state)
            flat = self.head(groups.reshape(-1, groups.shape[-1]))
            return (
                self.head(groups.mean(dim=1)),
                flat.reshape(groups.shape[0], groups.shape[1], -1),
                *encoded.attentions,
            )

    return Tower().eval()


OUTPUTS = ("embedding", "group_embeddings", "soft0", "soft1")


def pixels_of(spec):
    import formula

    return np.stack([formula.picture(b, spec["size"], spec["size"]) for b in range(spec["batch"])])


def export(spec):
    import torch

    torch.set_num_threads(spec["threads"])
    module, pixels = tower(spec["size"]), torch.from_numpy(pixels_of(spec))
    with torch.no_grad():
        outputs = module(pixels)
        temporary = spec["onnx"] + ".new"
        torch.onnx.export(
            module,
            (pixels,),
            temporary,
            dynamo=False,
            opset_version=17,
            input_names=["pixels"],
            output_names=list(OUTPUTS),
        )
    np.savez(spec["onnx"] + ".npz", **{k: v.numpy() for k, v in zip(OUTPUTS, outputs)})
    os.replace(temporary, spec["onnx"])


def precision_of(spec):
    return spec.get("precision", "float32")


def graph_of(spec):
    return spec["int8" if precision_of(spec) == "int8" else "onnx"]


def quantise(spec):
    """Weights and activations in 8 bits with ONNX Runtime's tools, scales from four
    pictures; the result has quantised and dequantised values (QDQ), as OpenVINO
    reads them too."""
    import formula
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Pictures(CalibrationDataReader):
        def __init__(self):
            size, batch = spec["size"], spec["batch"]
            self.left = iter(
                {"pixels": np.stack([formula.picture(i * batch + b, size, size) for b in range(batch)])}
                for i in range(4)
            )

        def get_next(self):
            return next(self.left, None)

    temporary = spec["int8"] + ".new"
    quantize_static(
        spec["onnx"],
        temporary,
        Pictures(),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["MatMul", "Gemm"],
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
    os.replace(temporary, spec["int8"])


def difference(spec, outputs):
    """Largest difference of the first soft assignment from PyTorch's; later numbers
    follow hard choices, which near-ties turn."""
    wrong = np.abs(np.asarray(outputs[2]) - np.load(spec["onnx"] + ".npz")["soft0"]).max()
    # What rounding turns is reported; only what is no number is refused there.
    if not wrong < (1e-3 if precision_of(spec) == "float32" else np.inf):
        raise SystemExit(f"its first assignment differs from PyTorch's by {wrong}")
    return f"differs from PyTorch by {wrong:.1e}"


def onnx_runtime(spec):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = spec["threads"], 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 3
    session = ort.InferenceSession(graph_of(spec), options, providers=["CPUExecutionProvider"])
    feed = {"pixels": pixels_of(spec)}
    about = f"onnxruntime {ort.__version__}, {spec['threads']} threads, {difference(spec, session.run(None, feed))}"
    serve(lambda: session.run(None, feed), about)


def capabilities(core):
    """What OpenVINO has instructions for, in small letters."""
    return {c.lower() for c in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")}


def openvino(spec):
    import openvino as ov

    core = ov.Core()
    # Without the hint a CPU with bfloat16 would compute in bfloat16. In a quantised graph
    # it is for what is left in floating point.
    rest = {"float32": "f32", "bf16": "bf16", "int8": "bf16" if "bf16" in capabilities(core) else "f32"}
    compiled = core.compile_model(
        core.read_model(graph_of(spec)),
        "CPU",
        {
            "INFERENCE_NUM_THREADS": spec["threads"],
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": rest[precision_of(spec)],
        },
    )
    request, pixels = compiled.create_infer_request(), ov.Tensor(pixels_of(spec))
    request.infer([pixels])
    wrong = difference(spec, [t.data for t in request.output_tensors])
    about = f"openvino {ov.__version__} ({', '.join(sorted(capabilities(core)))}), "
    about += f"{compiled.get_property('INFERENCE_NUM_THREADS')} threads, {wrong}"
    serve(lambda: request.infer([pixels]), about)


def pytorch(spec):
    torch, about = start_torch(spec["threads"])
    work, bf16 = spec["work"], precision_of(spec) == "bf16"
    if work.startswith("train"):
        import speed_train

        serve(speed_train.step(spec), about)
        return
    with torch.inference_mode():
        if work == "product":
            a, b = map(torch.from_numpy, matrices(spec))
            exact = a.numpy(), b.numpy()
            if bf16:
                a, b = a.bfloat16(), b.bfloat16()
            c = torch.mm(a, b)
            check_product(*exact, c.float().numpy(), 0.05 if bf16 else 1e-3)
            serve(lambda: torch.mm(a, b, out=c), about)
        elif work == "image":
            module, pixels = tower(spec["size"]), torch.from_numpy(pixels_of(spec))
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                serve(lambda: module(pixels), about)
        else:
            model, ids = port_model(), torch.from_numpy(prompt_ids())
            serve(lambda: model.text_projection(model.text_model(input_ids=ids).pooler_output), about)


def prompt_ids():
    """Eighty prompts of the usual lengths, [80, 77], padded with 0."""
    from speed_rows import PROMPT_LENGTHS

    random = np.random.default_rng(3)
    ids = np.zeros((len(PROMPT_LENGTHS), 77), np.int64)
    for row, length in zip(ids, PROMPT_LENGTHS):
        row[:length] = [49406, *random.integers(300, 49000, length - 2), 49407]
    return ids


WORKERS = {
    "OpenBLAS": openblas,
    "PyTorch": pytorch,
    "ONNX Runtime": onnx_runtime,
    "OpenVINO": openvino,
    "export": export,
    "quantise": quantise,
}

if __name__ == "__main__":
    WORKERS[sys.argv[1]](json.loads(sys.argv[2]))
