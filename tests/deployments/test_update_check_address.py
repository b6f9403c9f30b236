"""Where an offered archive is: the diff or the whole, and at which address."""

import pytest
from pytest_django.fixtures import Settings

from deployments.models import BundleDiff, CodePush
from tests.deployments.answers import assert_offered, bundle_of
from tests.devices import Device
from tests.factories import BuildFactory, CodePushFactory

# Of this server. Those of a bucket have tests of their own.
pytestmark = pytest.mark.usefixtures("bundle_folder")


@pytest.fixture
def diff(codepush: CodePush) -> BundleDiff:
    old = CodePushFactory(build=BuildFactory()).bundle
    return BundleDiff.objects.create(
        from_bundle=old, to_bundle=bundle_of(codepush), storage_name=f"{'d' * 64}.zip", size_bytes=123
    )


def test_a_device_whose_bundle_has_a_diff_gets_the_diff_and_its_size(
    device: Device, codepush: CodePush, diff: BundleDiff
) -> None:
    device.package_hash = diff.from_bundle.package_hash
    address = f"http://testserver/api/bundles/{'d' * 64}.zip"
    assert_offered(device.check(), codepush, download_url=address, package_size=123)


@pytest.mark.parametrize("package_hash", [None, "", "f" * 64])
def test_any_other_device_gets_the_whole_archive(
    device: Device, codepush: CodePush, diff: BundleDiff, package_hash: str | None
) -> None:
    device.package_hash = package_hash
    assert_offered(device.check(), codepush)


@pytest.mark.parametrize(
    ("host", "start"),
    [
        ("updates.example:8443", "http://updates.example:8443/api/bundles/"),
        ("[::1]:8000", "http://[::1]:8000/api/bundles/"),
        # What is no host is not put into an address.
        ("evil.example/path?", "http://127.0.0.1:80/api/bundles/"),
        ("", "http://127.0.0.1:80/api/bundles/"),
    ],
)
def test_the_address_is_on_the_host_that_the_device_asked(
    device: Device, codepush: CodePush, host: str, start: str
) -> None:
    device.headers = {"Host": host}
    assert device.check().update["download_url"].startswith(start)


def test_the_address_is_on_the_public_url_where_one_is_set(
    device: Device, codepush: CodePush, settings: Settings
) -> None:
    settings.PUBLIC_URL = "https://codepush.example"
    assert device.check().update["download_url"].startswith("https://codepush.example/api/bundles/")


def test_the_address_is_on_the_content_network_where_one_is_set(
    device: Device, codepush: CodePush, settings: Settings
) -> None:
    settings.PUBLIC_URL = "https://codepush.example"
    settings.BUNDLE_PUBLIC_URL = "https://cdn.example/bundles"
    address = f"https://cdn.example/bundles/{bundle_of(codepush).storage_name}"
    assert_offered(device.check(), codepush, download_url=address)
