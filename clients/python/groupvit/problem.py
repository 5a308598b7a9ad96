"""Why there is no result: one family of exceptions."""

from __future__ import annotations

from typing import Optional


class Problem(Exception):
    """No result, and why. Every error of a request is one, or a subclass.

    ``status`` is HTTP's, 0 where there was no answer; ``title`` names the kind, ``detail``
    says what was wrong with this request, ``remedy`` how to mend it; ``limit`` is the number
    that was exceeded, ``retry_after`` a number of seconds, each None where there is none
    (RFC 9457)."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        remedy: str = "",
        limit: Optional[int] = None,
        retry_after: Optional[int] = None,
    ) -> None:
        self.status, self.title, self.detail = status, title, detail
        self.remedy, self.limit, self.retry_after = remedy, limit, retry_after
        head = f"{status} {title}" if status else title
        super().__init__(": ".join(part for part in (head, detail, remedy) if part))


class Unreachable(Problem):
    """The server did not answer: no connection, one that broke, or no answer in time."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(0, "the server cannot be reached", f"{url}: {why}", "Is `groupvit serve` running there?")


class BadAnswer(Problem):
    """What answered is no groupvit server, or one of another version."""

    def __init__(self, status: int, url: str, why: str) -> None:
        super().__init__(status, "not an answer of groupvit", f"{url}: {why}", "Check the address and the versions.")
