"""Who may do what, proved: every address and every operation of the API × each method × everybody, against the tables.

A new address or operation fails here until it has its row: in pages.txt, admin.txt, api.txt or devices.txt. The message
is the missing row as it would be now: check its cells, then add it. What the address names must be in `world`.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from builds.models import Build
from codepush_site.api import api
from codepush_site.wsgi import DEVICE_ROUTES
from deployments import bundle_download
from deployments.bundle_storage import local_directory
from tests.authorisation.tables import METHODS, Row, Table, fill, find_routes, format_row, read_table
from tests.authorisation.walk import Asked, Walker
from tests.authorisation.world import SECRET, Headers, World, make_world
from tests.devices import send

pytestmark = pytest.mark.django_db

MEMBERS = {"viewer", "manager", "admin"}
TOKENS_OF_MEMBERS = {"viewer", "manager", "admin", "bound", "viewer's"}
# What each operation takes: one that may not act is refused although nothing is wrong with what it sends.
BODIES: dict[str, Any] = {
    "create_project": {"name": "New", "slug": "new"},
    "register_build": {"platform": "ios", "build_target": "staging", "store_version": "1.0.0"},
    "update_build": {"status": "success"},
    "set_store_status": {"store_status": "live"},
    "edit_codepush": {"description": "Edited"},
    "roll_back": {"to": "v1"},
    "begin_upload": {"size_bytes": 10},
    "ask_for_force_update": {"reason": "Why not"},
    "ask_to_promote": {"reason": "Why not"},
    "ask_to_edit": {"reason": "Why not"},
    "refuse_change": {"reason": "Why not"},
}
UPLOADS = {"create_codepush"}
JSON = "application/json"


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """A thousand refusals, each logged with its traceback, would take longer than all of them."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def world() -> World:
    return make_world()


def _find_admin_routes() -> dict[str, str]:
    return {name: route for name, route in find_routes().items() if name.startswith(("admin:", "/admin/"))}


def _find_operations() -> dict[str, tuple[str, str]]:
    """{operation: (method, path)}"""
    paths: dict[str, Any] = api.get_openapi_schema()["paths"]
    return {
        details["operationId"]: (method.upper(), path) for path, of in paths.items() for method, details in of.items()
    }


def _find_page_routes() -> dict[str, str]:
    operations = {f"release_api:{name}" for name in _find_operations()}
    return {name: route for name, route in find_routes().items() if name not in operations | {*_find_admin_routes()}}


def _assert_complete(table: Table, wanted: Mapping[str, Any], suggest: Callable[[str], list[str]]) -> None:
    named = {row.name for row in table.rows}
    missing = [line for name in wanted if name not in named for line in suggest(name)]
    assert not missing, "\n".join([f"No row in {table.name}.txt. Now it is so; is that meant? Then add:", *missing])
    assert named - {*wanted} == set(), f"There is no such thing any more; remove the row from {table.name}.txt."


def _assert_none(faults: list[str]) -> None:
    assert not faults, "\n".join(["", *faults])


def _walk(table: Table, routes: dict[str, str], world: World, may_know: set[str]) -> list[str]:
    """What differs from the rows, in words. A token opens no page: whoever sends one is answered as nobody is."""
    walker, faults = Walker(), []
    askers = {**world.people, "a token": world.tokens["admin"]}
    for row in table.rows:
        path = _fill_page(row.name, routes, world)
        for method in row.methods:
            for who, headers in askers.items():
                asked = walker.ask(method, path, headers)
                expected = row.expected.get(who, row.expected["nobody"])
                wrong = asked.list_faults(expected, may_know=who in may_know)
                faults += [f"{method} {row.name} as {who}: {fault}" for fault in wrong]
    return faults


def _suggest_rows(table: Table, routes: dict[str, str], world: World) -> Callable[[str], list[str]]:
    """{name} → its rows as they would be now. Of methods that end the same for everybody, one."""

    def suggest(name: str) -> list[str]:
        walker, methods_by_cells = Walker(), dict[tuple[str, ...], list[str]]()
        path = _fill_page(name, routes, world)
        for method in METHODS:
            cells = tuple(walker.ask(method, path, world.people[who]).outcome for who in table.columns)
            methods_by_cells.setdefault(cells, []).append(method)
        return [format_row(table, methods, name, cells) for cells, methods in methods_by_cells.items() if "ok" in cells]

    return suggest


def _fill_page(name: str, routes: dict[str, str], world: World) -> str:
    return fill(routes[name], world.ids | {"object_id": _find_admin_id(name, world)})


