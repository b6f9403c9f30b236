"""Which changes are told, and of what: services in, waiting deliveries out."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from builds.models import Build, Project
from builds.services import register_build
from deployments.services.build_status import set_build_status
from deployments.services.codepushes import cancel, create_codepush, edit_codepush
from deployments.services.force_update import apply_force_update, lift_force_update
from deployments.services.processing import process_codepush
from deployments.services.republishing import promote, roll_back
from tests.deployments.pages import report_outcomes
from tests.deployments.stories import history, small_archive
from tests.factories import WebhookFactory
from webhooks import alerts
from webhooks.models import Delivery, Webhook


@pytest.fixture
def webhook(project: Project) -> Webhook:
    webhook: Webhook = WebhookFactory(project=project)
    return webhook


def told() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("event", flat=True))


def data_of(event: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(Delivery.objects.get(event=event).body)["data"]
    return data


def test_a_build_is_told_from_registration_to_its_end(webhook: Webhook, project: Project, owner: User) -> None:
    values: dict[str, Any] = {"platform": "ios", "build_target": "production", "store_version": "3.1.0"}
    for end in ("success", "failed", "canceled"):
        build = register_build(project, actor=owner, **values)
        set_build_status(build.pk, actor=owner, status="running")
        set_build_status(build.pk, actor=owner, status=end)
    register_build(project, actor=owner, status="success", **values)

    ends = ("build.succeeded", "build.failed", "build.canceled", "build.succeeded")
    assert told() == [event for end in ends for event in ("build.created", end)]


def test_an_upload_is_told_until_it_is_live(webhook: Webhook, build: Build, release_manager: User) -> None:
    history(build, 1)
    codepush = create_codepush(build.pk, actor=release_manager, upload=small_archive(), description="Fix <b>")
    process_codepush(codepush.pk)

    assert told() == ["codepush.created", "codepush.succeeded", "live.changed"]
    assert data_of("live.changed")["live"] == {"before": "v1", "after": "v2"}
    assert data_of("codepush.succeeded")["codepush"]["label"] == "v2"
    assert data_of("codepush.created")["codepush"]["status"] == "pending"


def test_what_fails_and_what_is_canceled_is_told(webhook: Webhook, build: Build, release_manager: User) -> None:
    broken = create_codepush(build.pk, actor=release_manager, upload=small_archive(), allows_identical=True)
    broken.upload_name = "gone"
    broken.save()
    process_codepush(broken.pk)
    cancel(create_codepush(build.pk, actor=release_manager, upload=small_archive()).pk, actor=release_manager)

    assert told() == ["codepush.created", "codepush.failed", "codepush.created", "codepush.canceled"]
    assert "no longer stored" in data_of("codepush.failed")["codepush"]["failure_reason"]


def test_live_changes_by_rollback_promotion_and_switching(
    webhook: Webhook, build: Build, release_manager: User
) -> None:
    first, live = history(build, 2)
    roll_back(live.pk, to_label="v1", actor=release_manager, reason="Crashes")
    promote(live.pk, actor=release_manager)
    edit_codepush(build.codepushes.get(label_number=4).pk, actor=release_manager, is_enabled=False)

    assert told() == ["codepush.rolled_back", "live.changed", "live.changed", "live.changed"]
    assert data_of("codepush.rolled_back")["reason"] == "Crashes"
    changes = Delivery.objects.filter(event="live.changed").order_by("pk")
    assert [json.loads(delivery.body)["data"]["live"] for delivery in changes] == [
        {"before": "v2", "after": "v3"},
        {"before": "v3", "after": "v4"},
        {"before": "v4", "after": "v3"},
    ]
    # Neither the older one nor other settings of the Live one change what is Live.
    edit_codepush(first.pk, actor=release_manager, is_enabled=False)
    edit_codepush(build.codepushes.get(label_number=3).pk, actor=release_manager, rollout_percent=50)
    assert len(told()) == 4


def test_force_update_is_told(webhook: Webhook, replaced_build: Build, owner: User) -> None:
    apply_force_update(replaced_build.pk, actor=owner)
    lift_force_update(replaced_build.pk, actor=owner)

    assert told() == ["force_update.applied", "force_update.lifted"]


def test_a_change_that_is_undone_is_told_to_nobody(webhook: Webhook, build: Build, owner: User) -> None:
    *_, live = history(build, 2)
    with transaction.atomic():
        roll_back(live.pk, to_label="v1", actor=owner)
        assert told() != []
        transaction.set_rollback(True)

    assert told() == []


def test_only_who_follows_is_told(project: Project, build: Build, owner: User) -> None:
    WebhookFactory(project=project, events=["build.failed"])
    WebhookFactory(project=project, is_active=False)
    WebhookFactory()
    wanted = WebhookFactory(project=project, events=["live.changed"])
    *_, live = history(build, 2)
    roll_back(live.pk, to_label="v1", actor=owner)

    assert list(Delivery.objects.values_list("webhook", "event")) == [(wanted.pk, "live.changed")]


def test_slack_gets_a_sentence_without_markup_of_people(project: Project, build: Build, owner: User) -> None:
    WebhookFactory(project=project, format="slack", events=["codepush.rolled_back"])
    *_, live = history(build, 2)
    roll_back(live.pk, to_label="v1", actor=owner, reason="<!channel> & <http://evil|click>")

    assert json.loads(Delivery.objects.get().body) == {
        "text": f"*Northwind Outdoor*, Android 3.0.0 #{build.pk} production, v3: Rolled back. By Olga Kaya.\n"
        "&lt;!channel&gt; &amp; &lt;http://evil|click&gt;"
    }


def test_devices_that_go_back_are_told_once(webhook: Webhook, build: Build) -> None:
    live = history(build, 1)[0]
    report_outcomes(build, "v1", installs=150, rollbacks=20)
    for _ in range(2):
        alerts.raise_alerts()

    assert told() == ["codepush.rollback_alert"]
    data = data_of("codepush.rollback_alert")
    assert data["codepush"]["deployment_id"] == live.deployment_id
    assert data["alert"].startswith("20 devices went back from it by themselves")


def test_nobody_is_alerted_where_nobody_listens_or_devices_are_well(project: Project, build: Build) -> None:
    history(build, 1)
    report_outcomes(build, "v1", installs=150, rollbacks=20)
    WebhookFactory(project=project, events=["live.changed"])
    alerts.raise_alerts()
    assert told() == []
    assert not build.audit_entries.exists()
