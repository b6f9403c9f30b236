"""Signs bundles as the CodePush command line tools do, without the library that the product checks with."""

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from io import BytesIO
from zipfile import ZipFile

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from django.core.files.uploadedfile import SimpleUploadedFile

from deployments.bundles.manifest import compute_package_hash

SIGNATURE = "CodePush/.codepushrelease"
FILES = {"CodePush/index.android.bundle": b"run()", "CodePush/assets/logo.png": b"logo" * 100}


def make_key(name: str = "ours", bits: int = 2048) -> rsa.RSAPrivateKey:
    """Another key for each name, the same one each time."""
    return _make_key(name, bits)


@lru_cache
def _make_key(name: str, bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def public_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def private_pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def hash_files(files: Mapping[str, bytes]) -> str:
    return compute_package_hash({path: sha256(content).hexdigest() for path, content in files.items()})


def make_token(content_hash: str, *, key: str = "ours", algorithm: str = "RS256", secret: bytes = b"") -> str:
    """As `code-push release --privateKeyPath` writes it; other algorithms as somebody who would cheat."""
    return sign_claims(
        {"claimVersion": "1.0.0", "contentHash": content_hash, "iat": 1_790_000_000},
        key=key,
        algorithm=algorithm,
        secret=secret,
    )


def sign_claims(claims: object, *, key: str = "ours", algorithm: str = "RS256", secret: bytes = b"") -> str:
    signed = f"{_encode({'alg': algorithm, 'typ': 'JWT'})}.{_encode(claims)}"
    if algorithm == "RS256":
        signature = make_key(key).sign(signed.encode(), padding.PKCS1v15(), SHA256())
    else:
        signature = hmac.new(secret, signed.encode(), sha256).digest() if secret else b""
    return f"{signed}.{urlsafe_b64encode(signature).decode().rstrip('=')}"


def _encode(value: object) -> str:
    return urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")


def sign(files: Mapping[str, bytes] = FILES, **how: str) -> dict[str, bytes]:
    """The same files, signed."""
    return {**files, SIGNATURE: make_token(hash_files(files), **how).encode()}  # type: ignore[arg-type]


def pack(files: Mapping[str, bytes]) -> SimpleUploadedFile:
    buffer = BytesIO()
    with ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return SimpleUploadedFile("signed.zip", buffer.getvalue())
