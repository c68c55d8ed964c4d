from __future__ import annotations

import numpy as np
import pytest

from mtm_core.errors import ConfigError
from mtm_core.evaluation import metrics
from mtm_core.export import bwb_scores
from mtm_core.export.bwb_reader import read_pair
from mtm_core.export.bwb_scores import activity_scores, own_scores
from tests.core.export.bwb_exports import export, need_evaluator

BENCHMARK_D2 = 0.0556379072368145
BENCHMARK_BPS = 0.10937067121267319
"""What ibl-bwb-eval 0.1.0 says of `activity` (it adds up in single precision)."""


def activity():
    """Six units, one of them silent, and predictions between good and bad."""
    rng = np.random.default_rng(7)
    rate = rng.gamma(2.0, 0.2, (1, 1, 6)) * np.exp(0.5 * rng.normal(size=(20, 10, 6)))
    counts = rng.poisson(rate).astype(np.float64)
    counts[:, :, 3] = 0
    noise = 0.3 * rng.normal(size=rate.shape)
    return (np.log(rate) + noise).astype(np.float32), counts


def test_scores_of_activity_are_those_of_the_benchmark():
    scores = activity_scores(*activity())
    assert scores["poisson_d2"] == pytest.approx(BENCHMARK_D2, abs=1e-6)
    assert scores["bps"] == pytest.approx(BENCHMARK_BPS, abs=1e-6)


def test_poisson_d2_is_that_of_our_metrics_over_units_with_spikes():
    log_rate, counts = activity()
    has_spikes = counts.any(axis=(0, 1))
    null = np.broadcast_to(metrics.scored_mean_log_rate(counts), counts.shape)
    likelihoods = [metrics.log_likelihood(counts, each) for each in (log_rate, null)]
    d2 = metrics.unit_d2(*likelihoods, metrics.best_log_likelihood(counts))
    assert activity_scores(log_rate, counts)["poisson_d2"] == pytest.approx(
        d2.values[has_spikes].mean()
    )


def test_a_silent_unit_changes_no_score():
    log_rate, counts = activity()
    loud = log_rate.copy()
    loud[:, :, 3] = 5.0
    assert activity_scores(loud, counts) == activity_scores(log_rate, counts)


def test_the_mean_over_the_scored_entries_scores_nothing():
    _, counts = activity()
    null = np.broadcast_to(metrics.scored_mean_log_rate(counts), counts.shape)
    assert activity_scores(null, counts) == {"poisson_d2": 0.0, "bps": 0.0}


def test_without_a_spike_there_is_no_score():
    nothing = np.zeros((2, 3, 4))
    assert activity_scores(nothing, nothing) == {"poisson_d2": None, "bps": None}


def test_every_kind_of_file_has_its_score(tmp_path):
    for entry in export(tmp_path).entries:
        pair = read_pair(entry.predictions, entry.truth)
        assert own_scores(pair) == entry.scores
        assert all(value is not None for value in entry.scores.values())


def test_a_package_that_is_not_there_is_told_with_what_to_do(monkeypatch):
    monkeypatch.setattr(bwb_scores.importlib.util, "find_spec", lambda _: None)
    assert bwb_scores.evaluator_version() is None
    with pytest.raises(ConfigError, match="pip install --no-deps ibl-bwb-eval"):
        bwb_scores.require_evaluator()


def test_the_benchmarks_package_gives_the_same_scores(tmp_path):
    need_evaluator()
    for entry in export(tmp_path, with_evaluator=True).entries:
        for name, value in entry.scores.items():
            assert entry.evaluator_scores[name] == pytest.approx(value, abs=2e-5)


def test_the_benchmarks_package_finds_all_files_by_itself(tmp_path):
    need_evaluator()
    from ibl_bwb_eval.scoring import ts1, ts2

    entries = export(tmp_path).entries
    found: dict[tuple[object, ...], dict[str, float]] = {}
    for suite in (ts1, ts2):
        found |= suite.score_dir(tmp_path / "predictions", tmp_path / "ground_truth")
    assert {task for _, task, _, _ in found} == {entry.task for entry in entries}
    assert {label for label, *_ in found} == {"quick-own-split"}


def test_the_benchmarks_poisson_d2_is_ours_on_the_same_predictions():
    need_evaluator()
    import torch
    from ibl_bwb_eval.metrics import BPS, PoissonD2Score

    log_rate, counts = activity()
    ours = activity_scores(log_rate, counts)
    for name, metric in (("poisson_d2", PoissonD2Score()), ("bps", BPS())):
        said, true = (
            torch.from_numpy(a.astype(np.float64)).reshape(-1, 6) for a in (log_rate, counts)
        )
        metric.update(said, true)
        assert metric.compute().item() == pytest.approx(ours[name], abs=1e-6)
