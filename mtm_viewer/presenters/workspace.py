"""What is open: a session, the models that fit it, and the trials that are shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtm_core.config import PreparationConfig, SchemeName
from mtm_core.data.health import SessionHealth, session_health
from mtm_core.data.session import Session
from mtm_core.data.splits import Split
from mtm_core.evaluation.mask_answers import is_temporal, kind_words, mask_for
from mtm_core.masking.spec import MaskSpec
from mtm_core.models.checkpoint import Checkpoint, fit_overlap
from mtm_core.models.session_split import folds_of, split_for

Rows = NDArray[np.int64]
CROSS_FITTED = "cross-fitted"
"""What all trials are for a cross-fitted model: each is predicted by one that never saw it."""


@dataclass(frozen=True, eq=False, kw_only=True)
class LoadedModel:
    """A checkpoint with a name to read.

    Parameters
    ----------
    checkpoint : Checkpoint
        The model and its manifest.
    """

    checkpoint: Checkpoint

    @property
    def schemes(self) -> tuple[SchemeName, ...]:
        """Training schemes that the model knows."""
        return self.checkpoint.manifest.config.masking.schemes

    @property
    def is_temporal(self) -> bool:
        """True for the temporal baseline, which knows no prompt."""
        return is_temporal(self.schemes)

    @property
    def kind(self) -> str:
        """What the model is, in a word or two."""
        return kind_words(self.schemes)

    @property
    def name(self) -> str:
        """What the model is and where it came from, for example ``"MtM (demo)"``."""
        path = self.checkpoint.path
        name = f"{self.kind} ({path.parent.name if path.stem == 'model' else path.stem})"
        n_folds = len(self.checkpoint.folds)
        return f"{name}, {n_folds} folds" if n_folds else name


@dataclass(frozen=True, kw_only=True)
class Opened:
    """What a person opened, where that is not the session file itself.

    Parameters
    ----------
    source : str
        A path, or an eid.
    config : PreparationConfig
        How it was prepared.
    """

    source: str
    config: PreparationConfig


@dataclass(frozen=True, eq=False, kw_only=True)
class Workspace:
    """A session with models, ready to be looked at.

    Parameters
    ----------
    recording : Session
        As read from its file.
    session : Session
        The same in the order of units and the bins of the model on screen.
    path : Path
        The session's file.
    models : tuple of LoadedModel
        All that fit the session; may be empty.
    shown : int
        Which of them is on screen.
    is_missing : ndarray of bool, shape (n_units,)
        Units that the model knows and the recording lacks: always hidden, never scored.
    train, val, test : ndarray of int64
        Trials that row order, rates and nulls come from, trials that baselines may choose their
        settings by, and trials that are shown.
    trial_kind : str
        What the shown trials are, for example ``"test"``.
    opened : Opened or None
        What it was prepared from in this program; None for a session file opened as it is.
    """

    recording: Session
    session: Session
    path: Path
    models: tuple[LoadedModel, ...]
    shown: int
    is_missing: NDArray[np.bool_]
    train: Rows
    val: Rows
    test: Rows
    trial_kind: str
    opened: Opened | None = None

    @property
    def name(self) -> str:
        """What people call the recording; says so if it is simulated."""
        origin = self.recording.provenance
        name = self.path.stem if self.opened is None else origin.source_id or self.path.stem
        return f"{name} (simulated)" if origin.is_simulated else name

    def title_of(self, name: str) -> str:
        """Shorten the name of a model: one called after this session need not repeat that."""
        session = re.sub(r"[^\w.]+", "-", self.name).strip("-.")
        return name.replace(f"({session}-", "(", 1)

    @property
    def source(self) -> str:
        """What opening it again takes."""
        return str(self.path) if self.opened is None else self.opened.source

    @property
    def model(self) -> LoadedModel | None:
        """The model on screen."""
        return self.models[self.shown] if self.models else None

    @property
    def baseline(self) -> LoadedModel | None:
        """The temporal baseline to compare with: one of the same units and test trials."""
        if self.model is None or self.model.is_temporal:
            return None
        own = _comparable(self.model)
        rivals = (model for model in self.models if model.is_temporal)
        return next((model for model in rivals if _comparable(model) == own), None)

    @property
    def split(self) -> Split:
        """The trials of each part."""
        nothing = np.zeros(0, dtype=np.int64)
        return Split(train=self.train, val=self.val, test=self.test, dropped=nothing)

    @cached_property
    def folds(self) -> tuple[Split, ...]:
        """The split of each fold of a cross-fitted model on screen; nothing for another."""
        return () if self.model is None else folds_of(self.session, self.model.checkpoint)

    @cached_property
    def health(self) -> SessionHealth:
        """The recording, looked over."""
        return session_health(self.recording)

    @cached_property
    def rate_hz(self) -> NDArray[np.float64]:
        """Mean rate of each unit over the training trials, spikes/s, shape (n_units,)."""
        mean = self.session.counts[self.train].mean(axis=(0, 1), dtype=np.float64)
        rate: NDArray[np.float64] = mean / self.session.bin_size_s
        return rate


def _comparable(model: LoadedModel) -> tuple[str, frozenset[str], frozenset[int]]:
    manifest = model.checkpoint.manifest
    return manifest.session_id, frozenset(manifest.unit_id), frozenset(manifest.split["test"])


def spec_for(model: LoadedModel, spec: MaskSpec) -> MaskSpec:
    """Return a mask as a model takes it: the temporal baseline is scored without a prompt."""
    return mask_for(model.schemes, spec)


def make_workspace(
    session: Session,
    path: Path,
    models: tuple[LoadedModel, ...] = (),
    shown: int = 0,
    opened: Opened | None = None,
) -> Workspace:
    """Bring a recording and the model on screen together.

    Parameters
    ----------
    session : Session
        As read from its file.
    path : Path
        That file.
    models : tuple of LoadedModel
        Models; the one on screen must share units and bins with the session.
    shown : int
        Which is on screen.
    opened : Opened or None
        What it was prepared from.

    Raises
    ------
    MismatchError
        If the model on screen and the session do not belong together.
    """
    fitted, is_missing = session, np.zeros(session.n_units, dtype=bool)
    if models:
        overlap = fit_overlap(models[shown].checkpoint, session)
        fitted, is_missing = overlap.session, overlap.is_missing
    manifest = models[shown].checkpoint.manifest if models else None
    split, kind = split_for(fitted, manifest)
    if models and models[shown].checkpoint.folds:
        kind = CROSS_FITTED
    return Workspace(
        recording=session,
        session=fitted,
        path=path,
        models=models,
        shown=shown,
        is_missing=is_missing,
        train=split.train,
        val=split.val,
        test=split.test,
        trial_kind=kind,
        opened=opened,
    )
