"""`simulate_devices` plays devices against the real processes; what it says it did is what the server counted."""

import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.flows.product import Product, kill_group

_DEVICES = 5000
_BUILD = re.compile(r"(?P<key>\S+): (?P<devices>\d+) devices\n(?P<labels>(?:  .*\n)*)")
_LABEL = re.compile(
    r"  (?P<label>v\d+|store bundle): (?P<active_devices>\d+) active"
    r"(?:, (?P<downloads>\d+) downloads \((?P<download_reports>\d+) reports\), "
    r"(?P<installs>\d+) installs \((?P<install_reports>\d+) reports\), "
    r"(?P<rollbacks>\d+) rollbacks \((?P<rollback_reports>\d+) reports\))?\n"
)


def _read_summary(output: str) -> dict[str, Any]:
    """{key: numbers} as the server has them."""
    return {
        build["key"]: {
            "total_devices": int(build["devices"]),
            "by_label": {
                line["label"].replace("store bundle", ""): {
                    name: int(number or 0) for name, number in line.groupdict().items() if name != "label"
                }
                for line in _LABEL.finditer(build["labels"])
            },
        }
        for build in _BUILD.finditer(output)
    }


@pytest.fixture(scope="module")
def builds(product: Product) -> list[dict[str, Any]]:
    """An older build with v1, then v2 for some; a newer one with v1."""
    older, newer = product.person("make_build"), product.person("make_build", store_version="3.1.0")
    for sample in ("android-v1.zip", "android-v2.zip"):
        product.person("publish", build_id=older["id"], sample=sample)
    product.person("publish", build_id=newer["id"], sample="android-v1.zip")
    product.wait_for_label(older["key"], "v2", 5)
    product.wait_for_label(newer["key"], "v1", 5, app_version="3.1.0")
    return [older, newer]


def test_five_thousand_devices_with_duplicates_are_counted_exactly_though_a_worker_is_killed(
    product: Product,
    numbers: subprocess.Popen[bytes],
    beat: subprocess.Popen[bytes],
    builds: list[dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    keys = [build["key"] for build in builds]
    rates = ["--failure-rate", "0.1", "--duplicate-rate", "0.2", "--download-rate", "0.9"]
    moves = ["--move-to", keys[1], "--move-share", "0.3"]
    size = ["--devices", str(_DEVICES), "--starts", "4", "--seconds", "0", "--seed", "flows"]
    started_at = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        playing = pool.submit(
            product.manage, "simulate_devices", "--server", product.url, "--key", keys[0], *size, *rates, *moves
        )
        product.person("kill_worker_while_applying", process_group=numbers.pid)
        kill_group(numbers)
        # A diff for those on v2; those that v2 crashed on get it whole.
        product.person("roll_back", build_id=builds[0]["id"], to_label="v1")
        assert not playing.done(), "The worker was killed too late: nothing was left to arrive."
        with product.running("numbers"):
            output = playing.result()
            seconds = time.monotonic() - started_at
            counted = product.person("measure_when_applied", keys=keys, seconds=20)

    with capsys.disabled():
        print(f"\n{_DEVICES} simulated devices, four starts each: {seconds:.1f} s")
    assert _read_summary(output) == counted
    assert " × " not in output, "No device found anything wrong."
    older, newer = (counted[key] for key in keys)
    assert older["total_devices"] == _DEVICES
    assert 0 < newer["total_devices"] < _DEVICES
    for name in ("downloads", "installs", "rollbacks"):
        for label in (older["by_label"]["v2"], older["by_label"]["v3"], newer["by_label"]["v1"]):
            assert 0 < label[name] < label[f"{name.removesuffix('s')}_reports"], name


def test_the_command_refuses_what_it_cannot_play(product: Product) -> None:
    with pytest.raises(AssertionError, match=r"does not know which store version the devices have: .* 404"):
        product.manage("simulate_devices", "--server", product.url, "--key", "a-key-of-no-build")
