"""Who moves, who has it already, who is forced and how many bytes that is, on plain values."""

import pytest

from deployments.policy.consequences import (
    Costs,
    Fleet,
    Move,
    Offer,
    Update,
    foresee_publication,
    foresee_taking_back,
    split_by_rollout,
)

# v1 and v3 carry bundle 1.
UPDATES = (Update(1, 1), Update(2, 2), Update(3, 1), Update(4, 4))
FLEET = Fleet({0: 7, 1: 20, 2: 30, 3: 40, 4: 100}, UPDATES)
COSTS = Costs(1000, {4: 10, 2: 50})


def test_a_copy_moves_all_but_those_that_run_its_bundle_under_any_label() -> None:
    foreseen = foresee_publication(FLEET, Update(5, 1), COSTS)
    assert foreseen.from_live == Move(100, 1000, 10)
    # Those on the binary's own bundle have nothing that a diff could start from.
    assert foreseen.from_others == Move(37, 30 * 50 + 7 * 1000, None)
    assert (foreseen.same_devices, foreseen.moving) == (60, Move(137, 9500))
    assert foreseen.from_live.devices + foreseen.from_others.devices + foreseen.same_devices == FLEET.total


def test_an_older_label_with_the_bundle_of_the_live_one_moves_with_it() -> None:
    fleet = Fleet({1: 2, 2: 3, 3: 4}, UPDATES[:3])
    assert foresee_publication(fleet, Update(4, 2), Costs(1000)).from_live == Move(6, 6000, 1000)


def test_an_unfinished_rollout_moves_its_share_and_names_what_the_others_are_offered() -> None:
    fleet = Fleet({4: 100}, (*UPDATES[:3], Update(4, 4, rollout_percent=50)))
    foreseen = foresee_publication(fleet, Update(5, 1, rollout_percent=20), COSTS)
    assert foreseen.from_live == Move(20, 200, 10)
    assert foreseen.outside == [Offer(4, 40), Offer(3, 40)]


def test_who_runs_its_bundle_and_is_outside_the_rollout_is_told_with_those_outside() -> None:
    """As devices were seen to be answered: of four on the bundle of v2, at 50 %, two get nothing and two get v4."""
    fleet = Fleet({0: 3, 1: 6, 2: 4, 3: 7}, (Update(1, 1), Update(2, 2), Update(3, 3), Update(4, 1)))
    foreseen = foresee_publication(fleet, Update(5, 2, rollout_percent=50), COSTS)
    assert foreseen.same_devices == 2
    assert foreseen.outside == [Offer(4, 10)]
    assert foreseen.moving.devices + foreseen.same_devices + 10 == fleet.total


def test_outside_every_rollout_nothing_is_offered() -> None:
    foreseen = foresee_publication(Fleet({0: 10}, ()), Update(1, 1, rollout_percent=30), Costs(1))
    assert foreseen.outside == [Offer(0, 7)]


@pytest.mark.parametrize(
    ("copy", "skipped_mandatory", "forced"),
    [
        (Update(5, 1), 0, 0),
        (Update(5, 1, is_mandatory=True), 0, 137),
        # v2 is mandatory: of those that move, the ones on the binary's own bundle never had it.
        (Update(5, 1), 2, 7),
        (Update(5, 1, is_mandatory=True, rollout_percent=50), 0, 69),
    ],
    ids=["optional", "mandatory", "a skipped one was mandatory", "half of them"],
)
def test_who_is_forced(copy: Update, skipped_mandatory: int, forced: int) -> None:
    updates = [Update(u.label_number, u.bundle_id, is_mandatory=u.label_number == skipped_mandatory) for u in UPDATES]
    assert foresee_publication(Fleet(FLEET.devices, updates), copy, COSTS).forced_devices == forced


def test_a_disabled_mandatory_one_forces_nobody() -> None:
    updates = (Update(1, 1), Update(2, 2, is_mandatory=True, is_enabled=False), Update(3, 3))
    assert Fleet({1: 5}, updates).count_forced() == 0


def test_taking_back_the_live_one_moves_its_devices_to_the_one_before() -> None:
    after = FLEET.with_update(Update(4, 4, is_enabled=False))
    assert foresee_taking_back(after, 4, COSTS) == Move(100, 1000, 10)
    assert foresee_taking_back(after, 1, COSTS) == Move()


@pytest.mark.parametrize(
    ("percents", "reached"),
    [([], [100]), ([100], [100, 0]), ([10, 75], [10, 68, 22]), ([1, 1, 1], [1, 1, 1, 97])],
)
def test_rollouts_share_devices_newest_first(percents: list[int], reached: list[int]) -> None:
    assert split_by_rollout(100, percents) == reached


@pytest.mark.parametrize("percent", range(1, 101))
def test_a_split_adds_up(percent: int) -> None:
    assert sum(split_by_rollout(50_840, [percent, 75, percent])) == 50_840
