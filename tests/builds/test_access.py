"""Whoever is outside a project finds nothing in it; inside, the role decides."""

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import Http404

from builds.access import get_build, get_project
from builds.models import Build, Project, Role
from tests.factories import BuildFactory, UserFactory

CAST = ["owner", "release_manager", "viewer"]


@pytest.mark.parametrize(
    ("who", "may"),
    [
        ("owner", {Role.VIEWER, Role.RELEASE_MANAGER, Role.ADMIN}),
        ("release_manager", {Role.VIEWER, Role.RELEASE_MANAGER}),
        ("viewer", {Role.VIEWER}),
    ],
)
@pytest.mark.parametrize("role", list(Role))
def test_each_role_may_what_the_one_before_may(
    request: pytest.FixtureRequest, build: Build, who: str, may: set[Role], role: Role
) -> None:
    user = request.getfixturevalue(who)
    if role in may:
        access, found = get_build(user, build.project.slug, build.pk, role=role)
        assert (found, access.allows(role)) == (build, True)
    else:
        with pytest.raises(PermissionDenied, match=f"You need the {role.label} role in Northwind Outdoor"):
            get_build(user, build.project.slug, build.pk, role=role)


@pytest.mark.parametrize(("who", "can_release"), [("owner", True), ("release_manager", True), ("viewer", False)])
def test_pages_learn_what_to_offer(
    request: pytest.FixtureRequest, project: Project, who: str, can_release: bool
) -> None:
    access = get_project(request.getfixturevalue(who), project.slug)

    assert access.can_release is can_release


@pytest.mark.parametrize("role", list(Role))
def test_an_outsider_is_told_the_same_as_of_a_project_that_does_not_exist(
    build: Build, outsider: User, role: Role
) -> None:
    with pytest.raises(Http404) as hidden:
        get_project(outsider, build.project.slug, role=role)
    with pytest.raises(Http404) as hidden_build:
        get_build(outsider, build.project.slug, build.pk, role=role)
    with pytest.raises(Http404) as missing:
        get_project(outsider, "no-such-project", role=role)

    assert str(hidden.value) == str(hidden_build.value) == str(missing.value)


def test_nobody_signed_in_finds_nothing(build: Build) -> None:
    with pytest.raises(Http404):
        get_build(AnonymousUser(), build.project.slug, build.pk)


def test_staff_see_projects_in_the_admin_only(project: Project) -> None:
    with pytest.raises(Http404):
        get_project(UserFactory(is_staff=True, is_superuser=True), project.slug)


@pytest.mark.parametrize("who", CAST)
def test_a_build_is_not_found_under_another_project(request: pytest.FixtureRequest, project: Project, who: str) -> None:
    foreign = BuildFactory()

    with pytest.raises(Http404):
        get_build(request.getfixturevalue(who), project.slug, foreign.pk)


def test_the_list_of_projects_holds_ones_own_only(project: Project, viewer: User, outsider: User) -> None:
    assert list(Project.objects.visible_to(viewer)) == [project]
    assert list(Project.objects.visible_to(outsider).values_list("slug", flat=True)) == ["elsewhere"]
    assert not Project.objects.visible_to(AnonymousUser()).exists()
