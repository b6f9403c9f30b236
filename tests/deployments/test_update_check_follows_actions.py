"""What people do in the product is what devices are told at their next check."""

import pytest
from django.contrib.auth.models import User

from builds.models import Build
from deployments.models import CodePush
from deployments.services.build_status import set_build_status, set_store_status
from deployments.services.codepushes import edit_codepush
from deployments.services.force_update import apply_force_update, lift_force_update
from deployments.services.republishing import promote, roll_back
from tests.deployments.answers import address_of, assert_no_update, assert_offered, bundle_of
from tests.deployments.stories import history, release, sample
from tests.devices import Device
from tests.factories import BuildFactory, CodePushFactory


@pytest.fixture
def updates(build: Build, device: Device) -> list[CodePush]:
    """v1, v2 and v3, which the device has been offered: every test starts with a warm snapshot."""
    updates = history(build, 3)
    assert device.check().update["label"] == "v3"
    return updates


def test_after_a_rollback_the_copy_is_offered(device: Device, updates: list[CodePush], owner: User) -> None:
    copy = roll_back(updates[2].pk, to_label="v1", actor=owner)
    assert copy.label == "v4"
    assert_offered(device.check(), copy, package_hash=bundle_of(updates[0]).package_hash)


def test_after_a_rollback_who_never_left_that_bundle_downloads_nothing(
    device: Device, updates: list[CodePush], owner: User
) -> None:
    device.label, device.package_hash = "v1", bundle_of(updates[0]).package_hash
    roll_back(updates[2].pk, to_label="v1", actor=owner)
    assert_no_update(device.check())


def test_after_a_promotion_the_copy_is_offered(device: Device, updates: list[CodePush], owner: User) -> None:
    copy = promote(updates[1].pk, actor=owner)
    assert_offered(device.check(), copy)


def test_a_disabled_update_is_taken_back(device: Device, updates: list[CodePush], owner: User) -> None:
    device.label, device.package_hash = "v3", bundle_of(updates[2]).package_hash
    assert_no_update(device.check())
    edit_codepush(updates[2].pk, actor=owner, is_enabled=False)
    assert_offered(device.check(), updates[1])


def test_an_update_enabled_again_is_offered_again(device: Device, updates: list[CodePush], owner: User) -> None:
    edit_codepush(updates[2].pk, actor=owner, is_enabled=False)
    assert_offered(device.check(), updates[1])
    edit_codepush(updates[2].pk, actor=owner, is_enabled=True)
    assert_offered(device.check(), updates[2])


def test_with_every_update_disabled_a_fresh_binary_runs_its_own_bundle(
    device: Device, updates: list[CodePush], owner: User
) -> None:
    for update in updates:
        edit_codepush(update.pk, actor=owner, is_enabled=False)
    assert_no_update(device.check(), should_run_binary_version=True)


def test_a_lowered_rollout_stops_an_update_without_taking_it_back(
    device: Device, updates: list[CodePush], owner: User
) -> None:
    edit_codepush(updates[2].pk, actor=owner, rollout_percent=1)
    device.client_unique_id = None
    assert_offered(device.check(), updates[1])
    device.label = "v3"
    assert_no_update(device.check())


def test_edited_values_are_in_the_next_answer(device: Device, updates: list[CodePush], owner: User) -> None:
    edited = edit_codepush(updates[2].pk, actor=owner, is_mandatory=True, description="Read this")
    assert edited.description == "Read this"
    assert_offered(device.check(), edited, is_mandatory=True)


def test_an_update_that_a_worker_finished_is_offered(device: Device, build: Build, owner: User) -> None:
    assert_no_update(device.check(), should_run_binary_version=True)
    codepush = release(build, owner, sample("android-v1"))
    assert_offered(device.check(), codepush, package_size=889_082)


def test_a_bundle_that_a_device_has_is_updated_by_a_diff(device: Device, build: Build, owner: User) -> None:
    v1 = release(build, owner, sample("android-v1"))
    v2 = release(build, owner, sample("android-v2"))
    device.label, device.package_hash = "v1", bundle_of(v1).package_hash
    diff = bundle_of(v2).incoming_diffs.get()
    assert diff.size_bytes < bundle_of(v2).size_bytes
    address = address_of(diff.storage_name)
    assert_offered(device.check(), v2, download_url=address, package_size=diff.size_bytes)


def test_a_rollback_is_served_by_the_diff_that_was_made_before(device: Device, build: Build, owner: User) -> None:
    """v3 carries v1's bundle again; v1 → v2 has a diff, v2 → v1 was never made, so it goes out whole."""
    release(build, owner, sample("android-v1"))
    v2 = release(build, owner, sample("android-v2"))
    v3 = roll_back(v2.pk, to_label="v1", actor=owner)
    device.label, device.package_hash = "v2", bundle_of(v2).package_hash
    assert_offered(device.check(), v3)


def test_force_update_sends_devices_to_the_store_until_it_is_lifted(
    device: Device, build: Build, updates: list[CodePush], owner: User
) -> None:
    set_store_status(build.pk, actor=owner, store_status="live")
    newer = BuildFactory(project=build.project, store_version="3.1.0")
    set_store_status(newer.pk, actor=owner, store_status="live")
    assert_offered(device.check(), updates[2])
    apply_force_update(build.pk, actor=owner)
    sent_away = {"update_app_version": True, "should_run_binary_version": True}
    assert_no_update(device.check(), **sent_away, app_version="3.1.0", target_binary_range="3.1.0")
    # The next store-live build: devices of the old one are sent there, though nobody touched theirs.
    newest = BuildFactory(project=build.project, store_version="3.2.0")
    set_store_status(newest.pk, actor=owner, store_status="live")
    assert_no_update(device.check(), **sent_away, app_version="3.2.0", target_binary_range="3.2.0")
    lift_force_update(build.pk, actor=owner)
    assert_offered(device.check(), updates[2])


def test_a_build_that_finishes_offers_what_it_has(device: Device, build: Build, owner: User) -> None:
    Build.objects.filter(pk=build.pk).update(status="running")
    codepush = CodePushFactory(build=build)
    assert_no_update(device.check(), should_run_binary_version=True)
    set_build_status(build.pk, actor=owner, status="success")
    assert_offered(device.check(), codepush)


def test_a_change_of_one_build_does_not_reach_another(device: Device, updates: list[CodePush], owner: User) -> None:
    neighbour = CodePushFactory(build=BuildFactory(project=updates[0].build.project))
    other = Device(neighbour.build.deployment_key)
    assert_offered(other.check(), neighbour)
    edit_codepush(updates[2].pk, actor=owner, is_enabled=False)
    assert_offered(other.check(), neighbour)
