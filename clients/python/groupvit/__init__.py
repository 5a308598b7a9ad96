"""Regions of photographs, named by words, as arrays: a client of ``groupvit serve``."""

from .client import Client, Encoded
from .problem import Problem
from .results import Segment, Segmentation, Stage

__all__ = ["Client", "Encoded", "Problem", "Segment", "Segmentation", "Stage"]
__version__ = "0.1.0"
