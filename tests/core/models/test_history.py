from __future__ import annotations

import math

import torch

from mtm_core.models.history import DECAYS, UnitHistory


def correct(history: UnitHistory, counts: torch.Tensor, is_hidden: torch.Tensor) -> torch.Tensor:
    log_rate = torch.zeros_like(counts)
    with torch.no_grad():
        expected = torch.full(counts.shape[1:], 0.5)
        history.correct(log_rate, counts * ~is_hidden, is_hidden, expected)
    return log_rate


def test_a_unit_hidden_for_the_whole_trial_is_not_corrected() -> None:
    counts = torch.ones(2, 6, 3)
    is_hidden = torch.zeros(2, 6, 3, dtype=torch.bool)
    is_hidden[:, :, 1] = True
    change = correct(UnitHistory(6, 3).eval(), counts, is_hidden)
    assert (change[..., 1] == 0).all()
    assert (change[:, 1:, 0] != 0).all()


def test_only_earlier_visible_bins_count() -> None:
    history = UnitHistory(6, 1).eval()
    counts, is_hidden = torch.ones(1, 6, 1), torch.zeros(1, 6, 1, dtype=torch.bool)
    is_hidden[:, 4:] = True
    before = correct(history, counts, is_hidden)
    later = counts.clone()
    later[:, 3:] = 5
    after = correct(history, later, is_hidden)
    assert torch.equal(before[:, :4], after[:, :4])
    assert (before[:, 4:] != after[:, 4:]).all()
    hidden = counts.clone()
    hidden[:, 4:] = 5
    assert torch.equal(before, correct(history, hidden, is_hidden))


def test_the_correction_is_the_shrunken_log_ratio() -> None:
    history = UnitHistory(3, 1).eval()
    change = correct(history, torch.tensor([[[2.0], [1.0], [0.0]]]), torch.zeros(1, 3, 1) > 0)
    expected = 0.0
    for decay in DECAYS:
        seen, chance = 2 * decay + 1, 0.5 * decay + 0.5
        expected += 0.3 * math.log((seen + 2.0) / (chance + 2.0))
    assert math.isclose(change[0, 2, 0].item(), expected, rel_tol=1e-5)


def test_training_corrects_the_trials_that_need_it_alike() -> None:
    history = UnitHistory(6, 3)
    counts = torch.ones(2, 6, 3)
    is_hidden = torch.zeros(2, 6, 3, dtype=torch.bool)
    is_hidden[0, 4:] = True
    is_hidden[1, :, 2] = True
    in_training = correct(history.train(), counts, is_hidden)
    in_evaluation = correct(history.eval(), counts, is_hidden)
    assert torch.equal(in_training[0], in_evaluation[0])
    assert (in_training[1] == 0).all()


@torch.no_grad()
def test_the_short_way_for_hidden_last_bins_equals_the_correction_of_any_mask() -> None:
    history = UnitHistory(6, 3).eval()
    counts = torch.poisson(torch.ones(4, 6, 3), generator=torch.Generator().manual_seed(0))
    is_hidden = (torch.arange(6) >= 4)[None, :, None].expand(4, 6, 3)
    expected = torch.full((6, 3), 0.5)
    short = history.from_past(counts, 4, slice(4, 6), expected)
    torch.testing.assert_close(short, correct(history, counts, is_hidden)[:, 4:])
