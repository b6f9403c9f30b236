"""/account/: one's own name, address and password, and what one is in which project."""

import pytest
from django.contrib.auth.models import User

from builds.models import Project
from tests.deployments.pages import AsUser, assert_refused, text_of

PASSWORD = "correct-horse-battery"
NEW = "staple-battery-horse"


@pytest.fixture
def person(viewer: User) -> User:
    viewer.set_password(PASSWORD)
    viewer.email = "vera@example.com"
    viewer.save()
    return viewer


def test_the_account_says_who_one_is_and_what_in_which_project(
    as_user: AsUser, person: User, project: Project, outsider: User
) -> None:
    page = text_of(as_user(person).get("/account/"))
    for shown in ("vera", "Vera Kaya", "vera@example.com", "Northwind Outdoor", "Viewer"):
        assert shown in page
    assert "Elsewhere" not in page
    assert 'href="/account/"' in text_of(as_user(person).get("/projects/"))


def test_somebody_in_no_project_is_told_what_to_do(as_user: AsUser, person: User) -> None:
    person.memberships.all().delete()
    assert "You are a member of no project." in text_of(as_user(person).get("/account/"))


def test_a_name_is_saved(as_user: AsUser, person: User) -> None:
    form = {"first_name": "Vera", "last_name": "Lind"}
    answer = as_user(person).post("/account/edit/", form)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account/")
    person.refresh_from_db()
    assert (person.get_full_name(), person.email) == ("Vera Lind", "vera@example.com")


def test_an_account_that_cannot_be_so_stays_as_it_is(as_user: AsUser, person: User) -> None:
    answer = as_user(person).post("/account/edit/", {"first_name": "x" * 151})
    assert_refused(answer, 422, "at most 150 characters")
    # The header, too, shows who one still is.
    assert "Signed in as Vera Kaya" in text_of(answer)
    person.refresh_from_db()
    assert person.first_name == "Vera"


def _change(current: str = PASSWORD, new: str = NEW, again: str = NEW) -> dict[str, str]:
    return {"current_password": current, "new_password": new, "again": again}


def test_a_changed_password_ends_every_other_session(as_user: AsUser, person: User) -> None:
    here, elsewhere = as_user(person), as_user(person)
    answer = here.post("/account/password/", _change())
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account/")
    assert here.get("/account/").status_code == 200
    assert elsewhere.get("/account/").headers["Location"].startswith("/sign-in/")
    assert elsewhere.post("/sign-in/", {"username": "vera", "password": NEW}).status_code == 302


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        (_change(current="wrong"), "This is not your password."),
        (_change(again="another-battery-horse"), "This is not the same as the new password above."),
        (_change(new="short", again="short"), "at least 12 characters"),
        (_change(new="vera@example.com", again="vera@example.com"), "too similar"),
        ({}, "This field is required."),
    ],
)
def test_a_password_that_cannot_be_taken_changes_nothing(
    as_user: AsUser, person: User, form: dict[str, str], sentence: str
) -> None:
    client = as_user(person)
    answer = client.post("/account/password/", form)
    assert_refused(answer, 422, sentence)
    # No password is ever sent back.
    assert form.get("current_password", PASSWORD) not in text_of(answer)
    person.refresh_from_db()
    assert person.check_password(PASSWORD)
