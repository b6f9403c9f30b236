"""Each constraint of projects, memberships and builds is seen refusing a write, whoever writes."""

from collections.abc import Callable

import pytest
from django.apps import apps
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from builds.models import Build, DoneRequest, Platform, StoreStatus
from tests.factories import BuildFactory, MembershipFactory, ProjectFactory, UserFactory

pytestmark = pytest.mark.django_db


def _repeat_slug() -> None:
    ProjectFactory(slug="northwind")
    ProjectFactory(slug="northwind")


def _give_two_roles() -> None:
    membership = MembershipFactory()
    MembershipFactory(project=membership.project, user=membership.user, role="viewer")


def _repeat_key() -> None:
    BuildFactory(deployment_key="key-of-one-build")
    BuildFactory(deployment_key="key-of-one-build")


def _put_two_builds_live() -> None:
    first = _store_live_build()
    _store_live_build(project=first.project)


def _store_live_build(**values: object) -> Build:
    build: Build = BuildFactory(store_status=StoreStatus.LIVE, store_live_at=timezone.now(), **values)
    return build


def _repeat_request() -> None:
    actor = UserFactory()
    DoneRequest.objects.create(actor=actor, scope="/", key="1", request_hash="a")
    DoneRequest.objects.create(actor=actor, scope="/", key="1", request_hash="b")


REFUSED_WRITES: dict[str, Callable[[], object]] = {
    "project_slug_is_unique": _repeat_slug,
    "approval_waits_an_hour_to_a_week": lambda: ProjectFactory(approval_hours=0),
    "membership_is_unique_per_project": _give_two_roles,
    "membership_role_is_known": lambda: MembershipFactory(role="owner"),
    "deployment_key_is_unique": _repeat_key,
    "one_store_live_build_per_slot": _put_two_builds_live,
    "only_a_successful_build_is_in_store": lambda: BuildFactory(status="failed", store_status="approved"),
    "a_store_live_build_knows_since_when": lambda: BuildFactory(store_status="live"),
    "force_update_only_on_a_replaced_build": lambda: _store_live_build(is_force_updated=True),
    "build_platform_is_known": lambda: BuildFactory(platform="windows"),
    "build_target_is_known": lambda: BuildFactory(build_target="qa"),
    "a_keyed_request_is_done_once": _repeat_request,
    "build_status_is_known": lambda: BuildFactory(status="done"),
}


def declared_constraints(app_label: str) -> set[str]:
    return {
        constraint.name
        for model in apps.get_app_config(app_label).get_models()
        for constraint in model._meta.constraints
    }


def assert_refused_by(name: str, write: Callable[[], object]) -> None:
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        write()
    # SQLite names a check, but of a unique constraint only the columns.
    columns = ", ".join(
        f"{model._meta.db_table}.{next(f.column for f in model._meta.local_fields if f.name == field)}"
        for model in apps.get_models()
        for constraint in model._meta.constraints
        if constraint.name == name and isinstance(constraint, models.UniqueConstraint)
        for field in constraint.fields
    )
    said = str(refusal.value)
    assert name in said or (columns and said == f"UNIQUE constraint failed: {columns}")


def test_every_constraint_has_a_refused_write() -> None:
    assert set(REFUSED_WRITES) == declared_constraints("builds")


@pytest.mark.parametrize("name", REFUSED_WRITES)
def test_the_database_refuses_a_write_against(name: str) -> None:
    assert_refused_by(name, REFUSED_WRITES[name])


def test_force_update_of_a_build_that_was_never_in_store_is_refused_as_well() -> None:
    assert_refused_by("force_update_only_on_a_replaced_build", lambda: BuildFactory(is_force_updated=True))


def test_builds_of_other_platforms_targets_and_projects_are_store_live_beside_each_other() -> None:
    build = _store_live_build()
    _store_live_build(project=build.project, platform=Platform.IOS)
    _store_live_build(project=build.project, build_target="staging")
    _store_live_build()

    assert Build.objects.store_live().count() == 4


def test_a_replaced_build_may_be_force_updated() -> None:
    build = BuildFactory(store_status="approved", store_live_at=timezone.now(), is_force_updated=True)

    assert Build.objects.get(pk=build.pk).is_force_updated
