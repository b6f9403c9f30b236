"""What an archive is refused for, in one place: the worker decides by it, and forms ask early."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from django.conf import settings
from django.core.files import File

from builds.errors import InvalidInput
from builds.models import Build
from deployments.bundles.archive import Archive, ArchiveContents, find_js_bundle_in, open_archive, read_archive
from deployments.bundles.javascript import check_hermes_version
from deployments.bundles.manifest import compute_package_hash
from deployments.bundles.refusal import BundleRefused
from deployments.bundles.signature import check_signature, check_signature_files, read_signature
from deployments.models import Bundle, CodePush
from deployments.services.checks import BundleTooLarge


def read_checked(
    archive: Archive, build: Build, on_bytes: Callable[[int], None] = lambda done: None
) -> ArchiveContents:
    """What is in the archive, which devices of the build can run. Reads every byte. Raises BundleRefused.

    Where the project has registered a key, it is signed with that.
    """
    contents = read_archive(archive, build.platform, on_bytes=on_bytes)
    check_hermes_version(contents.js_bundle, build.hermes_bytecode_version, f"build #{build.pk}")
    if public_key := build.project.signing_key:
        check_signature_files(archive)
        check_signature(read_signature(archive), compute_package_hash(contents.manifest), public_key)
    return contents


def require_signed(bundle: Bundle, public_key: str, name: str) -> None:
    """Where there is a key, the stored bundle is signed with it. Raises BundleRefused. `name`: of what carries it."""
    if public_key:
        check_signature(bundle.signature, bundle.package_hash, public_key, name)


def is_signed_with(bundle: Bundle, public_key: str) -> bool:
    """Whether devices that check signatures by this key take the bundle; yes without a key."""
    try:
        require_signed(bundle, public_key, "")
    except BundleRefused:
        return False
    return True


def require_news(live: CodePush | None, content_hash: str, *, allows_identical: bool) -> None:
    """Raises BundleRefused when devices would notice nothing, unless that is what somebody wants."""
    bundle = live.bundle if live else None
    if bundle is not None and bundle.content_hash == content_hash and not allows_identical:
        raise BundleRefused(
            f"The bundle is identical to {live}, which is Live: devices would notice nothing. "
            "Upload another one, or allow this one: “Publish even if identical” in the dialog, --allow-identical on "
            "the command line, allows_identical in the API."
        )


def check_size(size_bytes: int) -> None:
    if size_bytes > settings.MAX_BUNDLE_BYTES:
        raise BundleTooLarge


def check_directory(upload: "File[bytes]", platform: str) -> None:
    """What size and directory of an upload show at once. Raises InvalidInput."""
    check_size(upload.size or 0)
    with refused_as_input(), open_archive(cast(BinaryIO, upload.file)) as archive:
        find_js_bundle_in(archive, platform)
    upload.seek(0)


@contextmanager
def refused_as_input(field: str = "bundle") -> Iterator[None]:
    """A refusal of the bundle inside is one of that input."""
    try:
        yield
    except BundleRefused as refusal:
        raise InvalidInput(str(refusal), field=field) from refusal
