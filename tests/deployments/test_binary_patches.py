"""Binary patches: made by the worker, offered to clients that ask, and applied as the reference client does."""

import io
import json
from dataclasses import replace
from pathlib import Path
from random import Random
from zipfile import ZipFile

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile

from builds.models import Build
from deployments.bundles import patch
from deployments.models import BundleDiff, BundlePatch, CodePush
from tests.conftest import SAMPLES
from tests.deployments.answers import address_of, assert_offered, bundle_of
from tests.deployments.stories import release, sample, small_archive
from tests.devices import Device, Reply
from tests.factories import BuildFactory, BundleFactory, CodePushFactory
from tests.patch_client import PatchRefused, apply_patch, hash_folder

NOISE = Random(0).randbytes(200_000)


def archive(**files: bytes) -> SimpleUploadedFile:
    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as zip_file:
        zip_file.writestr("CodePush/index.android.bundle", b"run()")
        for name, content in files.items():
            zip_file.writestr(f"CodePush/{name}", content)
    return SimpleUploadedFile("bundle.zip", buffer.getvalue())


def unpack(upload: SimpleUploadedFile | Path, folder: Path) -> Path:
    with ZipFile(upload if isinstance(upload, Path) else io.BytesIO(upload.open().read())) as zip_file:
        zip_file.extractall(folder)
    return folder


def ask(device: Device, running: CodePush, **more: str) -> Reply:
    device.label, device.package_hash = running.label, bundle_of(running).package_hash
    return device.check({"patch_format": "bsdiff4", **more})


def download(device: Device, reply: Reply, folder: Path) -> Path:
    content = device.download(reply.update["download_url"])
    assert len(content) == reply.update["package_size"]
    path = folder / "patch.zip"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("platform", ["android", "ios"])
def test_the_samples_are_updated_by_a_few_hundred_bytes(
    project: object, owner: User, platform: str, tmp_path: Path
) -> None:
    build = BuildFactory(project=project, platform=platform)
    device = Device(build.deployment_key)
    v1, v2 = (release(build, owner, sample(f"{platform}-v{number}")) for number in (1, 2))
    reply = ask(device, v1)
    assert (reply.update["patch_format"], reply.headers["x-codepush-reason"]) == ("bsdiff4", "offered_patch")
    assert reply.update["package_size"] < 2000
    assert BundleDiff.objects.get().size_bytes > 200_000

    current = unpack(SAMPLES / f"{platform}-v1.zip", tmp_path / "current")
    apply_patch(current, download(device, reply, tmp_path), tmp_path / "new", reply.update["package_hash"])
    assert hash_folder(tmp_path / "new") == bundle_of(v2).package_hash


def test_a_patch_adds_deletes_and_replaces_too(device: Device, build: Build, owner: User, tmp_path: Path) -> None:
    old = archive(image=NOISE + b"run(1)", gone=b"x", small=b"1")
    v1 = release(build, owner, old)
    v2 = release(build, owner, archive(image=NOISE + b"run(2)", small=b"2", new=b"y" * 5000))
    reply = ask(device, v1)
    apply_patch(
        unpack(old, tmp_path / "current"),
        download(device, reply, tmp_path),
        tmp_path / "new",
        bundle_of(v2).package_hash,
    )
    assert not (tmp_path / "new" / "CodePush" / "gone").exists()


def test_a_client_that_has_something_else_finds_out(device: Device, build: Build, owner: User, tmp_path: Path) -> None:
    v1 = release(build, owner, archive(image=NOISE + b"run(1)"))
    release(build, owner, archive(image=NOISE + b"run(2)"))
    reply = ask(device, v1)
    other = unpack(archive(image=NOISE[:-1] + b"!run(1)"), tmp_path / "current")
    with pytest.raises(PatchRefused):
        apply_patch(other, download(device, reply, tmp_path), tmp_path / "new", reply.update["package_hash"])


@pytest.fixture
def patched(codepush: CodePush) -> BundlePatch:
    """From an earlier bundle to that of v1, beside a diff."""
    old = CodePushFactory(build=BuildFactory()).bundle
    to = {"from_bundle": old, "to_bundle": codepush.bundle}
    BundleDiff.objects.create(**to, storage_name=f"{'d' * 64}.zip", size_bytes=500)
    return BundlePatch.objects.create(**to, storage_name=f"{'e' * 64}.zip", size_bytes=50)


