"""What a checkpoint says about itself: settings, session, units, split, scores, versions."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

import mtm_core
from mtm_core import config_io
from mtm_core.config import TrainConfig
from mtm_core.data.session import Session
from mtm_core.data.splits import Split
from mtm_core.errors import CheckpointError, ConfigError, MismatchError
from mtm_core.json_text import parse_json
from mtm_core.models.older_manifests import OLDEST, checkpoint_values

if TYPE_CHECKING:
    from mtm_core.models.backend import Backend

SCHEMA = "mtm-checkpoint"
VERSION = 2
_MOST_BINS = 100_000
"""Longer trials are no trials."""

PartName = Literal["train", "val", "test"]


@dataclass(frozen=True, kw_only=True)
class SessionRecord:
    """What a checkpoint says about a session that it was trained on.

    Parameters
    ----------
    session_id, session_hash : str
        The session, and the hash of its content as given to the run.
    unit_id, region : tuple of str
        Unit and region of each column, in the model's order.
    split : mapping of str to tuple of int
        Trial ids (not rows) of ``train``, ``val`` and ``test``.
    licence, citation : str
        Terms of the data, and what to cite.
    """

    session_id: str
    session_hash: str
    unit_id: tuple[str, ...]
    region: tuple[str, ...]
    split: Mapping[str, tuple[int, ...]]
    licence: str
    citation: str

    @property
    def n_units(self) -> int:
        """Number of units."""
        return len(self.unit_id)

    @classmethod
    def from_values(cls, values: dict[str, Any]) -> SessionRecord:
        """Build it from plain values; a ValueError, TypeError or KeyError if they are none."""
        for name in ("unit_id", "region"):
            values[name] = tuple(map(str, values[name]))
        values["split"] = {part: tuple(values["split"][part]) for part in ("train", "val", "test")}
        record = cls(**values)
        if not all(type(i) is int for trials in record.split.values() for i in trials):
            msg = "trials are not named by whole numbers"
            raise ValueError(msg)
        texts = (record.session_id, record.session_hash, record.licence, record.citation)
        if not _are(str, *texts):
            msg = "a session's name, hash, licence or citation is no text"
            raise ValueError(msg)
        if not record.unit_id or len(record.unit_id) != len(record.region):
            msg = "units and regions do not fit"
            raise ValueError(msg)
        if len(set(record.unit_id)) < len(record.unit_id):
            msg = "a unit is there twice"
            raise ValueError(msg)
        return record


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Everything needed to rebuild a model and to judge its numbers.

    A manifest of one session (see `of`) answers for it directly: `session_id`, `unit_id`,
    `region`, `split`, `licence`, `citation`.

    Parameters
    ----------
    config : TrainConfig
        All settings of the run.
    sessions : tuple of SessionRecord
        What it was trained on.
    n_bins : int
        Bins of a trial, after joining.
    bin_size_s, window_start_s : float
        Width of a bin, and start of the first relative to the align event, in seconds.
    align_event : str
        What trials are aligned to.
    step : int
        Optimiser step of these weights.
    n_steps : int
        Steps of the whole run.
    scores : mapping of str to float
        Validation scores at that step: pooled bits per spike over the training-mean rate, hidden
        entries of fixed masks only, per scheme and their mean; with several sessions, the mean
        over them.
    seconds : float
        Training time when the file was written, the fitted start included.
    backend : mapping of str to value
        How the machine computed (see `Backend`).
    versions : mapping of str to str
        Software that the run used.
    pretrained : mapping or None
        The checkpoint that the run started from (``path``, ``digest``, ``session_ids``), and
        whether its trunk was frozen or nothing was trained at all; None for drawn weights.
    """

    config: TrainConfig
    sessions: tuple[SessionRecord, ...]
    n_bins: int
    bin_size_s: float
    window_start_s: float
    align_event: str
    step: int
    n_steps: int
    scores: Mapping[str, float]
    seconds: float
    backend: Mapping[str, str | int]
    versions: Mapping[str, str] = field(default_factory=lambda: software_versions())
    pretrained: Mapping[str, Any] | None = None

    @property
    def session_ids(self) -> tuple[str, ...]:
        """The sessions that it was trained on."""
        return tuple(record.session_id for record in self.sessions)

    def of(self, session_id: str | None) -> Manifest:
        """Return what it says about one of its sessions; where it is only one, about that one.

        Raises
        ------
        MismatchError
            If there are several, and none or an unknown one is chosen.
        """
        if len(self.sessions) == 1:
            return self
        found = [record for record in self.sessions if record.session_id == session_id]
        if found:
            return dataclasses.replace(self, sessions=(found[0],))
        known = ", ".join(self.session_ids[:5]) + (", ..." if len(self.sessions) > 5 else "")
        wanted = f"{session_id} is not one of them" if session_id else "choose one of them"
        msg = (
            f"The checkpoint was trained on {len(self.sessions)} sessions; {wanted}: {known}. "
            "A new session needs fine-tuning."
        )
        raise MismatchError(msg)

    @property
    def only(self) -> SessionRecord:
        """The session of a manifest of one session.

        Raises
        ------
        MismatchError
            If there are several; choose one by `of`.
        """
        return self.of(None).sessions[0]

    @property
    def session_id(self) -> str:
        """See `SessionRecord`."""
        return self.only.session_id

    @property
    def session_hash(self) -> str:
        """See `SessionRecord`."""
        return self.only.session_hash

    @property
    def unit_id(self) -> tuple[str, ...]:
        """See `SessionRecord`."""
        return self.only.unit_id

    @property
    def region(self) -> tuple[str, ...]:
        """See `SessionRecord`."""
        return self.only.region

    @property
    def split(self) -> Mapping[str, tuple[int, ...]]:
        """See `SessionRecord`."""
        return self.only.split

    @property
    def licence(self) -> str:
        """See `SessionRecord`."""
        return self.only.licence

    @property
    def citation(self) -> str:
        """See `SessionRecord`."""
        return self.only.citation

    @property
    def n_units(self) -> int:
        """See `SessionRecord`."""
        return self.only.n_units

    def to_json(self) -> str:
        """Return the manifest as JSON, with schema and version."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        values["config"] = config_io.to_dict(self.config)
        values["sessions"] = [dataclasses.asdict(record) for record in self.sessions]
        return json.dumps({"schema": SCHEMA, "version": VERSION, **values}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Read a manifest.

        Raises
        ------
        CheckpointError
            If the text is not a manifest, or one of another version.
        """
        try:
            values = parse_json(text)
            schema, version = values.pop("schema"), values.pop("version")
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            msg = "its manifest cannot be read"
            raise CheckpointError(msg) from error
        is_known = type(version) is int and OLDEST <= version <= VERSION
        if schema != SCHEMA or not is_known:
            msg = (
                f"it holds {schema} version {version}, and this program reads {SCHEMA} versions "
                f"{OLDEST} to {VERSION}; update the program, or train anew"
            )
            raise CheckpointError(msg)
        try:
            values = checkpoint_values(version, values)
        except KeyError as error:
            msg = f"its manifest is damaged ({error})"
            raise CheckpointError(msg) from error
        return cls._from_values(values)

    @classmethod
    def _from_values(cls, values: dict[str, Any]) -> Manifest:
        try:
            values["config"] = config_io.from_dict(values["config"])
            values["sessions"] = tuple(map(SessionRecord.from_values, values["sessions"]))
            manifest = cls(**values)
            manifest._check()
        except ConfigError as error:
            msg = f"its settings cannot be used: {error}"
            raise CheckpointError(msg) from error
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            msg = f"its manifest is damaged ({error})"
            raise CheckpointError(msg) from error
        return manifest

    def _check(self) -> None:
        """Check what later code trusts."""
        if not self.sessions or len(set(self.session_ids)) < len(self.sessions):
            msg = "no session, or one twice"
            raise ValueError(msg)
        if any(type(number) is not int for number in (self.n_bins, self.step, self.n_steps)):
            msg = "bins and steps are not counted by whole numbers"
            raise ValueError(msg)
        if not 1 <= self.n_bins <= _MOST_BINS:
            msg = "impossible bins"
            raise ValueError(msg)
        if not self.bin_size_s > 0 or not abs(self.window_start_s) < np.inf:
            msg = "impossible bins"
            raise ValueError(msg)
        if not all(isinstance(score, int | float) for score in self.scores.values()):
            msg = "scores are no numbers"
            raise ValueError(msg)
        if not _are(str, self.align_event) or not _are(int | float, self.seconds):
            msg = "no event, or no time of training"
            raise ValueError(msg)
        if not _are(Mapping, self.backend, self.versions, self.pretrained or {}):
            msg = "what it was made with cannot be read"
            raise ValueError(msg)


