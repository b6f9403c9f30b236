"""/projects/, "Needs attention": changes that wait for a second person, and projects that want none any more."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from builds.models import Build, Project
from deployments.services.approvals import approve, ask_for_force_update, ask_to_promote
from deployments.services.production_rules import set_second_person
from tests.deployments.pages import AsUser, build_url, text_of
from tests.deployments.stories import history

pytestmark = pytest.mark.usefixtures("four_eyes")


def _items(as_user: AsUser, user: User) -> list[tuple[str, str]]:
    return [(item.sentence, item.url) for item in as_user(user).get("/projects/").context["items"]]


def test_what_waits_is_named_until_it_is_decided(
    as_user: AsUser,
    build: Build,
    replaced_build: Build,
    release_manager: User,
    colleague: User,
    viewer: User,
    outsider: User,
) -> None:
    first, _ = history(build, 2)
    promotion = ask_to_promote(first.pk, actor=release_manager, reason="Was fine", rollout_percent=30)
    ask_for_force_update(replaced_build.pk, actor=release_manager, reason="Old servers go")

    force_update = ("Waiting for approval: Force Update. Asked for by Elif Kaya.", build_url(replaced_build))
    card = f"{build_url(build)}?deployment={first.deployment_id}#{first.deployment_id}"
    assert _items(as_user, viewer) == [
        force_update,
        ("Waiting for approval: Promote v1 at 30%. Asked for by Elif Kaya.", card),
    ]
    assert _items(as_user, outsider) == []
    approve(promotion.pk, actor=colleague)
    assert _items(as_user, viewer) == [force_update]


def test_everybody_is_told_for_a_week_that_it_was_turned_off(
    as_user: AsUser, project: Project, owner: User, viewer: User, outsider: User
) -> None:
    set_second_person(project.pk, actor=owner, needs_second_person=False, approval_hours=24, reason="Only me now.")

    sentence = "Production needs no second person any more: turned off by Olga Kaya. Only me now."
    assert _items(as_user, viewer) == [(sentence, "/projects/northwind-outdoor/settings/")]
    assert _items(as_user, outsider) == []
    assert sentence in text_of(as_user(viewer).get("/projects/"))


@pytest.mark.usefixtures("colleague")
def test_not_when_it_is_on_again(as_user: AsUser, project: Project, owner: User, viewer: User) -> None:
    for needs_second_person in (False, True):
        set_second_person(
            project.pk, actor=owner, needs_second_person=needs_second_person, approval_hours=24, reason="Only me now."
        )

    assert _items(as_user, viewer) == []


def test_not_after_a_week(
    as_user: AsUser, project: Project, owner: User, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_second_person(project.pk, actor=owner, needs_second_person=False, approval_hours=24, reason="Only me now.")
    monkeypatch.setattr("builds.views.attention.UNGUARDED_SHOWN_FOR", timedelta())

    assert _items(as_user, viewer) == []
