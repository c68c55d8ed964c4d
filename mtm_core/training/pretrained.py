"""A checkpoint as the start of a run on another session: what is taken over, and what is not.

The trunk is taken over, and with it every map that sessions share; the new session gets a part of
its own. A session that the checkpoint knows already keeps the part that it has there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mtm_core.config import TrainConfig
from mtm_core.data.session import Session
from mtm_core.errors import MismatchError, TrainingError
from mtm_core.models.checkpoint import fit_bins, read_checkpoint
from mtm_core.models.family import Family, member_state
from mtm_core.models.manifest import Manifest, SessionRecord
from mtm_core.models.session_part import SessionPart
from mtm_core.training.sessions import TrainingSession, is_embedded

FREE_SETTINGS = (
    "dropout",
    "embedding_dropout",
    "unit_dropout",
    "unit_vectors",
    "unit_vector_dropout",
)
"""Settings of the model that a fine-tuning may change: the trunk's tensors stay what they are."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Pretrained:
    """A checkpoint that a run starts from.

    Parameters
    ----------
    path : Path
        Where it lies.
    digest : str
        SHA-256 (hex) of the file.
    manifest : Manifest
        What it says about itself.
    tensors : mapping of str to Tensor
        Its weights.
    freeze_trunk : bool
        Train the session's own part only.
    zero_shot : bool
        Train nothing at all.
    """

    path: Path
    digest: str
    manifest: Manifest
    tensors: Mapping[str, Tensor]
    freeze_trunk: bool = False
    zero_shot: bool = False

    @classmethod
    def read(
        cls, path: Path, *, freeze_trunk: bool = False, zero_shot: bool = False
    ) -> Pretrained:
        """Read a checkpoint as a start.

        Raises
        ------
        CheckpointError
            If it cannot be trusted.
        TrainingError
            If nothing of it could serve another session.
        """
        manifest, tensors = read_checkpoint(path)
        if getattr(manifest.config.model, "read_in", "") == "components":
            msg = (
                f"{path} cannot be fine-tuned: its components and read-outs were fitted to its "
                "one session before training, and its layers only correct them, so nothing of it "
                "serves another. Train a model on the new session instead: mtm-core train."
            )
            raise TrainingError(msg)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return cls(
            path=path,
            digest=digest,
            manifest=manifest,
            tensors=tensors,
            freeze_trunk=freeze_trunk,
            zero_shot=zero_shot,
        )

    def describe(self) -> dict[str, Any]:
        """Return what a run folder and a checkpoint say about the start."""
        return {
            "path": str(self.path),
            "digest": self.digest,
            "session_ids": list(self.manifest.session_ids),
            "freeze_trunk": self.freeze_trunk,
            "zero_shot": self.zero_shot,
        }

    def check(self, config: TrainConfig, sessions: Sequence[Session]) -> None:
        """Check that it can serve these sessions under these settings.

        Raises
        ------
        MismatchError
            If a session has other bins, or its units are those of a known session.
        TrainingError
            If the settings contradict the checkpoint, or nothing would be trained.
        """
        self._check_settings(config)
        for session in sessions:
            fit_bins(self.manifest, session)
            record = self.record_of(session.session_id)
            if record is None:
                self._check_new(session)
            elif self.zero_shot:
                msg = (
                    f"{self.path} was trained on {session.session_id}: a prediction of it would "
                    "not be zero-shot. Evaluate the checkpoint as it is."
                )
                raise TrainingError(msg)
            elif record.unit_id != tuple(map(str, session.unit_id)):
                msg = (
                    f"{self.path} knows {session.session_id} with other units, or in another "
                    "order. Give the session as it was trained on."
                )
                raise MismatchError(msg)

    def check_splits(self, sessions: Sequence[TrainingSession]) -> None:
        """Check that no trial that was trained on is now one to judge by.

        Raises
        ------
        TrainingError
            If a known session is split in another way.
        """
        for session in sessions:
            record = self.record_of(session.session_id)
            if record is None:
                continue
            seen = set(record.split["train"])
            if seen & {*session.record.split["val"], *session.record.split["test"]}:
                msg = (
                    f"{self.path} was trained on trials of {session.session_id} that this split "
                    "keeps for validation or test. Leave the settings of the split as they were."
                )
                raise TrainingError(msg)

    def record_of(self, session_id: str) -> SessionRecord | None:
        """Return what the checkpoint says about a session, None if it does not know it."""
        found = [each for each in self.manifest.sessions if each.session_id == session_id]
        return found[0] if found else None

    def give(self, family: Family) -> None:
        """Put the trunk, and the parts of known sessions, into a fresh family; freeze as asked."""
        trunk = {n.removeprefix("trunk."): t for n, t in self.tensors.items() if _is_trunk(n)}
        family.trunk.load_state_dict(trunk)
        for session_id in family.session_ids:
            part = family.member(session_id).part
            if self.record_of(session_id) is None:
                self._start_token(part)
            else:
                _take_over(part, member_state(self.tensors, session_id))
        if self.freeze_trunk:
            family.trunk.requires_grad_(requires_grad=False)

    def notes(self, family: Family) -> tuple[str, ...]:
        """Say what a person should know before the first step."""
        known = [name for name in family.session_ids if self.record_of(name) is not None]
        said = [
            f"The checkpoint was trained on {name} already: it goes on with the layers that this "
            "session has there."
            for name in known
        ]
        n_trained = sum(p.numel() for p in family.parameters() if p.requires_grad)
        if self.freeze_trunk:
            said.append(f"The trunk is frozen: {n_trained:,} numbers are trained.")
        return tuple(said)

    def _check_settings(self, config: TrainConfig) -> None:
        model, before = config.model, self.manifest.config.model
        if type(model) is not type(before):
            msg = f"{self.path} holds an {before.architecture}; --model.architecture stays so."
            raise TrainingError(msg)
        for field in fields(before):
            now, was = getattr(model, field.name), getattr(before, field.name)
            if field.name not in FREE_SETTINGS and now != was:
                msg = (
                    f"{self.path} was trained with --model.{field.name} {was}, not {now}. Only "
                    f"{', '.join(FREE_SETTINGS)} can be changed when a model is fine-tuned."
                )
                raise TrainingError(msg)
        has_vectors = not is_embedded(model) or getattr(model, "unit_vectors", True)
        if self.zero_shot and has_vectors:
            msg = (
                f"{self.path} cannot predict a new session without training: only a model with "
                "--model.read_in unit_embedding reads units that it never met. Leave out "
                "--zero-shot to fine-tune it."
            )
            raise TrainingError(msg)
        if self.freeze_trunk and not self.zero_shot and not has_vectors:
            msg = (
                "Without unit vectors and with a frozen trunk nothing would be trained. Choose "
                "--zero-shot, --model.unit_vectors true, or leave the trunk free."
            )
            raise TrainingError(msg)

    def _check_new(self, session: Session) -> None:
        units = set(map(str, session.unit_id))
        for record in self.manifest.sessions:
            n_shared = len(units.intersection(record.unit_id))
            if n_shared:
                msg = (
                    f"{n_shared} of the units of {session.session_id} are units of "
                    f"{record.session_id}, which {self.path} was trained on: its test trials may "
                    "have been trained on. Give that session under its own id, or another one."
                )
                raise MismatchError(msg)

    @torch.no_grad()
    def _start_token(self, part: SessionPart) -> None:
        """Start a new session's token at the mean of the known ones."""
        token = getattr(part, "session_token", None)
        known = [t for n, t in self.tensors.items() if n.endswith(".session_token")]
        if isinstance(token, Tensor) and known:
            token.copy_(torch.stack(known).mean(dim=0))


def _is_trunk(name: str) -> bool:
    return name.startswith("trunk.")


def _take_over(part: SessionPart, state: Mapping[str, Tensor]) -> None:
    own = part.state_dict()
    saved = {n.removeprefix("part."): t for n, t in state.items() if n.startswith("part.")}
    part.load_state_dict({name: saved.get(name, tensor) for name, tensor in own.items()})
