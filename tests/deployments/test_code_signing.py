"""A signature stays as it is on its way to devices; where a project has a key, bundles without one fail in words."""

from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from builds.errors import InvalidInput, NotAllowedNow
from builds.models import AuditEntry, Build, Project
from deployments import bundle_storage
from deployments.models import BundleDiff, BundlePatch, ChangeRequest, CodePush
from deployments.services.approvals import approve
from deployments.services.bundle_checks import read_checked
from deployments.services.codepushes import create_codepush, retry
from deployments.services.processing import process_codepush
from deployments.services.production_rules import set_signing_key
from deployments.services.republishing import promote, roll_back
from deployments.services.uploads import stage_upload
from tests.deployments.answers import assert_no_update, assert_offered, bundle_of
from tests.deployments.pages import AsUser, assert_refused, build_url, codepush_url, text_of
from tests.deployments.stories import audited, live_label, refused, release
from tests.devices import Device
from tests.patch_client import apply_patch, hash_folder
from tests.signing import FILES, SIGNATURE, hash_files, make_key, pack, private_pem, public_pem, sign

KEY = public_pem(make_key())
NEXT_FILES = {**FILES, "CodePush/index.android.bundle": b"run_again()"}


@pytest.fixture
def with_key(project: Project) -> Project:
    """The project has registered our key."""
    project.signing_key = KEY
    project.save()
    return project


def _unpack(device: Device, url: str, folder: Path) -> Path:
    with ZipFile(BytesIO(device.get(url.removeprefix("http://testserver")).body)) as archive:
        archive.extractall(folder)
    return folder


@pytest.mark.usefixtures("bundle_folder")
def test_a_device_gets_the_signature_byte_for_byte(
    build: Build, release_manager: User, device: Device, tmp_path: Path
) -> None:
    codepush = release(build, release_manager, pack(sign()))

    offered = device.check()
    assert_offered(offered, codepush)
    folder = _unpack(device, offered.update["download_url"], tmp_path / "whole")
    assert (folder / SIGNATURE).read_bytes() == sign()[SIGNATURE]
    assert offered.update["package_hash"] == hash_folder(folder) == hash_files(FILES)
    assert bundle_of(codepush).signature == sign()[SIGNATURE].decode()


@pytest.mark.usefixtures("bundle_folder")
@pytest.mark.parametrize("before", [FILES, sign()], ids=["unsigned", "signed"])
def test_diffs_and_patches_bring_the_new_one(
    build: Build, release_manager: User, device: Device, tmp_path: Path, before: dict[str, bytes]
) -> None:
    first = release(build, release_manager, pack(before))
    second = release(build, release_manager, pack(sign(NEXT_FILES)))
    device.label, device.package_hash = first.label, bundle_of(first).package_hash
    folder = tmp_path / "current"
    with ZipFile(pack(before)) as archive:
        archive.extractall(folder)

    offered = device.check()
    assert offered.update["download_url"].endswith(BundleDiff.objects.get().storage_name)
    _unpack(device, offered.update["download_url"], folder)

    assert (folder / SIGNATURE).read_bytes() == sign(NEXT_FILES)[SIGNATURE]
    (folder / "hotcodepush.json").unlink()
    assert hash_folder(folder) == bundle_of(second).package_hash


@pytest.mark.usefixtures("bundle_folder")
def test_a_binary_patch_too(build: Build, release_manager: User, device: Device, tmp_path: Path) -> None:
    old = {**FILES, "CodePush/large.js": bytes(range(256)) * 400}
    new = {**old, "CodePush/large.js": b"changed" + old["CodePush/large.js"]}
    first = release(build, release_manager, pack(sign(old)))
    second = release(build, release_manager, pack(sign(new)))
    current, patch = tmp_path / "current", tmp_path / "patch.zip"
    with ZipFile(pack(sign(old))) as archive:
        archive.extractall(current)
    with bundle_storage.local_copy(BundlePatch.objects.get(from_bundle=first.bundle).storage_name) as file:
        patch.write_bytes(file.read())

    apply_patch(current, patch, tmp_path / "next", bundle_of(second).package_hash)

    assert (tmp_path / "next" / SIGNATURE).read_bytes() == sign(new)[SIGNATURE]


