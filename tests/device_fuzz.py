"""Any bytes as method, query, path, headers and body of a device request, and what may come back: 2xx, 3xx or 4xx."""

import io
import json
from typing import Any

from hypothesis import strategies as st

from tests.devices import V01, Reply, send_environ

# Of a build that should be there, so that some requests get further.
KEY = "fuzzed-deployment-key"
_PATHS = [
    f"{V01}/update_check",
    "/api/updateCheck",
    f"{V01}/report_status/deploy",
    "/api/reportStatus/download",
    f"/api/bundles/{'0' * 64}.zip",
    "/api/bundles/",
]
# As servers hand bytes on (PEP 3333): each as one Latin-1 character.
_TEXT = st.binary(max_size=200).map(lambda raw: raw.decode("latin-1"))
_NAMES = ["deployment_key", "appVersion", "package_hash", "label", "client_unique_id", "is_companion", "patch_format"]
_VALUES = st.one_of(
    _TEXT, st.sampled_from(["fuzzed-deployment-key", "3.0.0", "v1", "%00", "%ff%fe", "true", "bsdiff4"])
)
_PAIRS = st.lists(st.tuples(st.sampled_from(_NAMES), _VALUES), max_size=8).map(
    lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)
)
_QUERY = st.one_of(_TEXT, _PAIRS, _PAIRS.map(lambda pairs: f"deployment_key={KEY}&app_version=3.0.0&{pairs}"))
_BODY = st.one_of(
    st.binary(max_size=500),
    st.dictionaries(st.sampled_from([*_NAMES, "status"]), st.text(max_size=30)).map(lambda sent: repr(sent).encode()),
    st.text(max_size=30).map(lambda label: json.dumps({"deployment_key": KEY, "label": label}).encode()),
    st.sampled_from([b'{"deployment_key": 1}', b"[" * 5000, b'{"label": "\\ud800"}', b"\xff" * 20_000]),
)
_HEADERS = st.dictionaries(
    st.sampled_from(
        ["HTTP_HOST", "HTTP_RANGE", "HTTP_IF_NONE_MATCH", "HTTP_IF_RANGE", "CONTENT_TYPE", "CONTENT_LENGTH"]
    ),
    _TEXT,
)

requests = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["GET", "GET", "POST", "POST", "HEAD", "OPTIONS", "PUT", "\xff"]),
        "path": st.one_of(st.sampled_from(_PATHS), _TEXT.map(lambda rest: f"/api/bundles/{rest}")),
        "query": _QUERY,
        "headers": _HEADERS,
        "body": _BODY,
    }
)


def ask(request: dict[str, Any]) -> Reply:
    environ = {
        "REQUEST_METHOD": request["method"],
        "PATH_INFO": request["path"],
        "QUERY_STRING": request["query"],
        "CONTENT_LENGTH": str(len(request["body"])),
        "wsgi.input": io.BytesIO(request["body"]),
        **request["headers"],
    }
    return send_environ(environ)


def is_honest(reply: Reply) -> bool:
    """No fault of ours, and nothing in the headers that a client or a cache could take for another header."""
    is_printable = all(value.isascii() and value.isprintable() for value in reply.headers.values())
    return 200 <= reply.status < 500 and is_printable
