"""What somebody asked a second person for, in words."""

from typing import Any

import pytest

from deployments.policy.change_words import describe_change

BEFORE = {"is_enabled": False, "is_mandatory": False, "rollout_percent": 10}


@pytest.mark.parametrize(
    ("kind", "parameters", "words"),
    [
        ("force_update", {}, "Force Update"),
        ("release", {"rollout_percent": 20, "is_mandatory": False}, "Release at 20%"),
        ("release", {"rollout_percent": 100, "is_mandatory": True}, "Release at 100%, mandatory"),
        ("promote", {"rollout_percent": 30}, "Promote v7 at 30%"),
        ("edit", {"rollout_percent": 50}, "v7: rollout 10% → 50%"),
        ("edit", {"is_enabled": True, "rollout_percent": 50}, "v7: enable it, rollout 10% → 50%"),
        ("edit", {"is_mandatory": True, "description": "Basket"}, "v7: make it mandatory, change its description"),
        ("edit", {"is_mandatory": False, "is_enabled": True}, "v7: enable it, make it not mandatory"),
    ],
)
def test_a_change_is_named_by_what_it_does(kind: str, parameters: dict[str, Any], words: str) -> None:
    assert describe_change(kind, "v7", parameters, BEFORE) == words
