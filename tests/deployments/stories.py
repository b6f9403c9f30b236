"""What tests of CodePush services share: a build with a history, archives to upload, and "nothing has changed"."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any
from zipfile import ZipFile, ZipInfo

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile

from builds.errors import DomainError
from builds.models import AuditEntry, Build
from deployments import bundle_storage
from deployments.models import ChangeRequest, CodePush
from deployments.selectors import find_live_codepush
from deployments.services.codepushes import create_codepush
from deployments.services.processing import process_codepush
from tests.conftest import SAMPLES
from tests.factories import CodePushFactory


def sample(name: str) -> SimpleUploadedFile:
    """A real archive: `android-v1`, `android-v2`, `ios-v1` or `ios-v2`."""
    return SimpleUploadedFile(f"{name}.zip", (SAMPLES / f"{name}.zip").read_bytes())


def small_archive(text: str = "run()", **more: str) -> SimpleUploadedFile:
    """An archive with a bundle of plain JavaScript, and more files: `logo="…"` is CodePush/logo."""
    buffer = BytesIO()
    with ZipFile(buffer, "w") as archive:
        for name, content in ({"index.android.bundle": text} | more).items():
            # Of one date: made twice it has the same bytes.
            archive.writestr(ZipInfo(f"CodePush/{name}"), content)
    return SimpleUploadedFile("small.zip", buffer.getvalue())


def release(build: Build, actor: User, upload: SimpleUploadedFile, **values: Any) -> CodePush:
    """The CodePush as it stands after a worker processed it."""
    codepush = create_codepush(build.pk, actor=actor, upload=upload, **values)
    process_codepush(codepush.pk)
    codepush.refresh_from_db()
    return codepush


def history(build: Build, count: int) -> list[CodePush]:
    """v1 … v<count>, each with a bundle of its own; the last one is Live."""
    return [CodePushFactory(build=build, description=f"Change {number}") for number in range(1, count + 1)]


def live_label(build: Build) -> str:
    live = find_live_codepush(build)
    return live.label if live else ""


def revision(build: Build) -> int:
    """The stamp that web processes poll: raised by whatever a device could notice."""
    return Build.objects.values_list("revision", flat=True).get(pk=build.pk)


def stored_files() -> set[str]:
    return {file.name for file in (*bundle_storage.list_uploads(), *bundle_storage.list_published())}


def state_of_everything() -> dict[str, Any]:
    return {
        "builds": list(Build.objects.order_by("pk").values()),
        "codepushes": list(CodePush.objects.order_by("pk").values()),
        "change requests": list(ChangeRequest.objects.order_by("pk").values()),
        "audit": list(AuditEntry.objects.order_by("pk").values()),
        "files": stored_files(),
    }


@contextmanager
def refused(error: type[DomainError], *words: str, field: str | None = None) -> Iterator[None]:
    """The service refuses with a sentence that holds these words, and leaves no row, no audit entry and no file."""
    before = state_of_everything()
    with pytest.raises(error) as refusal:
        yield
    assert state_of_everything() == before
    assert [word for word in words if word not in refusal.value.message] == []
    assert refusal.value.field == field


@contextmanager
def audited(*actions: str) -> Iterator[None]:
    """Exactly these audit entries are written, in this order."""
    newest = AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    yield
    assert list(AuditEntry.objects.filter(pk__gt=newest).order_by("pk").values_list("action", flat=True)) == [*actions]
