from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from mtm_core.config_model import Ndt1Config
from mtm_core.masking.masked_batch import prompt_index
from mtm_core.models import ndt1_turns
from tests.core.models.test_ndt1 import N_BINS, N_TRIALS, N_UNITS, SMALL, VARIANTS, make_model
from tests.core.models.turns import PassCounter, plain_loop, sparse_counts

NOTHING = torch.zeros(N_BINS, N_UNITS, dtype=torch.bool)
UNITS = [0, 1, 5, 9]
RAW = replace(SMALL, mask_flag=False, standardise=False)
UNTOLD = {
    "linear": RAW,
    "two layers, prefix": VARIANTS["paper"],
    "stitched": replace(RAW, read_in="stitched", stitch_width=12),
    "unit embeddings": replace(RAW, read_in="unit_embedding"),
    "unit history": replace(RAW, unit_history=True, prompt="prefix"),
}


def close(found: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("share", [0.0, 1.0], ids=["all tokens anew", "changed tokens only"])
@pytest.mark.parametrize("prompt", ["neuron", "causal"])
@pytest.mark.parametrize("config", UNTOLD.values(), ids=UNTOLD)
def test_few_spikes_give_what_the_plain_loop_gives(
    config: Ndt1Config, prompt: str, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ndt1_turns, "SPARSE_UP_TO", share)
    model, counts = make_model(config).eval(), sparse_counts(N_TRIALS, N_BINS, N_UNITS)
    is_hidden = NOTHING.clone()
    is_hidden[5:, 5] = True
    found = model.in_turn(counts, is_hidden, prompt_index(prompt))(torch.tensor(UNITS))
    close(found, plain_loop(model, counts, is_hidden, UNITS, prompt))


def test_a_silent_pair_needs_no_pass_where_silence_looks_like_being_hidden() -> None:
    model, counts = make_model(RAW).eval(), sparse_counts(N_TRIALS, N_BINS, N_UNITS)
    in_turn, counter = model.in_turn(counts, NOTHING, 1), PassCounter(model)
    in_turn(torch.tensor([0]))
    assert counter.n == N_TRIALS  # the pass without any turn, shared by all that follow
    in_turn(torch.tensor([0, 1]))
    assert counter.n == N_TRIALS + N_TRIALS - 1


@pytest.mark.parametrize("told", [{"mask_flag": True}, {"standardise": True}], ids=str)
def test_a_silent_pair_has_its_pass_where_a_model_can_tell(told: dict[str, bool]) -> None:
    model = make_model(replace(RAW, **told)).eval()
    counts = sparse_counts(N_TRIALS, N_BINS, N_UNITS)
    counter = PassCounter(model)
    found = model.in_turn(counts, NOTHING, 1)(torch.tensor([0]))
    assert counter.n == N_TRIALS
    close(found, plain_loop(model, counts, NOTHING, [0], "neuron"))


def test_a_unit_that_is_hidden_anyway_needs_no_pass() -> None:
    model, counts = make_model(SMALL).eval(), sparse_counts(N_TRIALS, N_BINS, N_UNITS)
    is_hidden = NOTHING.clone()
    is_hidden[:, 5] = True
    counter = PassCounter(model)
    found = model.in_turn(counts, is_hidden, 1)(torch.tensor([5, 5]))
    assert counter.n == N_TRIALS
    close(found, plain_loop(model, counts, is_hidden, [5, 5], "neuron"))


def test_only_the_pass_differs_in_bf16() -> None:
    """The answers are near those of fp32 and of the same kind."""
    from mtm_core.models.backend import probe_backend, use_backend

    model, counts = make_model(VARIANTS["paper"]).eval(), sparse_counts(N_TRIALS, N_BINS, N_UNITS)
    exact = model.in_turn(counts, NOTHING, 1)(torch.tensor(UNITS))
    with use_backend(probe_backend("cpu", 1, "default", precision="bf16")):
        rough = model.in_turn(counts, NOTHING, 1)(torch.tensor(UNITS))
    assert rough.dtype == torch.float32
    assert 0 < (rough - exact).abs().max() < 0.05 * exact.std()
