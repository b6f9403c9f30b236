"""/projects/<slug>/settings/: who sees it, who changes it, and what the forms say."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from builds.models import AuditEntry, Membership, Project, Role
from tests.deployments.pages import AsUser, assert_refused, text_of
from tests.factories import MembershipFactory, UserFactory

URL = "/projects/northwind-outdoor/settings/"


def _member_url(user: User, action: str) -> str:
    return f"{URL}members/{user.memberships.get().pk}/{action}/"


def test_an_admin_is_offered_every_change(as_user: AsUser, owner: User, viewer: User) -> None:
    page = text_of(as_user(owner).get(URL))
    for address in (f"{URL}edit/", f"{URL}members/new/", _member_url(viewer, "role"), _member_url(viewer, "remove")):
        assert address in page
    assert "Vera Kaya" in page
    assert "You need the" not in page


@pytest.mark.parametrize("who", ["viewer", "release_manager"])
def test_others_read_it_and_are_told_whom_to_ask(
    as_user: AsUser, owner: User, viewer: User, release_manager: User, who: str
) -> None:
    page = text_of(as_user({"viewer": viewer, "release_manager": release_manager}[who]).get(URL))
    assert "You need the Admin role to change something here. Ask Olga Kaya." in page
    assert "Release manager" in page
    assert f"{URL}leave/" in page
    for address in (f"{URL}edit/", f"{URL}members/new/", _member_url(owner, "role"), _member_url(owner, "remove")):
        assert address not in page


def test_the_last_admin_sees_why_they_must_stay(as_user: AsUser, owner: User, project: Project) -> None:
    page = text_of(as_user(owner).get(URL))
    assert "The last admin: make somebody else an admin first." in page
    assert f"{URL}leave/" not in page
    assert_refused(as_user(owner).get(f"{URL}leave/"), 409, "Olga Kaya is the last admin of Northwind Outdoor.")
    assert_refused(as_user(owner).post(f"{URL}leave/"), 409, "Olga Kaya is the last admin of Northwind Outdoor.")
    MembershipFactory(project=project, role=Role.ADMIN)
    assert f"{URL}leave/" in text_of(as_user(owner).get(URL))


def test_settings_are_saved(as_user: AsUser, owner: User, project: Project) -> None:
    client = as_user(owner)
    assert 'value="Northwind Outdoor"' in text_of(client.get(f"{URL}edit/"))
    answer = client.post(f"{URL}edit/", {"name": "Northwind Trails", "repository_url": "git@example.com:trails.git"})
    assert (answer.status_code, answer.headers["Location"]) == (303, URL)
    page = text_of(client.get(URL))
    assert "The settings of Northwind Trails are saved." in page
    assert "git@example.com:trails.git" in page


def test_input_that_cannot_be_taken_is_kept_and_explained(as_user: AsUser, owner: User) -> None:
    answer = as_user(owner).post(f"{URL}edit/", {"name": "", "ios_bundle_id": "com.kept"})
    assert_refused(answer, 422, "This field is required.")
    assert 'value="com.kept"' in text_of(answer)
    answer = as_user(owner).post(f"{URL}members/new/", {"who": "nobody", "role": "admin"})
    assert_refused(answer, 422, "No active account has the username or e-mail address 'nobody'.")
    assert 'value="nobody"' in text_of(answer)
    assert 'value="admin" id="id_role_2" checked' in text_of(answer)


def test_a_member_is_added_changed_and_removed(as_user: AsUser, owner: User, project: Project) -> None:
    newcomer = UserFactory(username="nia", first_name="Nia", last_name="Okafor")
    client = as_user(owner)
    client.post(f"{URL}members/new/", {"who": "nia", "role": "viewer"})
    assert "Nia Okafor (nia) is a member now. Role: Viewer." in text_of(client.get(URL))
    client.post(_member_url(newcomer, "role"), {"role": "admin"})
    assert "Nia Okafor has the Admin role." in text_of(client.get(URL))
    assert client.post(_member_url(newcomer, "remove")).headers["Location"] == URL
    assert "Nia Okafor is not a member any more." in text_of(client.get(URL))
    assert not newcomer.memberships.exists()
    assert AuditEntry.objects.filter(project=project, actor=owner).count() == 3


def test_an_admin_who_gives_up_the_role_reads_on(as_user: AsUser, owner: User, project: Project) -> None:
    MembershipFactory(project=project, role=Role.ADMIN)
    answer = as_user(owner).post(_member_url(owner, "role"), {"role": "viewer"}, follow=True)
    assert answer.status_code == 200
    assert "You need the Admin role" in text_of(answer)


@pytest.mark.parametrize("who", ["viewer", "release_manager"])
def test_a_member_leaves_and_is_an_outsider(
    as_user: AsUser, owner: User, viewer: User, release_manager: User, who: str
) -> None:
    client = as_user({"viewer": viewer, "release_manager": release_manager}[who])
    assert "Leave Northwind Outdoor" in text_of(client.get(f"{URL}leave/"))
    answer = client.post(f"{URL}leave/")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/projects/")
    assert "You have left Northwind Outdoor." in text_of(client.get("/projects/"))
    assert client.get(URL).status_code == 404


def test_an_admin_who_removes_themselves_is_led_out(as_user: AsUser, owner: User, project: Project) -> None:
    MembershipFactory(project=project, role=Role.ADMIN)
    answer = as_user(owner).post(_member_url(owner, "remove"))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/projects/")


@pytest.mark.parametrize("count", [1, 30])
def test_the_page_costs_a_fixed_number_of_queries(
    as_user: AsUser, owner: User, project: Project, count: int, django_assert_num_queries: Any
) -> None:
    Membership.objects.bulk_create(Membership(project=project, user=UserFactory(), role="admin") for _ in range(count))
    client = as_user(owner)
    # Session, user, membership with project; members; webhooks; invitations; what runs, for the header.
    with django_assert_num_queries(7):
        client.get(URL)
