"""Which edits of a CodePush give it to more devices, or force it on them."""

import pytest

from deployments.policy.transitions import widens_reach

BEFORE = {"description": "Basket", "is_enabled": True, "is_mandatory": False, "rollout_percent": 50}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"rollout_percent": 51}),
        ({}, {"is_mandatory": True}),
        ({"is_enabled": False}, {"is_enabled": True}),
        ({"is_enabled": False}, {"is_enabled": True, "rollout_percent": 1}),
        ({"is_mandatory": True}, {"is_mandatory": False, "rollout_percent": 100}),
        ({}, {"rollout_percent": 10, "is_mandatory": True}),
    ],
)
def test_more_devices_or_more_force(before: dict[str, object], after: dict[str, object]) -> None:
    assert widens_reach(BEFORE | before, BEFORE | before | after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {}),
        ({}, {"description": "Basket again"}),
        ({}, {"rollout_percent": 49}),
        ({}, {"is_enabled": False}),
        ({"is_mandatory": True}, {"is_mandatory": False}),
        # Disabled it reaches nobody; enabling it waits.
        ({}, {"is_enabled": False, "rollout_percent": 100, "is_mandatory": True}),
        ({"is_enabled": False}, {"rollout_percent": 100}),
    ],
)
def test_less_or_the_same(before: dict[str, object], after: dict[str, object]) -> None:
    assert not widens_reach(BEFORE | before, BEFORE | before | after)
