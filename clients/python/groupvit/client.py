"""The client of ``groupvit serve``."""

from __future__ import annotations

import base64
import os
import zlib
from types import TracebackType
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple, Type, TypeVar, Union

import numpy as np
import numpy.typing as npt

from .photos import Photo, encoded
from .problem import BadAnswer, Problem
from .results import Segmentation, Stage, segmentation, stages
from .transport import Transport

T = TypeVar("T")
#: "auto", "off", or a threshold from 0 to 1.
Background = Union[str, float]


def _text(photo: Photo) -> str:
    return base64.b64encode(encoded(photo)).decode()


def _list(name: str, values: Iterable[str]) -> List[str]:
    if isinstance(values, (str, bytes)):
        raise TypeError(f'{name} is a list of words, as ["cat", "sofa"]')
    return list(values)


def _given(**options: Any) -> Dict[str, Any]:
    """Options that are None are left to the server."""
    return {k: v for k, v in options.items() if v is not None}


#: Labels that leave the words to the model.
AUTO = ("auto",)


def _question(labels: Iterable[str], scores: bool, **options: Any) -> Dict[str, Any]:
    return {**_given(**options), "labels": _list("labels", labels), "formats": ["planes", "npy"] if scores else ["planes"]}


class Client:
    """Asks one server, over connections that it keeps. Threads may share it.

    ``url`` and ``token`` are by default those of ``$GROUPVIT_URL`` (else
    http://127.0.0.1:8080) and ``$GROUPVIT_TOKEN``. ``timeout`` is in seconds; ``retries`` is
    how often a busy server is asked again, after the time that it names. Every error of a
    request is a :class:`Problem`."""

    def __init__(self, url: Optional[str] = None, token: Optional[str] = None, timeout: float = 60.0, retries: int = 3) -> None:
        url = url or os.environ.get("GROUPVIT_URL") or "http://127.0.0.1:8080"
        self._transport = Transport(url, token or os.environ.get("GROUPVIT_TOKEN"), timeout, retries)

    @property
    def url(self) -> str:
        return self._transport.url

    def segment(
        self,
        photo: Photo,
        labels: Iterable[str] = AUTO,
        *,
        background: Optional[Background] = None,
        protocol: Optional[str] = None,
        quality: Optional[str] = None,
        templates: Optional[str] = None,
        short_side: Optional[int] = None,
        result_side: Optional[int] = None,
        scores: bool = False,
    ) -> Segmentation:
        """Segments a photo into regions named by ``labels`` ("dog|puppy" has a synonym). Without
        labels the model names what it sees: ``labels`` of the answer are its words.

        ``background`` is "auto", "off" or a threshold; ``quality`` is "fast", "balanced" or
        "best"; ``scores`` asks for the scores of every label, which is much more data."""
        body = _question(
            labels, scores, background=background, protocol=protocol, quality=quality,
            templates=templates, short_side=short_side, result_side=result_side,
        )
        return self._read(self._ask("/v1/segment", {**body, "image": _text(photo)}), lambda a: segmentation(a["results"][0]))

    def encode(
        self, photo: Photo, *, protocol: Optional[str] = None, quality: Optional[str] = None, short_side: Optional[int] = None
    ) -> Encoded:
        """Encodes a photo once, to ask about it often."""
        body = _given(protocol=protocol, quality=quality, short_side=short_side)
        return self._read(self._ask("/v1/images", {**body, "image": _text(photo)}), lambda a: Encoded(self, a))

    def classify(self, photo: Photo, labels: Iterable[str]) -> List[Tuple[str, float]]:
        """The labels with their cosine similarities, best first."""
        answer = self._ask("/v1/classify", {"image": _text(photo), "labels": _list("labels", labels)})
        return self._read(answer, lambda a: [(str(c["label"]), float(c["score"])) for c in a["results"][0]["classes"]])

    def embed_texts(self, texts: Iterable[str]) -> npt.NDArray[np.float32]:
        """[texts, width], unit length."""
        return self._read(self._ask("/v1/embed", {"texts": _list("texts", texts)}), lambda a: np.asarray(a["texts"], np.float32))

    def embed_images(self, photos: Sequence[Photo]) -> npt.NDArray[np.float32]:
        """[photos, width], unit length."""
        body = {"images": [{"data": _text(p)} for p in photos]}
        return self._read(self._ask("/v1/embed", body), lambda a: np.asarray(a["images"], np.float32))

    def groups(self, photo: Photo) -> List[Stage]:
        """What the model groups without words, a Stage each."""
        return self._read(self._ask("/v1/groups", {"image": _text(photo)}), lambda a: stages(a["results"][0]))

    def close(self) -> None:
        """Closes the connections; a later request opens new ones."""
        self._transport.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self.close()

    def _ask(self, path: str, body: Optional[Dict[str, Any]] = None, method: str = "POST") -> Any:
        return self._transport.ask(path, body, method)

    def _read(self, answer: Any, read: Callable[[Any], T]) -> T:
        """What read makes of an answer."""
        try:
            return read(answer)
        except (LookupError, TypeError, ValueError, OSError, zlib.error) as e:
            raise BadAnswer(200, self.url, f"it cannot be read ({type(e).__name__}: {e})") from e


class Encoded:
    """A photo that the server has encoded. As a context it is forgotten at the end."""

    def __init__(self, client: Client, answer: Dict[str, Any]) -> None:
        self._client = client
        self.id: str = answer["id"]
        self.width: int = answer["width"]
        self.height: int = answer["height"]

    def segment(
        self,
        labels: Iterable[str] = AUTO,
        *,
        background: Optional[Background] = None,
        templates: Optional[str] = None,
        result_side: Optional[int] = None,
        scores: bool = False,
    ) -> Segmentation:
        """As :meth:`Client.segment`, in a fraction of the time."""
        body = _question(labels, scores, background=background, templates=templates, result_side=result_side)
        client = self._client
        return client._read(client._ask(f"/v1/images/{self.id}/segment", body), lambda a: segmentation(a["results"][0]))

    def forget(self) -> None:
        """Lets the server forget it; that it has done so already is no error."""
        try:
            self._client._ask(f"/v1/images/{self.id}", method="DELETE")
        except Problem as p:
            if p.status != 404:
                raise

    def __enter__(self) -> Encoded:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self.forget()
