from __future__ import annotations

import torch
from torch import nn

from mtm_core.models.gru import BidirectionalEncoders, Gru, GruBank

N_TRIALS, N_BINS, N_INPUTS, WIDTH = 3, 6, 4, 5


def library_gru(gru: GruBank, place: int) -> nn.GRU:
    """Return torch's GRU with the weights of one of ours."""
    twin = nn.GRU(N_INPUTS, WIDTH, batch_first=True)
    twin.weight_ih_l0.data = gru.weight_in.data[place].T.clone()
    twin.weight_hh_l0.data = gru.weight.data[place].T.clone()
    twin.bias_ih_l0.data.zero_()
    twin.bias_hh_l0.data = gru.bias.data[place, 0].clone()
    return twin


def test_encoders_are_those_of_the_library() -> None:
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(0)
        encoders = BidirectionalEncoders(N_INPUTS, WIDTH, 2)
        encoders.gru.bias.data.normal_()
        sequences = torch.randn(N_TRIALS, N_BINS, N_INPUTS)
    forwards, backwards = encoders(sequences)
    for encoder in range(2):
        ahead, _ = library_gru(encoders.gru, 2 * encoder)(sequences)
        behind, _ = library_gru(encoders.gru, 2 * encoder + 1)(sequences.flip(1))
        torch.testing.assert_close(forwards[encoder], ahead, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(backwards[encoder], behind.flip(1), rtol=1e-5, atol=1e-6)


def test_a_fresh_unit_keeps_most_of_its_state() -> None:
    gru = Gru(N_INPUTS, WIDTH)
    state = torch.ones(N_TRIALS, WIDTH)
    gru.weight.data.zero_()
    after = gru.step(torch.zeros(N_TRIALS, 3 * WIDTH), state)
    assert (after > 0.7).all()


def test_one_alone_is_one_of_a_bank() -> None:
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(0)
        bank, alone = GruBank(N_INPUTS, WIDTH, 2), Gru(N_INPUTS, WIDTH)
        said, state = torch.randn(2, N_TRIALS, 3 * WIDTH), torch.randn(2, N_TRIALS, WIDTH)
    alone.weight.data = bank.weight.data[1]
    assert torch.allclose(bank.step(said, state)[1], alone.step(said[1], state[1]))
