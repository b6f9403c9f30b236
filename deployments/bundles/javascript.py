"""Finding and recognising the JavaScript bundle in an archive: plain text, or Hermes bytecode of some version."""

import codecs
from dataclasses import dataclass

from deployments.bundles.refusal import BundleRefused

# First eight bytes of Hermes bytecode, then its version as a little-endian 32-bit number.
HERMES_MAGIC = bytes.fromhex("c61fbc03c103191f")
_HEADER_BYTES = 12
# Real ones are near a hundred; a larger number than this is none, and no database column holds it.
_MAX_HERMES_VERSION = 2**31 - 1

_IOS_ENDINGS = (".jsbundle", ".ios.bundle")
_ANDROID_ENDINGS = (".android.bundle", ".huawei.bundle")
_PLATFORM_NAME = {"ios": "iOS", "android": "Android", "huawei": "Huawei"}
_EXPECTED_NAME = {"ios": "main.jsbundle", "android": "index.android.bundle", "huawei": "index.android.bundle"}


@dataclass(frozen=True)
class JsBundle:
    """The bundle in an archive. `hermes_bytecode_version` is None for plain JavaScript."""

    path: str
    hermes_bytecode_version: int | None


def find_js_bundle(paths: list[str], platform: str) -> str:
    """Path of the JavaScript bundle that clients of the platform load.

    Raises BundleRefused when there is none, or only one of another platform.
    """
    # The shallowest wins, as the bundle stands beside its assets, not among them.
    found = sorted((p for p in paths if p.endswith((".jsbundle", ".bundle"))), key=lambda p: (p.count("/"), p))
    own, foreign = (_IOS_ENDINGS, _ANDROID_ENDINGS) if platform == "ios" else (_ANDROID_ENDINGS, _IOS_ENDINGS)
    fitting = [p for p in found if p.endswith(own)] or [p for p in found if not p.endswith(foreign)]
    if fitting:
        return fitting[0]
    if found:
        other = "an Android" if foreign is _ANDROID_ENDINGS else "an iOS"
        raise BundleRefused(
            f"{found[0]!r} is {other} bundle, and this is a build for {_PLATFORM_NAME[platform]}. "
            f"Upload the {_PLATFORM_NAME[platform]} bundle ({_EXPECTED_NAME[platform]})."
        )
    raise BundleRefused(
        f"The archive holds no JavaScript bundle. A file like {_EXPECTED_NAME[platform]} is expected beside the assets."
    )


def check_hermes_version(bundle: JsBundle, build_version: int | None, build_name: str) -> None:
    """Raises BundleRefused when both versions are known and differ: such a bundle crashes at start."""
    if None not in (bundle.hermes_bytecode_version, build_version) and bundle.hermes_bytecode_version != build_version:
        raise BundleRefused(
            f"{bundle.path.rsplit('/', 1)[-1]} is Hermes bytecode {bundle.hermes_bytecode_version}, "
            f"{build_name} runs bytecode {build_version}. "
            "Rebuild the bundle with the React Native version of this build, then upload it."
        )


class JavaScriptProbe:
    """Looks at a bundle as it streams by: constant memory."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._header = b""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._is_text = True

    def feed(self, chunk: bytes) -> None:
        if len(self._header) < _HEADER_BYTES:
            self._header += chunk[: _HEADER_BYTES - len(self._header)]
        if self._is_text:
            self._is_text = b"\0" not in chunk and self._decodes(chunk)

    def finish(self) -> JsBundle:
        """What the bundle is. Raises BundleRefused when it is neither JavaScript nor Hermes bytecode."""
        if not self._header:
            raise BundleRefused(f"{self.path!r} is empty. Build the bundle again.")
        if self._header.startswith(HERMES_MAGIC) and len(self._header) == _HEADER_BYTES:
            version = int.from_bytes(self._header[len(HERMES_MAGIC) :], "little")
            if version <= _MAX_HERMES_VERSION:
                return JsBundle(self.path, version)
        if self._is_text and self._decodes(b"", final=True):
            return JsBundle(self.path, None)
        raise BundleRefused(f"{self.path!r} is neither JavaScript text nor Hermes bytecode. Build the bundle again.")

    def _decodes(self, chunk: bytes, *, final: bool = False) -> bool:
        try:
            self._decoder.decode(chunk, final)
        except UnicodeDecodeError:
            return False
        return True
