"""Scores that share their nulls and samples are those that are computed one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtm_core.data.conditions import trial_conditions
from mtm_core.data.table import Column, Table
from mtm_core.evaluation import metrics
from mtm_core.evaluation.mask_scores import N_SAMPLES, TEMPORAL, Rivals
from mtm_core.evaluation.paired_change import paired_change
from mtm_core.inference import Reconstructor
from mtm_core.masking import tasks
from mtm_core.masking.spec import MaskSpec
from mtm_core.models.answers import Reconstruction
from mtm_core.seeding import numpy_generator
from mtm_viewer.presenters.score_lines import (
    fit_rivals,
    lines_by_condition,
    opponent_line,
    score_answers,
    score_groupings,
    scored_trials,
    unit_score,
)
from tests.viewer.workspaces import make_small_workspace

WORKSPACE = make_small_workspace(n_trials=120)
RIVALS = fit_rivals(WORKSPACE)


def answer(spec: MaskSpec, model: int = 0, n_done: int | None = None) -> Reconstruction:
    """Reconstruct the shown trials in a mixed order; only the first few, if asked."""
    trials = np.random.default_rng(1).permutation(WORKSPACE.test)
    bound = Reconstructor(WORKSPACE.models[model].checkpoint, WORKSPACE.session)
    whole = bound.complete(spec, trials)
    is_done = np.arange(len(trials)) < (len(trials) if n_done is None else n_done)
    return replace(whole, is_done=is_done, is_exact=is_done)


def plain_parts(
    trials: np.ndarray, log_rate: np.ndarray, mask_scored: np.ndarray, units: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gain over the PSTH, gain over the mean rate, and spikes, entry by entry."""
    weight = mask_scored[:, units].astype(np.float64)
    counts = WORKSPACE.session.counts[trials][..., units].astype(np.float64)
    places = [WORKSPACE.test.tolist().index(trial) for trial in trials]

    def likelihood(log_rate: np.ndarray) -> np.ndarray:
        wide = np.broadcast_to(log_rate, counts.shape).astype(np.float64)
        return ((counts * wide - np.exp(wide)) * weight).sum(axis=1)

    own = likelihood(log_rate)
    psth = likelihood(RIVALS.condition_psth[places][..., units])
    mean = likelihood(RIVALS.mean[None, None, units])
    return own - psth, own - mean, (counts * weight).sum(axis=1)


def plain_interval(gain: np.ndarray, spikes: np.ndarray, name: str | int):
    rng = numpy_generator(0, "samples of trials", name)
    weights = metrics.bootstrap_weights(len(gain), N_SAMPLES, rng)
    return metrics.pooled_interval(gain, spikes, weights)


SPECS = {
    "whole trials": tasks.inter_region("CA1"),
    "some bins": tasks.forward_prediction(WORKSPACE.session.n_bins),
    "in turn": tasks.intra_region("DG"),
}


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
@pytest.mark.parametrize("n_done", [None, 13])
def test_every_line_equals_the_one_computed_alone(spec: MaskSpec, n_done: int | None) -> None:
    model, rival = answer(spec, n_done=n_done), answer(spec.with_prompt("none"), 1, n_done)
    lines, gains = score_answers(WORKSPACE, model, {TEMPORAL: rival}, RIVALS)
    done = np.sort(model.trials[model.is_done])
    order = [model.trials.tolist().index(trial) for trial in done]
    places = np.searchsorted(WORKSPACE.test, done)
    predictions = [model.log_rate[order], rival.log_rate[order]]
    predictions += [v if len(v) == 1 else v[places] for v in RIVALS.by_name.values()]
    units = model.mask.scored_units
    for line, log_rate in zip(lines, predictions, strict=True):
        parts = plain_parts(done, log_rate[..., units], model.mask.is_scored, units)
        over_psth, over_mean, spikes = parts
        assert line.bps_beyond_psth == pytest.approx(metrics.pooled_bps(over_psth, spikes))
        assert line.bps_pooled == pytest.approx(metrics.pooled_bps(over_mean, spikes))
        name = WORKSPACE.session.session_id
        assert line.interval == pytest.approx(plain_interval(over_psth, spikes, name))
        assert line.n_spikes == spikes.sum()
    own = plain_parts(done, predictions[0][..., units], model.mask.is_scored, units)
    np.testing.assert_allclose(gains.gain, own[0], atol=1e-9)
    np.testing.assert_array_equal(gains.spikes, own[2])


