"""What somebody asked a second person for, in the words of buttons: "Roll out v7 to 50%"."""

from collections.abc import Mapping
from typing import Any


def describe_change(kind: str, label: str, parameters: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """`label`: of the CodePush, "" where it has none; `before`: its settings when this was asked for."""
    match kind:
        case "force_update":
            return "Force Update"
        case "release":
            return f"Release at {parameters['rollout_percent']}%{', mandatory' if parameters['is_mandatory'] else ''}"
        case "promote":
            return f"Promote {label} at {parameters['rollout_percent']}%"
    return f"{label}: {', '.join(_describe_settings(parameters, before))}"


def _describe_settings(parameters: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    words = []
    if "is_enabled" in parameters:
        words.append("enable it" if parameters["is_enabled"] else "disable it")
    if "rollout_percent" in parameters:
        words.append(f"rollout {before['rollout_percent']}% → {parameters['rollout_percent']}%")
    if "is_mandatory" in parameters:
        words.append("make it mandatory" if parameters["is_mandatory"] else "make it not mandatory")
    if "description" in parameters:
        words.append("change its description")
    return words
