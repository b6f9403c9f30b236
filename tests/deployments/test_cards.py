"""What a card tells beside its numbers: patch, how long it was Live, and one note."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from builds.models import AuditEntry, Build
from deployments.models import BundleDiff, CodePush
from deployments.policy.live_spans import LiveSpan
from deployments.release_history import Disabling
from deployments.services.codepushes import edit_codepush
from deployments.services.republishing import roll_back
from deployments.views.card_notes import describe_disabling
from metrics.aggregation import apply_waiting_reports
from metrics.models import ReleaseCounter, ReleaseHour
from tests.deployments.pages import AsUser, build_url, report_installed, text_of
from tests.deployments.stories import history
from tests.devices import Device
from tests.factories import CodePushFactory

NOW = timezone.now()


def card_of(client: Any, codepush: CodePush) -> str:
    page = text_of(client.get(build_url(codepush.build)))
    return page.split(f'id="{codepush.deployment_id}"')[1].split("</article>", maxsplit=1)[0]


def fail_on_devices(codepush: CodePush, installs: int, rollbacks: int) -> None:
    key: dict[str, Any] = {"build": codepush.build, "label_number": codepush.label_number}
    ReleaseCounter.objects.create(**key, installs=installs, rollbacks=rollbacks)
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    ReleaseHour.objects.create(**key, hour=hour, installs=installs, rollbacks=rollbacks)


def test_a_card_says_what_a_device_with_the_one_before_downloads(as_user: AsUser, viewer: User, build: Build) -> None:
    first, second = history(build, 2)
    assert first.bundle
    assert second.bundle
    BundleDiff.objects.create(
        from_bundle=first.bundle, to_bundle=second.bundle, storage_name=f"{'d' * 64}.zip", size_bytes=812_000
    )
    assert "1.0 kB, 812.0 kB patch from v1" in card_of(as_user(viewer), second)
    assert "patch" not in card_of(as_user(viewer), first)


def test_a_card_says_how_long_it_was_live_and_the_panel_since_when(as_user: AsUser, viewer: User, build: Build) -> None:
    first = CodePushFactory(build=build, finished_at=NOW - timedelta(days=5))
    live = CodePushFactory(build=build, finished_at=NOW - timedelta(days=1, hours=3))
    client = as_user(viewer)
    assert "Live for 3 d 21 h" in card_of(client, first)
    assert "Live for" not in card_of(client, live)
    page = client.get(build_url(build))
    assert page.context["page"].live_since == live.finished_at
    assert f"Since {_at(live.finished_at)}" in _without_tags(text_of(page))


def test_the_live_card_has_second_lines(as_user: AsUser, viewer: User, build: Build) -> None:
    live = CodePushFactory(build=build, rollout_percent=50)
    report_installed(build, "v1", 3)
    for number in range(4):
        Device(build.deployment_key, client_unique_id=f"device {number}").report_download("v1")
    Device(build.deployment_key, client_unique_id="device 3", label="v1").report_deploy("DeploymentFailed")
    apply_waiting_reports()
    card = card_of(as_user(viewer), live)
    for line in ("About 2 devices", "3 devices", "+4 today", "75.0% of downloads", "33.3% of installs"):
        assert f'class="hint">{line}<' in card, line


def test_a_disabled_card_says_who_did_it_and_what_followed(
    as_user: AsUser, viewer: User, release_manager: User, build: Build
) -> None:
    now = timezone.now()
    first = CodePushFactory(build=build, finished_at=now - timedelta(days=2))
    # Half a minute more or less: how long the test takes, and the clock of its transaction.
    second = CodePushFactory(build=build, finished_at=now - timedelta(hours=3, minutes=8, seconds=30))
    edit_codepush(second.pk, actor=release_manager, is_enabled=False)
    at = _at(AuditEntry.objects.get().created_at)
    client = as_user(viewer)
    assert f"Disabled by Elif Kaya on {at}, after 3 h 8 min. v1 became Live again." in card_of(client, second)
    edit_codepush(first.pk, actor=release_manager, is_enabled=False)
    assert "No update was Live then." in card_of(client, first)
    edit_codepush(second.pk, actor=release_manager, is_enabled=True)
    assert "Disabled by" not in card_of(client, second)


@pytest.mark.parametrize(
    ("ended", "rest"),
    [
        (None, "."),
        (LiveSpan(5, datetime(2026, 11, 17, 9, 3, tzinfo=NOW.tzinfo)), ", after 3 h 8 min. No update was Live then."),
    ],
    ids=["was not Live", "nothing followed"],
)
def test_what_a_disabling_ended(ended: LiveSpan | None, rest: str) -> None:
    at = datetime(2026, 11, 17, 12, 11, tzinfo=NOW.tzinfo)
    sentence = describe_disabling(Disabling(at, "Elif Kaya", ended), at)
    assert sentence == f"Disabled by Elif Kaya on 17 Nov, 12:11{rest}"


def test_a_card_has_one_note_and_failing_devices_come_first(
    as_user: AsUser, viewer: User, release_manager: User, build: Build
) -> None:
    _, second = history(build, 2)
    live = roll_back(second.pk, to_label="v1", actor=release_manager, reason="Crashes.")
    client = as_user(viewer)
    assert "<b>Reason:</b> Crashes." in card_of(client, live)
    CodePush.objects.filter(pk=live.pk).update(rollout_percent=25, finished_at=NOW - timedelta(days=9))
    card = card_of(client, live)
    assert "Rollout has stood at 25% for 9 days." in card
    assert "Crashes." not in card
    fail_on_devices(live, 1000, 60)
    card = card_of(client, live)
    assert "60 devices went back from it by themselves" in card
    assert f'<a href="{build_url(build, "failures/?label=v3")}">See failures</a>' in card
    assert 'class="kpi bad"' in card
    assert card.count('class="note') == 1


def test_notes_and_patches_cost_a_fixed_number_of_queries(
    as_user: AsUser, viewer: User, build: Build, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    codepushes = history(build, 12)
    for codepush in codepushes:
        fail_on_devices(codepush, 1000, 60)
    CodePush.objects.filter(pk=codepushes[-1].pk).update(rollout_percent=25)
    client = as_user(viewer)
    # Beside those of test_build_page: patches, and the update before the Live one at the same age (two).
    with django_assert_num_queries(19):
        client.get(build_url(build))


def _at(moment: datetime | None) -> str:
    assert moment
    return f"{moment.day} {moment:%b, %H:%M}"


def _without_tags(page: str) -> str:
    return "".join(part.rpartition(">")[2] for part in page.split("<"))
