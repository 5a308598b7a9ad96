"""Results as arrays."""

from __future__ import annotations

import base64
import io
import zlib
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Tuple

import numpy as np
import numpy.typing as npt

#: [height, width] of uint8, or uint16 where there are more than 255 labels.
Map = npt.NDArray[Any]


@dataclass(frozen=True)
class Segment:
    """A label that was found: its value in the mask, pixels, share of the photo,
    box (x0, y0, x1, y1; x1 and y1 one beyond) and mean score."""

    id: int
    label: str
    pixels: int
    area: float
    box: Tuple[int, int, int, int]
    score: float


@dataclass(frozen=True)
class Segmentation:
    """What was found in a photo."""

    #: The words asked for; value i of the mask is labels[i - 1], 0 is background.
    labels: List[str]
    #: [height, width], the label of each pixel.
    mask: Map
    #: [height, width] uint8, or None: how sure the best label is, of 255.
    confidence: Optional[npt.NDArray[np.uint8]]
    #: [height, width], the best label of each pixel whatever its confidence.
    best: Map
    #: The threshold in force, of 1.
    threshold: float
    segments: List[Segment]
    #: [labels, height, width] float32, or None where they were not asked for.
    scores: Optional[npt.NDArray[np.float32]] = None
    #: The answer as it came, without the pictures.
    raw: Dict[str, Any] = field(default_factory=dict, repr=False)

    def region(self, label: str) -> npt.NDArray[np.bool_]:
        """The pixels of a label: [height, width] of bool. KeyError where it was not asked for."""
        if label not in self.labels:
            raise KeyError(f"{label!r} is none of the labels {self.labels}")
        return np.equal(self.mask, self.labels.index(label) + 1)

    def at(self, threshold: float) -> Map:
        """The mask at another threshold of the background, of 1; no request is made."""
        if self.confidence is None:
            raise ValueError("this answer has no confidence: its protocol has no background")
        return np.where(self.confidence < 255 * threshold, 0, self.best).astype(self.best.dtype)


@dataclass(frozen=True)
class Stage:
    """A grouping stage: how many groups it has, how many have pixels, and [height, width]
    with 1 + the group of each pixel."""

    groups: int
    used: int
    mask: Map


def plane(text: str, height: int, width: int, bits: int = 8) -> Map:
    """A map of an answer: base64 of zlib of rows."""
    kind = {8: "u1", 16: "<u2"}[bits]
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), np.dtype(kind)).reshape(height, width)


def segmentation(answer: Dict[str, Any]) -> Segmentation:
    """A result of /v1/segment that has the format "planes", perhaps "npy"."""
    formats = answer.pop("formats")
    p = formats["planes"]
    best = plane(p["labels"], p["height"], p["width"], p["bits"])
    confidence = plane(p["confidence"], p["height"], p["width"]) if p.get("confidence") else None
    threshold = p["threshold"]
    mask = best if confidence is None else np.where(confidence < 255 * threshold, 0, best).astype(best.dtype)
    scores = np.load(io.BytesIO(base64.b64decode(formats["npy"])), allow_pickle=False) if "npy" in formats else None
    segments = [Segment(s["id"], s["label"], s["pixels"], s["area"], tuple(s["box"]), s["score"]) for s in answer["segments"]]
    return Segmentation(answer["labels"], mask, confidence, best, threshold, segments, scores, answer)


def stages(answer: Dict[str, Any]) -> List[Stage]:
    """The stages of a result of /v1/groups."""
    return [
        Stage(s["groups"], s["used"], plane(s["planes"]["labels"], s["planes"]["height"], s["planes"]["width"], s["planes"]["bits"]))
        for s in answer["stages"]
    ]
