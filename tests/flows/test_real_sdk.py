"""The client SDK that apps ship (npm `code-push`, pinned), under Node, against the real server."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.flows.product import Product

_SDK = Path(__file__).parent.parent / "sdk"
_IS_THERE = shutil.which("node") is not None and (_SDK / "node_modules" / "code-push").is_dir()

# In CI a missing SDK is a failure, not a reason to skip.
pytestmark = pytest.mark.skipif(
    not _IS_THERE and not os.environ.get("CI"), reason="The real SDK needs Node.js and `npm ci` in tests/sdk."
)


class Phone:
    """One phone that runs the SDK; its storage outlives each start of the app."""

    def __init__(self, product: Product, key: str, folder: Path) -> None:
        self._configuration = {
            "folder": str(folder),
            "serverUrl": f"{product.url}/api",
            "deploymentKey": key,
            "appVersion": "3.0.0",
            "clientUniqueId": "8e2f1c5a-phone",
        }

    def ask(self) -> dict[str, Any]:
        return self._run("ask")

    def update(self) -> dict[str, Any]:
        """Ask, download, apply, report. The answer must be an update."""
        return self._run("update")

    def _run(self, command: str) -> dict[str, Any]:
        done = subprocess.run(
            ["node", "client.js", command, json.dumps(self._configuration)],
            cwd=_SDK,
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        result: dict[str, Any] = json.loads(done.stdout)
        return result


def test_the_sdk_follows_a_build_through_release_diff_rollback_and_force_update(product: Product, phone: Path) -> None:
    build = product.person("make_build")
    sdk = Phone(product, build["key"], phone)
    assert sdk.ask() == {"answer": None}

    product.person("publish", build_id=build["id"], sample="android-v1.zip")
    product.wait_for_label(build["key"], "v1", 5)
    first = sdk.update()
    assert first["answer"]["label"] == "v1"
    assert first["computedHash"] == first["answer"]["packageHash"]
    assert (first["isDiff"], first["downloadedBytes"]) == (False, 889_082)
    assert sdk.ask() == {"answer": None}

    product.person("publish", build_id=build["id"], sample="android-v2.zip")
    product.wait_for_label(build["key"], "v2", 5)
    second = sdk.update()
    assert second["answer"]["label"] == "v2"
    assert second["isDiff"]
    assert second["downloadedBytes"] < first["downloadedBytes"]
    assert second["computedHash"] == second["answer"]["packageHash"] != first["computedHash"]

    product.person("roll_back", build_id=build["id"], to_label="v1")
    product.wait_for_label(build["key"], "v3", 5)
    third = sdk.update()
    assert third["answer"]["label"] == "v3"
    assert third["computedHash"] == third["answer"]["packageHash"] == first["computedHash"]

    numbers = product.person("measure", key=build["key"])
    assert numbers["total_devices"] == 1
    assert {
        label: (m["downloads"], m["installs"], m["active_devices"]) for label, m in numbers["by_label"].items()
    } == {
        "v1": (1, 1, 0),
        "v2": (1, 1, 0),
        "v3": (1, 1, 1),
    }

    newer = product.person("make_build", store_version="3.1.0")
    product.person("replace_in_store_and_force", build_id=build["id"], by_build_id=newer["id"])
    product.wait_for_label(build["key"], "", 5)
    assert sdk.ask() == {"answer": {"updateAppVersion": True, "appVersion": "3.1.0"}}


def test_an_unknown_key_is_an_error_that_the_sdk_shows_with_our_sentence(product: Product, phone: Path) -> None:
    sdk = Phone(product, "a-key-of-no-build", phone)

    assert sdk.ask() == {"error": "404: Not Found: no build has this deployment key."}
