"""The product's own source, as tests of its shape read it."""

import ast
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

ROOT: Path = settings.BASE_DIR
PACKAGES = (
    "builds",
    "sign_in",
    "deployments",
    "metrics",
    "webhooks",
    "release_api",
    "telemetry",
    "codepush_site",
    "codepush_cli",
)


def product_files() -> list[Path]:
    """Relative to ROOT. Migrations are made by Django, and are read when they are made."""
    paths = (path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return sorted(path for path in paths if "migrations" not in path.parts)


def suite_files() -> list[Path]:
    paths = (path.relative_to(ROOT) for path in (ROOT / "tests").rglob("*.py"))
    return sorted(path for path in paths if "node_modules" not in path.parts)


def parse(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text())


def iter_functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def module_name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")
