"""Before any update is chosen: rules about the build (2) and about the device's binary (3)."""

import pytest
from django.utils import timezone

from builds.models import Build
from deployments.policy.types import Reason
from tests.factories import BuildFactory
from tests.policy.histories import Release, ask, assert_no_update, assert_offered, find_client, publish

pytestmark = pytest.mark.django_db

PLAIN = Release()
DISABLED = Release(is_enabled=False)
UNFINISHED = Release(rollout_percent=10)


# Rule 2: the red buttons.


@pytest.mark.parametrize("status", ["pending", "running", "failed", "canceled"])
def test_a_build_that_is_not_successful_offers_nothing(status: str) -> None:
    build = BuildFactory(status=status)
    publish(build, PLAIN)
    assert_no_update(ask(build), Reason.BUILD_NOT_SUCCESSFUL)


@pytest.fixture
def force_updated_build(build: Build) -> Build:
    """Replaced in the store by 3.1.0, with Force Update applied and an update that it would offer otherwise."""
    publish(build, PLAIN)
    BuildFactory(project=build.project, store_version="3.1.0", store_status="live", store_live_at=timezone.now())
    build.store_live_at, build.is_force_updated = timezone.now(), True
    build.save()
    return build


@pytest.mark.parametrize("app_version", ["3.0.0", "2.0.0", "3.1.0", "9.0"])
def test_force_update_sends_every_device_to_the_store(force_updated_build: Build, app_version: str) -> None:
    assert_no_update(
        ask(force_updated_build, app_version=app_version),
        Reason.FORCE_UPDATE,
        app_version="3.1.0",
        is_store_update=True,
    )


def test_force_update_ignores_is_companion(force_updated_build: Build) -> None:
    assert ask(force_updated_build, is_companion=True).reason == Reason.FORCE_UPDATE


def test_force_update_names_the_store_live_build_of_the_same_platform_and_target(force_updated_build: Build) -> None:
    elsewhere = {"store_status": "live", "store_live_at": timezone.now(), "store_version": "9.9.9"}
    BuildFactory(project=force_updated_build.project, platform="ios", **elsewhere)
    BuildFactory(project=force_updated_build.project, build_target="staging", **elsewhere)
    BuildFactory(**elsewhere)
    assert ask(force_updated_build).app_version == "3.1.0"


def test_force_update_without_a_store_live_build_offers_nothing_and_sends_nowhere(force_updated_build: Build) -> None:
    Build.objects.filter(store_status="live").update(store_status="none")
    assert_no_update(ask(force_updated_build), Reason.FORCE_UPDATE_WITHOUT_STORE_LIVE_BUILD)


def test_after_force_update_is_lifted_the_update_is_offered(force_updated_build: Build) -> None:
    Build.objects.filter(pk=force_updated_build.pk).update(is_force_updated=False)
    assert_offered(ask(force_updated_build), "v1")


# Rule 3: the binary.


@pytest.mark.parametrize("app_version", ["3", "3.0", "3.0.0", "v3.0.0", " 3.0.0 ", "3.0.0+7", "3.0+7"])
def test_an_offer_echoes_the_version_string_of_the_device(build: Build, app_version: str) -> None:
    publish(build, PLAIN)
    decision = ask(build, app_version=app_version)
    assert_offered(decision, "v1")
    assert decision.app_version == app_version


@pytest.mark.parametrize("store_version", ["3", "3.0", "3.0.0", "3.0.0+41"])
def test_a_build_registered_with_a_short_version_means_the_same(store_version: str) -> None:
    build = BuildFactory(store_version=store_version)
    publish(build, PLAIN)
    assert_offered(ask(build, app_version="3.0.0"), "v1")


@pytest.mark.parametrize("app_version", ["2", "2.9.9", "3.0.0-beta", "3.0-rc.1", "v2.99.0"])
def test_an_older_binary_is_told_of_the_store_version(build: Build, app_version: str) -> None:
    publish(build, PLAIN)
    assert_no_update(
        ask(build, app_version=app_version), Reason.BINARY_OLDER, app_version="3.0.0", is_store_update=True
    )


@pytest.mark.parametrize("app_version", ["3.0.1", "3.1", "4", "3.0.1-beta"])
def test_a_newer_binary_runs_its_own_bundle(build: Build, app_version: str) -> None:
    publish(build, PLAIN)
    assert_no_update(ask(build, app_version=app_version), Reason.BINARY_NEWER, app_version="3.0.0")


@pytest.mark.parametrize("app_version", ["2.0.0", "3.0.0", "4.0.0"])
@pytest.mark.parametrize("history", [[], [DISABLED], [DISABLED, DISABLED]], ids=["empty", "one", "two"])
def test_with_nothing_enabled_no_binary_is_sent_anywhere(
    build: Build, history: list[Release], app_version: str
) -> None:
    publish(build, *history)
    assert_no_update(ask(build, app_version=app_version), Reason.NOTHING_ENABLED)


def test_an_older_binary_is_told_of_the_store_version_even_outside_the_rollout(build: Build) -> None:
    (update,) = publish(build, UNFINISHED)
    decision = ask(build, app_version="2.0.0", client_unique_id=find_client(outside=[update]))
    assert decision.reason == Reason.BINARY_OLDER


@pytest.mark.parametrize("app_version", ["2.0.0", "4.0.0"])
def test_a_companion_gets_the_update_whatever_its_version(build: Build, app_version: str) -> None:
    publish(build, PLAIN)
    decision = ask(build, app_version=app_version, is_companion=True)
    assert_offered(decision, "v1")
    assert decision.app_version == app_version
