"""Gated recurrent units: one step of one, and several side by side over whole sequences.

References
----------
Cho et al. (2014), Learning phrase representations using RNN encoder-decoder, arXiv 1406.1078.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

KEEP_BIAS = 1.0
"""Start of the update gates' bias: a fresh unit keeps most of its state from bin to bin."""


def gru_step(from_input: Tensor, from_state: Tensor, state: Tensor) -> Tensor:
    """Make one step.

    Parameters
    ----------
    from_input, from_state : Tensor, shape (..., 3 * width)
        What input and state say to the reset gate, the update gate and the candidate.
    state : Tensor, shape (..., width)
        The state before; the result has its shape.
    """
    width = state.shape[-1]
    gates = (from_input[..., : 2 * width] + from_state[..., : 2 * width]).sigmoid()
    reset, keep = gates.chunk(2, dim=-1)
    new = torch.addcmul(from_input[..., 2 * width :], reset, from_state[..., 2 * width :]).tanh()
    return torch.lerp(new, state, keep)


class Gru(nn.Module):
    """Weights of several GRUs of one width: a few large operations a bin for all of them.

    Parameters
    ----------
    n_inputs, width : int
        Sizes of input and state.
    n_side_by_side : int
        How many.
    """

    def __init__(self, n_inputs: int, width: int, n_side_by_side: int = 1) -> None:
        super().__init__()
        n, n_gates = n_side_by_side, 3 * width
        self.width = width
        self.weight_in = nn.Parameter(torch.randn(n, n_inputs, n_gates) * n_inputs**-0.5)
        self.weight = nn.Parameter(torch.randn(n, width, n_gates) * width**-0.5)
        self.bias = nn.Parameter(torch.zeros(n, 1, n_gates))
        with torch.no_grad():
            self.bias[..., width : 2 * width] = KEEP_BIAS

    def read(self, inputs: Tensor) -> Tensor:
        """Return what inputs (n, rows, n_inputs) say to the gates: (n, rows, 3 * width)."""
        return inputs @ self.weight_in

    def step(self, from_input: Tensor, state: Tensor) -> Tensor:
        """Make one step of every GRU: (n, n_trials, 3 * width) and (n, n_trials, width)."""
        return gru_step(from_input, torch.baddbmm(self.bias, state, self.weight), state)


class BidirectionalEncoders(nn.Module):
    """Several encoders that read the same sequences, each forwards and backwards.

    Parameters
    ----------
    n_inputs, width : int
        Sizes of the input and of each direction's state.
    n_encoders : int
        How many.
    """

    def __init__(self, n_inputs: int, width: int, n_encoders: int) -> None:
        super().__init__()
        self.n_encoders = n_encoders
        self.gru = Gru(n_inputs, width, 2 * n_encoders)

    def forward(self, sequences: Tensor) -> tuple[Tensor, Tensor]:
        """Read sequences.

        Parameters
        ----------
        sequences : Tensor, shape (n_trials, n_bins, n_inputs)

        Returns
        -------
        forwards, backwards : Tensor, shape (n_encoders, n_trials, n_bins, width)
            States at each bin, from it and earlier bins, and from it and later ones.
        """
        n_trials, n_bins, n_inputs = sequences.shape
        both_ways = torch.stack([sequences, sequences.flip(1)]).transpose(1, 2)
        both_ways = both_ways.repeat(self.n_encoders, 1, 1, 1)  # direction runs fastest
        said = self.gru.read(both_ways.reshape(2 * self.n_encoders, -1, n_inputs))
        said = said.view(2 * self.n_encoders, n_bins, n_trials, -1)
        state = said.new_zeros(2 * self.n_encoders, n_trials, self.gru.width)
        states = []
        for at_bin in said.unbind(1):
            state = self.gru.step(at_bin, state)
            states.append(state)
        every = torch.stack(states, dim=2)
        return every[0::2], every[1::2].flip(2)
