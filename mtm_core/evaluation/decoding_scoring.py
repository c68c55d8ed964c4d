"""Scores of one kind of features on a target, beside those of targets drawn by chance."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.evaluation.decoding_chance import compare
from mtm_core.evaluation.decoding_report import DecoderScores
from mtm_core.evaluation.decoding_scores import (
    METRICS,
    Score,
    class_scores,
    score_classes,
    score_signal,
    signal_errors,
    signal_scores,
)
from mtm_core.evaluation.decoding_search import Chosen, Decoder, SignalAnswer, is_at_edge
from mtm_core.evaluation.decoding_targets import Target
from mtm_core.seeding import numpy_generator

Array = NDArray[np.float64]


def score_decoder(
    kind: str, decoder: Decoder, target: Target, drawn: NDArray[Any], seed: int
) -> list[DecoderScores]:
    """Decode a target and the drawn ones, and score every regression that suits it.

    Parameters
    ----------
    kind : str
        What the features are called.
    decoder : Decoder
        The features.
    target : Target
        What to decode.
    drawn : ndarray, shape (n_drawn, *target.values.shape)
        Targets that could have been.
    seed : int
        Of the samples of test trials, which are the same for all features.
    """
    rng = numpy_generator(seed, "decoding intervals", target.name)
    if target.is_signal:
        return _score_signal(kind, decoder, target, drawn, rng)
    return [_score_classes(kind, decoder, target, drawn, rng)]


def _score_classes(
    kind: str, decoder: Decoder, target: Target, drawn: NDArray[Any], rng: np.random.Generator
) -> DecoderScores:
    test = decoder.trials.test
    answer = decoder.decode_classes(target.values[None].astype(np.int64))
    scores = score_classes(target.values[test] > 0, answer.log_odds[0] > 0, rng)
    by_chance = np.zeros((2, 0))
    if len(drawn):
        guessed = decoder.decode_classes(drawn.astype(np.int64))
        by_chance = class_scores(drawn[:, test] > 0, guessed.log_odds > 0)
    return _result(kind, "logistic", decoder, answer.chosen[0], scores, by_chance)


def _score_signal(
    kind: str, decoder: Decoder, target: Target, drawn: NDArray[Any], rng: np.random.Generator
) -> list[DecoderScores]:
    answers = decoder.decode_signal(target.values.astype(np.float64))
    guesses = [decoder.decode_signal(signal) for signal in drawn]
    found = []
    state = rng.bit_generator.state
    for name, answer in answers.items():
        rng.bit_generator.state = state
        scores = score_signal(_errors(decoder, target.values, answer), rng)
        pairs = zip(drawn, guesses, strict=True)
        errors = [_errors(decoder, signal, guess[name]) for signal, guess in pairs]
        by_chance = signal_scores(np.stack(errors, axis=1)) if errors else np.zeros((2, 0))
        found.append(_result(kind, name, decoder, answer.chosen, scores, by_chance))
    return found


def _errors(decoder: Decoder, signal: NDArray[Any], answer: SignalAnswer) -> Array:
    fit, test = decoder.trials.fit, decoder.trials.test
    average = signal[fit].mean(axis=0)
    return signal_errors(signal[test].astype(np.float64), answer.predicted, average)


def _result(
    kind: str,
    name: str,
    decoder: Decoder,
    chosen: Chosen,
    scores: dict[str, Score],
    by_chance: Array,
) -> DecoderScores:
    names = METRICS["r2" in scores]
    return DecoderScores(
        features=kind,
        decoder=name,
        n_features=decoder.n_features,
        chosen=chosen,
        is_at_edge=is_at_edge(chosen),
        scores=scores,
        chance={
            metric: compare(scores[metric].value, values)
            for metric, values in zip(names, by_chance, strict=True)
        },
    )
