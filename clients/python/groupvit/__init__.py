"""Regions of photos, named by words, as arrays: a client of ``groupvit serve``."""

from .aio import AsyncClient, AsyncEncoded
from .client import Client, Encoded
from .photos import Photo
from .problem import BadAnswer, Problem, Unreachable
from .results import Segment, Segmentation, Stage

__all__ = [
    "AsyncClient", "AsyncEncoded", "BadAnswer", "Client", "Encoded", "Photo", "Problem", "Segment", "Segmentation", "Stage",
    "Unreachable",
]
__version__ = "0.2.0"
