"""What a server answers instead of a result (RFC 9457)."""


class Problem(Exception):
    """A refusal: ``status`` is HTTP's, ``detail`` what was wrong, ``remedy`` how to mend it,
    ``limit`` the number that was exceeded (or None), ``retry_after`` seconds (or None)."""

    def __init__(self, status, title, detail="", remedy="", limit=None, retry_after=None):
        self.status, self.title, self.detail = status, title, detail
        self.remedy, self.limit, self.retry_after = remedy, limit, retry_after
        super().__init__(": ".join(part for part in (f"{status} {title}", detail, remedy) if part))
