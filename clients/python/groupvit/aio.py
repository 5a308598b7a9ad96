"""The same client for asyncio: requests run in threads of its own, so that the loop is
never held up by one, nor by encoding a photo."""

from __future__ import annotations

import asyncio
import functools
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Callable, Iterable, List, Optional, Sequence, Tuple, Type, TypeVar

import numpy as np
import numpy.typing as npt

from .client import AUTO, Background, Client, Encoded
from .photos import Photo
from .results import Segmentation, Stage

T = TypeVar("T")


class AsyncClient:
    """As :class:`Client`, with methods to await; ``connections`` is how many requests are
    sent at a time. A request that is cancelled is not waited for."""

    def __init__(
        self,
        url: Optional[str] = None,
        token: Optional[str] = None,
        timeout: float = 60.0,
        retries: int = 3,
        connections: int = 8,
    ) -> None:
        self._client = Client(url, token, timeout, retries)
        self._threads = ThreadPoolExecutor(connections, "groupvit")

    async def _run(self, do: Callable[..., T], *args: Any, **options: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, functools.partial(do, *args, **options))

    async def segment(
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
        """As :meth:`Client.segment`."""
        return await self._run(
            self._client.segment, photo, labels, background=background, protocol=protocol, quality=quality,
            templates=templates, short_side=short_side, result_side=result_side, scores=scores,
        )

    async def encode(
        self, photo: Photo, *, protocol: Optional[str] = None, quality: Optional[str] = None, short_side: Optional[int] = None
    ) -> AsyncEncoded:
        """As :meth:`Client.encode`."""
        return AsyncEncoded(self, await self._run(self._client.encode, photo, protocol=protocol, quality=quality, short_side=short_side))

    async def classify(self, photo: Photo, labels: Iterable[str]) -> List[Tuple[str, float]]:
        """As :meth:`Client.classify`."""
        return await self._run(self._client.classify, photo, labels)

    async def embed_texts(self, texts: Iterable[str]) -> npt.NDArray[np.float32]:
        """[texts, width], unit length."""
        return await self._run(self._client.embed_texts, texts)

    async def embed_images(self, photos: Sequence[Photo]) -> npt.NDArray[np.float32]:
        """[photos, width], unit length."""
        return await self._run(self._client.embed_images, photos)

    async def groups(self, photo: Photo) -> List[Stage]:
        """As :meth:`Client.groups`."""
        return await self._run(self._client.groups, photo)

    async def close(self) -> None:
        """Waits for what was asked, then closes the connections."""
        await asyncio.get_running_loop().run_in_executor(None, self._threads.shutdown)
        self._client.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        await self.close()


class AsyncEncoded:
    """A photo that the server has encoded. As a context it is forgotten at the end."""

    def __init__(self, client: AsyncClient, encoded: Encoded) -> None:
        self._client, self._encoded = client, encoded
        self.id, self.width, self.height = encoded.id, encoded.width, encoded.height

    async def segment(
        self,
        labels: Iterable[str] = AUTO,
        *,
        background: Optional[Background] = None,
        templates: Optional[str] = None,
        result_side: Optional[int] = None,
        scores: bool = False,
    ) -> Segmentation:
        """As :meth:`Encoded.segment`."""
        return await self._client._run(
            self._encoded.segment, labels, background=background, templates=templates, result_side=result_side, scores=scores
        )

    async def forget(self) -> None:
        """As :meth:`Encoded.forget`."""
        await self._client._run(self._encoded.forget)

    async def __aenter__(self) -> AsyncEncoded:
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        await self.forget()
