"""The release API of a running product: what a pipeline does with it, and that it keeps its own document."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.flows import person
from tests.flows.product import ROOT, Product

# `make fuzz` tries more of them, and others each time.
_EXAMPLES = os.environ.get("SCHEMA_EXAMPLES")
_EFFORT = ["--max-examples", _EXAMPLES] if _EXAMPLES else ["--max-examples", "8", "--seed", "1"]


@pytest.mark.timeout(1800 if _EXAMPLES else 120)
def test_the_api_keeps_its_document(product: Product) -> None:
    """Every check of schemathesis: documented statuses and shapes, wrong values refused, no access without a token."""
    build = product.person("make_build")
    for sample in ("android-v1.zip", "android-v2.zip"):
        product.person("publish", build_id=build["id"], sample=sample)
    token = product.manage("create_token", "--user", person.USERNAME).strip()

    command = [str(Path(sys.executable).parent / "schemathesis"), "run", f"{product.url}/api/v1/openapi.json"]
    options = ["--checks", "all", "--header", f"Authorization: Bearer {token}", "--no-color", *_EFFORT]
    run = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stdout
    assert "21 selected / 21 total" in run.stdout
