"""How a client applies a binary patch (docs/protocol.md): the reference, and what tests apply patches with."""

import json
import shutil
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

import bsdiff4

from deployments.bundles.manifest import compute_package_hash, is_ignored


class PatchRefused(Exception):
    """The new folder is not what the server said. A client keeps what it has, and asks for the diff instead."""


def apply_patch(current: Path, patch: Path, target: Path, package_hash: str) -> None:
    """`target` is the update, made of the folder of the current one. Raises PatchRefused."""
    with ZipFile(patch) as archive:
        description = json.loads(archive.read("hotcodepatch.json"))
        if description["format"] != "bsdiff4":
            raise PatchRefused(f"unknown format {description['format']}")
        shutil.copytree(current, target)
        for path in description["deletedFiles"]:
            (target / path).unlink()
        for path, file in description["patchedFiles"].items():
            content = bsdiff4.patch((current / path).read_bytes(), archive.read(file["delta"]))
            if sha256(content).hexdigest() != file["sha256"]:
                raise PatchRefused(path)
            (target / path).write_bytes(content)
        for name in archive.namelist():
            if name.startswith("files/"):
                path = target / name.removeprefix("files/")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.read(name))
    if hash_folder(target) != package_hash:
        raise PatchRefused("package hash")


def hash_folder(folder: Path) -> str:
    files = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    return compute_package_hash(
        {name: sha256(path.read_bytes()).hexdigest() for name, path in files.items() if not is_ignored(name)}
    )
