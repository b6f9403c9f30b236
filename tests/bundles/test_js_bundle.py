"""Finding the JavaScript bundle, telling what it is, and refusing one that the build's devices cannot run."""

import pytest

from deployments.bundles.javascript import HERMES_MAGIC, JsBundle, check_hermes_version, find_js_bundle
from deployments.bundles.refusal import BundleRefused
from tests.bundles.archives import BUNDLE, make_zip, read
from tests.conftest import SAMPLES


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("android-v1", JsBundle("CodePush/index.android.bundle", 96)),
        ("ios-v1", JsBundle("CodePush/main.jsbundle", None)),
    ],
)
def test_real_bundles_are_recognised(name: str, expected: JsBundle) -> None:
    archive = (SAMPLES / f"{name}.zip").read_bytes()
    assert read(archive, platform=name.split("-", maxsplit=1)[0]).js_bundle == expected


@pytest.mark.parametrize(
    ("platform", "paths", "found"),
    [
        ("android", ["CodePush/index.android.bundle"], "CodePush/index.android.bundle"),
        ("huawei", ["CodePush/index.android.bundle"], "CodePush/index.android.bundle"),
        ("huawei", ["CodePush/index.huawei.bundle"], "CodePush/index.huawei.bundle"),
        ("ios", ["CodePush/main.jsbundle"], "CodePush/main.jsbundle"),
        ("ios", ["CodePush/index.ios.bundle"], "CodePush/index.ios.bundle"),
        ("ios", ["CodePush/app.bundle"], "CodePush/app.bundle"),
        ("android", ["CodePush/app.bundle"], "CodePush/app.bundle"),
        ("ios", ["CodePush/index.android.bundle", "CodePush/main.jsbundle"], "CodePush/main.jsbundle"),
        ("android", ["CodePush/app.bundle", "CodePush/index.android.bundle"], "CodePush/index.android.bundle"),
        ("ios", ["CodePush/assets/extra.jsbundle", "CodePush/main.jsbundle"], "CodePush/main.jsbundle"),
        ("ios", ["main.jsbundle"], "main.jsbundle"),
    ],
)
def test_the_bundle_that_the_platform_loads_is_found(platform: str, paths: list[str], found: str) -> None:
    assert find_js_bundle(paths, platform) == found


REFUSED = {
    "no-files": ("android", [], "holds no JavaScript bundle. A file like index.android.bundle"),
    "no-bundle-ios": ("ios", ["CodePush/logo.png"], "holds no JavaScript bundle. A file like main.jsbundle"),
    "source-map-only": ("android", ["CodePush/index.android.bundle.map"], "holds no JavaScript bundle"),
    "javascript-file": ("android", ["CodePush/index.js"], "holds no JavaScript bundle"),
    "android-on-ios": ("ios", ["CodePush/index.android.bundle"], "is an Android bundle, and this is a build for iOS"),
    "ios-on-android": ("android", ["CodePush/main.jsbundle"], "is an iOS bundle, and this is a build for Android"),
    "ios-on-huawei": ("huawei", ["CodePush/main.jsbundle"], "is an iOS bundle, and this is a build for Huawei"),
}


@pytest.mark.parametrize(("platform", "paths", "words"), REFUSED.values(), ids=REFUSED)
def test_an_archive_without_a_fitting_bundle_is_refused(platform: str, paths: list[str], words: str) -> None:
    with pytest.raises(BundleRefused, match=words):
        find_js_bundle(paths, platform)


@pytest.mark.parametrize(
    ("content", "version"),
    [
        (b"var a = 1;", None),
        ("var größe = '大';".encode(), None),
        (b"\xef\xbb\xbfvar a = 1;", None),
        # Characters that fall across the pieces in which the file is read.
        ("é".encode() * 400_000, None),
        (b"a" + "é".encode() * 400_000, None),
        (HERMES_MAGIC + b"\x60\0\0\0" + bytes(100), 96),
        (HERMES_MAGIC + b"\x01\x01\0\0", 257),
    ],
    ids=["ascii", "utf-8", "byte-order-mark", "pieces", "split-pieces", "hermes-96", "hermes-257"],
)
def test_text_and_hermes_bytecode_are_told_apart(content: bytes, version: int | None) -> None:
    assert read(make_zip({BUNDLE: content})).js_bundle == JsBundle(BUNDLE, version)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\x7fELF" + bytes(100), "neither JavaScript text nor Hermes bytecode"),
        (b"var a;\0", "neither"),
        (b"var a = '\xff';", "neither"),
        ("var a = 'é".encode()[:-1], "neither"),
        (b"a" * 300_000 + b"\0", "neither"),
        (HERMES_MAGIC, "neither"),
        (HERMES_MAGIC + b"\x60\0\0", "neither"),
        (HERMES_MAGIC + b"\xff\xff\xff\xff", "neither"),
    ],
    ids=[
        "empty",
        "elf",
        "nul",
        "latin-1",
        "cut-char",
        "nul-in-second-piece",
        "magic-only",
        "cut-version",
        "no-version",
    ],
)
def test_what_no_device_can_run_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(BundleRefused, match=words):
        read(make_zip({BUNDLE: content}))


def test_bytecode_of_another_version_than_the_builds_is_refused() -> None:
    with pytest.raises(BundleRefused) as refusal:
        check_hermes_version(JsBundle(BUNDLE, 96), 94, "build #7")
    assert "index.android.bundle is Hermes bytecode 96, build #7 runs bytecode 94" in str(refusal.value)


@pytest.mark.parametrize(("bundle_version", "build_version"), [(96, 96), (None, 96), (96, None), (None, None)])
def test_where_one_version_is_unknown_nothing_is_refused(bundle_version: int | None, build_version: int | None) -> None:
    check_hermes_version(JsBundle(BUNDLE, bundle_version), build_version, "build #7")
