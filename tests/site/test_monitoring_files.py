"""The Grafana dashboard and the alert rules speak of numbers that exist, with labels that they have."""

import json
import re
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from prometheus_client import REGISTRY

from codepush_site.current_state import CurrentState
from telemetry import measures

FOLDER = Path(settings.BASE_DIR) / "ops"


def _expressions(name: str) -> list[str]:
    text = (FOLDER / name).read_text()
    if name.endswith(".json"):
        return [target["expr"] for panel in json.loads(text)["panels"] for target in panel["targets"]]
    return [rule["expr"] for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


def _series() -> set[str]:
    """Every name under which a number can be asked for."""
    assert measures.UPDATE_CHECKS
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
    families = [*REGISTRY.collect(), *CurrentState().collect()]
    return {family.name + suffix for family in families for suffix in suffixes.get(family.type, ())}


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["grafana-dashboard.json", "alerts.yml"])
def test_every_number_in_the_file_exists(name: str) -> None:
    asked = {word for expression in _expressions(name) for word in re.findall(r"codepush_\w+", expression)}

    assert asked
    assert asked - _series() == set()


@pytest.mark.django_db
def test_every_number_is_on_the_dashboard() -> None:
    asked = " ".join(_expressions("grafana-dashboard.json"))
    own = {name for name in _series() if name.startswith("codepush_")}
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in own}

    assert {name for name in families if name not in asked} == set()


def test_every_alert_is_explained_to_operators() -> None:
    manual = (Path(settings.BASE_DIR) / "docs" / "operations.md").read_text()
    rules = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"][0]["rules"]

    assert [rule["alert"] for rule in rules if f"`{rule['alert']}`" not in manual] == []