def test_who_asks_for_patches_gets_one(device: Device, codepush: CodePush, patched: BundlePatch) -> None:
    device.package_hash = patched.from_bundle.package_hash
    address = address_of(f"{'e' * 64}.zip")
    for name in ("patch_format", "patchFormat"):
        reply = device.check({name: "bsdiff4"})
        assert_offered(reply, codepush, download_url=address, package_size=50, patch_format="bsdiff4")


def test_the_first_spelling_has_its_own_name_for_it(device: Device, codepush: CodePush, patched: BundlePatch) -> None:
    device.is_legacy, device.package_hash = True, patched.from_bundle.package_hash
    assert device.check({"patchFormat": "bsdiff4"}).update["patchFormat"] == "bsdiff4"


@pytest.mark.parametrize("asked", [{}, {"patch_format": ""}, {"patch_format": "xdelta"}, {"patch_format": "BSDIFF4"}])
def test_who_does_not_ask_for_this_format_gets_the_diff(
    device: Device, codepush: CodePush, patched: BundlePatch, asked: dict[str, str]
) -> None:
    device.package_hash = patched.from_bundle.package_hash
    assert_offered(device.check(asked), codepush, download_url=address_of(f"{'d' * 64}.zip"), package_size=500)


def test_where_no_patch_was_made_the_diff_is_offered(device: Device, codepush: CodePush) -> None:
    old = BundleFactory()
    BundleDiff.objects.create(
        from_bundle=old, to_bundle=bundle_of(codepush), storage_name=f"{'d' * 64}.zip", size_bytes=500
    )
    device.package_hash = old.package_hash
    assert "patch_format" not in device.check({"patch_format": "bsdiff4"}).update


def test_each_of_five_bundles_has_diff_and_patch(device: Device, build: Build, owner: User) -> None:
    codepushes = [release(build, owner, archive(image=NOISE + b"run(%d)" % number)) for number in range(7)]
    newest = bundle_of(codepushes[-1])
    expected = {bundle_of(codepush).pk for codepush in codepushes[1:6]}
    assert set(newest.incoming_patches.values_list("from_bundle", flat=True)) == expected
    assert set(newest.incoming_diffs.values_list("from_bundle", flat=True)) == expected


def test_a_change_that_a_delta_does_not_make_smaller_gets_no_patch(build: Build, owner: User) -> None:
    for seed in (1, 2):
        release(build, owner, archive(image=Random(seed).randbytes(100_000)))
    assert not BundlePatch.objects.exists()


def test_a_patch_that_saves_less_than_half_is_not_published(build: Build, owner: User) -> None:
    for seed in (1, 2):
        release(build, owner, archive(image=NOISE + b"%d" % seed, other=Random(seed).randbytes(250_000)))
    assert not BundlePatch.objects.exists()
    assert BundleDiff.objects.exists()


@pytest.mark.parametrize(
    "limits",
    [{"max_file_bytes": 100_000}, {"min_file_bytes": 300_000}, {"memory_bytes": 1_000_000}],
    ids=["too large", "too small", "too much memory"],
)
def test_what_would_cost_too_much_is_released_without_a_patch(
    build: Build, owner: User, monkeypatch: pytest.MonkeyPatch, limits: dict[str, int]
) -> None:
    kept = replace(patch.PatchLimits(), **limits)
    monkeypatch.setattr(patch.write_patch, "__kwdefaults__", {"limits": kept})
    for number in (1, 2):
        assert release(build, owner, archive(image=NOISE + b"run(%d)" % number)).is_successful
    assert not BundlePatch.objects.exists()


def test_a_program_that_takes_too_long_is_ended(
    build: Build, owner: User, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "slow.py"
    program.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(patch, "_DELTA_PROGRAM", program)
    monkeypatch.setattr(patch.write_patch, "__kwdefaults__", {"limits": patch.PatchLimits(seconds_per_file=0)})
    for number in (1, 2):
        assert release(build, owner, archive(image=NOISE + b"run(%d)" % number)).is_successful
    assert not BundlePatch.objects.exists()


def test_an_old_archive_that_is_not_stored_any_more_stops_nothing(
    build: Build, owner: User, bundle_folder: Path
) -> None:
    v1 = release(build, owner, archive(image=NOISE + b"run(1)"))
    (bundle_folder / bundle_of(v1).storage_name).unlink()
    assert release(build, owner, archive(image=NOISE + b"run(2)")).is_successful
    assert (BundleDiff.objects.count(), BundlePatch.objects.count()) == (1, 0)


def test_an_upload_may_hold_a_file_of_that_name(build: Build, owner: User) -> None:
    """Only clients that asked for a patch look for the description, and only in what the answer calls one."""
    assert release(build, owner, small_archive(**{"hotcodepatch.json": json.dumps({})})).is_successful
