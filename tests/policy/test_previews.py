"""The words of dialogs, where they depend on numbers."""

from dataclasses import replace

import pytest

from deployments.policy.consequences import Costs, Fleet, Update
from deployments.policy.previews import ABOUT, NO_DEVICES, Preview, preview_copy, preview_edit, preview_upload

COSTS = Costs(4_600_000, {2: 1_240_000})
FLEET = Fleet({0: 1, 1: 14_702, 2: 31_204}, (Update(1, 1), Update(2, 2)))


def _tell(preview: Preview) -> list[str]:
    return [*(f"{row.devices} {row.text}" for row in preview.rows), *preview.notes]


def test_a_rollback() -> None:
    preview = preview_copy(FLEET, FLEET.get(1), COSTS, is_mandatory=False, rollout_percent=100)
    assert [(node.label, node.becomes, node.is_live) for node in preview.flow] == [
        ("v2", "Live → Superseded", False),
        ("v3", "Live, same bundle as v1", True),
    ]
    assert _tell(preview) == [
        "31204 devices move from v2 to v3 at their next check, 1.24 MB each, about 38.7 GB in all",
        "14702 devices already run the v1 bundle, so they download nothing",
        "1 device moves from other versions to v3 at its next check, 4.60 MB",
    ]


def test_a_rollout_under_100_says_what_the_others_get() -> None:
    fleet = Fleet({2: 100}, (Update(1, 1, rollout_percent=50), Update(2, 2, rollout_percent=50)))
    preview = preview_copy(fleet, fleet.get(1), COSTS, is_mandatory=False, rollout_percent=20)
    assert _tell(preview) == [
        "20 devices move from v2 to v3 at their next check, 1.24 MB each, about 24.8 MB in all",
        "40 devices outside the rollout are offered v2",
        "20 devices outside the rollout are offered v1",
        "20 devices outside every rollout are offered nothing",
        ABOUT,
    ]


def test_a_mandatory_one_in_between_is_named() -> None:
    fleet = replace(FLEET, updates=(Update(1, 1), Update(2, 2, is_mandatory=True)))
    preview = preview_copy(fleet, fleet.get(1), COSTS, is_mandatory=False, rollout_percent=100)
    assert "1 of these must install it during the Splash Screen: they skip v2, which is mandatory" in _tell(preview)


def test_a_build_without_devices_says_so() -> None:
    empty = Fleet({}, FLEET.updates)
    assert _tell(preview_copy(empty, empty.get(1), COSTS, is_mandatory=True, rollout_percent=100)) == [NO_DEVICES]
    assert _tell(preview_upload(empty, is_mandatory=False, rollout_percent=50))[-1] == NO_DEVICES


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, ["Nothing changes for devices."]),
        # Those on v2 have it already.
        ({"is_mandatory": True}, ["14703 more devices will install during the Splash Screen, when it reaches them"]),
        (
            {"rollout_percent": 75},
            [
                "11477 fewer devices are meant to get v2: about 34430 instead of 45907",
                "It stops for devices that have not received v2. Nothing is taken back from those that have.",
            ],
        ),
        (
            {"is_enabled": False},
            [
                "31204 devices move from v2 to v1 at their next check, 1.24 MB each, about 38.7 GB in all",
                "v1 becomes Live again.",
            ],
        ),
    ],
    ids=["nothing", "mandatory", "lower rollout", "disabled"],
)
def test_an_edit_of_the_live_one(changes: dict[str, object], told: list[str]) -> None:
    before = FLEET.get(2)
    preview = preview_edit(FLEET, before, replace(before, **changes), COSTS)  # type: ignore[arg-type]
    assert [text.replace(",", "") for text in _tell(preview)] == [text.replace(",", "") for text in told]


def test_a_lower_rollout_of_a_mandatory_one_is_no_word_about_the_splash_screen() -> None:
    fleet = replace(FLEET, updates=(Update(1, 1), Update(2, 2, is_mandatory=True)))
    told = _tell(preview_edit(fleet, fleet.get(2), replace(fleet.get(2), rollout_percent=50), COSTS))
    assert [text for text in told if "Splash" in text or "second launch" in text] == []


def test_disabling_one_with_the_same_bundle_before_it_downloads_nothing() -> None:
    fleet = Fleet({2: 5}, (Update(1, 1), Update(2, 1)))
    told = _tell(preview_edit(fleet, fleet.get(2), replace(fleet.get(2), is_enabled=False), Costs(1000)))
    assert told == ["5 devices already run the v1 bundle, so they download nothing", "v1 becomes Live again."]


def test_disabling_one_that_was_superseded() -> None:
    told = _tell(preview_edit(FLEET, FLEET.get(1), replace(FLEET.get(1), is_enabled=False), COSTS))
    assert told == [
        "14702 devices that run v1 are no longer kept on it, and offered the newest update whose rollout includes them",
        "v2 stays Live.",
    ]


def test_a_disabled_one_reaches_nobody_whatever_else_is_changed() -> None:
    fleet = replace(FLEET, updates=(Update(1, 1, is_enabled=False), Update(2, 2)))
    told = _tell(preview_edit(fleet, fleet.get(1), replace(fleet.get(1), rollout_percent=5), COSTS))
    assert told == ["v2 stays Live.", "v1 stays disabled, so nothing changes for devices."]
