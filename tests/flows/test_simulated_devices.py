"""`simulate_devices` plays devices against a real server; what it says it did is what the server counted."""

import re
from typing import Any

import pytest

from tests.flows.product import Product

_LINE = re.compile(
    r"  (?P<label>v\d+): (?P<active_devices>\d+) active, "
    r"(?P<downloads>\d+) downloads \((?P<download_reports>\d+) reports\), "
    r"(?P<installs>\d+) installs \((?P<install_reports>\d+) reports\), "
    r"(?P<rollbacks>\d+) rollbacks \((?P<rollback_reports>\d+) reports\)"
)


def _read_summary(output: str) -> dict[str, dict[str, int]]:
    """{label: the numbers printed for it}."""
    found = [match.groupdict() for match in _LINE.finditer(output)]
    return {line.pop("label"): {name: int(number) for name, number in line.items()} for line in found}


@pytest.fixture(scope="module")
def build(product: Product) -> dict[str, Any]:
    """v1 for everybody, then v2 for some."""
    build = product.person("make_build")
    for sample in ("android-v1.zip", "android-v2.zip"):
        product.person("publish", build_id=build["id"], sample=sample)
    product.wait_for_label(build["key"], "v2", 5)
    return build


def test_two_hundred_devices_with_resends_and_crashes_are_counted_exactly(
    product: Product, build: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    state = tmp_path_factory.mktemp("fleet") / "fleet.json"
    common = ["--server", product.url, "--key", build["key"], "--devices", "200", "--failure-rate", "0.2"]
    product.manage("simulate_devices", *common, "--seconds", "3", "--seed", "flows", "--state", str(state))
    # An update arrives while they are in use, as a diff for those on v2; those that v2 crashed on get it whole.
    product.person("roll_back", build_id=build["id"], to_label="v1")
    product.wait_for_label(build["key"], "v3", 5)

    output = product.manage("simulate_devices", *common, "--seconds", "3", "--state", str(state))

    numbers = product.person("measure", key=build["key"])
    store_bundle = numbers["by_label"].pop("")
    assert numbers["total_devices"] == 200
    assert _read_summary(output) == numbers["by_label"]
    assert f"store bundle: {store_bundle['active_devices']} active" in output
    assert " × " not in output, "No device found anything wrong."
    assert numbers["by_label"]["v2"]["rollbacks"] > 0
    assert numbers["by_label"]["v2"]["install_reports"] > numbers["by_label"]["v2"]["installs"]
    assert numbers["by_label"]["v3"]["installs"] > 0


def test_the_command_refuses_what_it_cannot_play(product: Product) -> None:
    with pytest.raises(AssertionError, match=r"does not know which store version the devices have: .* 404"):
        product.manage("simulate_devices", "--server", product.url, "--key", "a-key-of-no-build")
