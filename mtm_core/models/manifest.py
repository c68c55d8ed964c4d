"""What a checkpoint says about itself: settings, session, units, split, scores, versions."""

from __future__ import annotations

import dataclasses
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

import mtm_core
from mtm_core import config_io
from mtm_core.config import TrainConfig
from mtm_core.data.session import Session
from mtm_core.data.splits import Split
from mtm_core.errors import CheckpointError, ConfigError
from mtm_core.models.backend import Backend

SCHEMA = "mtm-checkpoint"
VERSION = 1

PartName = Literal["train", "val", "test"]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Everything needed to rebuild a model and to judge its numbers.

    Parameters
    ----------
    config : TrainConfig
        All settings of the run.
    session_id, session_hash : str
        The session it was trained on, and the hash of its content as given to the run.
    unit_id, region : tuple of str
        Unit and region of each column, in the model's order.
    n_bins : int
        Bins of a trial, after joining.
    bin_size_s, window_start_s : float
        Width of a bin, and start of the first relative to the align event, in seconds.
    align_event : str
        What trials are aligned to.
    licence, citation : str
        Terms of the data, and what to cite.
    split : mapping of str to tuple of int
        Trial ids (not rows) of ``train``, ``val`` and ``test``.
    step : int
        Optimiser step of these weights.
    n_steps : int
        Steps of the whole run.
    scores : mapping of str to float
        Validation scores at that step: pooled bits per spike over the training-mean rate, hidden
        entries of fixed masks only, per scheme and their mean.
    seconds : float
        Training time when the file was written.
    backend : mapping of str to value
        How the machine computed (see `Backend`).
    versions : mapping of str to str
        Software that the run used.
    """

    config: TrainConfig
    session_id: str
    session_hash: str
    unit_id: tuple[str, ...]
    region: tuple[str, ...]
    n_bins: int
    bin_size_s: float
    window_start_s: float
    align_event: str
    licence: str
    citation: str
    split: Mapping[str, tuple[int, ...]]
    step: int
    n_steps: int
    scores: Mapping[str, float]
    seconds: float
    backend: Mapping[str, str | int]
    versions: Mapping[str, str] = field(default_factory=lambda: software_versions())

    @property
    def n_units(self) -> int:
        """Number of units."""
        return len(self.unit_id)

    def to_json(self) -> str:
        """Return the manifest as JSON, with schema and version."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        values["config"] = config_io.to_dict(self.config)
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
            values = json.loads(text)
            schema, version = values.pop("schema"), values.pop("version")
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
            msg = "its manifest cannot be read"
            raise CheckpointError(msg) from error
        if schema != SCHEMA or version != VERSION:
            msg = (
                f"it holds {schema} version {version}, and this program reads {SCHEMA} version "
                f"{VERSION}; update the program, or train anew"
            )
            raise CheckpointError(msg)
        return cls._from_values(values)

    @classmethod
    def _from_values(cls, values: dict[str, Any]) -> Manifest:
        try:
            values["config"] = config_io.from_dict(values["config"])
            for name in ("unit_id", "region"):
                values[name] = tuple(map(str, values[name]))
            values["split"] = {
                part: tuple(int(i) for i in values["split"][part])
                for part in ("train", "val", "test")
            }
            manifest = cls(**values)
            manifest._check()
        except ConfigError as error:
            msg = f"its settings cannot be used: {error}"
            raise CheckpointError(msg) from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            msg = f"its manifest is damaged ({error})"
            raise CheckpointError(msg) from error
        return manifest

    def _check(self) -> None:
        """Check what later code trusts."""
        if not self.unit_id or len(self.unit_id) != len(self.region) or self.n_bins < 1:
            msg = "units, regions and bins do not fit"
            raise ValueError(msg)
        if len(set(self.unit_id)) < len(self.unit_id):
            msg = "a unit is there twice"
            raise ValueError(msg)
        if not self.bin_size_s > 0 or not abs(self.window_start_s) < np.inf:
            msg = "impossible bins"
            raise ValueError(msg)


def describe_training(
    config: TrainConfig, original: Session, session: Session, split: Split, backend: Backend
) -> Manifest:
    """Make the manifest of a run before its first step.

    Parameters
    ----------
    config : TrainConfig
        All settings.
    original : Session
        As given to the run; its hash is kept.
    session : Session
        With bins joined, as trained on.
    split : Split
        Rows of the trials of each part.
    backend : Backend
        How the machine computes.
    """
    return Manifest(
        config=config,
        session_id=session.session_id,
        session_hash=original.content_hash,
        unit_id=tuple(map(str, session.unit_id)),
        region=tuple(map(str, session.region)),
        n_bins=session.n_bins,
        bin_size_s=session.bin_size_s,
        window_start_s=session.window_start_s,
        align_event=session.provenance.align_event,
        licence=session.provenance.licence,
        citation=session.provenance.citation,
        split={
            "train": _trial_ids(session, split.train),
            "val": _trial_ids(session, split.val),
            "test": _trial_ids(session, split.test),
        },
        step=0,
        n_steps=config.optim.n_steps(len(split.train)),
        scores={},
        seconds=0.0,
        backend=dataclasses.asdict(backend),
    )


def software_versions() -> dict[str, str]:
    """Return the versions that a result depends on."""
    return {
        "mtm_core": mtm_core.__version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "system": f"{platform.system()} {platform.machine()}",
    }


def _trial_ids(session: Session, rows: NDArray[np.int64]) -> tuple[int, ...]:
    trial_id = session.trials.values("trial_id").astype(np.int64)
    return tuple(int(i) for i in trial_id[rows])
