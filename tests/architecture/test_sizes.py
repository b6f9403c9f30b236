"""Small enough to be read at once. Over a limit, something belongs elsewhere (docs/patterns.md)."""

import ast
from pathlib import Path

from tests.architecture.source import ROOT, iter_functions, parse, product_files, suite_files

MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 40
MAX_VIEW_LINES = 25
MAX_TASK_LINES = 10


def _count_lines(path: Path) -> int:
    return len((ROOT / path).read_text().splitlines())


def _count_body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Without signature and docstring: both grow with what they tell, not with what is done."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def _limit(path: Path) -> int:
    if "views" in path.parts or path.name == "views.py":
        return MAX_VIEW_LINES
    return MAX_TASK_LINES if path.name == "tasks.py" else MAX_FUNCTION_LINES


def test_a_module_is_read_at_one_sitting() -> None:
    lengths = {str(path): _count_lines(path) for path in [*product_files(), *suite_files()]}

    assert {path: lines for path, lines in lengths.items() if lines > MAX_MODULE_LINES} == {}


def test_a_function_is_seen_on_one_screen() -> None:
    too_long = {
        f"{path}:{function.lineno} {function.name}": _count_body_lines(function)
        for path in [*product_files(), *suite_files()]
        for function in iter_functions(parse(path))
        if _count_body_lines(function) > _limit(path)
    }

    assert too_long == {}
