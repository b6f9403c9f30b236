"""Asking for approval, approving, refusing and withdrawing in the browser, and what pages say of what waits."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from builds.models import Build
from deployments.models import ChangeRequest, CodePush
from deployments.services.approvals import ask_for_force_update, ask_to_edit, ask_to_promote
from deployments.services.codepushes import edit_codepush
from deployments.services.processing import process_codepush
from tests.deployments.pages import (
    AsUser,
    assert_refused,
    build_url,
    codepush_url,
    preview,
    report_installed,
    rows_of,
    text_of,
)
from tests.deployments.stories import audited, history, live_label, release, sample, small_archive
from tests.factories import CodePushFactory

pytestmark = pytest.mark.usefixtures("four_eyes")

WAITS = "First it waits for approval by a second person, for 24 hours at most. Until then nothing changes."


@pytest.fixture
def promotion(build: Build, release_manager: User) -> ChangeRequest:
    first, _ = history(build, 2)
    return ask_to_promote(first.pk, actor=release_manager, reason="Was <fine>", rollout_percent=30)


@pytest.fixture
def upload(build: Build, release_manager: User) -> ChangeRequest:
    release(build, release_manager, small_archive(), description="Fixes the basket", reason="Orders are lost")
    return ChangeRequest.objects.get()


def _url(request: ChangeRequest, action: str) -> str:
    return build_url(request.build, f"changes/{request.pk}/{action}/")


def _message(client: Any, response: Any) -> str:
    assert response.status_code == 303
    return text_of(client.get(response.headers["Location"].split("#")[0]))


def test_a_promotion_is_asked_for(as_user: AsUser, build: Build, release_manager: User) -> None:
    first, _ = history(build, 2)
    client, address = as_user(release_manager), codepush_url(first, "promote")
    page = text_of(client.get(address))
    assert "Ask for approval" in page
    assert WAITS in page
    assert "For who approves it, and for the audit log." in page

    with audited("change.requested"):
        response = client.post(address, {"expected_live": "v2", "rollout_percent": "30", "reason": "Was fine"})

    page = _message(client, response)
    assert "Asked for approval: Promote v1 at 30%. Nothing changes until somebody else approves it." in page
    assert live_label(build) == "v2"


def test_asking_without_a_reason_is_refused_under_the_field(
    as_user: AsUser, build: Build, release_manager: User
) -> None:
    first, _ = history(build, 2)

    response = as_user(release_manager).post(
        codepush_url(first, "promote"), {"expected_live": "v2", "rollout_percent": "30", "reason": ""}
    )

    assert_refused(response, 422, "The reason is empty. Say why, for the other person.")


def test_asking_against_another_live_label_is_refused(as_user: AsUser, build: Build, release_manager: User) -> None:
    first, _ = history(build, 2)

    response = as_user(release_manager).post(
        codepush_url(first, "promote"), {"expected_live": "v1", "rollout_percent": "30", "reason": "Was fine"}
    )

    assert_refused(response, 409, "v2 became Live while this was open")


def test_only_an_edit_that_widens_is_asked_for(as_user: AsUser, build: Build, release_manager: User) -> None:
    codepush = CodePushFactory(build=build, rollout_percent=50, description="Basket")
    client, address = as_user(release_manager), codepush_url(codepush, "edit")
    fields = {"expected_live": "v1", "description": "Basket", "is_enabled": "on"}
    wider = client.post(address, {"preview": "1", **fields, "rollout_percent": "60"}, headers={"HX-Request": "true"})
    assert 'data-submit-text="Ask for approval"' in text_of(wider)
    assert WAITS in rows_of(wider)
    narrower = preview(client, address, **fields, rollout_percent="40")
    assert WAITS not in narrower
    assert "Save, or ask for approval" in text_of(client.get(address))

    with audited("codepush.edited"):
        client.post(address, {**fields, "rollout_percent": "40", "reason": "Slower"})
    with audited("change.requested"):
        response = client.post(address, {**fields, "rollout_percent": "60", "reason": "No crashes"})

    assert "Asked for approval: v1: rollout 40% → 60%." in _message(client, response)
    codepush.refresh_from_db()
    assert codepush.rollout_percent == 40


def test_an_upload_is_asked_for_and_waits_on_its_card(
    as_user: AsUser, build: Build, release_manager: User, viewer: User
) -> None:
    client, address = as_user(release_manager), build_url(build, "codepush/new/")
    assert "Ask for approval" in text_of(client.get(address))
    fields = {"build_target": "production", "platform": "android", "target_binary_range": "3.0.0"}

    response = client.post(
        address,
        {**fields, "expected_live": "", "rollout_percent": "20", "reason": "Orders", "bundle": sample("android-v1")},
    )
    assert "Once it is checked, it waits for a second person." in _message(client, response)
    process_codepush(CodePush.objects.get().pk)

    page = text_of(as_user(viewer).get(build_url(build)))
    assert "1 change waits for approval by a second person: Release at 20%." in page
    card = page.split("<article")[1]
    for words in ("New update", "Waiting for approval", "asked for by Elif Kaya", "until", "Reason: Orders"):
        assert words in card
    assert "Review" not in page
    assert "changes/" not in page


def test_force_update_is_asked_for_and_waits_in_its_panel(
    as_user: AsUser, replaced_build: Build, release_manager: User, colleague: User
) -> None:
    client, address = as_user(release_manager), build_url(replaced_build, "force-update/")
    assert "First it waits for approval by a second person." in text_of(client.get(address))

    with audited("change.requested"):
        client.post(address, {"intent": "apply", "confirmation": "3.0.0", "reason": "Old servers go"})

    panel = text_of(as_user(colleague).get(build_url(replaced_build))).split('id="forced"')[1]
    assert "Waiting for approval" in panel
    assert _url(ChangeRequest.objects.get(), "approve") in panel


def test_who_asked_can_withdraw_and_others_review(
    as_user: AsUser, promotion: ChangeRequest, release_manager: User, colleague: User
) -> None:
    own = text_of(as_user(release_manager).get(build_url(promotion.build)))
    others = text_of(as_user(colleague).get(build_url(promotion.build)))

    assert _url(promotion, "withdraw") in own
    assert _url(promotion, "approve") not in own
    assert _url(promotion, "approve") in others
    assert _url(promotion, "withdraw") not in others


def test_what_will_happen_is_computed_when_it_is_reviewed(
    as_user: AsUser, promotion: ChangeRequest, colleague: User
) -> None:
    client, address = as_user(colleague), _url(promotion, "approve")
    assert "No device has reported to this build yet." in rows_of(client.get(address))
    report_installed(promotion.build, "v2", 10)

    page = client.get(address)

    assert any(row.startswith("3 devices move from v2 to v3") for row in rows_of(page))
    for words in ("Promote v1 at 30%", "Elif Kaya", "Was <fine>"):
        assert words in text_of(page)
    assert "<fine>" not in page.content.decode()


def test_of_an_upload_it_tells_what_devices_get(
    as_user: AsUser, upload: ChangeRequest, colleague: User, build: Build
) -> None:
    report_installed(build, "", 4)

    page = as_user(colleague).get(_url(upload, "approve"))

    assert any(row.startswith("4 devices move from other versions to v1") for row in rows_of(page))
    assert "Fixes the basket" in text_of(page)


def test_of_an_edit_and_of_force_update_too(
    as_user: AsUser, build: Build, replaced_build: Build, release_manager: User, colleague: User
) -> None:
    codepush = CodePushFactory(build=build, rollout_percent=10)
    report_installed(build, "", 10)
    report_installed(replaced_build, "", 1)
    edit = ask_to_edit(codepush.pk, actor=release_manager, reason="No crashes", rollout_percent=50)
    force = ask_for_force_update(replaced_build.pk, actor=release_manager, reason="Old servers go")

    assert any(
        "more devices are meant to get v1" in row for row in rows_of(as_user(colleague).get(_url(edit, "approve")))
    )
    assert rows_of(as_user(colleague).get(_url(force, "approve"))) == [
        "1 device is sent to the store for 3.1.0, and gets no CodePush any more",
        "It can be lifted again.",
    ]


def test_approving_does_it(as_user: AsUser, promotion: ChangeRequest, colleague: User) -> None:
    client = as_user(colleague)
    with audited("change.approved", "codepush.promoted"):
        response = client.post(_url(promotion, "approve"))

    assert "Approved: Promote v1 at 30%. It is done." in _message(client, response)
    assert live_label(promotion.build) == "v3"
    assert_refused(client.get(_url(promotion, "approve")), 409, "has ended already. Approved by Cem Aydin.")


def test_ones_own_is_not_approved(as_user: AsUser, promotion: ChangeRequest, release_manager: User) -> None:
    client = as_user(release_manager)
    for response in (client.get(_url(promotion, "approve")), client.post(_url(promotion, "approve"))):
        assert_refused(response, 409, "You asked for this yourself. Somebody else must approve it.")
        assert _url(promotion, "withdraw") in text_of(response)
    assert live_label(promotion.build) == "v2"


def test_what_is_outdated_says_so_and_cannot_be_approved(
    as_user: AsUser, promotion: ChangeRequest, colleague: User
) -> None:
    edit_codepush(promotion.codepush_id or 0, actor=colleague, is_enabled=False)
    client = as_user(colleague)
    page = text_of(client.get(_url(promotion, "approve")))
    assert "It cannot be approved any more. The settings of v1 were changed" in page.replace("</b>", "")
    assert ">Approve</button>" not in page

    assert_refused(client.post(_url(promotion, "approve")), 409, "The settings of v1 were changed since")

    promotion.refresh_from_db()
    assert promotion.status == "outdated"


def test_a_refusal_is_shown_on_the_card(as_user: AsUser, upload: ChangeRequest, colleague: User, viewer: User) -> None:
    client = as_user(colleague)
    assert_refused(client.post(_url(upload, "refuse"), {"reason": ""}), 422, "Say why, for who asked for it.")

    response = client.post(_url(upload, "refuse"), {"reason": "Not on a Friday"})

    assert "Refused: Release at 100%. Nothing has changed for devices." in _message(client, response)
    page = text_of(as_user(viewer).get(build_url(upload.build)))
    assert "Refused by Cem Aydin: Not on a Friday" in page
    assert "wait for approval" not in page


def test_withdrawing(as_user: AsUser, upload: ChangeRequest, release_manager: User, colleague: User) -> None:
    assert_refused(as_user(colleague).post(_url(upload, "withdraw")), 409, "Elif Kaya asked for this")

    response = as_user(release_manager).post(_url(upload, "withdraw"), {"reason": "Wrong file"})

    assert response.status_code == 303
    upload.refresh_from_db()
    assert (upload.status, upload.outcome) == ("withdrawn", "Withdrawn by Elif Kaya: Wrong file")


@pytest.mark.parametrize("action", ["approve", "refuse", "withdraw"])
def test_the_cast(as_user: AsUser, promotion: ChangeRequest, viewer: User, outsider: User, action: str) -> None:
    for method in ("get", "post"):
        assert getattr(as_user(viewer), method)(_url(promotion, action)).status_code == 403
        assert getattr(as_user(outsider), method)(_url(promotion, action)).status_code == 404


def test_a_request_of_another_build_is_not_found(
    as_user: AsUser, promotion: ChangeRequest, replaced_build: Build, colleague: User
) -> None:
    address = build_url(replaced_build, f"changes/{promotion.pk}/approve/")

    assert as_user(colleague).post(address).status_code == 404


@pytest.mark.parametrize("count", [1, 8])
def test_what_waits_costs_one_query(
    as_user: AsUser, build: Build, release_manager: User, viewer: User, count: int, django_assert_num_queries: Any
) -> None:
    for codepush in history(build, 10)[:count]:
        ask_to_promote(codepush.pk, actor=release_manager, reason="Was fine")
    client = as_user(viewer)

    # Those of the page (test_build_page.py), the sizes of diffs, and one for what waits.
    with django_assert_num_queries(18):
        page = text_of(client.get(build_url(build)))

    assert f"{count} change{'s wait' if count > 1 else ' waits'} for approval" in page
