"""Whoever asks for an object by its address gets it through an `access` module, which looks at who asks."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source import iter_functions, parse, product_files
from tests.authorisation.tables import find_routes

# What only writes an address again.
WRITES_ADDRESSES = {"redirect", "reverse"}
# {module: functions that may take what an address names}: each looks among what the user was let in to already.
AMONG_ONES_OWN = {
    # Tokens of the user, or of a project that the user administers.
    "release_api/views.py": {"filter"},
    "release_api/api.py": {"filter"},
    # Devices and audit entries of a build that `access` gave.
    "metrics/views/devices.py": {"find_device"},
    "deployments/views/story.py": {"list_entries_about"},
    # Sessions of the user; what a link says that was signed here and sent by mail.
    "sign_in/views/account.py": {"end_session", "read_email_change"},
    # Invitations of a project that `access` gave; what a link says that was signed here and sent by mail.
    "sign_in/views/invitations.py": {"filter", "find"},
}
MANAGERS = {"objects", "_default_manager", "_base_manager", "get_object_or_404", "get_list_or_404"}


def _interface_files() -> list[Path]:
    """What turns requests into calls. The admin is Django's, with permissions of its own; commands have no user."""
    return [
        path
        for path in product_files()
        if ("views" in path.parts or path.name in ("views.py", "forms.py") or path.name.startswith("api"))
        # One is the way to objects, the other writes addresses of those that a page has.
        and path.name not in ("access.py", "addresses.py")
        and path.parts[0] != "codepush_cli"
    ]


def test_pages_and_endpoints_read_no_model_by_themselves() -> None:
    reading = [
        f"{path}:{node.lineno}"
        for path in _interface_files()
        for node in ast.walk(parse(path))
        if (isinstance(node, ast.Attribute) and node.attr in MANAGERS)
        or (isinstance(node, ast.Name) and node.id in MANAGERS)
    ]

    assert reading == [], "Get objects through access; read what belongs to them in a selector."


def _names_from_access(tree: ast.Module) -> set[str]:
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith(".access")
        for alias in node.names
    }


def _parameters_of_addresses() -> set[str]:
    """What addresses name: `slug`, `build_id` and so on. The admin's are Django's own affair."""
    routes = (route for route in find_routes().values() if not route.startswith("admin/"))
    return {name for route in routes for name in re.findall(r"<(?:\w+:)?(\w+)>", route)}


def _uses_of_addresses(function: ast.FunctionDef | ast.AsyncFunctionDef, names: set[str]) -> Iterator[ast.expr]:
    """Where the function reads a parameter that an address fills, or `address["…"]` of a form page."""
    parameters = {argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)} & names
    for node in ast.walk(function):
        is_parameter = isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in parameters
        if isinstance(node, ast.expr) and (is_parameter or _is_of_address(node)):
            yield node


def _is_of_address(node: ast.expr) -> bool:
    return isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "address"


def _given_to(function: ast.AST, allowed: set[str]) -> set[ast.AST]:
    """What is given to these functions there; and what a sentence names."""
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call) and _name_called(node) in allowed]
    given = [each for call in calls for each in (*call.args, *(keyword.value for keyword in call.keywords))]
    sentences = [node for node in ast.walk(function) if isinstance(node, ast.JoinedStr)]
    return {node for each in (*given, *sentences) for node in ast.walk(each)}


def _name_called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


@pytest.mark.parametrize("path", _interface_files(), ids=str)
def test_what_an_address_names_goes_to_access_and_nowhere_else(path: Path) -> None:
    tree, names = parse(path), _parameters_of_addresses()
    # A function of the module is looked at itself.
    own = {function.name for function in iter_functions(tree)}
    allowed = _names_from_access(tree) | own | WRITES_ADDRESSES | AMONG_ONES_OWN.get(str(path), set())
    astray = [
        f"{path}:{use.lineno} {ast.unparse(use)}"
        for function in iter_functions(tree)
        for use in _uses_of_addresses(function, names)
        if use not in _given_to(function, allowed)
    ]

    assert astray == []
