"""The package hash: the same value as the server of origin, the command line tools and the clients compute."""

import json
from hashlib import sha256
from zipfile import ZIP_STORED, ZipFile

import pytest

from deployments.bundles.manifest import compute_content_hash, compute_package_hash
from tests.bundles.archives import BUNDLE, JAVASCRIPT, make_zip, read
from tests.conftest import SAMPLES

# Computed once with Node: sha256(JSON.stringify(files.map(path => `${path}:${sha256(file)}`).sort())).
RECORDED = {
    "android-v1": "87d2170ede8f295d37cbde3891dcc34dba4aab37a215fa9a4ac965482336061f",
    "android-v2": "660ad60f403b206f2e168d35257deb258a142cd4eee74267f021e5ef2bf6a60a",
    "ios-v1": "ae3d0af47c17640e042b6100689c57c43129d931aa37c06dae68521910271954",
    "ios-v2": "9944c76e7bf7e965a6559270c238af84e0b5040a1a07bc9c9b7c2022a489ecdb",
}


@pytest.mark.parametrize("name", RECORDED)
def test_samples_have_the_recorded_hashes(name: str) -> None:
    archive = SAMPLES / f"{name}.zip"
    contents = read(archive.read_bytes(), platform=name.split("-", maxsplit=1)[0])
    assert compute_package_hash(contents.manifest) == RECORDED[name]
    with ZipFile(archive) as unpacked:
        lines = [
            f"{info.filename}:{sha256(unpacked.read(info)).hexdigest()}"
            for info in unpacked.infolist()
            if not info.is_dir()
        ]
    assert sha256(json.dumps(sorted(lines), separators=(",", ":")).encode()).hexdigest() == RECORDED[name]


def test_awkward_names_hash_as_in_javascript() -> None:
    """Recorded with Node. Each name is here for a reason: ":" in the order, UTF-16 order, JSON escapes."""
    names = [
        "a.b",
        "a/b",
        "a0",
        "a",
        "CodePush/\u00e9.png",
        "CodePush/\U0001f600.png",
        "CodePush/\ue000.png",
        'q"uote',
        "sla/sh",
        "\u2028x",
        "tab-\x7f",
    ]
    manifest = {name: sha256(name.encode()).hexdigest() for name in names}
    assert compute_package_hash(manifest) == "5ff744b56f5906ca493d25a06fbd2e8bba942a13a621a6b82b76c3b2aa28ed36"


def test_nothing_hashes_to_that_of_an_empty_list() -> None:
    assert compute_package_hash({}) == "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"


def hash_of(files: dict[str, bytes], **options: int) -> str:
    return compute_package_hash(read(make_zip({BUNDLE: JAVASCRIPT, **files}, **options)).manifest)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "ignored",
    [
        "__MACOSX/CodePush/._index.android.bundle",
        ".DS_Store",
        "CodePush/.DS_Store",
        "CodePush/.codepushrelease",
        ".codepushrelease",
        "CodePush/deep/.codepushrelease",
        "CodePush/",
        "CodePush/empty-folder/",
    ],
)
def test_what_clients_do_not_count_does_not_change_the_hash(ignored: str) -> None:
    assert hash_of({ignored: b""}) == hash_of({})


@pytest.mark.parametrize(
    "counted",
    ["CodePush/__MACOSX/a", "__MACOSX", "CodePush/.DS_Store.png", "CodePush/x.codepushrelease", "CodePush/.hidden"],
)
def test_what_only_looks_like_that_is_counted(counted: str) -> None:
    assert hash_of({counted: b"x"}) != hash_of({})


@pytest.mark.parametrize(
    ("written", "meant"),
    [("./CodePush/a.png", "CodePush/a.png"), ("CodePush//a.png", "CodePush/a.png"), ("CodePush/./a", "CodePush/a")],
)
def test_a_path_counts_as_the_client_unpacks_it(written: str, meant: str) -> None:
    assert hash_of({written: b"x"}) == hash_of({meant: b"x"})


def test_order_and_compression_do_not_matter() -> None:
    files = {"CodePush/a": b"a" * 1000, "CodePush/b": b"b"}
    assert hash_of(files) == hash_of(dict(reversed(files.items()))) == hash_of(files, compression=ZIP_STORED)


@pytest.mark.parametrize(
    "files",
    [{"CodePush/a": b"b"}, {"CodePush/b": b"a"}, {"CodePush/a": b"a", "CodePush/b": b""}, {"other/a": b"a"}],
    ids=["content", "name", "one-more", "folder"],
)
def test_every_difference_that_a_client_sees_changes_the_hash(files: dict[str, bytes]) -> None:
    assert hash_of(files) != hash_of({"CodePush/a": b"a"})


def test_a_signature_changes_the_content_hash_only() -> None:
    plain = read(make_zip({BUNDLE: JAVASCRIPT})).manifest
    signed = read(make_zip({BUNDLE: JAVASCRIPT, "CodePush/.codepushrelease": b"token"})).manifest
    assert compute_package_hash(signed) == compute_package_hash(plain)
    assert compute_content_hash(signed) != compute_content_hash(plain)
    assert compute_content_hash(plain) == compute_package_hash(plain)
