from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mtm_core.evaluation.summary import Mean, SessionResult, summarise
from mtm_core.evaluation.summary_text import table_markdown


def scores(**by_task: float | None) -> dict:
    return {
        task: {"bps_pooled": value, "bps_beyond_psth": None if value is None else value - 0.1}
        for task, value in by_task.items()
    }


def result(name: str, models: list[float], psth: float, regression: float | None, split="random"):
    return SessionResult(
        session=name,
        split=split,
        models=[scores(co_smoothing=value) for value in models],
        baselines={
            "psth": scores(co_smoothing=psth),
            "poisson_regression": scores(co_smoothing=regression),
        },
    )


RESULTS = [
    result("a", [0.2, 0.4], 0.1, 0.2),
    result("b", [0.5], 0.3, 0.6),
    result("c", [0.1, 0.1], 0.2, 0.0),
]


def test_seeds_are_averaged_first_and_sessions_next():
    (found,) = summarise(RESULTS)
    assert (found.task, found.split) == ("co_smoothing", "random")
    assert found.model.mean == pytest.approx((0.3 + 0.5 + 0.1) / 3)
    assert found.model_beyond_psth.mean == pytest.approx(found.model.mean - 0.1)
    assert found.seed_sd == pytest.approx((np.std([0.2, 0.4], ddof=1) + 0) / 2)


def test_the_best_baseline_has_the_highest_mean():
    (found,) = summarise(RESULTS)
    assert found.best_baseline == "poisson_regression"
    assert found.baselines["psth"].mean == pytest.approx(0.2)
    against = found.against["poisson_regression"]
    assert against.difference.mean == pytest.approx((0.1 - 0.1 + 0.1) / 3)
    assert against.n_won == 2
    best_of_each = found.against_best_of_each
    assert best_of_each.difference.mean == pytest.approx((0.1 - 0.1 - 0.1) / 3)
    assert best_of_each.n_won == 1


def test_the_interval_over_sessions_is_students():
    values = [0.1, -0.1, 0.3, 0.2]
    found = Mean.of(values).interval
    expected = stats.t.interval(0.95, 3, loc=np.mean(values), scale=stats.sem(values))
    assert found == pytest.approx(expected)
    assert Mean.of([0.5]).interval is None


def test_splits_are_kept_apart():
    found = summarise([*RESULTS, result("a", [0.0], 0.1, 0.2, split="blocked")])
    assert [summary.split for summary in found] == ["random", "blocked"]
    assert found[1].model.n_sessions == 1
    assert found[1].seed_sd is None


def test_sessions_without_a_model_or_a_score_are_left_out():
    unfinished = result("d", [], 0.9, 0.9)
    silent = SessionResult(
        session="e",
        split="random",
        models=[scores(co_smoothing=None)],
        baselines={"psth": scores(co_smoothing=None)},
    )
    (found,) = summarise([*RESULTS, unfinished, silent])
    assert found.model.n_sessions == 3


def test_a_baseline_that_some_session_lacks_is_left_out():
    (found,) = summarise([*RESULTS, result("d", [0.2], 0.1, None)])
    assert set(found.baselines) == {"psth"}
    assert summarise([]) == []


def test_the_table_says_who_won_by_how_much_and_in_how_many_sessions():
    text = table_markdown(RESULTS, summarise(RESULTS), ["Preset quick."])
    assert text.startswith("Preset quick.\n")
    row = next(line for line in text.splitlines() if line.startswith("| random | co_smoothing"))
    assert "poisson_regression" in row
    assert "+0.033" in row
    assert "2 (1) of 3" in row
    assert "| c | random | 0.100 / 0.200 (psth) | - | - | - |" in text
