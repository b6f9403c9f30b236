"""Which update a device is offered, by the history of its build (rules 4 to 7). Neighbours differ in one thing."""

from dataclasses import replace

import pytest

from builds.models import Build
from deployments.policy.types import Reason
from tests.factories import CodePushFactory
from tests.policy.histories import Release, ask, assert_no_update, assert_offered, find_client, hash_of, publish

pytestmark = pytest.mark.django_db

PLAIN = Release()
DISABLED = Release(is_enabled=False)
MANDATORY = Release(is_mandatory=True)
DISABLED_MANDATORY = Release(is_mandatory=True, is_enabled=False)
UNFINISHED = Release(rollout_percent=10)


# Rule 4: the candidate.


@pytest.mark.parametrize(
    ("history", "label"),
    [
        ([PLAIN], "v1"),
        ([PLAIN, PLAIN], "v2"),
        ([PLAIN, DISABLED], "v1"),
        ([PLAIN, DISABLED, PLAIN, DISABLED, DISABLED], "v3"),
        ([PLAIN] * 11, "v11"),
        ([UNFINISHED, PLAIN], "v2"),
    ],
    ids=["only", "newest", "newest-disabled", "two-newest-disabled", "by-number-not-text", "older-is-unfinished"],
)
def test_the_newest_enabled_success_is_offered(build: Build, history: list[Release], label: str) -> None:
    publish(build, *history)
    assert_offered(ask(build, client_unique_id="phone-1"), label)


@pytest.mark.parametrize("status", ["pending", "processing", "failed", "canceled"])
def test_what_has_not_succeeded_is_not_offered(build: Build, status: str) -> None:
    publish(build, PLAIN)
    CodePushFactory(build=build, status=status)
    assert_offered(ask(build), "v1")


def test_of_two_unfinished_rollouts_a_device_gets_the_newest_that_includes_it(build: Build) -> None:
    *_, v7, v8 = publish(build, *[PLAIN] * 6, Release(rollout_percent=75), UNFINISHED)
    assert_offered(ask(build, client_unique_id=find_client(inside=[v7, v8])), "v8")
    assert_offered(ask(build, client_unique_id=find_client(inside=[v8], outside=[v7])), "v8")
    assert_offered(ask(build, client_unique_id=find_client(inside=[v7], outside=[v8])), "v7")
    assert_offered(ask(build, client_unique_id=find_client(outside=[v7, v8])), "v6")


def test_a_device_without_an_id_gets_the_newest_finished_rollout(build: Build) -> None:
    publish(build, PLAIN, Release(rollout_percent=99), UNFINISHED)
    assert_offered(ask(build), "v1")


def test_a_device_outside_every_rollout_runs_its_own_bundle(build: Build) -> None:
    updates = publish(build, UNFINISHED, Release(rollout_percent=50))
    assert_no_update(ask(build, client_unique_id=find_client(outside=updates)), Reason.OUTSIDE_ROLLOUT)


def test_a_rollout_of_1_percent_reaches_somebody(build: Build) -> None:
    (update,) = publish(build, Release(rollout_percent=1))
    assert_offered(ask(build, client_unique_id=find_client(inside=[update])), "v1")


# Rule 5: the device is ahead.


def test_lowering_a_rollout_does_not_take_the_update_back(build: Build) -> None:
    _, v2 = publish(build, PLAIN, UNFINISHED)
    left_out = find_client(outside=[v2])
    assert_no_update(
        ask(build, client_unique_id=left_out, label="v2"), Reason.DEVICE_IS_AHEAD, should_run_binary_version=False
    )
    assert_offered(ask(build, client_unique_id=left_out), "v1")


def test_disabling_an_update_takes_it_back(build: Build) -> None:
    publish(build, PLAIN, DISABLED)
    assert_offered(ask(build, label="v2", package_hash=hash_of(f"{build.pk} v2")), "v1")


def test_disabling_the_only_update_leaves_devices_with_what_they_have(build: Build) -> None:
    publish(build, DISABLED)
    assert_no_update(ask(build, label="v1"), Reason.NOTHING_ENABLED)


