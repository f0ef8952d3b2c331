"""A drift model by its name, version and sha256: how whatever holds one is pickled.

Where it is unpickled, in another process or on another machine, that model is opened again, and
only that one: the same version must have the same bytes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from stemzoo.common.errors import ModelError, StemzooError
from stemzoo.inference.model import Model, model_for


@dataclass(frozen=True)
class NamedModel:
    """`path` is where the model was opened: one that no zoo lists is looked for there."""

    name: str
    version: str
    sha256: str
    path: str

    @classmethod
    def of(cls, model: Model) -> NamedModel:
        contract = model.contract
        return cls(contract.name, contract.version, model.sha256, str(model.path.absolute()))

    def opened(self) -> Model:
        model = self._listed() or self._in_file()
        if model is None:
            raise ModelError(
                f"{self.name} {self.version} (sha256 {self.sha256}) is neither in a zoo on this "
                f"machine nor at {self.path}, and what was pickled with it needs the same; bring "
                "that file here, or start anew with a model that is"
            )
        return model

    def _listed(self) -> Model | None:
        try:
            model = model_for("drift", f"{self.name}@{self.version}")
        except StemzooError:
            return None
        return model if model.sha256 == self.sha256 else None

    def _in_file(self) -> Model | None:
        """Nobody vouches for what lies there but its sha256, so that is looked at first."""
        try:
            content = Path(self.path).read_bytes()
        except OSError:
            return None
        if hashlib.sha256(content).hexdigest() != self.sha256:
            return None
        return Model(self.path, content=content, sha256=self.sha256)
