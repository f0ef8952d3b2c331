"""Where a model came from: enough to find its very bytes again, in this process or another."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from stemzoo.common.errors import ModelError


@dataclass(frozen=True)
class Origin:
    """What a model is pickled as."""

    name: str
    version: str
    sha256: str
    path: str  # empty where a zoo lists the model, which then finds it by its name

    def __str__(self) -> str:
        return f"the pickled model {self.name} {self.version} (sha256 {self.sha256})"

    def read(self) -> tuple[Path, bytes]:
        """The file as it is found now, and its bytes, which are those of then."""
        try:
            path, content = self._found()
        except ModelError as error:
            raise ModelError(f"{self} is not at hand: {error}") from error
        found = hashlib.sha256(content).hexdigest()
        if found != self.sha256:
            raise ModelError(
                f"{self} is not at hand: {path} has the sha256 {found}; put the file there that "
                "was used when the model was pickled"
            )
        return path, content

    def _found(self) -> tuple[Path, bytes]:
        if self.path:
            return Path(self.path), read_model(Path(self.path))
        from stemzoo.zoo.catalogue import opened

        info, content = opened(self.name, self.version)
        return info.path, content


def read_model(path: Path) -> bytes:
    if path.exists() and not path.is_file():
        raise ModelError(f"{path} is no regular file; give the path of an .onnx file")
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read the model {path}: {error.strerror}") from error
