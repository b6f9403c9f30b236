"""The admin for support staff: projects, builds and the audit log."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from builds.models import AuditAction, AuditEntry, Build, Project, StoreStatus
from deployments.services.build_status import set_store_status
from deployments.services.force_update import apply_force_update
from tests.admin import act, assert_is_view_only, count_list_queries, search
from tests.factories import BuildFactory, CodePushFactory, MembershipFactory, ProjectFactory, UserFactory

BUILDS = "/admin/builds/build/"
ENTRIES = "/admin/builds/auditentry/"


@pytest.fixture
def replaced(project: Project, owner: User) -> Build:
    """3.0.0 was Live in the store until 3.1.0 came."""
    build: Build = BuildFactory(project=project)
    for pk in (build.pk, BuildFactory(project=project, store_version="3.1.0").pk):
        set_store_status(pk, actor=owner, store_status=StoreStatus.LIVE)
    build.refresh_from_db()
    return build


@pytest.mark.parametrize("word", ["demo-key-of-it", "4.7.1", "build-99", "abc123def", "polar", "Polar Shoes"])
def test_a_build_is_found_by(word: str, support: Client) -> None:
    project = ProjectFactory(name="Polar Shoes", slug="polar")
    BuildFactory(
        project=project,
        deployment_key="demo-key-of-it",
        store_version="4.7.1",
        build_number="build-99",
        commit="abc123def",
    )
    BuildFactory()

    assert search(support, BUILDS, word) == 1


def test_a_build_is_found_by_the_deployment_id_of_its_codepush(support: Client) -> None:
    codepush = CodePushFactory()
    CodePushFactory(build=codepush.build)
    BuildFactory()

    assert search(support, BUILDS, codepush.deployment_id) == 1
    assert search(support, BUILDS, str(codepush.build_id)) >= 1


def test_builds_are_view_only(support: Client, build: Build) -> None:
    assert_is_view_only(support, BUILDS, build.pk)


def test_force_update_is_applied_after_a_confirmation_and_audited(
    support: Client, staff: User, replaced: Build
) -> None:
    asked = act(support, BUILDS, "apply_force_update", replaced)
    assert "sent to the store" in asked
    replaced.refresh_from_db()
    assert not replaced.is_force_updated

    done = act(support, BUILDS, "apply_force_update", replaced, confirmed=True)

    replaced.refresh_from_db()
    assert replaced.is_force_updated
    assert f"Force Update is applied to {replaced}." in done
    entry = AuditEntry.objects.get(action=AuditAction.FORCE_UPDATE_APPLIED)
    assert entry.actor == staff


def test_force_update_is_lifted(support: Client, owner: User, replaced: Build) -> None:
    apply_force_update(replaced.pk, actor=owner)

    act(support, BUILDS, "lift_force_update", replaced)

    replaced.refresh_from_db()
    assert not replaced.is_force_updated


def test_a_refusal_is_shown_as_a_message(support: Client, build: Build) -> None:
    done = act(support, BUILDS, "apply_force_update", build, confirmed=True)

    assert 'class="error"' in done
    build.refresh_from_db()
    assert not build.is_force_updated


def test_marking_a_build_as_store_live_demotes_the_other(support: Client, replaced: Build) -> None:
    act(support, BUILDS, "mark_as_store_live", replaced, confirmed=True)

    replaced.refresh_from_db()
    assert replaced.store_status == StoreStatus.LIVE
    assert Build.objects.store_live().count() == 1


def test_staff_with_the_view_permission_only_are_offered_no_action(build: Build) -> None:
    looker = UserFactory(is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_build"))
    client = Client()
    client.force_login(looker)

    assert client.get(BUILDS).status_code == 200
    assert "apply_force_update" not in client.get(BUILDS).content.decode()


def test_somebody_who_is_not_staff_is_sent_to_sign_in(owner: User, build: Build) -> None:
    client = Client()
    client.force_login(owner)

    assert client.get(BUILDS).status_code == 302


def test_support_renames_a_project_which_is_audited(support: Client, staff: User, project: Project) -> None:
    form = {"name": "Northwind Trails", "slug": "trails", "ios_bundle_id": "com.trails"}

    answer = support.post(f"/admin/builds/project/{project.pk}/change/", form)

    assert answer.status_code == 302, answer.content.decode()
    project.refresh_from_db()
    assert (project.name, project.slug, project.ios_bundle_id) == (
        "Northwind Trails",
        "northwind-outdoor",
        "com.trails",
    )
    entry = AuditEntry.objects.get(action=AuditAction.PROJECT_EDITED)
    assert entry.actor == staff
    assert (entry.before["name"], entry.after["name"]) == ("Northwind Outdoor", "Northwind Trails")


def test_a_project_cannot_be_added_or_deleted(support: Client, project: Project) -> None:
    assert support.get("/admin/builds/project/add/").status_code == 403
    assert support.post(f"/admin/builds/project/{project.pk}/delete/", {"post": "yes"}).status_code == 403


def test_audit_entries_can_be_neither_changed_nor_deleted_by_a_superuser(support: Client, replaced: Build) -> None:
    entry = AuditEntry.objects.all()[0]
    count = AuditEntry.objects.count()

    assert_is_view_only(support, ENTRIES, entry.pk)
    act(support, ENTRIES, "delete_selected", entry, confirmed=True)

    assert AuditEntry.objects.count() == count


@pytest.mark.parametrize("word", ["dpl_ABC", "Elif", "northwind-outdoor"])
def test_an_audit_entry_is_found_by(word: str, support: Client, project: Project) -> None:
    AuditEntry.objects.create(
        project=project, deployment_id="dpl_ABC", action=AuditAction.CODEPUSH_EDITED, actor_name="Elif Kaya"
    )

    assert search(support, ENTRIES, word) == 1


@pytest.mark.parametrize("address", [BUILDS, ENTRIES, "/admin/builds/membership/", "/admin/builds/project/"])
def test_a_list_costs_the_same_with_one_row_and_with_twenty(address: str, support: Client) -> None:
    def add_row() -> None:
        build = BuildFactory()
        MembershipFactory(project=build.project)
        AuditEntry.objects.create(project=build.project, build=build, action=AuditAction.BUILD_REGISTERED)

    with_one = count_list_queries(support, address, add_row, rows=1)
    assert count_list_queries(support, address, add_row, rows=19) == with_one
