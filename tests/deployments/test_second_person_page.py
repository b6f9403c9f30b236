"""The setting "Production changes need a second person": shown to every member, changed by admins."""

import pytest
from django.contrib.auth.models import User

from builds.models import Build, Project
from deployments.services.approvals import ask_to_promote
from tests.deployments.pages import AsUser, assert_refused, text_of
from tests.deployments.stories import history

pytestmark = pytest.mark.usefixtures("four_eyes")


def test_settings_show_and_change_it(as_user: AsUser, project: Project, owner: User, viewer: User) -> None:
    address = f"/projects/{project.slug}/settings/second-person/"
    assert as_user(viewer).get(address).status_code == 403
    assert "wait for approval, 24 hours at most" in text_of(as_user(viewer).get(f"/projects/{project.slug}/settings/"))
    client = as_user(owner)
    assert_refused(client.post(address, {"approval_hours": "24"}), 422, "Say why production needs no second person.")
    assert_refused(client.post(address, {"approval_hours": "0", "needs_second_person": "on"}), 422, "use 1 to 168")

    response = client.post(address, {"approval_hours": "24", "reason": "Only me now"})

    assert "Production in Northwind Outdoor needs no second person now." in text_of(
        client.get(response.headers["Location"])
    )
    project.refresh_from_db()
    assert not project.needs_second_person


def test_turning_it_off_says_what_ends(as_user: AsUser, build: Build, release_manager: User, owner: User) -> None:
    first, _ = history(build, 2)
    ask_to_promote(first.pk, actor=release_manager, reason="Was fine")

    page = text_of(as_user(owner).get("/projects/northwind-outdoor/settings/second-person/"))

    assert "1 change waits now. If you turn it off, it ends as withdrawn." in page
