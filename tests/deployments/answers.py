"""What update checks are asserted with: three helpers that look at whole answers, headers included."""

from typing import Any

from deployments import bundle_storage
from deployments.models import Bundle, CodePush
from tests.devices import Reply

NO_UPDATE = {
    "is_available": False,
    "is_mandatory": False,
    "download_url": "",
    "description": "",
    "label": "",
    "package_hash": "",
    "package_size": 0,
    "app_version": "",
    "target_binary_range": "",
    "update_app_version": False,
    "should_run_binary_version": False,
}


def address_of(storage_name: str) -> str:
    """Where a device of tests is sent for the archive: to this server, or to the bucket that the suite runs on."""
    return bundle_storage.download_address(storage_name, "http://testserver")


def assert_answer(reply: Reply, expected: dict[str, Any]) -> None:
    assert (reply.status, reply.json) == (200, {"update_info": expected})
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert reply.headers["content-length"] == str(len(reply.body))
    assert reply.headers["cache-control"] == "no-cache"
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "etag" not in reply.headers


def assert_offered(reply: Reply, codepush: CodePush, **differs: object) -> None:
    offer = {
        "is_available": True,
        "download_url": address_of(bundle_of(codepush).storage_name),
        "description": codepush.description,
        "label": codepush.label,
        "package_hash": bundle_of(codepush).package_hash,
        "package_size": bundle_of(codepush).size_bytes,
        "app_version": "3.0.0",
        "target_binary_range": "3.0.0",
    }
    assert_answer(reply, NO_UPDATE | offer | differs)


def assert_no_update(reply: Reply, **differs: object) -> None:
    assert_answer(reply, NO_UPDATE | differs)


def assert_refused(reply: Reply, status: int, *words: str) -> None:
    assert reply.status == status
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert [word for word in words if word not in reply.text] == []


def bundle_of(codepush: CodePush) -> Bundle:
    assert codepush.bundle is not None
    return codepush.bundle
