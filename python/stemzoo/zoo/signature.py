"""Whether an index was signed by whoever holds the private half of the configured key."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

from stemzoo.common.errors import ModelError
from stemzoo.common.settings import Settings

FILE = "index.json.sig"  # base64 of the Ed25519 signature over the bytes of index.json
MAX_BYTES = 200


def check(content: bytes, signature: bytes, key: str = "") -> None:
    """ModelError where `signature` is not of `content` by the key, by default STEMZOO_PUBLIC_KEY.

    A key is the base64 of its 32 bytes, or the name of a file that holds that.
    """
    public = _public(key or Settings.now().public_key)
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        raise ModelError(
            "STEMZOO_PUBLIC_KEY asks for a signed index, and checking a signature needs the "
            "package cryptography, which is not installed; pip install 'stemzoo[sign]'"
        ) from None
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(_bytes(signature, 64), content)
    except (InvalidSignature, ValueError):
        raise ModelError(
            "the index is not signed by the key in STEMZOO_PUBLIC_KEY: it, or its signature, was "
            "changed on the way or made by somebody else; do not use this zoo before its keeper "
            "has explained that"
        ) from None


def _public(key: str) -> bytes:
    try:
        return _bytes(key.encode(), 32)
    except ValueError:
        pass
    try:
        return _bytes(Path(key).read_bytes()[:MAX_BYTES], 32)
    except (OSError, ValueError):
        raise ModelError(
            f"STEMZOO_PUBLIC_KEY is '{key}'; expected the base64 of the 32 bytes of an Ed25519 "
            "public key, or a file that holds that"
        ) from None


def _bytes(text: bytes, length: int) -> bytes:
    """What base64 says, where it has the length; ValueError otherwise."""
    try:
        found = base64.b64decode(text.strip(), validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None
    if len(found) != length:
        raise ValueError(f"{len(found)} bytes")
    return found
