"""The signature of a zoo's index: whoever has the public key can tell who wrote it."""

from __future__ import annotations

import base64
import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from stemzoo.common.atomic import replacing
from stemzoo.zoo.index import FILE

SIGNATURE = f"{FILE}.sig"


def new_key(path: Path) -> str:
    """Write a private key that only its owner may read; its public half as text."""
    key = Ed25519PrivateKey.generate()
    content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise SystemExit(f"{path} is there already; a key is not to be written over") from None
    except OSError as error:
        raise SystemExit(f"{path} could not be written: {error.strerror}") from None
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    return public(key)


def read_key(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise SystemExit(f"cannot read the key {path}: {error.strerror}") from None
    except (ValueError, TypeError) as error:
        raise SystemExit(
            f"{path} holds no private key in PEM without a password: {error}"
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SystemExit(
            f"{path} holds {type(key).__name__}; expected an Ed25519 key, such as "
            "python -m training.publish --new-key makes"
        )
    return key


def public(key: Ed25519PrivateKey) -> str:
    """What users put into STEMZOO_PUBLIC_KEY."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def sign(zoo: Path, key: Ed25519PrivateKey) -> None:
    """Write the signature of the index of a zoo beside it."""
    signature = key.sign((zoo / FILE).read_bytes())
    with replacing(zoo / SIGNATURE) as file:
        file.write(base64.b64encode(signature))