@pytest.mark.parametrize(
    ("sent", "is_ahead"),
    [
        ({"label": "v3"}, True),
        ({"package_hash": hash_of("third")}, True),
        ({"label": "", "package_hash": hash_of("third")}, True),
        # By label, also where the hash says otherwise.
        ({"label": "v3", "package_hash": hash_of("nothing known")}, True),
        ({"label": "v9", "package_hash": hash_of("third")}, False),
        ({"label": "v1", "package_hash": hash_of("third")}, False),
        ({"label": "v4"}, False),
        ({"label": "v0"}, False),
        ({"label": "v03"}, False),
        ({"label": "V3"}, False),
        ({"label": "3"}, False),
        ({"label": "v"}, False),
        ({"label": "v3 "}, False),
        ({"label": "v٣"}, False),
        ({"label": "v-3"}, False),
        ({"label": "v" + "9" * 5000}, False),
        ({"label": "undefined"}, False),
        ({}, False),
    ],
    ids=lambda sent: " ".join(f"{name}={value[:9]}" for name, value in sent.items()) if isinstance(sent, dict) else "",
)
def test_the_device_is_found_by_label_and_only_without_one_by_hash(
    build: Build, sent: dict[str, str], is_ahead: bool
) -> None:
    """v2 is the candidate, as the device is outside the rollout of v3: only a device that runs v3 is ahead."""
    _, _, v3 = publish(build, PLAIN, PLAIN, Release("third", rollout_percent=10))
    decision = ask(build, client_unique_id=find_client(outside=[v3]), **sent)
    if is_ahead:
        assert_no_update(decision, Reason.DEVICE_IS_AHEAD, should_run_binary_version=False)
    else:
        assert_offered(decision, "v2")


def test_a_hash_without_a_label_means_the_newest_update_with_that_bundle(build: Build) -> None:
    _, _, v3 = publish(build, Release("same"), PLAIN, Release("same", rollout_percent=10))
    decision = ask(build, client_unique_id=find_client(outside=[v3]), package_hash=hash_of("same"))
    assert_no_update(decision, Reason.DEVICE_IS_AHEAD, should_run_binary_version=False)


# Rule 6: the device has it.


@pytest.mark.parametrize("label", ["v1", "v2", "v3", "v9", ""])
def test_a_device_with_the_candidates_bundle_is_up_to_date_under_any_label(build: Build, label: str) -> None:
    """v3 rolls back to the content of v1: who still runs v1 has nothing to download."""
    publish(build, Release("first"), PLAIN, Release("first"))
    decision = ask(build, label=label, package_hash=hash_of("first"))
    assert_no_update(decision, Reason.UP_TO_DATE, should_run_binary_version=False)


def test_a_device_that_sends_the_newest_label_but_another_hash_is_offered_the_update(build: Build) -> None:
    publish(build, PLAIN)
    assert_offered(ask(build, label="v1", package_hash=hash_of("another")), "v1")


# Rule 7: mandatory.


@pytest.mark.parametrize(
    ("history", "label", "is_mandatory"),
    [
        ([PLAIN, PLAIN, MANDATORY], "v1", True),
        ([PLAIN, MANDATORY, PLAIN], "v1", True),
        ([PLAIN, MANDATORY, PLAIN], "v2", False),
        ([MANDATORY, PLAIN, PLAIN], "v1", False),
        ([MANDATORY, PLAIN, PLAIN], "v2", False),
        ([MANDATORY, PLAIN, PLAIN], "", True),
        ([MANDATORY, PLAIN, PLAIN], "v9", True),
        ([PLAIN, PLAIN, PLAIN], "", False),
        ([PLAIN, DISABLED_MANDATORY, PLAIN], "v1", False),
        ([DISABLED_MANDATORY, PLAIN, PLAIN], "", False),
        ([PLAIN, DISABLED, MANDATORY], "v2", True),
        ([PLAIN, MANDATORY, DISABLED, PLAIN], "v3", False),
        ([PLAIN, MANDATORY, DISABLED, PLAIN], "v1", True),
    ],
    ids=[
        "candidate",
        "between",
        "own",
        "own-is-first",
        "below-own",
        "fresh-binary-skips-all",
        "unknown-label-skips-all",
        "none",
        "disabled-between",
        "disabled-below",
        "own-disabled-candidate-counts",
        "own-disabled-older-does-not",
        "between-with-a-disabled-one",
    ],
)
def test_an_update_is_mandatory_if_it_or_a_skipped_one_is(
    build: Build, history: list[Release], label: str, is_mandatory: bool
) -> None:
    publish(build, *history)
    assert_offered(ask(build, label=label), f"v{len(history)}", is_mandatory=is_mandatory)


def test_a_skipped_mandatory_update_counts_even_outside_its_rollout(build: Build) -> None:
    _, v2, _ = publish(build, PLAIN, replace(MANDATORY, rollout_percent=10), PLAIN)
    outside = find_client(outside=[v2])
    assert_offered(ask(build, label="v1", client_unique_id=outside), "v3", is_mandatory=True)


def test_a_mandatory_update_above_the_candidate_does_not_count(build: Build) -> None:
    _, _, v3 = publish(build, PLAIN, PLAIN, replace(MANDATORY, rollout_percent=10))
    assert_offered(ask(build, label="v1", client_unique_id=find_client(outside=[v3])), "v2")


def test_a_device_taken_back_is_not_hurried_by_what_it_had_already(build: Build) -> None:
    """It ran v3, now disabled, and goes back to v1; v2 is mandatory, but behind it and not for it."""
    _, v2, _ = publish(build, PLAIN, replace(MANDATORY, rollout_percent=10), DISABLED)
    assert_offered(ask(build, label="v3", client_unique_id=find_client(outside=[v2])), "v1")
