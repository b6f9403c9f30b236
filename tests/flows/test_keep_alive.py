"""One connection to the real server carries any number of requests, of all methods."""

import http.client

import pytest

from tests.flows.product import Product

_PATH = "/api/v0.1/public/codepush/update_check"


@pytest.mark.parametrize("path", [_PATH, "/api/updateCheck"])
def test_a_connection_is_used_again(product: Product, path: str) -> None:
    build = product.person("make_build")
    product.person("publish", build_id=build["id"], sample="android-v1.zip")
    product.wait_for_label(build["key"], "v1", 5)
    asked = f"{path}?deployment_key={build['key']}&app_version=3.0.0&client_unique_id="
    connection = http.client.HTTPConnection("127.0.0.1", product.port)
    connection.connect()
    sock = connection.sock
    for number in range(3):
        statuses = {}
        for method in ("GET", "HEAD", "OPTIONS", "DELETE"):
            connection.request(method, f"{asked}{number}")
            answer = connection.getresponse()
            body = answer.read()
            statuses[method] = answer.status, bool(body), answer.headers["Access-Control-Allow-Origin"]
        assert statuses == {
            "GET": (200, True, "*"),
            "HEAD": (200, False, "*"),
            "OPTIONS": (204, False, "*"),
            "DELETE": (405, True, "*"),
        }
        assert connection.sock is sock
    connection.close()
