"""Who may import whom. The contract itself stands in pyproject.toml, [tool.importlinter]."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, iter_functions, module_name, parse, product_files

# Read by whoever starts the product; imported by nobody in it (contract "site").
ENTRY_POINTS = {
    f"codepush_site.{name}"
    for name in ("settings", "device_settings", "sign_in_settings", "env", "celery", "schedule", "queues")
}
PACKAGE_ROOTS = {"builds", "sign_in", "deployments", "metrics", "webhooks", "release_api", "telemetry", "codepush_site"}


def _layers() -> set[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = settings["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["id"] == "layers")
    return {name for layer in layers for name in re.findall(r"[\w.]+", layer)}


def test_the_import_contract_is_kept() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-logo", "--no-cache"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout


def test_every_module_has_its_layer() -> None:
    layers = _layers()
    modules = {module_name(path) for path in product_files()} - ENTRY_POINTS - PACKAGE_ROOTS
    homeless = {m for m in modules if not any(m == layer or m.startswith(f"{layer}.") for layer in layers)}

    assert homeless == set(), "Place the new module in [tool.importlinter] of pyproject.toml."


def test_nothing_is_imported_inside_a_function() -> None:
    inside = [
        f"{path}:{node.lineno}"
        for path in product_files()
        for function in iter_functions(parse(path))
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]

    assert inside == []


@pytest.mark.parametrize(
    "path", ["deployments/device_api.py", "deployments/bundle_download.py", "metrics/device_api.py"]
)
def test_device_endpoints_do_not_reach_for_the_database(path: str) -> None:
    imported = {
        name
        for node in ast.walk(parse(Path(path)))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }

    assert {name for name in imported if name.startswith(("django.db", "django.http", "django.contrib"))} == set()
