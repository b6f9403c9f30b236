"""Code signatures, as the CodePush command line tools write them and clients check them.

A bundle is signed by a file in it: a JSON Web Token (RS256) whose claim `contentHash` is the package hash, which leaves
that file out. Source: docs/protocol.md, "Code signing".
"""

import json
import re

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from deployments.bundles.archive import Archive, iter_file
from deployments.bundles.manifest import SIGNATURE_FILE, is_signature
from deployments.bundles.refusal import BundleRefused

# The only place where clients look for it.
SIGNATURE_PATH = f"CodePush/{SIGNATURE_FILE}"
# A token of a 16,384-bit key has less than half of this.
MAX_SIGNATURE_BYTES = 10_000
MIN_KEY_BITS = 2048
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
# Nothing else: with the public key for a secret, anybody could make an HS256 token, and "none" is no signature at all.
_ALGORITHM = "RS256"
_SIGN = "Sign the bundle with the private key of the key that the project has registered."


class UnusableKey(ValueError):
    """The text is no key that signatures can be checked with. The message says why, and what to register instead."""


def read_signature(archive: Archive) -> str:
    """The token in the signature file; "" without a file where clients look for it, or without a token in it.

    Raises BundleRefused (damaged).
    """
    info = archive.entries.get(SIGNATURE_PATH)
    if info is None or info.file_size > MAX_SIGNATURE_BYTES:
        return ""
    content = b"".join(iter_file(archive, SIGNATURE_PATH)).decode("ascii", "replace")
    # Exactly: not every client forgives a line end.
    return content if _TOKEN.fullmatch(content) else ""


def check_signature_files(archive: Archive) -> None:
    """There is one signature file, where clients look for it, with a token in it. Raises BundleRefused."""
    found = sorted(path for path in archive.entries if is_signature(path))
    if not found:
        raise BundleRefused(f"The bundle is not signed: it has no {SIGNATURE_PATH}. {_SIGN}")
    if len(found) > 1:
        raise BundleRefused(
            f"The bundle holds {len(found)} signature files ({', '.join(found[:3])}), and devices look at "
            f"{SIGNATURE_PATH} only. Remove the others, and sign it again."
        )
    if found != [SIGNATURE_PATH]:
        raise BundleRefused(
            f"The signature is at {found[0]!r}, but devices look for {SIGNATURE_PATH}. "
            "Sign the folder CodePush itself, and pack it with its name."
        )
    if not read_signature(archive):
        raise BundleRefused(f"The bundle is not signed: its {SIGNATURE_FILE} holds no JSON Web Token. {_SIGN}")


def check_signature(token: str, package_hash: str, public_key: str, name: str = "The bundle") -> None:
    """The token was made for this package hash with the private part of this key. Raises BundleRefused.

    No claim but the hash is looked at, as no client looks at others. `name`: what the bundle is called.
    """
    if not token:
        raise BundleRefused(f"{name} is not signed. {_SIGN}")
    try:
        claims = json.loads(jwt.PyJWS().decode(token, load_public_key(public_key), algorithms=[_ALGORITHM]))
    except jwt.InvalidAlgorithmError as failure:
        raise BundleRefused(f"{name} is signed in another way than {_ALGORITHM}. {_SIGN}") from failure
    except jwt.InvalidSignatureError as failure:
        raise BundleRefused(f"{name} is signed with another key than the registered one. {_SIGN}") from failure
    except (jwt.InvalidTokenError, ValueError) as failure:
        raise BundleRefused(f"{name} has a signature that cannot be read ({failure}). {_SIGN}") from failure
    signed_hash = claims.get("contentHash") if isinstance(claims, dict) else None
    if signed_hash != package_hash:
        raise BundleRefused(
            f"{name} was changed after it was signed: the signature is for {str(signed_hash)[:12]}…, "
            f"and the files give {package_hash[:12]}…. Sign it again."
        )


def load_public_key(text: str) -> RSAPublicKey:
    """Raises UnusableKey."""
    if "PRIVATE KEY" in text:
        raise UnusableKey(
            "This is a private key. Keep it to yourself, and register the public one: "
            "openssl rsa -in private.pem -pubout"
        )
    try:
        key = load_pem_public_key(text.strip().encode())
    except (ValueError, UnsupportedAlgorithm) as failure:
        raise UnusableKey(
            "This is no public key in PEM. It begins with “-----BEGIN PUBLIC KEY-----”: "
            "openssl rsa -in private.pem -pubout"
        ) from failure
    if not isinstance(key, RSAPublicKey):
        raise UnusableKey("This is a public key of another kind than RSA. CodePush clients check RSA signatures only.")
    if key.key_size < MIN_KEY_BITS:
        raise UnusableKey(f"The key has {key.key_size} bits; use at least {MIN_KEY_BITS:,}.")
    return key


def normalize_public_key(text: str) -> str:
    """The same key, as it is stored: PEM SubjectPublicKeyInfo. Raises UnusableKey."""
    key = load_public_key(text)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def compute_fingerprint(public_key: str) -> str:
    """Tells two keys apart: SHA-256 of the key, as `openssl pkey -pubin -outform DER | sha256sum` says it."""
    digest = Hash(SHA256())
    digest.update(load_public_key(public_key).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    return digest.finalize().hex()
