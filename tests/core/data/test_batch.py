from __future__ import annotations

import numpy as np
import torch

from mtm_core.data.batch import collate
from tests.core.sessions import make_session


def test_a_batch_holds_the_counts_of_the_chosen_trials():
    session = make_session(n_trials=5)
    batch = collate(session, np.array([3, 0]))
    assert batch.dtype == torch.float32
    assert np.array_equal(batch.numpy(), session.counts[[3, 0]])
    assert np.array_equal(collate(session, np.arange(5) < 2).numpy(), session.counts[:2])


def test_writing_to_a_batch_leaves_the_session_as_it_was():
    session = make_session(n_trials=5)
    before = session.counts.copy()
    collate(session, np.arange(5)).fill_(7)
    assert np.array_equal(session.counts, before)
