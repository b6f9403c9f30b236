"""Past the product, too, an audit entry stays as it was written; the retention alone makes one go."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from builds import audit
from builds.audit_retention import delete_old_entries
from builds.models import AuditAction, AuditEntry, Build, Project
from tests.audit_log import backdate_entries
from tests.deployments.pages import build_url

AsUser = Callable[[User], Client]


@pytest.fixture
def entry(build: Build, owner: User) -> AuditEntry:
    return audit.record(AuditAction.BUILD_STATUS_CHANGED, actor=owner, project=build.project, build=build)


def refused(statement: str) -> None:
    expected = pytest.raises(DatabaseError, match="An audit entry is never")
    with expected, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


needs_postgresql = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="the guard is a trigger of PostgreSQL"
)


@needs_postgresql
def test_nobody_alters_or_deletes_an_entry(entry: AuditEntry) -> None:
    backdate_entries(timezone.now() - timedelta(days=400))

    refused("UPDATE builds_auditentry SET reason = 'Rewritten'")
    refused("UPDATE builds_auditentry SET actor_id = NULL, actor_name = 'Somebody else'")
    refused("DELETE FROM builds_auditentry")

    assert AuditEntry.objects.get().reason == ""


@needs_postgresql
def test_not_even_as_retention_the_last_week(entry: AuditEntry) -> None:
    backdate_entries(timezone.now() - timedelta(days=6, hours=23))

    refused("SET LOCAL codepush.audit_retention_days = '1'; DELETE FROM builds_auditentry")


def test_a_deleted_account_leaves_its_name(entry: AuditEntry, owner: User) -> None:
    owner.memberships.all().delete()
    owner.delete()

    kept = AuditEntry.objects.get()
    assert (kept.actor, kept.actor_name) == (None, "Olga Kaya")


def test_entries_are_kept_for_ever_unless_asked(entry: AuditEntry) -> None:
    backdate_entries(timezone.now() - timedelta(days=4000))

    assert delete_old_entries(timezone.now()) == 0
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize(("age", "kept"), [(timedelta(days=29, hours=23), 1), (timedelta(days=30, hours=1), 0)])
def test_the_retention_deletes_what_is_older(entry: AuditEntry, settings: Settings, age: timedelta, kept: int) -> None:
    settings.AUDIT_RETENTION_DAYS = 30
    backdate_entries(timezone.now() - age)

    assert delete_old_entries(timezone.now()) == 1 - kept
    assert AuditEntry.objects.count() == kept


def test_an_entry_says_from_where(build: Build, viewer: User, as_user: AsUser) -> None:
    as_user(viewer).post(build_url(build, "key/"), REMOTE_ADDR="::ffff:192.0.2.7")

    assert AuditEntry.objects.get().address == "192.0.2.7"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "198.51.100.1", "192.0.2.7"),
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "forged, 198.51.100.1", "198.51.100.1"),
        (2, "203.0.113.9, 198.51.100.1", "203.0.113.9"),
        (2, "forged, 203.0.113.9, 198.51.100.1", "203.0.113.9"),
        (1, "not an address", ""),
        (1, "", ""),
    ],
)
def test_only_own_proxies_are_believed(
    build: Build, viewer: User, as_user: AsUser, settings: Settings, proxies: int, forwarded: str, address: str
) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies
    sent = {"X-Forwarded-For": forwarded}

    as_user(viewer).post(build_url(build, "key/"), headers=sent, REMOTE_ADDR="192.0.2.7")

    assert AuditEntry.objects.get().address == address


def test_what_the_machinery_does_comes_from_nowhere(project: Project) -> None:
    assert audit.record(AuditAction.CODEPUSH_SUCCEEDED, actor=None, project=project).address == ""
