"""The client: requests with the standard library, nothing else."""

import base64
import io
import json
import os
import time
import urllib.error
import urllib.request

import numpy as np
from PIL import Image

from .problem import Problem
from .results import segmentation, stages


def photograph(photo):
    """A file's bytes, of a path, bytes, a Pillow image, or [height, width, 3] uint8."""
    if isinstance(photo, (str, os.PathLike)):
        with open(photo, "rb") as f:
            return f.read()
    if isinstance(photo, (bytes, bytearray, memoryview)):
        return bytes(photo)
    if isinstance(photo, np.ndarray):
        if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3:
            raise TypeError(f"an array must be [height, width, 3] of uint8, this is {photo.shape} of {photo.dtype}")
        photo = Image.fromarray(photo)
    if not isinstance(photo, Image.Image):
        raise TypeError(f"a photograph is a path, bytes, a Pillow image or an array, not {type(photo).__name__}")
    out = io.BytesIO()
    photo.convert("RGB").save(out, "PNG", compress_level=1)
    return out.getvalue()


def question(labels, scores=False, **options):
    """The JSON of a question; options that are None are left to the server."""
    if isinstance(labels, str):
        raise TypeError('labels is a list of words, as ["cat", "sofa"]')
    body = {k: v for k, v in options.items() if v is not None}
    return {**body, "labels": list(labels), "formats": ["planes", "npy"] if scores else ["planes"]}


class Client:
    """Asks one server. ``retries`` is how often a busy one is asked again, when it says so."""

    def __init__(self, url="http://127.0.0.1:8080", token=None, timeout=60.0, retries=3):
        self.url, self.token, self.timeout, self.retries = url.rstrip("/"), token, timeout, retries

    def segment(self, photo, labels, *, background=None, protocol=None, quality=None, templates=None, short_side=None, result_side=None, scores=False):
        """Cuts a photograph into regions named by ``labels`` ("dog|puppy" has a synonym).

        ``background`` is "auto", "off" or a threshold; ``quality`` is "fast", "balanced" or
        "best"; ``scores`` asks for the scores of every label, which is much more data."""
        body = question(labels, scores, background=background, protocol=protocol, quality=quality, templates=templates, short_side=short_side, result_side=result_side)
        body["image"] = base64.b64encode(photograph(photo)).decode()
        return segmentation(self._ask("/v1/segment", body)["results"][0])

    def encode(self, photo, *, protocol=None, quality=None, short_side=None):
        """Encodes a photograph once, to ask it often."""
        body = {k: v for k, v in {"protocol": protocol, "quality": quality, "short_side": short_side}.items() if v is not None}
        body["image"] = base64.b64encode(photograph(photo)).decode()
        return Encoded(self, self._ask("/v1/images", body))

    def classify(self, photo, labels):
        """The words with their cosines, best first."""
        body = {"image": base64.b64encode(photograph(photo)).decode(), "labels": list(labels)}
        return [(c["label"], c["score"]) for c in self._ask("/v1/classify", body)["results"][0]["classes"]]

    def embed_texts(self, texts):
        """[texts, width] float32, unit length."""
        return np.asarray(self._ask("/v1/embed", {"texts": list(texts)})["texts"], np.float32)

    def embed_images(self, photos):
        """[photos, width] float32, unit length."""
        body = {"images": [{"data": base64.b64encode(photograph(p)).decode()} for p in photos]}
        return np.asarray(self._ask("/v1/embed", body)["images"], np.float32)

    def groups(self, photo):
        """What the model takes together without words, a Stage each."""
        return stages(self._ask("/v1/groups", {"image": base64.b64encode(photograph(photo)).decode()})["results"][0])

    def _ask(self, path, body=None, method="POST"):
        for again in range(self.retries, -1, -1):
            try:
                return self._once(path, body, method)
            except Problem as p:
                if p.status != 429 or again == 0:
                    raise
                time.sleep(p.retry_after or 1)

    def _once(self, path, body, method):
        request = urllib.request.Request(self.url + path, None if body is None else json.dumps(body).encode(), method=method)
        if body is not None:
            request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", "Bearer " + self.token)
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                text = answer.read()
                return json.loads(text) if text else None
        except urllib.error.HTTPError as e:
            raise problem(e) from None


def problem(error):
    """The Problem that an HTTP error tells of."""
    text = error.read()
    try:
        said = json.loads(text)
    except ValueError:
        said = {"detail": text.decode("utf-8", "replace")[:500]}
    wait = error.headers.get("Retry-After", "")
    return Problem(error.code, said.get("title", error.reason), said.get("detail", ""), said.get("remedy", ""),
                   said.get("limit"), int(wait) if wait.isdigit() else None)


class Encoded:
    """A photograph that the server has encoded. As a context it is forgotten at the end."""

    def __init__(self, client, answer):
        self._client, self.id = client, answer["id"]
        self.width, self.height = answer["width"], answer["height"]

    def segment(self, labels, *, background=None, templates=None, result_side=None, scores=False):
        """As Client.segment, in a fraction of the time."""
        body = question(labels, scores, background=background, templates=templates, result_side=result_side)
        return segmentation(self._client._ask(f"/v1/images/{self.id}/segment", body)["results"][0])

    def forget(self):
        """Lets the server forget it; that it has done so already is no error."""
        try:
            self._client._ask(f"/v1/images/{self.id}", method="DELETE")
        except Problem as p:
            if p.status != 404:
                raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.forget()