def test_without_a_key_nothing_is_demanded(build: Build, release_manager: User) -> None:
    odd = {**FILES, SIGNATURE: b"rubbish", "CodePush/sub/.codepushrelease": b"x"}

    codepush = release(build, release_manager, pack(odd))

    assert (codepush.label, bundle_of(codepush).is_signed) == ("v1", False)
    with bundle_storage.local_copy(bundle_of(codepush).storage_name) as file, ZipFile(file) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == odd


def test_with_a_key_a_signed_bundle_is_released(with_key: Project, build: Build, release_manager: User) -> None:
    codepush = release(build, release_manager, pack(sign()))

    assert (codepush.status, codepush.label, bundle_of(codepush).is_signed) == ("success", "v1", True)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (FILES, "The bundle is not signed: it has no CodePush/.codepushrelease."),
        (sign(key="theirs"), "The bundle is signed with another key than the registered one."),
        (sign() | {"CodePush/assets/logo.png": b"other"}, "The bundle was changed after it was signed"),
    ],
)
def test_with_a_key_others_fail_in_words_before_any_device_sees_them(
    with_key: Project, build: Build, release_manager: User, device: Device, files: dict[str, bytes], words: str
) -> None:
    codepush = release(build, release_manager, pack(files))

    assert (codepush.status, codepush.label, codepush.bundle, codepush.fails_again) == ("failed", "", None, True)
    assert codepush.failure_reason.startswith(words)
    assert_no_update(device.check(), should_run_binary_version=True)


def test_a_form_says_so_before_it_is_sent(with_key: Project, build: Build, release_manager: User) -> None:
    with refused(InvalidInput, "The bundle is not signed", field="bundle"):
        stage_upload(build, actor=release_manager, file=pack(FILES), file_name="bundle.zip")


