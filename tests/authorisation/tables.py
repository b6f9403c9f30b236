"""The tables beside this file (*.txt), and everything that they must have a row for.

A row: methods ("any": all), name, and for each column the outcome. An address whose methods end differently has two.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.urls import URLPattern, get_resolver

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# {table: of methods, of the name, of a cell}
_WIDTHS = {"pages": (12, 32, 9), "admin": (12, 46, 9), "api": (7, 20, 11)}
_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Row:
    methods: tuple[str, ...]
    name: str
    # {column: outcome, as `walk.name_outcome` has it}
    expected: dict[str, str]


@dataclass(frozen=True)
class Table:
    name: str
    columns: list[str]
    rows: list[Row]


def read_table(name: str) -> Table:
    lines = (line.split() for line in (_FOLDER / f"{name}.txt").read_text().splitlines())
    _, _, *columns = next(lines)
    rows = []
    for cells in lines:
        if cells and not cells[0].startswith("#"):
            methods, row_name, *outcomes = cells
            assert len(outcomes) == len(columns), f"{name}.txt: {' '.join(cells)} has not one outcome for each column"
            taken = METHODS if methods == "any" else tuple(methods.split(","))
            rows.append(Row(taken, row_name, dict(zip(columns, outcomes, strict=True))))
    asked = [(method, row.name) for row in rows for method in row.methods]
    assert len(asked) == len(set(asked)), f"{name}.txt has two outcomes for one method of one address"
    return Table(name, columns, rows)


def format_row(table: Table, methods: Sequence[str], name: str, cells: Sequence[str]) -> str:
    """A row of the table, aligned with the others."""
    method_width, name_width, cell_width = _WIDTHS[table.name]
    outcomes = " ".join(f"{cell:<{cell_width}}" for cell in cells)
    return f"{','.join(methods):<{method_width}} {name:<{name_width}} {outcomes}".rstrip()


def find_routes() -> dict[str, str]:
    """{name: route} of every address that Django answers; of one without a name, "/" and its route is the name."""
    return {name or f"/{route}": route for route, name in _walk_patterns(get_resolver().url_patterns)}


def _walk_patterns(patterns: list[Any], route: str = "", namespace: str = "") -> Iterator[tuple[str, str]]:
    for each in patterns:
        whole = f"{route}{each.pattern}"
        if isinstance(each, URLPattern):
            yield whole, f"{namespace}{each.name}" if each.name else ""
        else:
            yield from _walk_patterns(each.url_patterns, whole, f"{each.namespace}:" if each.namespace else namespace)


def fill(route: str, ids: dict[str, Any]) -> str:
    """The address: `<int:build_id>`, `(?P<url>.*)` and `{slug}` give way to what the world calls so."""
    plain = re.sub(r"\(\?P<(\w+)>[^)]*\)|<(?:\w+:)?(\w+)>|{(\w+)}", lambda m: str(ids[m[1] or m[2] or m[3]]), route)
    return f"/{plain.replace('^', '').replace('$', '').removeprefix('/')}"
