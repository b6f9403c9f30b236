"""A large bundle in parts, straight to the server's object storage: what broke off goes on where it was."""

import hashlib
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, BinaryIO

from codepush_cli.outcome import Refused, Unreachable
from codepush_cli.server import NoRedirects, Server

# Smaller ones are sent again from the start as quickly.
WORTH_PARTS_BYTES = 32 * 2**20
_TRIES, _TRIES_AT_ALL = 5, 2
_TIMEOUT_SECONDS = 30.0
# Bundles are kept on the server's own disk; or the server is older than parts.
_NO_PARTS = {"parts_not_taken", "not_found", "method_not_allowed"}
_Part = dict[str, Any]


def upload_in_parts(
    server: Server, build_id: int, file: BinaryIO, key: str | None, on_progress: Callable[[int, int], None]
) -> str | None:
    """The ID to release it with; None where the server takes no parts, or its storage is out of reach.

    With `key` the same file gets the same ID in the next run of a job, which sends what is missing then.
    Raises Refused, Unreachable.
    """
    size = file.seek(0, 2)
    try:
        begun = server.write("POST", f"/builds/{build_id}/uploads", {"size_bytes": size}, _make_key(key, file))
    except Refused as refusal:
        if refusal.code in _NO_PARTS:
            return None
        raise
    upload_id = str(begun["upload_id"])
    try:
        return upload_id if _send_missing(server, upload_id, file, on_progress) else None
    except Refused as refusal:
        if key is None or refusal.code != "not_found":
            raise
        # The job ran before, and released it: the release is answered as it was then.
        return upload_id


def _make_key(key: str | None, file: BinaryIO) -> str | None:
    """Of the caller's key and the file: parts of two files never meet in one upload."""
    if key is None:
        return None
    digest = hashlib.sha256(key.encode())
    file.seek(0)
    while chunk := file.read(2**20):
        digest.update(chunk)
    return digest.hexdigest()


def _send_missing(server: Server, upload_id: str, file: BinaryIO, on_progress: Callable[[int, int], None]) -> bool:
    """Whether the storage has all parts; False: from here it cannot be reached at all, and has none of them."""
    size = file.seek(0, 2)
    fewest, fruitless, fault = None, 0, "it forgot what it took"
    while missing := server.get(f"/uploads/{upload_id}")["missing_parts"]:
        fruitless = fruitless + 1 if fewest is not None and len(missing) >= fewest else 0
        if fruitless == _TRIES_AT_ALL and sum(part["size_bytes"] for part in missing) == size:
            return False
        if fruitless == _TRIES:
            raise Unreachable(f"The storage does not take the bundle: {fault}. Tried {_TRIES} times.")
        if fruitless:
            time.sleep(0.5 * 2 ** (fruitless - 1))
        fewest = len(missing)
        try:
            _put_all(missing, file, size, on_progress)
        except (OSError, http.client.HTTPException) as error:
            fault = str(error)
    return True


def _put_all(missing: list[_Part], file: BinaryIO, size: int, on_progress: Callable[[int, int], None]) -> None:
    opener = urllib.request.build_opener(NoRedirects)
    left = sum(part["size_bytes"] for part in missing)
    for part in missing:
        _put(opener, part, file)
        left -= part["size_bytes"]
        on_progress(size - left, size)


def _put(opener: urllib.request.OpenerDirector, part: _Part, file: BinaryIO) -> None:
    """The storage has the part. Its address carries the right to send it: the token stays here."""
    file.seek(part["offset"])
    body = file.read(part["size_bytes"])
    # The server named it; urllib would open files as well.
    if not part["url"].startswith(("http://", "https://")):
        raise Unreachable(f"The server sends parts to {part['url']!r}, which is no web address.")
    headers = {"Content-Type": "application/octet-stream"}
    with opener.open(
        urllib.request.Request(part["url"], body, headers, method="PUT"),  # noqa: S310
        timeout=_TIMEOUT_SECONDS,
    ):
        pass