def test_a_key_that_came_while_it_was_processed_counts(
    project: Project, build: Build, release_manager: User, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    codepush = create_codepush(build.pk, actor=release_manager, upload=pack(FILES))

    def read_then_register(*args: object, **values: object) -> object:
        contents = read_checked(*args, **values)  # type: ignore[arg-type]
        set_signing_key(project.pk, actor=owner, signing_key=KEY)
        return contents

    monkeypatch.setattr("deployments.services.processing.read_checked", read_then_register)
    process_codepush(codepush.pk)

    codepush.refresh_from_db()
    assert (codepush.status, codepush.failure_reason[:26]) == ("failed", "The bundle is not signed. ")


def test_a_failed_one_succeeds_once_the_key_is_gone(
    with_key: Project, build: Build, release_manager: User, owner: User
) -> None:
    codepush = release(build, release_manager, pack(FILES))
    set_signing_key(with_key.pk, actor=owner, signing_key="")
    retry(codepush.pk, actor=release_manager)
    process_codepush(codepush.pk)

    codepush.refresh_from_db()
    assert codepush.label == "v1"


def test_promoting_checks_against_the_present_key(
    project: Project, build: Build, release_manager: User, owner: User
) -> None:
    signed, unsigned, _ = (
        release(build, release_manager, pack(files)) for files in (sign(), NEXT_FILES, sign(NEXT_FILES))
    )
    set_signing_key(project.pk, actor=owner, signing_key=KEY)

    with refused(NotAllowedNow, "v2 is not signed", "Sign the bundle"):
        promote(unsigned.pk, actor=release_manager)
    assert promote(signed.pk, actor=release_manager).label == "v4"
    set_signing_key(project.pk, actor=owner, signing_key=public_pem(make_key("theirs")))
    with refused(NotAllowedNow, "v1 is signed with another key"):
        promote(signed.pk, actor=release_manager)


def test_a_rollback_is_never_refused_for_it(project: Project, build: Build, release_manager: User, owner: User) -> None:
    release(build, release_manager, pack(FILES))
    live = release(build, release_manager, pack(sign(NEXT_FILES)))
    set_signing_key(project.pk, actor=owner, signing_key=KEY)

    assert roll_back(live.pk, to_label="v1", actor=release_manager).label == "v3"


def test_approving_checks_again_too(
    four_eyes: Project, build: Build, release_manager: User, colleague: User, owner: User
) -> None:
    release(build, release_manager, pack(FILES))
    set_signing_key(four_eyes.pk, actor=owner, signing_key=KEY)

    with audited("change.outdated"), pytest.raises(NotAllowedNow, match="is not signed"):
        approve(ChangeRequest.objects.get().pk, actor=colleague)

    assert (live_label(build), CodePush.objects.get().status) == ("", "canceled")


def test_a_bundle_of_before_signatures_were_kept_is_completed(build: Build, release_manager: User) -> None:
    bundle = bundle_of(release(build, release_manager, pack(sign())))
    bundle.signature = ""
    bundle.save()

    release(build, release_manager, pack(sign()), allows_identical=True)

    bundle.refresh_from_db()
    assert bundle.is_signed


def test_the_card_says_signed(as_user: AsUser, build: Build, release_manager: User) -> None:
    release(build, release_manager, pack(FILES))
    assert ">Signed<" not in text_of(as_user(release_manager).get(build_url(build))).replace("</svg>", ">")
    release(build, release_manager, pack(sign(NEXT_FILES)))

    card = text_of(as_user(release_manager).get(build_url(build))).split("<article")[1]
    assert "Signed</span>" in card


def test_the_dialog_says_when_devices_would_not_take_a_rollback(
    as_user: AsUser, project: Project, build: Build, release_manager: User, owner: User
) -> None:
    release(build, release_manager, pack(FILES))
    live = release(build, release_manager, pack(sign(NEXT_FILES)))
    client, address = as_user(release_manager), codepush_url(live, "rollback")
    sentence = "v1 is not signed"
    assert sentence not in text_of(client.get(address))
    set_signing_key(project.pk, actor=owner, signing_key=KEY)

    page = text_of(client.get(address))

    assert sentence in page
    assert "Devices that check signatures do not take it." in page


def test_the_key_is_registered_shown_and_removed(
    as_user: AsUser, project: Project, owner: User, viewer: User, settings: Settings
) -> None:
    client, address = as_user(owner), f"/projects/{project.slug}/settings/signing-key/"
    assert as_user(viewer).get(address).status_code == 403
    with audited("project.signing_key_changed"):
        response = client.post(address, {"signing_key": KEY.replace("\n", "\r\n"), "reason": "App 3.0 checks it"})
    assert response.status_code == 303
    project.refresh_from_db()
    assert project.signing_key == KEY
    entry = AuditEntry.objects.get()
    assert (entry.before, entry.reason) == ({"fingerprint": ""}, "App 3.0 checks it")
    assert f"SHA-256 {entry.after['fingerprint']}" in text_of(
        as_user(viewer).get(f"/projects/{project.slug}/settings/")
    )
    with audited():
        client.post(address, {"signing_key": KEY})

    with audited("project.signing_key_changed"):
        client.post(address, {"signing_key": ""})

    project.refresh_from_db()
    assert project.signing_key == ""


def test_a_private_key_is_refused_and_not_sent_back(as_user: AsUser, project: Project, owner: User) -> None:
    secret = private_pem(make_key())

    response = as_user(owner).post(f"/projects/{project.slug}/settings/signing-key/", {"signing_key": secret})

    assert_refused(response, 422, "This is a private key. Keep it to yourself")
    assert secret[40:80] not in text_of(response)
    project.refresh_from_db()
    assert project.signing_key == ""