def test_a_unit_keeps_its_interval_whoever_was_scored_before() -> None:
    model = answer(SPECS["whole trials"])
    _, gains = score_answers(WORKSPACE, model, {}, RIVALS)
    for unit in (*gains.units[:3].tolist(), int(gains.units[0])):
        column = gains.units == unit
        score = unit_score(gains, unit)
        assert score is not None
        plain = plain_interval(gains.gain[:, column], gains.spikes[:, column], unit)
        assert score.interval == pytest.approx(plain)


def test_other_trials_of_a_rival_are_compared_with_their_own_nulls() -> None:
    spec = SPECS["whole trials"]
    few, all_trials = answer(spec, n_done=12), answer(spec.with_prompt("none"), 1)
    lines, _ = score_answers(WORKSPACE, few, {TEMPORAL: all_trials}, RIVALS)
    alone, _ = score_answers(WORKSPACE, all_trials, {}, RIVALS)
    assert lines[1].bps_beyond_psth == alone[0].bps_beyond_psth
    assert lines[1].n_spikes > lines[0].n_spikes


def test_scoring_changes_neither_answers_nor_rivals() -> None:
    model = answer(SPECS["some bins"])
    before = [RIVALS.condition_psth.copy(), *(v.copy() for v in RIVALS.by_name.values())]
    score_answers(WORKSPACE, model, {}, RIVALS)
    after = [RIVALS.condition_psth, *RIVALS.by_name.values()]
    assert isinstance(RIVALS, Rivals)
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("field", ["contrast_side", "contrast", "feedback"])
def test_conditions_share_out_spikes_and_gains_of_the_model(field: str) -> None:
    model = answer(SPECS["whole trials"])
    (whole, *_), gains = score_answers(WORKSPACE, model, {}, RIVALS)
    lines = lines_by_condition(WORKSPACE.session, model.trials, gains, field)
    assert sum(line.n_spikes for line in lines) == whole.n_spikes
    assert {line.n_units for line in lines} == {whole.n_units}
    parts = [(line.bps_beyond_psth or 0.0) * line.n_spikes for line in lines]
    assert whole.bps_beyond_psth == pytest.approx(sum(parts) / whole.n_spikes)


def test_a_condition_is_scored_on_its_own_trials() -> None:
    model, session = answer(SPECS["some bins"]), WORKSPACE.session
    _, gains = score_answers(WORKSPACE, model, {}, RIVALS)
    lines = lines_by_condition(session, model.trials, gains, "feedback")
    conditions, trials = trial_conditions(session, ("feedback",)), np.sort(model.trials)
    for level, (name, line) in enumerate(zip(conditions.names, lines, strict=True)):
        rows = np.flatnonzero(conditions.label[trials] == level)
        gain, spikes = gains.gain[rows], gains.spikes[rows]
        assert line.name == f"{name} ({len(rows)} trials)"
        assert line.bps_beyond_psth == pytest.approx(metrics.pooled_bps(gain, spikes))
        assert (line.interval is None) == (len(rows) < 10)
        assert "overlap" in line.explanation


def test_trials_whose_condition_is_unknown_have_a_line_of_their_own() -> None:
    session = WORKSPACE.session
    feedback = session.trials.column("feedback")
    known = feedback.is_valid & (np.arange(session.n_trials) != WORKSPACE.test[0])
    columns = dict(session.trials.columns) | {"feedback": Column(feedback.values, known)}
    session = replace(session, trials=Table(columns))
    model = answer(SPECS["whole trials"])
    _, gains = score_answers(WORKSPACE, model, {}, RIVALS)
    *_, last = lines_by_condition(session, model.trials, gains, "feedback")
    assert last.name == "unknown (1 trial)"


def test_rows_can_stand_for_the_fields_that_the_session_has() -> None:
    assert score_groupings(WORKSPACE.session) == {
        "": "Predictions",
        "contrast_side": "By stimulus side",
        "contrast": "By contrast",
        "feedback": "By outcome",
        "choice": "By choice",
    }


def test_the_opponent_has_the_line_that_it_would_have_as_a_rival() -> None:
    model, rival = answer(SPECS["whole trials"]), answer(SPECS["whole trials"], 1)
    change = paired_change(scored_trials(WORKSPACE), RIVALS, ("MtM", model), ("other", rival))
    lines, _ = score_answers(WORKSPACE, model, {"other": rival}, RIVALS)
    assert change is not None
    found = opponent_line(change)
    assert replace(found, explanation=lines[1].explanation) == lines[1]
