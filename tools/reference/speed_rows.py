"""The rows of compare_speed.py: what is measured, of ours and of the others.

`ours` are arguments of `groupvit bench`; `spec` is what speed_worker.py builds for
the others. Both do the same work on the same sizes: see the notes.
"""

from dataclasses import dataclass, field

PRODUCTS = ("1024x1024x1024", "260x384x1536", "260x1536x384", "196x384x384")

# Ids of CLIP's 80 prompts ("a bad photo of a dog." has 9), start and end counted.
PROMPT_LENGTHS = (
    9,
    8,
    8,
    11,
    10,
    8,
    7,
    9,
    9,
    8,
    6,
    11,
    9,
    9,
    9,
    9,
    8,
    8,
    6,
    9,
    11,
    11,
    8,
    8,
    10,
    8,
    9,
    9,
    6,
    9,
    12,
    9,
    8,
    9,
    8,
    9,
    8,
    8,
    11,
    8,
    6,
    9,
    8,
    8,
    6,
    10,
    6,
    8,
    9,
    9,
    8,
    9,
    9,
    9,
    6,
    7,
    8,
    6,
    10,
    8,
    12,
    9,
    7,
    9,
    9,
    9,
    6,
    7,
    8,
    9,
    11,
    7,
    9,
    8,
    7,
    6,
    8,
    9,
    9,
    8,
)
# groupvit encodes texts in batches of 32, cut to a multiple of 8 positions (text.go):
# 80 prompts of at most 12 ids are three batches of 32 × 16.
TEXT_BATCH, TEXT_STEP = 32, 8


@dataclass
class Row:
    """One line of the table for each number of threads."""

    name: str
    kind: str  # product, image, text, train or segment
    ours: list  # arguments of groupvit bench
    spec: dict  # for speed_worker.py
    others: tuple
    times: int = 1  # how often ours runs for one run of the others
    repeat: int = 0  # runs of a round instead of seconds, for long ones
    note: str = ""
    tags: set = field(default_factory=set)
    precision: str = "float32"  # that all of the row compute in

    def rounded(self, precision, others, note):
        """The same row in bf16 or int8."""
        return Row(
            f"{self.name} {precision}",
            self.kind,
            [*self.ours, "--precision", precision],
            dict(self.spec, precision=precision),
            others,
            self.times,
            self.repeat,
            note,
            self.tags,
            precision,
        )


def all_rows(text_config, recipes):
    """Every row; text_config is a config.json with a shorter context, recipes maps a
    name to a training recipe."""
    rows = []
    for shape in PRODUCTS:
        m, k, n = map(int, shape.split("x"))
        rows.append(
            Row(
                f"product {shape}",
                "product",
                ["--work", "product", "--shape", shape],
                dict(work="product", m=m, k=k, n=n),
                ("OpenBLAS", "PyTorch"),
            )
        )
    for size, batch in ((224, 1), (224, 8), (448, 1)):
        rows.append(
            Row(
                f"image {size} px batch {batch}",
                "image",
                ["--work", "image", "--image-size", str(size), "--batch", str(batch)],
                dict(work="image", size=size, batch=batch),
                ("OpenVINO", "ONNX Runtime", "PyTorch"),
                note="tower, projected picture and groups, soft assignments",
            )
        )
    length = -(-max(PROMPT_LENGTHS) // TEXT_STEP) * TEXT_STEP
    runs = -(-len(PROMPT_LENGTHS) // TEXT_BATCH)
    rows.append(
        Row(
            "text 80 prompts",
            "text",
            ["--work", "text", "--batch", str(TEXT_BATCH), "--config", text_config],
            dict(work="text"),
            ("PyTorch",),
            times=runs,
            note=f"ours: {runs} batches of {TEXT_BATCH} at {length} positions; PyTorch: one of 80 at 77",
        )
    )
    for name, recipe in recipes.items():
        rows.append(
            Row(
                f"train {name} batch 48",
                "train",
                ["--work", "train", "--config", recipe, "--batch", "48"],
                dict(work="train recipe", recipe=recipe, batch=48),
                ("PyTorch",),
                note="convolutional stem; 3 prompts a picture, full context, clipping, AdamW",
            )
        )
    rows.append(
        Row(
            "train published batch 8",
            "train",
            ["--work", "train", "--batch", "8"],
            dict(work="train published", batch=8),
            ("PyTorch",),
            repeat=2,
            note="the port with both losses; 3 prompts a picture, 77 positions, clipping, AdamW",
        )
    )
    return rows + rounded_rows(rows)


def rounded_rows(rows):
    """Rows in bf16 and int8 against peers in the same."""
    more = []
    for row in rows:
        if row.kind == "product":
            more.append(
                row.rounded("bf16", ("PyTorch",), "ours: float32 in and out, right matrix packed; torch.mm: bf16")
            )
        elif row.kind == "image":
            more.append(row.rounded("bf16", ("OpenVINO", "PyTorch"), "OpenVINO's hint bf16; PyTorch's autocast"))
            more.append(
                row.rounded(
                    "int8", ("OpenVINO", "ONNX Runtime"), "both run the graph that ONNX Runtime's tools quantised (QDQ)"
                )
            )
        elif row.kind == "train":
            more.append(row.rounded("bf16", ("PyTorch",), f"{row.note}; PyTorch's autocast"))
    return more


def default_config(context):
    """The published config.json with another number of text positions."""
    return dict(
        model_type="groupvit",
        projection_dim=256,
        projection_intermediate_dim=4096,
        logit_scale_init_value=2.6592,
        vision_config=dict(
            hidden_size=384,
            intermediate_size=1536,
            depths=[6, 3, 3],
            num_hidden_layers=12,
            num_group_tokens=[64, 8, 0],
            num_output_groups=[64, 8, 8],
            num_attention_heads=6,
            image_size=224,
            patch_size=16,
            num_channels=3,
            hidden_act="gelu",
            layer_norm_eps=1e-5,
            assign_eps=1.0,
            assign_mlp_ratio=[0.5, 4],
        ),
        text_config=dict(
            vocab_size=49408,
            hidden_size=256,
            intermediate_size=1024,
            num_hidden_layers=12,
            num_attention_heads=4,
            max_position_embeddings=context,
            hidden_act="quick_gelu",
            layer_norm_eps=1e-5,
            bos_token_id=49406,
            eos_token_id=49407,
            pad_token_id=1,
        ),
    )
