import pytest
from django.contrib.auth.models import User

from builds.errors import InvalidInput
from builds.models import AuditEntry, Project
from builds.services import edit_project
from tests.deployments.stories import audited, refused


def test_what_changed_is_saved_and_audited_and_nothing_else(project: Project, owner: User) -> None:
    with audited("project.edited"):
        edit_project(project.pk, actor=owner, name=" Northwind Trails ", description="", ios_bundle_id="com.trails")
    project.refresh_from_db()
    assert (project.name, project.ios_bundle_id, project.slug) == (
        "Northwind Trails",
        "com.trails",
        "northwind-outdoor",
    )
    entry = AuditEntry.objects.get()
    assert entry.before == {"name": "Northwind Outdoor", "ios_bundle_id": ""}
    assert entry.after == {"name": "Northwind Trails", "ios_bundle_id": "com.trails"}


def test_the_same_values_again_are_no_entry(project: Project, owner: User) -> None:
    with audited():
        edit_project(project.pk, actor=owner, name=project.name, description=project.description)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "  "),
        ("name", "x" * 101),
        ("description", "x" * 2001),
        ("repository_url", "x" * 301),
        ("android_bundle_id", "a\0b"),
    ],
)
def test_a_value_that_cannot_be_taken_is_refused_by_its_field(
    project: Project, owner: User, field: str, value: str
) -> None:
    with refused(InvalidInput, field=field):
        edit_project(project.pk, actor=owner, **{"ios_bundle_id": "com.new", field: value})
    project.refresh_from_db()
    assert project.ios_bundle_id == ""


def test_the_address_is_not_edited(project: Project, owner: User) -> None:
    with refused(InvalidInput, "'slug' cannot be edited"):
        edit_project(project.pk, actor=owner, slug="trails")
