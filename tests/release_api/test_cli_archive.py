"""What the command line client uploads for a folder: what the standard tools would."""

import os
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from codepush_cli.bundle import is_archive, write_archive
from codepush_cli.outcome import UsageError
from deployments.bundles.archive import open_archive
from tests.conftest import SAMPLES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bundle as the bundler writes it, with what operating systems leave around."""
    folder = tmp_path / "CodePush"
    for name in (
        "index.android.bundle",
        "assets/b.png",
        "assets/a ü.png",
        ".DS_Store",
        "__MACOSX/x",
        ".codepushrelease",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "empty").mkdir()
    return folder


def _pack(folder: Path) -> bytes:
    target = BytesIO()
    write_archive(folder, target)
    return target.getvalue()


def test_the_name_of_the_folder_stands_on_top_and_folders_have_no_entry(folder: Path) -> None:
    with zipfile.ZipFile(BytesIO(_pack(folder))) as archive:
        assert archive.namelist() == [
            "CodePush/.codepushrelease",
            "CodePush/index.android.bundle",
            "CodePush/assets/a ü.png",
            "CodePush/assets/b.png",
        ]
        assert archive.read("CodePush/assets/b.png") == b"assets/b.png"


def test_the_same_files_give_the_same_bytes(folder: Path) -> None:
    first = _pack(folder)
    os.utime(folder / "index.android.bundle", (1, 1))
    (folder / "index.android.bundle").chmod(0o600)
    assert _pack(folder) == first
    (folder / "index.android.bundle").write_text("other")
    assert _pack(folder) != first


def test_a_folder_is_named_however_it_is_reached(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert _pack(Path()) == _pack(folder)


def test_the_server_opens_it(folder: Path) -> None:
    with open_archive(BytesIO(_pack(folder))):
        pass


def test_a_zip_goes_as_it_is() -> None:
    assert is_archive(SAMPLES / "android-v1.zip")


@pytest.mark.parametrize("name", ["nothing", "text"])
def test_what_is_neither_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "text").write_text("text")
    with pytest.raises(UsageError):
        is_archive(tmp_path / name)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no files"):
        _pack(tmp_path)
