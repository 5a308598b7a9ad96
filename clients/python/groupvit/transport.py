"""Requests over connections that are kept, with the standard library alone."""

from __future__ import annotations

import base64
import http.client
import json
import queue
import socket
import ssl
import time
import urllib.parse
import urllib.request
import weakref
from typing import Any, Dict, Optional, Tuple

from .problem import BadAnswer, Problem, Unreachable

_LONGEST_WAIT = 60.0  # seconds between two attempts, whatever a server says


class Transport:
    """Sends requests to one server; safe for threads, each of which has a connection of its
    own while it needs one."""

    def __init__(self, url: str, token: Optional[str], timeout: float, retries: int) -> None:
        self.url, self.token, self.timeout, self.retries = url.rstrip("/"), token, timeout, retries
        parts = urllib.parse.urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"address {url!r} of a server: give one like http://127.0.0.1:8080")
        self._secure, self._host, self._port, self._path = parts.scheme == "https", parts.hostname, parts.port, parts.path
        self._proxy = _proxy(parts)
        self._idle: "queue.LifoQueue[http.client.HTTPConnection]" = queue.LifoQueue()
        weakref.finalize(self, _close, self._idle)  # for clients that are never closed

    def ask(self, path: str, body: Optional[Dict[str, Any]] = None, method: str = "POST") -> Any:
        """The answer's JSON, None where it has no body; a busy server is asked again."""
        for left in range(self.retries, -1, -1):
            try:
                return self._once(path, body, method)
            except Problem as p:
                if p.status != 429 or left == 0:
                    raise
                time.sleep(min(p.retry_after or 1, _LONGEST_WAIT))
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Closes the connections that are not in use."""
        _close(self._idle)

    def _once(self, path: str, body: Optional[Dict[str, Any]], method: str) -> Any:
        data = None if body is None else json.dumps(body).encode()
        status, headers, text = self._exchange(path, data, method)
        url = self.url + path
        if 200 <= status < 300:
            if not text:
                return None
            try:
                return json.loads(text)
            except ValueError:
                raise BadAnswer(status, url, f"no JSON: {text[:80]!r}") from None
        raise _problem(status, headers, text, url)

    def _exchange(self, path: str, data: Optional[bytes], method: str) -> Tuple[int, http.client.HTTPMessage, bytes]:
        while True:
            connection, kept = self._take()
            answer: Optional[http.client.HTTPResponse] = None
            try:
                connection.request(method, self._target(path), data, self._headers(data is not None))
                answer = connection.getresponse()
                text = answer.read()
            except (OSError, http.client.HTTPException) as e:
                if answer is not None:
                    answer.close()
                connection.close()
                # A server closes connections that were silent for long: that is no error.
                if kept and isinstance(e, (ConnectionError, http.client.RemoteDisconnected, http.client.CannotSendRequest)):
                    continue
                raise Unreachable(self.url, _reason(e, self.timeout)) from e
            if answer.will_close:
                connection.close()
            else:
                self._idle.put(connection)
            return answer.status, answer.headers, text

    def _take(self) -> Tuple[http.client.HTTPConnection, bool]:
        try:
            return self._idle.get_nowait(), True
        except queue.Empty:
            pass
        host, port = (self._proxy.hostname or "", self._proxy.port) if self._proxy else (self._host, self._port)
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(host, port, timeout=self.timeout)
        if self._proxy and self._secure:
            connection.set_tunnel(self._host, self._port)
        return connection, False

    def _target(self, path: str) -> str:
        return self.url + path if self._proxy and not self._secure else self._path + path

    def _headers(self, body: bool) -> Dict[str, str]:
        headers = {"Accept": "application/json"}
        if body:
            headers["Content-Type"] = "application/json"
        if self.token:
            headers["Authorization"] = "Bearer " + self.token
        if self._proxy and self._proxy.username and not self._secure:
            user = f"{self._proxy.username}:{self._proxy.password or ''}"
            headers["Proxy-Authorization"] = "Basic " + base64.b64encode(user.encode()).decode()
        return headers


def _close(idle: "queue.LifoQueue[http.client.HTTPConnection]") -> None:
    while True:
        try:
            idle.get_nowait().close()
        except queue.Empty:
            return


def _proxy(parts: urllib.parse.SplitResult) -> Optional[urllib.parse.SplitResult]:
    """The proxy that the environment names for an address."""
    address = urllib.request.getproxies().get(parts.scheme)
    if not address or urllib.request.proxy_bypass(parts.hostname or ""):
        return None
    return urllib.parse.urlsplit(address if "://" in address else "http://" + address)


def _reason(e: Exception, timeout: float) -> str:
    if isinstance(e, (socket.timeout, TimeoutError)):
        return f"no answer within {timeout:g} s"
    if isinstance(e, ssl.SSLCertVerificationError):
        return f"its certificate: {e.verify_message}"
    if isinstance(e, OSError) and e.strerror:
        return e.strerror
    return str(e) or type(e).__name__


def _problem(status: int, headers: http.client.HTTPMessage, text: bytes, url: str) -> Problem:
    """The Problem that an answer tells of."""
    wait = headers.get("Retry-After", "")
    retry_after = int(wait) if wait.isdigit() else None
    try:
        said = json.loads(text)
    except ValueError:
        said = None
    if not isinstance(said, dict) or "title" not in said:
        if status in (429, 502, 503, 504):  # of a proxy before the server
            return Problem(status, http.client.responses.get(status, "refused"), url, "Ask again later.", None, retry_after)
        return BadAnswer(status, url, text.decode("utf-8", "replace")[:200].strip() or "an empty answer")
    return Problem(status, str(said["title"]), str(said.get("detail", "")), str(said.get("remedy", "")), said.get("limit"), retry_after)
