"""Manifest and package hash, exactly as the server of origin, the command line tools and the client SDKs compute them.

Source: docs/protocol.md, "Package hash".
"""

import json
from collections.abc import Mapping
from hashlib import sha256

# {path in the archive: lower-case hex SHA-256 of the file}
Manifest = Mapping[str, str]

SIGNATURE_FILE = ".codepushrelease"


def is_ignored(path: str) -> bool:
    """Whether clients act as if the entry were not there: what macOS leaves behind in archives."""
    return path.startswith("__MACOSX/") or path.rsplit("/", 1)[-1] == ".DS_Store"


def is_signature(path: str) -> bool:
    """Whether the file holds the code signature: part of a diff, but not of the hash that it signs."""
    return path.rsplit("/", 1)[-1] == SIGNATURE_FILE


def compute_package_hash(manifest: Manifest) -> str:
    """What clients call packageHash: 64 lower-case hex digits, the same for any order, compression or time stamps."""
    return _hash_entries({path: digest for path, digest in manifest.items() if not is_signature(path)})


def compute_content_hash(manifest: Manifest) -> str:
    """Tells two bundles apart that differ in their signature only; without signatures it is the package hash."""
    return _hash_entries(manifest)


def _hash_entries(manifest: Manifest) -> str:
    # Whole "path:hash" strings are sorted by UTF-16 code units, as JavaScript and Java do: ":" takes part,
    # so "a.b" < "a/b" < "a:…", and characters beyond the BMP sort before U+E000.
    entries = sorted(
        (f"{path}:{digest}" for path, digest in manifest.items()),
        key=lambda entry: entry.encode("utf-16-be", "surrogatepass"),
    )
    text = json.dumps(entries, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()
