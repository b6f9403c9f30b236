"""What is uploaded: a ZIP as it is, or a folder zipped as the standard CodePush tools do."""

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from codepush_cli.outcome import UsageError

# Clients leave these out of the package hash.
_IGNORED_NAME, _IGNORED_FOLDER = ".DS_Store", "__MACOSX"
# The first moment that a ZIP can name. With the real ones the same files would give other bytes at each build.
_MOMENT = (1980, 1, 1, 0, 0, 0)


def write_archive(path: Path, target: BinaryIO) -> None:
    """`target` holds the archive of the folder, its own name on top: package hashes contain it. Same files, same bytes.

    Raises UsageError for what is no folder, or an empty one.
    """
    top = path.resolve().name
    files = list(_list_files(path))
    if not files:
        raise UsageError(f"{path} holds no files. Name the folder that the bundler wrote.")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for file in files:
            entry = zipfile.ZipInfo(f"{top}/{file.relative_to(path).as_posix()}", _MOMENT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            entry.file_size = file.stat().st_size
            with file.open("rb") as source, archive.open(entry, "w") as written:
                while chunk := source.read(1 << 20):
                    written.write(chunk)


def _list_files(folder: Path) -> Iterator[Path]:
    """In the order of their names, without what clients ignore. Folders have no entries of their own."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != _IGNORED_FOLDER)
        yield from (Path(place, name) for name in sorted(names) if name != _IGNORED_NAME)


def is_archive(path: Path) -> bool:
    """Whether it can be uploaded as it is. Raises UsageError for what is neither a ZIP nor a folder."""
    if path.is_dir():
        return False
    if not path.exists():
        raise UsageError(f"There is no {path}.")
    if not zipfile.is_zipfile(path):
        raise UsageError(f"{path} is neither a folder nor a ZIP archive. Name the folder that the bundler wrote.")
    return True
