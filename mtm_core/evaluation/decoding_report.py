"""The numbers of a decoding, with every choice that they depend on."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sklearn

from mtm_core.data.session import Session
from mtm_core.evaluation.decoding_chance import Chance
from mtm_core.evaluation.decoding_features import Cut
from mtm_core.evaluation.decoding_fit import LOGISTIC_C, RANKS, RIDGE_ALPHA
from mtm_core.evaluation.decoding_scores import N_SAMPLES, Score
from mtm_core.evaluation.decoding_search import Chosen
from mtm_core.evaluation.decoding_targets import Target
from mtm_core.evaluation.decoding_trials import N_FOLDS, DecodingTrials
from mtm_core.models.checkpoint import Checkpoint

LOGISTIC = (
    "logistic regression with an L2 penalty on features standardised by the fitted trials and "
    f"divided by the root of their number; C from {LOGISTIC_C[0]:g} to {LOGISTIC_C[-1]:g} by the "
    f"likelihood in {N_FOLDS} folds"
)
RIDGE = (
    "ridge regression of the whole trace on standardised features; alpha out of "
    f"{', '.join(f'{alpha:g}' for alpha in RIDGE_ALPHA)} ({RIDGE_ALPHA[0]:g} stands for 0) by the "
    f"squared error in {N_FOLDS} folds; reduced rank: the same with the best rank of "
    f"{', '.join(map(str, RANKS))}"
)
INTERVALS = f"95 %, percentiles over {N_SAMPLES} samples of test trials drawn with replacement"
R2 = (
    "r2: pooled over trials and bins, null: the mean of the test trials; r2_beyond_average: null: "
    "the average trace of the fitted trials"
)


@dataclass(frozen=True, eq=False, kw_only=True)
class DecoderScores:
    """One decoder on one kind of features.

    Parameters
    ----------
    features, decoder : str
        What it reads, and what it is.
    n_features : int
        Features that vary over the fitted trials.
    chosen : dict
        The regularisation that the search chose.
    is_at_edge : bool
        Whether that is the first or last of its grid.
    scores : dict of str to Score
        By metric.
    chance : dict of str to Chance or None
        By metric; None if too few targets could be drawn.
    """

    features: str
    decoder: str
    n_features: int
    chosen: Chosen
    is_at_edge: bool
    scores: Mapping[str, Score]
    chance: Mapping[str, Chance | None]


@dataclass(frozen=True, eq=False, kw_only=True)
class TargetReport:
    """A target, decoded from every kind of features.

    Parameters
    ----------
    name : str
        The target.
    classes : tuple of str
        Names of the two classes; empty for a signal.
    n_fit, n_test : int
        Trials.
    n_per_class : dict of str to tuple of int
        Trials of each class in ``fit`` and ``test``; empty for a signal.
    until : str
        Where the features end.
    prompt : str
        The prompt under which the model was read.
    left_out : tuple of (str, int)
        Why trials of the session were not used, and how many.
    warnings : tuple of str
        Sentences to be minded.
    chance_method : str
        How chance was made.
    n_chance : int
        Targets that were drawn.
    decoders : tuple of DecoderScores
        Scores.
    references : dict of str to dict of str to Score
        What needs no neuron (see `decoding_references`).
    """

    name: str
    classes: tuple[str, ...]
    n_fit: int
    n_test: int
    n_per_class: Mapping[str, tuple[int, ...]]
    until: str
    prompt: str
    left_out: tuple[tuple[str, int], ...]
    warnings: tuple[str, ...]
    chance_method: str
    n_chance: int
    decoders: tuple[DecoderScores, ...]
    references: Mapping[str, Mapping[str, Score]]

    @classmethod
    def make(
        cls,
        target: Target,
        trials: DecodingTrials,
        cut: Cut,
        *,
        prompt: str,
        chance_method: str,
        n_chance: int,
        decoders: tuple[DecoderScores, ...],
        references: Mapping[str, Mapping[str, Score]],
    ) -> TargetReport:
        """Put a report together."""
        n_early = int((target.is_valid & ~cut.is_usable).sum())
        left_out = [*target.left_out]
        left_out += [(f"no bin before the {cut.until}, or it is not known", n_early)] * (
            n_early > 0
        )
        if trials.n_overlapping:
            left_out.append(("window overlaps that of a test trial", trials.n_overlapping))
        parts = {"fit": trials.fit, "test": trials.test}
        counts = {
            part: tuple(np.bincount(target.values[rows].astype(np.int64), minlength=2).tolist())
            for part, rows in parts.items()
            if not target.is_signal
        }
        return cls(
            name=target.name,
            classes=target.classes,
            n_fit=len(trials.fit),
            n_test=len(trials.test),
            n_per_class=counts,
            until=cut.until,
            left_out=tuple(left_out),
            warnings=(*target.warnings, *cut.warnings),
            prompt=prompt,
            chance_method=chance_method,
            n_chance=n_chance,
            decoders=decoders,
            references=references,
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class DecodingReport:
    """What was decoded, and what was not.

    Parameters
    ----------
    header : mapping
        Session, checkpoint, split, seeds and rules.
    targets : dict of str to TargetReport
        By name.
    not_decoded : dict of str to str
        Targets of the session that could not be decoded, and why.
    """

    header: Mapping[str, Any]
    targets: Mapping[str, TargetReport]
    not_decoded: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values for JSON."""
        targets = {name: dataclasses.asdict(found) for name, found in self.targets.items()}
        return {**self.header, "targets": targets, "not_decoded": dict(self.not_decoded)}


def describe_decoding(
    checkpoint: Checkpoint, session: Session, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what a reader needs to judge the numbers."""
    manifest = checkpoint.manifest
    return {
        "session": session.session_id,
        "is_simulated": session.provenance.is_simulated,
        "checkpoint": str(checkpoint.path),
        "preset": manifest.config.name,
        "train_seed": manifest.config.run.seed,
        "train_step": manifest.step,
        "split_kind": manifest.config.data.split,
        "split_seed": manifest.config.data.split_seed,
        **settings,
        "n_bins": session.n_bins,
        "bin_size_s": session.bin_size_s,
        "window_start_s": session.window_start_s,
        "align_event": session.provenance.align_event,
        "n_units": session.n_units,
        "n_units_read": _n_units(session, settings["region"]),
        "n_folds": N_FOLDS,
        "logistic": LOGISTIC,
        "ridge": RIDGE,
        "intervals": INTERVALS,
        "r2": R2,
        "versions": {**manifest.versions, "scikit-learn": sklearn.__version__},
    }


def _n_units(session: Session, region: str | None) -> int:
    return session.n_units if region is None else int((session.region == region).sum())
