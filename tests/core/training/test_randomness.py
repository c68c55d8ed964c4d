from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mtm_core.training.randomness import mask_generator, seeded, trials_of_step


@pytest.mark.parametrize(("n_trials", "batch_size"), [(10, 3), (10, 10), (3, 8), (1, 2), (7, 1)])
def test_every_pass_uses_every_trial_once(n_trials, batch_size):
    n_steps = 4 * n_trials
    stream = np.concatenate(
        [trials_of_step(0, "s", n_trials, batch_size, step) for step in range(n_steps)]
    )
    assert len(stream) == n_steps * batch_size
    passes = stream[: len(stream) // n_trials * n_trials].reshape(-1, n_trials)
    assert (np.sort(passes, axis=1) == np.arange(n_trials)).all()


def test_passes_sessions_and_seeds_are_shuffled_differently():
    draws = {
        tuple(trials_of_step(seed, session, 50, 50, step))
        for seed in (0, 1)
        for session in ("a", "b")
        for step in (0, 1)
    }
    assert len(draws) == 8


def test_masks_of_a_step_are_the_same_again_and_those_of_the_next_others():
    first, again, following = (
        torch.rand(5, generator=mask_generator(3, step)) for step in (7, 7, 8)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, following)


def test_global_draws_repeat_inside_the_block_and_go_on_outside():
    before = torch.get_rng_state()
    with seeded("cpu", 0, "dropout", 5):
        first = torch.rand(4)
    assert torch.equal(torch.get_rng_state(), before)
    with seeded("cpu", 0, "dropout", 5):
        assert torch.equal(torch.rand(4), first)
    with seeded("cpu", 0, "dropout", 6):
        assert not torch.equal(torch.rand(4), first)


def test_global_draws_go_on_after_an_error():
    before = torch.get_rng_state()
    with pytest.raises(KeyError), seeded("cpu", 0):
        raise KeyError
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_the_generator_of_a_graphics_card_is_set_and_put_back(kind, monkeypatch):
    card = torch.Generator().manual_seed(11)
    fake = SimpleNamespace(
        get_rng_state=lambda *number: card.get_state(),
        set_rng_state=lambda state, *number: card.set_state(state),
        default_generators=(None, card),
        manual_seed=card.manual_seed,
    )
    monkeypatch.setattr(torch, kind, fake)
    before = card.get_state()
    draws = []
    for _ in range(2):
        with seeded(f"{kind}:1", 0, "dropout", 5):
            draws.append(torch.rand(4, generator=card))
    assert torch.equal(*draws)
    assert torch.equal(card.get_state(), before)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU")
def test_draws_of_the_gpu_repeat_too():
    before = torch.cuda.get_rng_state()
    draws = []
    for _ in range(2):
        with seeded("cuda", 0, "dropout", 5):
            draws.append(torch.rand(4, device="cuda"))
    assert torch.equal(*draws)
    assert torch.equal(torch.cuda.get_rng_state(), before)
