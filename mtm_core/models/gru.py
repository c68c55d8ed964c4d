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
    sizes = [2 * state.shape[-1], state.shape[-1]]
    # Two calls of `split` cost less than slices, each of which has a gradient to fill with zeros.
    gates_in, new_in = torch.split(from_input, sizes, dim=-1)
    gates_state, new_state = torch.split(from_state, sizes, dim=-1)
    reset, keep = (gates_in + gates_state).sigmoid().chunk(2, dim=-1)
    return torch.lerp(torch.addcmul(new_in, reset, new_state).tanh(), state, keep)


class Gru(nn.Module):
    """One GRU, a step at a time.

    Parameters
    ----------
    n_inputs, width : int
        Sizes of input and state.
    """

    def __init__(self, n_inputs: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.weight_in = nn.Parameter(torch.randn(n_inputs, 3 * width) * n_inputs**-0.5)
        self.weight = nn.Parameter(torch.randn(width, 3 * width) * width**-0.5)
        self.bias = nn.Parameter(_start_bias(width))

    def step(self, from_input: Tensor, state: Tensor) -> Tensor:
        """Make one step: (n_trials, 3 * width) and (n_trials, width)."""
        return gru_step(from_input, torch.addmm(self.bias, state, self.weight), state)


class GruBank(nn.Module):
    """Several GRUs of one width side by side: a few large operations a bin for all of them.

    Parameters
    ----------
    n_inputs, width : int
        Sizes of input and state.
    n_members : int
        How many.
    """

    def __init__(self, n_inputs: int, width: int, n_members: int) -> None:
        super().__init__()
        self.width = width
        self.weight_in = nn.Parameter(torch.randn(n_members, n_inputs, 3 * width) * n_inputs**-0.5)
        self.weight = nn.Parameter(torch.randn(n_members, width, 3 * width) * width**-0.5)
        self.bias = nn.Parameter(_start_bias(width).repeat(n_members, 1, 1))

    def step(self, from_input: Tensor, state: Tensor) -> Tensor:
        """Make one step: (n_members, n_trials, 3 * width) and (n_members, n_trials, width)."""
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
        self.gru = GruBank(n_inputs, width, 2 * n_encoders)

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
        said = both_ways.reshape(2 * self.n_encoders, -1, n_inputs) @ self.gru.weight_in
        said = said.view(2 * self.n_encoders, n_bins, n_trials, -1)
        state = said.new_zeros(2 * self.n_encoders, n_trials, self.gru.width)
        states = []
        for at_bin in said.unbind(1):
            state = self.gru.step(at_bin, state)
            states.append(state)
        every = torch.stack(states, dim=2)
        return every[0::2], every[1::2].flip(2)


def _start_bias(width: int) -> Tensor:
    return torch.cat([torch.zeros(width), torch.full((width,), KEEP_BIAS), torch.zeros(width)])
