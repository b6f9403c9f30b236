"""Which devices a rollout includes: proved at every boundary, not sampled."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployments.policy.rollout import BUCKETS, find_bucket, is_included

UPDATE = "dpl_7HQ2M4ZK9C3X"
# Enough ids that every bucket next to a boundary has one.
CLIENT_BY_BUCKET = {find_bucket(UPDATE, f"phone-{number}"): f"phone-{number}" for number in range(120_000)}


@pytest.mark.parametrize(
    ("deployment_id", "client_unique_id"),
    [(UPDATE, "phone-1"), (UPDATE, "ae54f9b0-0d7f-4a4f-9d0c-1f1d8a3e0f55"), ("dpl_B", "ключ"), ("", "")],
)
def test_the_bucket_is_sha256_of_update_and_device_modulo_10000(deployment_id: str, client_unique_id: str) -> None:
    digest = sha256(f"{deployment_id}:{client_unique_id}".encode()).hexdigest()
    assert find_bucket(deployment_id, client_unique_id) == int(digest, 16) % 10_000


@pytest.mark.parametrize("percent", range(1, 101))
def test_a_rollout_ends_exactly_at_its_percentage(percent: int) -> None:
    assert is_included(UPDATE, CLIENT_BY_BUCKET[percent * 100 - 1], percent)
    if percent < 100:
        assert not is_included(UPDATE, CLIENT_BY_BUCKET[percent * 100], percent)


def test_the_first_bucket_is_in_every_rollout() -> None:
    assert all(is_included(UPDATE, CLIENT_BY_BUCKET[0], percent) for percent in range(1, 101))


@settings(max_examples=50, deadline=None)
@given(st.text(), st.text(min_size=1))
def test_raising_the_percentage_keeps_those_already_in(deployment_id: str, client_unique_id: str) -> None:
    included = [is_included(deployment_id, client_unique_id, percent) for percent in range(1, 101)]
    assert included == sorted(included)
    assert included[-1]


def test_a_device_that_asks_again_gets_the_same_answer() -> None:
    assert len({is_included(UPDATE, "phone-1", 50) for _ in range(100)}) == 1


def test_devices_are_spread_evenly() -> None:
    share = sum(is_included(UPDATE, f"device {number}", 25) for number in range(20_000)) / 20_000
    # Four standard deviations.
    assert abs(share - 0.25) < 0.0123


def test_each_update_draws_anew() -> None:
    """Were it not so, the same unlucky quarter would be first to try every update."""
    both = sum(
        is_included("dpl_A", f"device {number}", 50) and is_included("dpl_B", f"device {number}", 50)
        for number in range(20_000)
    )
    assert abs(both / 20_000 - 0.25) < 0.0123


@pytest.mark.parametrize("percent", [1, 50, 99])
def test_a_device_without_an_id_is_outside_every_unfinished_rollout(percent: int) -> None:
    updates = [f"dpl_{number}" for number in range(200)]
    assert not any(is_included(update, "", percent) for update in updates)


def test_a_finished_rollout_includes_a_device_without_an_id() -> None:
    assert is_included(UPDATE, "", 100)


def test_buckets_are_ten_thousand() -> None:
    assert BUCKETS == 10_000
    assert set(CLIENT_BY_BUCKET) == set(range(10_000))


def test_an_id_that_is_no_valid_unicode_has_a_bucket() -> None:
    assert 0 <= find_bucket(UPDATE, "\ud800") < BUCKETS
