from collections.abc import Callable

from django.contrib.auth.models import User
from django.test import Client

from builds.models import AuditAction, AuditEntry, Membership, Project, Role

AsUser = Callable[[User], Client]
URL = "/projects/new/"


def test_whoever_makes_a_project_becomes_its_admin(as_user: AsUser, outsider: User) -> None:
    response = as_user(outsider).post(URL, {"name": "Kestrel Grocery", "ios_bundle_id": "com.kestrel"})
    assert response.status_code == 303
    assert response.headers["Location"] == "/projects/kestrel-grocery/"
    project = Project.objects.get(slug="kestrel-grocery")
    assert project.ios_bundle_id == "com.kestrel"
    assert Membership.objects.get(project=project, user=outsider).role == Role.ADMIN
    assert AuditEntry.objects.get(project=project).action == AuditAction.PROJECT_CREATED


def test_an_address_that_is_taken_is_refused_with_input_kept(as_user: AsUser, outsider: User, project: Project) -> None:
    response = as_user(outsider).post(URL, {"name": "Mine", "slug": project.slug, "description": "Keep me"})
    assert response.status_code == 422
    page = response.content.decode()
    assert "is taken by another project" in page
    assert "Keep me" in page


def test_the_address_of_this_page_is_not_a_projects(as_user: AsUser, outsider: User) -> None:
    response = as_user(outsider).post(URL, {"name": "New"})
    assert response.status_code == 422
    assert "belongs to a page of the console" in response.content.decode()


def test_a_project_needs_a_name(as_user: AsUser, outsider: User) -> None:
    assert as_user(outsider).post(URL, {"name": ""}).status_code == 422
