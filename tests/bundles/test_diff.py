"""Diffs between bundles: what they hold, and that a client which applies one gets exactly the new bundle."""

import json
from dataclasses import replace
from io import BytesIO
from zipfile import ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployments.bundles.archive import Limits
from deployments.bundles.diff import DiffPlan, is_worthwhile, plan_diff, write_diff
from deployments.bundles.manifest import compute_content_hash, compute_package_hash
from tests.bundles.archives import BUNDLE, JAVASCRIPT, make_zip, opened, read
from tests.conftest import SAMPLES

Files = dict[str, bytes]


def diff_of(old: Files, new: Files) -> bytes | None:
    """The diff archive between two folders, made as the worker makes it; None when nothing changed."""
    archive = make_zip(new)
    plan = plan_diff(read(make_zip(old)).manifest, read(archive).manifest)
    return None if plan is None else _write(plan, archive)


def _write(plan: DiffPlan, archive: bytes) -> bytes:
    target = BytesIO()
    with opened(archive) as source:
        write_diff(plan, source, target)
    return target.getvalue()


def apply_diff(folder: Files, diff: bytes) -> Files:
    """As the clients do: copy the old folder, delete the listed files, put the archive's files over it."""
    with ZipFile(BytesIO(diff)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    deleted = json.loads(files.pop("hotcodepush.json"))["deletedFiles"]
    return {name: content for name, content in folder.items() if name not in deleted} | files


OLD: Files = {BUNDLE: JAVASCRIPT, "CodePush/kept.png": b"kept", "CodePush/old.png": b"image", "CodePush/c.png": b"c"}


@pytest.mark.parametrize(
    ("new", "deleted", "carried"),
    [
        ({**OLD, BUNDLE: b"changed()"}, [], {BUNDLE}),
        ({**OLD, "CodePush/new.png": b"new"}, [], {"CodePush/new.png"}),
        ({name: content for name, content in OLD.items() if "old" not in name}, ["CodePush/old.png"], set()),
        (
            {BUNDLE: JAVASCRIPT, "CodePush/kept.png": b"kept", "CodePush/new.png": b"image", "CodePush/c.png": b"c"},
            ["CodePush/old.png"],
            {"CodePush/new.png"},
        ),
        ({BUNDLE: JAVASCRIPT}, ["CodePush/c.png", "CodePush/kept.png", "CodePush/old.png"], set()),
        ({**OLD, "CodePush/.codepushrelease": b"token"}, [], {"CodePush/.codepushrelease"}),
        ({**OLD, "CodePush/größe.png": b"1"}, [], {"CodePush/größe.png"}),
    ],
    ids=["changed", "new", "deleted", "renamed", "all-but-one-deleted", "signature", "not-ascii"],
)
def test_a_diff_holds_what_changed_and_names_what_is_gone(new: Files, deleted: list[str], carried: set[str]) -> None:
    diff = diff_of(OLD, new)
    assert diff is not None
    with ZipFile(BytesIO(diff)) as archive:
        assert json.loads(archive.read("hotcodepush.json")) == {"deletedFiles": deleted}
        assert set(archive.namelist()) == {"hotcodepush.json", *carried}
    assert apply_diff(OLD, diff) == new


def test_nothing_changed_makes_no_diff() -> None:
    assert diff_of(OLD, dict(reversed(OLD.items()))) is None


def test_a_file_in_place_of_a_folder_makes_no_diff() -> None:
    """Clients leave the folder of a deleted file, and Android cannot write a file over it."""
    assert diff_of({BUNDLE: JAVASCRIPT, "CodePush/a/b/c": b"c"}, {BUNDLE: JAVASCRIPT, "CodePush/a": b"a"}) is None


def test_a_folder_in_place_of_a_file_is_a_usual_diff() -> None:
    new = {BUNDLE: JAVASCRIPT, "CodePush/a/b": b"b"}
    diff = diff_of({BUNDLE: JAVASCRIPT, "CodePush/a": b"a"}, new)
    assert diff is not None
    assert apply_diff({BUNDLE: JAVASCRIPT, "CodePush/a": b"a"}, diff) == new


def test_the_same_two_bundles_always_give_the_same_bytes() -> None:
    new = {**OLD, BUNDLE: b"changed()", "CodePush/a": b"1", "CodePush/b": b"2"}
    assert diff_of(OLD, new) == diff_of(dict(reversed(OLD.items())), dict(reversed(new.items())))


@pytest.mark.parametrize("platform", ["android", "ios"])
def test_the_samples_differ_in_the_bundle_only(platform: str) -> None:
    old, new = ((SAMPLES / f"{platform}-v{number}.zip").read_bytes() for number in (1, 2))
    plan = plan_diff(read(old, platform=platform).manifest, read(new, platform=platform).manifest)
    assert plan is not None
    diff = _write(plan, new)
    assert len(diff) < len(new) * 0.7
    with ZipFile(BytesIO(old)) as first, ZipFile(BytesIO(new)) as second:
        old_files, new_files = ({name: zf.read(name) for name in zf.namelist()} for zf in (first, second))
    assert apply_diff(old_files, diff) == new_files


def test_a_diff_is_a_zip_to_every_client() -> None:
    """They look at the first four bytes; what is unpacked must be a file that its owner may read."""
    diff = diff_of(OLD, {**OLD, BUNDLE: b"changed()"})
    assert diff is not None
    assert diff.startswith(b"PK\x03\x04")
    with ZipFile(BytesIO(diff)) as archive:
        assert {(entry.external_attr >> 16, entry.date_time[0]) for entry in archive.infolist()} == {(0o644, 1980)}


NAMES = [f"CodePush/{folder}{name}" for folder in ("", "a/", "a/b/", "ä/") for name in ("1", "2", ".codepushrelease")]
folders = st.dictionaries(st.sampled_from(NAMES), st.binary(max_size=5), max_size=8)


@settings(max_examples=100, deadline=None)
@given(folders, folders)
def test_applying_a_diff_to_the_old_folder_gives_the_new_bundle(old: Files, new: Files) -> None:
    old, new = {BUNDLE: JAVASCRIPT, **old}, {BUNDLE: JAVASCRIPT, **new}
    diff = diff_of(old, new)
    if diff is None:
        assert old == new
        return
    applied = apply_diff(old, diff)
    assert applied == new
    before, after = read(make_zip(applied)).manifest, read(make_zip(new)).manifest
    assert compute_package_hash(before) == compute_package_hash(after)
    assert compute_content_hash(before) == compute_content_hash(after)


@pytest.mark.parametrize(
    ("size_bytes", "changed_bytes", "expected"),
    [(999_999, 999_999, True), (1_000_000, 899_000, True), (1_000_000, 901_000, False)],
    ids=["small-archives-always", "saves-a-tenth", "saves-too-little"],
)
def test_a_diff_is_made_where_it_saves_something(size_bytes: int, changed_bytes: int, expected: bool) -> None:
    content = bytes(size_bytes)
    archive = make_zip({BUNDLE: JAVASCRIPT, "CodePush/a": content}, compression=0)
    with opened(archive, limits=Limits()) as source:
        source.entries["CodePush/a"].compress_size = changed_bytes
        resized = replace(source, size_bytes=size_bytes)
        assert is_worthwhile(DiffPlan(["CodePush/a"], []), resized) is expected
