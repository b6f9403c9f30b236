from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from builds.models import Build, Project

AsUser = Callable[[User], Client]
URL = "/projects/northwind-outdoor/builds/new/"
FIELDS = {"platform": "ios", "build_target": "staging", "store_version": "4.2.0", "status": "pending"}


def test_a_registered_build_has_a_deployment_key_of_its_own(as_user: AsUser, release_manager: User) -> None:
    response = as_user(release_manager).post(URL, {**FIELDS, "hermes_bytecode_version": "96"})
    build = Build.objects.get()
    assert response.status_code == 303
    assert response.headers["Location"] == f"/projects/northwind-outdoor/builds/{build.pk}/"
    assert (build.platform, build.build_target, build.status) == ("ios", "staging", "pending")
    assert (build.triggered_by, build.hermes_bytecode_version) == (release_manager, 96)
    assert len(build.deployment_key) == 36


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("store_version", "banana", "is not a store version; use numbers such as 3.0.0."),
        ("store_version", "", "This field is required."),
        ("platform", "windows", "Select a valid choice."),
        ("deployment_key", "with blanks", "10–100 letters, digits, hyphens or underscores."),
        ("hermes_bytecode_version", "-1", "greater than or equal to 0"),
    ],
)
def test_a_bad_value_is_refused_under_its_field(
    as_user: AsUser, release_manager: User, field: str, value: str, sentence: str
) -> None:
    response = as_user(release_manager).post(URL, {**FIELDS, field: value})
    assert response.status_code == 422
    assert sentence in str(response.context["form"].errors[field])
    assert not Build.objects.exists()


def test_a_viewer_may_not_register_builds(as_user: AsUser, viewer: User, project: Project) -> None:
    response = as_user(viewer).post(URL, FIELDS)
    assert response.status_code == 403
    assert "You need the Release manager role in Northwind Outdoor." in response.content.decode()
    assert not Build.objects.exists()
