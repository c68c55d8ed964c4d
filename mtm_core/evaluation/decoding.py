"""`decode`: what a frozen model's output and hidden states tell about behaviour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.errors import ConfigError, DataError, UnknownNameError
from mtm_core.evaluation.decoding_chance import draw_targets, method_words
from mtm_core.evaluation.decoding_features import (
    FEATURES,
    Cut,
    choose_prompt,
    cut_features,
    read_features,
)
from mtm_core.evaluation.decoding_references import decode_references
from mtm_core.evaluation.decoding_report import (
    DecoderScores,
    DecodingReport,
    TargetReport,
    describe_decoding,
)
from mtm_core.evaluation.decoding_scoring import score_decoder
from mtm_core.evaluation.decoding_search import Decoder, has_both_classes
from mtm_core.evaluation.decoding_targets import Target, available_targets, find_target
from mtm_core.evaluation.decoding_trials import DecodingTrials, choose_decoding_trials
from mtm_core.inference import Reconstructor
from mtm_core.masking.masked_batch import PROMPTS
from mtm_core.models.checkpoint import Checkpoint, split_part
from mtm_core.models.manifest import PartName
from mtm_core.seeding import numpy_generator

OnStep = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""

N_CHANCE = 200
"""Targets drawn for the chance level."""


@dataclass(frozen=True, kw_only=True)
class DecodingSettings:
    """Every choice that a number depends on.

    Parameters
    ----------
    features : tuple of str
        Out of `FEATURES`.
    prompt : str
        One of `PROMPTS`, or ``auto`` (see `decoding_features.choose_prompt`).
    until : str
        Where the features of trial targets end (see `decoding_features.cut_features`).
    region : str or None
        Decode from this region alone: everything else is hidden.
    split : {"test", "val"}
        The checkpoint's trials to score; training trials, and validation trials where these are
        not scored, are fitted to.
    n_chance : int
        Targets drawn for the chance level; 0 leaves it out.
    seed : int
        Of folds, intervals and chance.

    Raises
    ------
    UnknownNameError
        If there are no such features, or no such prompt.
    """

    features: tuple[str, ...] = FEATURES
    prompt: str = "auto"
    until: str = "auto"
    region: str | None = None
    split: PartName = "test"
    n_chance: int = N_CHANCE
    seed: int = 0

    def __post_init__(self) -> None:
        for name in self.features:
            if name not in FEATURES:
                raise UnknownNameError("kind of features", name, FEATURES)
        if self.prompt not in ("auto", *PROMPTS):
            raise UnknownNameError("prompt", self.prompt, ("auto", *PROMPTS))


def decode(
    checkpoint: Checkpoint,
    session: Session,
    targets: Sequence[str] = (),
    settings: DecodingSettings | None = None,
    *,
    allow_overlap: bool = False,
    on_step: OnStep | None = None,
) -> DecodingReport:
    """Decode behaviour from a frozen model and, as the baseline, from raw counts.

    Parameters
    ----------
    checkpoint : Checkpoint
        The model, and the trials that it was trained on.
    session : Session
        The recording that it was trained on.
    targets : sequence of str
        Names of targets; none at all stands for all that this session has, and then those that
        cannot be decoded are reported rather than raised.
    settings : DecodingSettings, optional
        Every other choice.
    allow_overlap : bool
        Accept a session that lacks units of the checkpoint: they are hidden.
    on_step : callable, optional
        See `OnStep`.

    Returns
    -------
    DecodingReport

    Raises
    ------
    MismatchError
        If session and checkpoint do not belong together.
    DataError
        If a target is not in this session, or there are too few trials for it.
    ConfigError
        If hidden states alone are asked for, and the architecture has none.
    """
    settings = settings or DecodingSettings()
    bound = Reconstructor(checkpoint, session, allow_overlap=allow_overlap)
    found: dict[str, TargetReport] = {}
    refused: dict[str, str] = {}
    for name in dict.fromkeys(targets or available_targets(bound.session)):
        try:
            report = _decode_target(bound, name, settings, on_step or _no_step)
        except DataError as error:
            if targets:
                raise
            refused[name] = str(error)
        else:
            found[report.name] = report
    if not found:
        why = " ".join(refused.values()) or "It has no trial field or signal of behaviour."
        msg = f"Nothing can be decoded in the session {bound.session.session_id}. {why}"
        raise DataError(msg)
    header = describe_decoding(checkpoint, bound.session, settings.__dict__)
    return DecodingReport(header=header, targets=found, not_decoded=refused)


def decode_regions(
    checkpoint: Checkpoint,
    session: Session,
    regions: Sequence[str | None],
    targets: Sequence[str] = (),
    settings: DecodingSettings | None = None,
    *,
    allow_overlap: bool = False,
    on_step: OnStep | None = None,
) -> dict[str | None, DecodingReport]:
    """Decode behaviour from one region at a time (None: from all units); see `decode`."""
    base = (settings or DecodingSettings()).__dict__
    return {
        region: decode(
            checkpoint,
            session,
            targets,
            DecodingSettings(**{**base, "region": region}),
            allow_overlap=allow_overlap,
            on_step=on_step,
        )
        for region in regions
    }


def _no_step(what: str, done: int, total: int) -> None:
    del what, done, total


@dataclass(frozen=True, eq=False, kw_only=True)
class Prepared:
    """A target of a session, and what it is to be decoded from.

    Parameters
    ----------
    target : Target
        What is decoded.
    cut : Cut
        Where the features end.
    trials : DecodingTrials
        Trials to fit to and to test on.
    prompt : str
        The prompt under which the model was read.
    features : dict of str to ndarray
        By kind, each (n_trials, n_bins, n_dims).
    """

    target: Target
    cut: Cut
    trials: DecodingTrials
    prompt: str
    features: dict[str, NDArray[Any]]

    def decoder(self, kind: str) -> Decoder:
        """Return the decoder of one kind of features."""
        return Decoder(self.features[kind], self.cut.is_kept, self.trials)


def prepare_decoding(bound: Reconstructor, name: str, settings: DecodingSettings) -> Prepared:
    """Find a target, choose its trials, and read what it is to be decoded from.

    Raises
    ------
    DataError
        If the target is not in this session, or there are too few trials for it.
    ConfigError
        If hidden states alone are asked for, and the architecture has none.
    """
    target = find_target(bound.session, name)
    cut = cut_features(bound.session, target, settings.until)
    trials = _choose_trials(bound, target, cut, settings)
    prompt = settings.prompt
    if prompt == "auto":
        prompt = choose_prompt(bound, target, cut, settings.region)
    features = read_features(bound, settings.features, cut, prompt, settings.region)
    if not features:
        msg = "This model's architecture has no hidden states. Decode from other features."
        raise ConfigError(msg)
    return Prepared(target=target, cut=cut, trials=trials, prompt=prompt, features=features)


def _decode_target(
    bound: Reconstructor, name: str, settings: DecodingSettings, on_step: OnStep
) -> TargetReport:
    ready = prepare_decoding(bound, name, settings)
    session, target, cut, trials = bound.session, ready.target, ready.cut, ready.trials
    drawn = _draw(session, target, trials, settings)
    what = f"{target.name} from {settings.region}" if settings.region else target.name
    decoders: list[DecoderScores] = []
    for done, kind in enumerate(ready.features):
        on_step(what, done, len(ready.features))
        decoders += score_decoder(kind, ready.decoder(kind), target, drawn, settings.seed)
    on_step(what, len(ready.features), len(ready.features))
    return TargetReport.make(
        target,
        trials,
        cut,
        prompt=ready.prompt,
        decoders=tuple(decoders),
        references=decode_references(session, target, cut, trials, settings.seed),
        chance_method=method_words(target) if settings.n_chance else "not asked for",
        n_chance=len(drawn),
    )


def _choose_trials(
    bound: Reconstructor, target: Target, cut: Cut, settings: DecodingSettings
) -> DecodingTrials:
    manifest, session = bound.checkpoint.manifest, bound.session
    names: tuple[PartName, ...] = ("train", "val") if settings.split == "test" else ("train",)
    parts = [split_part(manifest, session, part) for part in names]
    fit, test = np.concatenate(parts), split_part(manifest, session, settings.split)
    rng = numpy_generator(settings.seed, "decoding folds", session.session_id, target.name)
    return choose_decoding_trials(
        session,
        target,
        fit[cut.is_usable[fit]],
        test[cut.is_usable[test]],
        manifest.config.data,
        rng,
    )


def _draw(
    session: Session, target: Target, trials: DecodingTrials, settings: DecodingSettings
) -> NDArray[Any]:
    rng = numpy_generator(settings.seed, "decoding chance", session.session_id, target.name)
    drawn = draw_targets(session, target, settings.n_chance, rng)
    return drawn if target.is_signal else drawn[has_both_classes(drawn, trials)]