def _are(kind: type | UnionType, *values: object) -> bool:
    return all(isinstance(value, kind) for value in values)


def describe_session(original: Session, session: Session, split: Split) -> SessionRecord:
    """Make the record of a session before the first step.

    Parameters
    ----------
    original : Session
        As given to the run; its hash is kept.
    session : Session
        With bins joined, as trained on.
    split : Split
        Rows of the trials of each part.
    """
    return SessionRecord(
        session_id=session.session_id,
        session_hash=original.content_hash,
        unit_id=tuple(map(str, session.unit_id)),
        region=tuple(map(str, session.region)),
        split={
            "train": _trial_ids(session, split.train),
            "val": _trial_ids(session, split.val),
            "test": _trial_ids(session, split.test),
        },
        licence=session.provenance.licence,
        citation=session.provenance.citation,
    )


def describe_training(
    config: TrainConfig,
    records: tuple[SessionRecord, ...],
    first: Session,
    backend: Backend,
) -> Manifest:
    """Make the manifest of a run before its first step.

    Parameters
    ----------
    config : TrainConfig
        All settings.
    records : tuple of SessionRecord
        The sessions.
    first : Session
        One of them, with bins joined: all have the same bins.
    backend : Backend
        How the machine computes.
    """
    return Manifest(
        config=config,
        sessions=records,
        n_bins=first.n_bins,
        bin_size_s=first.bin_size_s,
        window_start_s=first.window_start_s,
        align_event=first.provenance.align_event,
        step=0,
        n_steps=config.optim.n_steps(sum(len(record.split["train"]) for record in records)),
        scores={},
        seconds=0.0,
        backend=dataclasses.asdict(backend),
    )


def software_versions() -> dict[str, str]:
    """Return the versions that a result depends on."""
    return {
        "mtm_core": mtm_core.__version__,
        "python": platform.python_version(),
        "torch": _torch_version(),
        "numpy": np.__version__,
        "system": f"{platform.system()} {platform.machine()}",
    }


def _torch_version() -> str:
    """Return it without importing torch, which reading a manifest does not need."""
    torch = sys.modules.get("torch")
    return importlib.metadata.version("torch") if torch is None else str(torch.__version__)


def _trial_ids(session: Session, rows: NDArray[np.int64]) -> tuple[int, ...]:
    trial_id = session.trials.values("trial_id").astype(np.int64)
    return tuple(int(i) for i in trial_id[rows])
