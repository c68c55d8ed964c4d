from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from mtm_core.config_model import Ndt1Config
from mtm_core.masking.masked_batch import MaskedBatch, mask_counts, prompt_index
from mtm_core.models.build import build_model
from mtm_core.models.ndt1 import Ndt1
from mtm_core.models.read_out import PromptReadOut
from mtm_core.models.session_part import SessionFacts, shrunk_psth

N_TRIALS, N_BINS, N_UNITS = 5, 8, 11
SMALL = Ndt1Config(width=16, layers=2, heads=2, mlp_width=16)
VARIANTS = {
    "default": SMALL,
    "paper": replace(
        SMALL,
        positions="learnt",
        prompt="prefix",
        session_token=True,
        mask_flag=False,
        standardise=False,
        read_in="two_layer",
        output_bias="mean",
        unit_history=False,
    ),
    "rotary, prefix": replace(SMALL, positions="rotary", prompt="prefix"),
    "no prompt": replace(SMALL, prompt="none"),
    "stitched": replace(SMALL, read_in="stitched", stitch_width=12),
    "unit embeddings": replace(SMALL, read_in="unit_embedding"),
    "unit embeddings, no mask flag": replace(SMALL, read_in="unit_embedding", mask_flag=False),
    "components": replace(SMALL, width=8, read_in="components"),
}


def make_counts() -> torch.Tensor:
    rates = torch.linspace(0.2, 2.0, N_UNITS).expand(N_TRIALS, N_BINS, N_UNITS)
    return torch.poisson(rates, generator=torch.Generator().manual_seed(0))


def make_model(config: Ndt1Config) -> Ndt1:
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(1)
        model = build_model(config, SessionFacts(psth=make_counts().mean(dim=0)))
        assert isinstance(model, Ndt1)
        if isinstance(model.part.read_out, PromptReadOut):
            model.part.read_out.weight.normal_(std=0.3)
        for parameter in model.parameters():  # away from the start, where read-out is almost 0
            parameter.data += 0.2 * torch.randn_like(parameter)
    return model


def hide(counts: torch.Tensor, is_hidden: torch.Tensor, prompt: str) -> MaskedBatch:
    full = is_hidden.expand(counts.shape)
    index = torch.full((len(counts),), prompt_index(prompt))
    return mask_counts(counts, full, full, index, index == prompt_index("causal"))


@pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize("prompt", ["neuron", "intra_region", "causal"])
def test_one_at_a_time_equals_one_forward_pass_per_unit(config: Ndt1Config, prompt: str) -> None:
    model, counts = make_model(config).eval(), make_counts()
    base = torch.zeros(N_BINS, N_UNITS, dtype=torch.bool)
    base[:, 7:] = True
    base[6:, 2] = True
    units = torch.tensor([0, 2, 5, 9])
    fast = model.predict_one_at_a_time(counts, base, units, prompt_index(prompt))
    for column, unit in enumerate(units):
        is_hidden = base.clone()
        is_hidden[:, unit] = True
        with torch.inference_mode():
            plain = model(hide(counts, is_hidden, prompt))[..., unit]
        torch.testing.assert_close(fast[..., column], plain, rtol=1e-5, atol=1e-5)


def test_an_untrained_model_starts_near_the_training_psth() -> None:
    counts = make_counts()
    facts = SessionFacts(psth=counts.mean(dim=0), n_trials=N_TRIALS)
    model = build_model(replace(SMALL, unit_history=False), facts).eval()
    nothing = torch.zeros(N_BINS, N_UNITS, dtype=torch.bool)
    log_rate = model(hide(counts, nothing, "neuron"))
    expected = shrunk_psth(counts.mean(dim=0), N_TRIALS)
    assert (log_rate - expected.log()).abs().max() < 0.6


@pytest.mark.parametrize("stitch_width", [84, 668])
def test_what_a_fresh_stitched_model_reads_in_stands_out_from_positions(stitch_width: int) -> None:
    config = Ndt1Config(width=64, read_in="stitched", stitch_width=stitch_width)
    counts = torch.poisson(torch.ones(4, N_BINS, 120), generator=torch.Generator().manual_seed(0))
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(1)
        model = build_model(config, SessionFacts(psth=counts.mean(dim=0)))
    assert isinstance(model, Ndt1)
    assert model.trunk.shared_in is not None
    first = model.first(counts, torch.zeros_like(counts, dtype=torch.bool))
    tokens = model.trunk.shared_in(model.to_tokens(first))
    spread = tokens.flatten(0, 1).std(dim=0).mean().item()
    assert 0.5 < spread < 2.0  # embeddings of positions start with 0.1


def test_the_prompt_changes_the_prediction() -> None:
    model, counts = make_model(SMALL).eval(), make_counts()
    nothing = torch.zeros(N_BINS, N_UNITS, dtype=torch.bool)
    first = model(hide(counts, nothing, "neuron"))
    second = model(hide(counts, nothing, "inter_region"))
    assert (first - second).abs().max() > 1e-3


def test_evaluation_mode_is_deterministic_and_training_mode_is_not() -> None:
    model, counts = make_model(SMALL), make_counts()
    batch = hide(counts, torch.zeros(N_BINS, N_UNITS, dtype=torch.bool), "neuron")
    model.train()
    assert not torch.equal(model(batch), model(batch))
    model.eval()
    assert torch.equal(model(batch), model(batch))


def test_a_forward_pass_leaves_its_batch_alone() -> None:
    model, counts = make_model(SMALL).train(), make_counts()
    batch = hide(counts, torch.rand(N_BINS, N_UNITS) < 0.5, "neuron")
    before = [t.clone() for t in (batch.inputs, batch.targets, batch.is_hidden)]
    model(batch).sum().backward()
    after = (batch.inputs, batch.targets, batch.is_hidden)
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_every_parameter_is_in_exactly_one_group() -> None:
    model = make_model(VARIANTS["paper"])
    decays, others = model.parameter_groups(0.1)
    assert decays["weight_decay"] == 0.1
    assert others["weight_decay"] == 0.0
    seen = [id(p) for group in (decays, others) for p in group["params"]]
    assert sorted(seen) == sorted(id(p) for p in model.parameters())


def test_a_silent_unit_gives_finite_rates_and_gradients() -> None:
    counts = make_counts()
    counts[..., 3] = 0
    model = build_model(SMALL, SessionFacts(psth=counts.mean(dim=0))).train()
    batch = hide(counts, torch.rand(N_BINS, N_UNITS) < 0.5, "neuron")
    log_rate = model(batch)
    log_rate.exp().sum().backward()
    assert torch.isfinite(log_rate).all()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def test_shrinkage_keeps_a_constant_rate() -> None:
    flat = torch.full((6, 2), 0.7)
    torch.testing.assert_close(shrunk_psth(flat, 3), flat)
