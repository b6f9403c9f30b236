"""Typed readers of environment values: each returns a value of its type, or stops the start with a sentence."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_HOST = re.compile(r"\*|\.?[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:]+\]")


def read_str(name: str, default: str = "") -> str:
    """The value without surrounding blanks; an empty value counts as unset."""
    return os.environ.get(name, "").strip() or default


def read_words(name: str) -> list[str]:
    """Values that blanks separate."""
    return read_str(name).split()


def read_bool(name: str, *, default: bool) -> bool:
    value = read_str(name).lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} is {value!r}; write 1 or 0.")


def read_int(name: str, *, default: int, minimum: int, maximum: int) -> int:
    """A whole number in minimum..maximum, both included."""
    value = read_str(name)
    if not value:
        return default
    if not value.isascii() or not value.isdigit() or not minimum <= int(value) <= maximum:
        raise ImproperlyConfigured(f"{name} is {value!r}; write a whole number from {minimum} to {maximum}.")
    return int(value)


def read_choice(name: str, *, default: str, choices: set[str]) -> str:
    value = read_str(name, default)
    if value not in choices:
        raise ImproperlyConfigured(f"{name} is {value!r}; write {' or '.join(sorted(choices))}.")
    return value


def read_hosts(name: str, default: list[str]) -> list[str]:
    """Comma-separated host names: each as browsers send it, without scheme, port or path; ".example" for all below."""
    hosts = [part.strip() for part in read_str(name).split(",") if part.strip()]
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise ImproperlyConfigured(f"{name} holds {host!r}; write host names only, such as codepush.example.")
    return hosts or default


def read_directory(name: str, default: Path) -> Path:
    """A folder that this process may write to; made if it is missing."""
    directory = Path(read_str(name, str(default)))
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name} is {str(directory)!r}, which cannot be made ({error.strerror}); name a folder to write to."
        ) from error
    return directory


def read_url(name: str, *, schemes: set[str]) -> str:
    """An absolute address without a trailing slash, or "" when unset."""
    value = read_str(name).rstrip("/")
    if not value:
        return ""
    parts = urlsplit(value)
    if parts.scheme not in schemes or not parts.netloc:
        wanted = " or ".join(f"{scheme}://…" for scheme in sorted(schemes))
        raise ImproperlyConfigured(f"{name} is {value!r}; write an address that starts with {wanted}.")
    return value


@dataclass(frozen=True)
class StorageLocation:
    """Where bundles are kept: a folder (`directory` set), or an S3 bucket (`bucket` set)."""

    directory: Path | None = None
    bucket: str = ""
    endpoint_url: str | None = None
    region: str | None = None


def read_storage(name: str, *, default: str, base: Path) -> StorageLocation:
    """`file:PATH` (relative to `base`) or `s3://BUCKET?endpoint_url=…&region=…`."""
    value = read_str(name, default)
    parts = urlsplit(value)
    if parts.scheme == "file" and not parts.netloc and parts.path:
        return StorageLocation(directory=base / parts.path)
    if parts.scheme == "s3" and parts.netloc:
        options = dict(parse_qsl(parts.query))
        unknown = set(options) - {"endpoint_url", "region"}
        if not unknown:
            return StorageLocation(
                bucket=parts.netloc, endpoint_url=options.get("endpoint_url"), region=options.get("region")
            )
    raise ImproperlyConfigured(
        f"{name} is {value!r}; write file:PATH or s3://BUCKET?endpoint_url=ADDRESS&region=REGION."
    )


@dataclass(frozen=True)
class MailServer:
    """`is_tls`: from the first byte on; `starts_tls`: after a greeting in the clear."""

    host: str = ""
    port: int = 25
    user: str = ""
    password: str = ""
    is_tls: bool = False
    starts_tls: bool = False


# By scheme.
_MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}


def read_mail_server(name: str) -> MailServer:
    """`smtp://`, `smtp+tls://` (STARTTLS) or `smtps://`, then `USER:PASSWORD@HOST:PORT`; the defaults when unset."""
    value = read_str(name)
    if not value:
        return MailServer()
    wanted = f"{name} cannot be read; write smtp+tls://USER:PASSWORD@HOST:587, smtps://… or smtp://…."
    try:
        parts = urlsplit(value)
        port = parts.port or _MAIL_PORTS[parts.scheme]
    except (ValueError, KeyError) as error:
        # Not the value: it holds a password.
        raise ImproperlyConfigured(wanted) from error
    if not parts.hostname or parts.path.strip("/") or parts.query:
        raise ImproperlyConfigured(wanted)
    return MailServer(
        host=parts.hostname,
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        is_tls=parts.scheme == "smtps",
        starts_tls=parts.scheme == "smtp+tls",
    )
