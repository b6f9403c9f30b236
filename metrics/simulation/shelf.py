"""The files behind each package hash, as far as devices have downloaded them: what each file is, not the files."""

import json
import tempfile
import threading
import zipfile
from hashlib import sha256
from typing import IO

from deployments.bundles.archive import DIFF_MARKER
from deployments.bundles.manifest import compute_package_hash, is_ignored
from metrics.simulation.server import Offer, Package, ProtocolViolation, Server

_CHUNK_BYTES = 256 * 1024
_IN_MEMORY_BYTES = 8_000_000


class Shelf:
    """Manifests by package hash, shared by all devices: each bundle is verified once, not once per device.

    `shares_downloads`: each file is transferred once too, and the other devices take it from here.
    """

    def __init__(self, manifests: dict[str, dict[str, str]], *, shares_downloads: bool = False) -> None:
        self.manifests = manifests
        self._shares_downloads = shares_downloads
        self._transferred_urls: set[str] = set()
        self._transfer_lock = threading.Lock()
        self._verified: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def fetch(self, server: Server, offer: Offer, current: Package | None) -> None:
        """A device that runs `current` has the offered package. Raises Unreachable, ProtocolViolation."""
        if not self._shares_downloads:
            self._transfer(server, offer, current)
        elif offer.download_url not in self._transferred_urls:
            with self._transfer_lock:
                if offer.download_url not in self._transferred_urls:
                    self._transfer(server, offer, current)
                    self._transferred_urls.add(offer.download_url)

    def _transfer(self, server: Server, offer: Offer, current: Package | None) -> None:
        with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as file:
            server.download(offer, file)
            self._verify(file, offer.package, current)

    def _verify(self, file: IO[bytes], package: Package, current: Package | None) -> None:
        """The archive in `file`, applied to what the device runs, gives the package. Raises ProtocolViolation."""
        base_hash = current.package_hash if current else ""
        with self._lock:
            if (package.package_hash, base_hash) in self._verified:
                return
            manifest = self._apply(file, base_hash)
            if compute_package_hash(manifest) != package.package_hash:
                raise ProtocolViolation(
                    f"{package.label} is not what it claims to be: package hash {package.package_hash} was promised."
                )
            self.manifests[package.package_hash] = manifest
            self._verified.add((package.package_hash, base_hash))

    def _apply(self, file: IO[bytes], base_hash: str) -> dict[str, str]:
        """{path: SHA-256} of what is on the device afterwards."""
        with zipfile.ZipFile(file) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/") and not is_ignored(name)]
            manifest: dict[str, str] = {}
            if DIFF_MARKER in names:
                names.remove(DIFF_MARKER)
                if base_hash not in self.manifests:
                    raise ProtocolViolation(f"A diff against {base_hash or 'the store bundle'} came, which nobody has.")
                deleted = set(json.loads(archive.read(DIFF_MARKER))["deletedFiles"])
                manifest = {path: digest for path, digest in self.manifests[base_hash].items() if path not in deleted}
            return manifest | {name: _hash_file(archive, name) for name in names}


def _hash_file(archive: zipfile.ZipFile, name: str) -> str:
    digest = sha256()
    with archive.open(name) as entry:
        while chunk := entry.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
