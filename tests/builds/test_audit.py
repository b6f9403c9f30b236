"""The audit log only grows."""

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import ProtectedError

from builds import audit
from builds.models import AuditAction, AuditEntry, Build
from tests.factories import UserFactory


@pytest.fixture
def entry(build: Build, owner: User) -> AuditEntry:
    return audit.record(
        AuditAction.BUILD_STATUS_CHANGED, actor=owner, project=build.project, build=build, after={"status": "success"}
    )


def test_an_entry_names_who_acted_as_they_were_called_then(entry: AuditEntry, owner: User) -> None:
    owner.first_name = "Olivia"
    owner.save()

    assert AuditEntry.objects.get().actor_name == "Olga Kaya"


def test_a_person_without_a_name_is_called_by_their_user_name(build: Build) -> None:
    person = UserFactory(username="ci-bot", first_name="", last_name="")

    assert (
        audit.record(AuditAction.BUILD_REGISTERED, actor=person, project=build.project, build=build).actor_name
        == "ci-bot"
    )


def test_what_no_person_did_the_worker_did(build: Build) -> None:
    assert (
        audit.record(AuditAction.CODEPUSH_SUCCEEDED, actor=None, project=build.project, build=build).actor_name
        == "worker"
    )


def test_an_entry_knows_the_project_of_its_build(entry: AuditEntry, build: Build) -> None:
    assert AuditEntry.objects.get().project == build.project


def test_an_entry_cannot_be_altered(entry: AuditEntry) -> None:
    entry.reason = "Rewritten"
    with pytest.raises(TypeError):
        entry.save()
    with pytest.raises(TypeError):
        AuditEntry.objects.update(reason="Rewritten")
    with pytest.raises(TypeError):
        AuditEntry.objects.filter(pk=entry.pk).update(reason="Rewritten")
    with pytest.raises(TypeError), transaction.atomic():
        AuditEntry.objects.bulk_update([entry], ["reason"])

    assert AuditEntry.objects.get().reason == ""


def test_an_entry_cannot_be_deleted(entry: AuditEntry) -> None:
    with pytest.raises(TypeError):
        entry.delete()
    with pytest.raises(TypeError):
        AuditEntry.objects.all().delete()

    assert AuditEntry.objects.count() == 1


def test_what_an_entry_tells_of_cannot_be_deleted_under_it(entry: AuditEntry, build: Build) -> None:
    with pytest.raises(ProtectedError):
        build.delete()
    with pytest.raises(ProtectedError):
        build.project.delete()


def test_an_entry_outlives_the_account_of_its_actor(entry: AuditEntry, owner: User) -> None:
    owner.memberships.all().delete()
    owner.delete()

    kept = AuditEntry.objects.get()
    assert (kept.actor, kept.actor_name) == (None, "Olga Kaya")


def test_the_newest_entry_comes_first(entry: AuditEntry, build: Build) -> None:
    newer = audit.record(AuditAction.BUILD_STATUS_CHANGED, actor=None, project=build.project, build=build)

    assert list(build.audit_entries.all()) == [newer, entry]
