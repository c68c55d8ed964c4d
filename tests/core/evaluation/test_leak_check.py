"""The leak check finds a leak where there is one, and none where there is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtm_core.evaluation import leak_check as module
from mtm_core.evaluation.leak_check import MOST_TRIALS, MOST_UNITS, leak_check
from mtm_core.inference import Reconstructor
from mtm_core.masking.tasks import co_smoothing, forward_prediction, inter_region, intra_region
from tests.core.checkpoints import make_checkpoint
from tests.core.sessions import make_session

SESSION = make_session(n_trials=40, n_bins=10, n_units=18, mean_count=1.0)
CHECKPOINT = make_checkpoint(SESSION)
TRIALS = np.array([31, 5, 20, 11, 17, 2])
REGION = str(SESSION.region[0])


def check(spec):
    before = SESSION.counts.copy()
    found = leak_check(CHECKPOINT, SESSION, spec, TRIALS, np.random.default_rng(0))
    assert np.array_equal(SESSION.counts, before)
    return found


@pytest.mark.parametrize(
    ("spec", "n_entries"),
    [
        (inter_region(REGION), int((SESSION.region == REGION).sum()) * 10 * MOST_TRIALS),
        (forward_prediction(SESSION.n_bins), None),
        (co_smoothing(), MOST_UNITS * 10 * MOST_TRIALS),
        (intra_region(REGION), MOST_UNITS * 10 * MOST_TRIALS),
    ],
    ids=["inter-region", "forward", "co-smoothing", "intra-region"],
)
def test_hidden_values_do_not_reach_their_prediction_and_visible_ones_do(spec, n_entries):
    found = check(spec)
    assert found.is_tight
    assert found.hidden_moved < 1e-5
    assert found.visible_moved > 0.01
    assert found.n_trials == MOST_TRIALS
    assert n_entries in (None, found.n_entries)


def test_a_leak_is_found(monkeypatch):
    class Leaky(Reconstructor):
        """Adds a hundredth of the hidden counts themselves to the answer."""

        def complete(self, spec, trials, **options):
            answer = super().complete(spec, trials, **options)
            own = 0.01 * self.session.counts[trials].astype(np.float32)
            return replace(answer, log_rate=answer.log_rate + own)

    monkeypatch.setattr(module, "Reconstructor", Leaky)
    found = check(inter_region(REGION))
    assert not found.is_tight
    assert found.hidden_moved > 0.009