def _find_admin_id(name: str, world: World) -> Any:
    """The object of the model that the name tells: admin:MODEL_change, /admin/APP/MODEL/…"""
    fitting = [model for model in world.admin_ids if model in name.replace("/", "_")]
    return world.admin_ids[max(fitting, key=len, default="builds_project")]


def _find_untold_methods(table: Table, routes: dict[str, str], world: World) -> list[str]:
    """Methods that no row of their address tells of, and that the address takes from whoever may most."""
    walker, taken = Walker(), []
    told = {(row.name, method) for row in table.rows for method in row.methods}
    for name in {row.name for row in table.rows}:
        for method in METHODS:
            if (name, method) not in told:
                asked = walker.ask(method, _fill_page(name, routes, world), world.people["admin"])
                taken += [f"{method} {name}: {asked.outcome}"] if asked.outcome == "ok" else []
    return sorted(taken)


def test_every_page(world: World) -> None:
    table, routes = read_table("pages"), _find_page_routes()
    _assert_complete(table, routes, _suggest_rows(table, routes, world))

    _assert_none(_walk(table, routes, world, MEMBERS))
    _assert_none(_find_untold_methods(table, routes, world))


def test_every_page_of_the_admin(world: World) -> None:
    table, routes = read_table("admin"), _find_admin_routes()
    _assert_complete(table, routes, _suggest_rows(table, routes, world))

    _assert_none(_walk(table, routes, world, {"superuser"}))


def test_every_operation_of_the_api(world: World) -> None:
    table, operations, walker = read_table("api"), _find_operations(), Walker()
    # Signed in at a page is nobody here: a browser can be made to send its cookie.
    askers = {**{f"{who}'s session": headers for who, headers in world.people.items()}, **world.tokens, "nobody": {}}

    def ask(name: str, who: str) -> Asked:
        method, path = operations[name]
        address = fill(path, world.ids | {"token_id": world.ids["fingerprint"]})
        return walker.ask(method, address, askers[who], *_make_body(name))

    def suggest(name: str) -> list[str]:
        return [format_row(table, operations[name][:1], name, [ask(name, who).outcome for who in table.columns])]

    _assert_complete(table, operations, suggest)
    assert {row.name: row.methods for row in table.rows} == {name: (told[0],) for name, told in operations.items()}
    faults = [
        f"{row.name} as {who}: {fault}"
        for row in table.rows
        for who in askers
        for fault in ask(row.name, who).list_faults(
            row.expected.get(who, row.expected["nobody"]), may_know=who in TOKENS_OF_MEMBERS
        )
    ]

    _assert_none(faults)


def _make_body(operation: str) -> tuple[bytes, str]:
    if operation in UPLOADS:
        bundle = Path(__file__).parent.parent / "samples" / "android-v1.zip"
        with bundle.open("rb") as file:
            return encode_multipart(BOUNDARY, {"bundle": file}), MULTIPART_CONTENT
    return json.dumps(BODIES[operation]).encode() if operation in BODIES else b"", JSON


@pytest.mark.usefixtures("bundle_folder")
def test_every_address_of_devices_is_the_same_to_everybody(world: World) -> None:
    table, paths = read_table("devices"), [*DEVICE_ROUTES, bundle_download.PREFIX, settings.STATIC_URL]
    _assert_complete(table, dict.fromkeys(paths), lambda path: [f"GET          {path} ok"])
    key = Build.objects.get(pk=world.ids["build_id"]).deployment_key
    for row in table.rows:
        answers = {who: _ask_as_device(row, key, headers) for who, headers in {**world.people, **world.tokens}.items()}
        differing = {who for who, answer in answers.items() if answer != answers["nobody"]}
        assert (row.name, differing, answers["nobody"][0]) == (row.name, set(), 200)


def _ask_as_device(row: Row, key: str, headers: Headers) -> tuple[int, bytes]:
    (method,) = row.methods
    if row.name == settings.STATIC_URL:
        # Django's own, so through its client: it leaves the test's connection open.
        answer: Any = Client().get(row.name + _store(Path(settings.STATIC_ROOT), "authorisation.txt"), headers=headers)
        return answer.status_code, answer.getvalue()
    path = row.name
    if path == bundle_download.PREFIX:
        path += _store(local_directory() or Path(), f"{'0' * 64}.zip")
    sent = {"deployment_key": key, "client_unique_id": "d", "app_version": "3.0.0"}
    body, query = b"", urlencode(sent)
    if method == "POST":
        body, query = json.dumps({**sent, "label": "v1", "status": "DeploymentSucceeded"}).encode(), ""
    reply = send(method, path, query=query, body=body, headers={**headers, "Content-Type": JSON})
    return reply.status, reply.body


def _store(folder: Path, name: str) -> str:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(SECRET)
    return name
