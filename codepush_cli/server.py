"""The release API as the client calls it: JSON in and out, sentences for whatever goes wrong, tried again if safe."""

import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from codepush_cli.outcome import Refused, Unreachable

_TRIES = 5
_TIMEOUT_SECONDS = 60.0
_MAX_WAIT_SECONDS = 60.0
# The server, or what stands before it, is away for a moment.
_WORTH_ANOTHER_TRY = {429, 502, 503, 504}
_CHUNK_BYTES = 64 * 1024
_Json = dict[str, Any]


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would take the token elsewhere, and turn a POST into a GET."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _ignore(sent: int, size: int) -> None:
    pass


class Upload:
    """A form, perhaps with a file, sent in pieces: neither side holds it in memory. Can be sent again."""

    def __init__(
        self, fields: dict[str, str], file: BinaryIO | None = None, on_progress: Callable[[int, int], None] = _ignore
    ) -> None:
        self._boundary = uuid.uuid4().hex
        self._file, self._on_progress = file, on_progress
        parts = [f'{self._open(name)}"\r\n\r\n{value}' for name, value in fields.items()]
        if file is not None:
            parts.append(f'{self._open("bundle")}"; filename="bundle.zip"\r\nContent-Type: application/zip\r\n\r\n')
        self._head = "\r\n".join(parts).encode()
        self._tail = f"\r\n--{self._boundary}--\r\n".encode()
        self._file_bytes = file.seek(0, 2) if file is not None else 0

    @property
    def headers(self) -> dict[str, str]:
        length = len(self._head) + self._file_bytes + len(self._tail)
        return {"Content-Type": f"multipart/form-data; boundary={self._boundary}", "Content-Length": str(length)}

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        if self._file is not None:
            self._file.seek(0)
            sent = 0
            while chunk := self._file.read(_CHUNK_BYTES):
                yield chunk
                sent += len(chunk)
                self._on_progress(sent, self._file_bytes)
        yield self._tail

    def _open(self, name: str) -> str:
        return f'--{self._boundary}\r\nContent-Disposition: form-data; name="{name}'


class Server:
    """Writes carry an Idempotency-Key, the same at each try: however often they arrive, they act once."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url.rstrip("/"), token
        self._opener = urllib.request.build_opener(NoRedirects)

    def get(self, path: str, **query: object) -> _Json:
        given = {name: str(value) for name, value in query.items() if value is not None}
        return self._send("GET", f"{path}?{urllib.parse.urlencode(given)}" if given else path)

    def write(self, method: str, path: str, body: _Json, key: str | None = None) -> _Json:
        return self._send(method, path, json.dumps(body).encode(), {"Content-Type": "application/json"}, key)

    def upload(self, path: str, upload: Upload, key: str | None) -> _Json:
        return self._send("POST", path, upload, upload.headers, key)

    def _send(
        self,
        method: str,
        path: str,
        data: "bytes | Upload | None" = None,
        headers: dict[str, str] | None = None,
        key: str | None = None,
    ) -> _Json:
        sent = {"Authorization": f"Bearer {self._token}", "Accept": "application/json", **(headers or {})}
        if method != "GET":
            sent["Idempotency-Key"] = key or uuid.uuid4().hex
        # `main` took http:// and https:// only.
        request = urllib.request.Request(f"{self._url}/api/v1{path}", data, sent, method=method)  # noqa: S310
        failure, wanted_seconds = "", 0.0
        for number in range(_TRIES):
            if number:
                time.sleep(max(0.5 * 2 ** (number - 1), wanted_seconds))
            wanted_seconds = 0.0
            try:
                with self._opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
                    return _read(answer.read())
            except urllib.error.HTTPError as error:
                with error:
                    failure, wanted_seconds = self._explain(error), _read_wait(error)
            except (OSError, http.client.HTTPException) as error:
                # urllib wraps most of them, and then says the reason.
                failure = f"{self._url} cannot be reached: {getattr(error, 'reason', None) or error}."
        raise Unreachable(f"{failure} Tried {_TRIES} times.")

    def _explain(self, error: urllib.error.HTTPError) -> str:
        """What to say if this was the last try. Raises Refused or Unreachable where another one would not help."""
        if 300 <= error.code < 400:
            raise Refused(f"{self._url} redirects to {error.headers.get('Location')}. Set CODEPUSH_URL to that server.")
        told = _read(error.read()).get("error", {})
        message = str(told.get("message") or f"{self._url} answered {error.code} {error.reason}.")
        if error.code in _WORTH_ANOTHER_TRY:
            return message
        if error.code >= 500:
            raise Unreachable(message)
        raise Refused(message, str(told.get("code", "")))


def _read_wait(error: urllib.error.HTTPError) -> float:
    """The seconds that Retry-After asks for, up to a minute; 0 for none, or a date."""
    seconds = error.headers.get("Retry-After", "")
    return min(float(seconds), _MAX_WAIT_SECONDS) if seconds.isascii() and seconds.isdigit() else 0.0


def _read(body: bytes) -> _Json:
    """The JSON object; {} for anything else, such as the page of a proxy."""
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
