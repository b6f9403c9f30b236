import pytest
from django.contrib.auth.models import User

from builds.access import get_project
from builds.errors import InvalidInput
from builds.models import AuditEntry, Membership, Project, Role
from builds.services import create_project
from tests.deployments.stories import audited, refused


def test_whoever_creates_a_project_is_its_first_admin(outsider: User) -> None:
    with audited("project.created"):
        project = create_project(actor=outsider, name="Northwind Outdoor", ios_bundle_id="com.northwind")

    stored = Project.objects.get(slug="northwind-outdoor")
    assert (stored, stored.ios_bundle_id) == (project, "com.northwind")
    assert [(m.user, m.role) for m in stored.memberships.all()] == [(outsider, Role.ADMIN)]
    assert get_project(outsider, stored.slug).role == Role.ADMIN
    entry = AuditEntry.objects.get()
    assert (entry.project, entry.actor, entry.after) == (
        project,
        outsider,
        {"name": "Northwind Outdoor", "slug": "northwind-outdoor"},
    )


def test_an_address_that_was_chosen_is_used(outsider: User) -> None:
    assert create_project(actor=outsider, name="Северный ветер", slug="north").slug == "north"


def test_an_address_that_is_taken_is_refused(project: Project, outsider: User) -> None:
    with refused(InvalidInput, "'northwind-outdoor' is taken", field="slug"):
        create_project(actor=outsider, name="Northwind Outdoor")

    assert not Membership.objects.filter(user=outsider, project=project).exists()


@pytest.mark.parametrize("name", ["", "   ", "!!!"])
def test_a_name_that_gives_no_address_is_refused(outsider: User, name: str) -> None:
    with refused(InvalidInput, field="name"):
        create_project(actor=outsider, name=name)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": "x" * 101}, "name"),
        ({"name": "North", "description": "x" * 2001}, "description"),
        ({"name": "North", "slug": "no blanks"}, "slug"),
        ({"name": "North", "slug": "x" * 61}, "slug"),
        ({"name": "North", "android_bundle_id": "x" * 156}, "android_bundle_id"),
    ],
)
def test_a_value_that_the_model_refuses_is_refused_by_its_field(
    outsider: User, values: dict[str, str], field: str
) -> None:
    with refused(InvalidInput, field=field):
        create_project(actor=outsider, **values)


def test_a_long_name_gives_an_address_that_fits(outsider: User) -> None:
    assert len(create_project(actor=outsider, name="word " * 20).slug) <= 60
