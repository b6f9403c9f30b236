"""Code signatures: what a key takes, and what it refuses, in words."""

import json
import subprocess
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from deployments.bundles.refusal import BundleRefused
from deployments.bundles.signature import (
    UnusableKey,
    check_signature,
    check_signature_files,
    compute_fingerprint,
    normalize_public_key,
    read_signature,
)
from tests.bundles.archives import make_zip, opened
from tests.signing import FILES, SIGNATURE, hash_files, make_key, make_token, private_pem, public_pem, sign, sign_claims

KEY = public_pem(make_key())
HASH = hash_files(FILES)


def _check(files: Mapping[str, bytes]) -> None:
    """As an upload is checked."""
    with opened(make_zip(files)) as archive:
        check_signature_files(archive)
        check_signature(read_signature(archive), hash_files({n: c for n, c in files.items() if n != SIGNATURE}), KEY)


def test_a_bundle_signed_as_the_tools_do_is_taken() -> None:
    _check(sign())


def test_one_that_openssl_signed_is_taken(tmp_path: Path) -> None:
    """Neither our library nor the tests' had a hand in it."""
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    subprocess.run(["openssl", "genrsa", "-out", private, "2048"], check=True, capture_output=True)
    subprocess.run(["openssl", "rsa", "-in", private, "-pubout", "-out", public], check=True, capture_output=True)
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256", "typ": "JWT"}, {"contentHash": HASH})]
    signed = b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    done = subprocess.run(
        ["openssl", "dgst", "-sha256", "-sign", private], input=signed, check=True, capture_output=True
    )
    token = (signed + b"." + urlsafe_b64encode(done.stdout).rstrip(b"=")).decode()

    check_signature(token, HASH, public.read_text())
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-in", public, "-outform", "DER"], check=True, capture_output=True
    ).stdout
    digest = subprocess.run(["openssl", "dgst", "-sha256", "-r"], input=der, check=True, capture_output=True).stdout
    assert compute_fingerprint(public.read_text()) == digest.decode().split()[0]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (FILES, "not signed: it has no CodePush/.codepushrelease"),
        (sign(key="theirs"), "signed with another key"),
        (sign() | {"CodePush/assets/logo.png": b"other"}, "changed after it was signed"),
        (sign() | {"CodePush/more.png": b"more"}, "changed after it was signed"),
        (FILES | {SIGNATURE: make_token("0" * 64).encode()}, "the signature is for 000000000000"),
        (FILES | {SIGNATURE: make_token(HASH.upper()).encode()}, "changed after it was signed"),
        (FILES | {SIGNATURE: make_token(HASH, algorithm="none").encode() + b"eA"}, "another way than RS256"),
        (FILES | {SIGNATURE: make_token(HASH, algorithm="none").encode()}, "holds no JSON Web Token"),
        (
            FILES | {SIGNATURE: make_token(HASH, algorithm="HS256", secret=KEY.encode()).encode()},
            "another way than RS256",
        ),
        (FILES | {SIGNATURE: b"rubbish"}, "holds no JSON Web Token"),
        (FILES | {SIGNATURE: b"\x00\xff\xfe"}, "holds no JSON Web Token"),
        (FILES | {SIGNATURE: b""}, "holds no JSON Web Token"),
        (FILES | {SIGNATURE: b"a.b.c"}, "cannot be read"),
        (FILES | {SIGNATURE: sign()[SIGNATURE] + b"\n"}, "holds no JSON Web Token"),
        (FILES | {SIGNATURE: b"a" * 5000 + b"." + b"a" * 5000 + b".a"}, "holds no JSON Web Token"),
        (FILES | {SIGNATURE: sign_claims([HASH]).encode()}, "changed after it was signed"),
        (FILES | {SIGNATURE: sign_claims({}).encode()}, "the signature is for None"),
        (FILES | {SIGNATURE: sign_claims({"contentHash": [HASH]}).encode()}, "changed after it was signed"),
        (FILES | {"CodePush/sub/.codepushrelease": sign()[SIGNATURE]}, "at 'CodePush/sub/.codepushrelease', but"),
        (FILES | {".codepushrelease": sign()[SIGNATURE]}, "at '.codepushrelease', but devices look for"),
        (sign() | {"CodePush/sub/.codepushrelease": b"x"}, "holds 2 signature files"),
    ],
)
def test_what_devices_would_refuse_is_refused_in_words(files: Mapping[str, bytes], words: str) -> None:
    with pytest.raises(BundleRefused) as refusal:
        _check(files)

    assert words in str(refusal.value)


def test_a_key_is_stored_in_one_way() -> None:
    assert normalize_public_key(f"\n  {KEY.replace(chr(10), chr(13) + chr(10))}\n") == KEY


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no public key in PEM"),
        ("ssh-rsa AAAAB3NzaC1yc2E", "no public key in PEM"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "no public key in PEM"),
        ("-----BEGIN PUBLIC KEY-----", "no public key in PEM"),
        ("ключ", "no public key in PEM"),
        ("\ud800", "no public key in PEM"),
        (private_pem(make_key()), "This is a private key"),
        (public_pem(ec.generate_private_key(ec.SECP256R1())), "another kind than RSA"),
        (public_pem(make_key("weak", 1024)), "1024 bits; use at least 2,048"),
    ],
)
def test_what_is_no_key_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(UnusableKey) as refusal:
        normalize_public_key(text)

    assert words in str(refusal.value)
    assert "MII" not in str(refusal.value)
