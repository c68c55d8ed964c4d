"""A hidden value never reaches its own prediction, and the causal model never sees the future.

Shown by gradient, for every training scheme, every kind of mask that a person can ask for, and
every switch of the architecture. The output is differentiated with respect to the *true counts*,
before anything is hidden, so that a leak anywhere on the way would show.
"""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch

from mtm_core.config import MaskingConfig, SchemeName, TrainConfig
from mtm_core.config_model import LfadsConfig, ModelConfig, Ndt2Config
from mtm_core.inference import Reconstructor
from mtm_core.masking.choice import Block, UnitChoice
from mtm_core.masking.masked_batch import PROMPTS, MaskedBatch, mask_counts, prompt_index
from mtm_core.masking.mixture import MaskSampler
from mtm_core.masking.spec import MaskSpec
from mtm_core.masking.tasks import co_smoothing, forward_prediction, inter_region, intra_region
from mtm_core.models.spike_model import SpikeModel
from tests.core.checkpoints import SMALL_MODEL, make_checkpoint
from tests.core.sessions import make_session

SESSION = make_session(n_trials=30, n_bins=9, n_units=18, mean_count=1.0)
N_TRIALS, N_BINS = 3, SESSION.n_bins
SMALL_NDT2 = Ndt2Config(width=16, layers=2, heads=2, mlp_width=16, token_units=7)
SMALL_LFADS = LfadsConfig(
    input_width=8,
    encoder_width=6,
    initial_dims=4,
    generator_width=8,
    factors=5,
    controller_width=6,
    inferred_inputs=3,
    prompt="added",
)
MODELS: dict[str, ModelConfig] = {
    "default": SMALL_MODEL,
    "learnt": replace(SMALL_MODEL, positions="learnt"),
    "rotary": replace(SMALL_MODEL, positions="rotary"),
    "prefix prompt": replace(SMALL_MODEL, prompt="prefix"),
    "prefix prompt and session token": replace(SMALL_MODEL, prompt="prefix", session_token=True),
    "added prompt and session token": replace(SMALL_MODEL, session_token=True),
    "no prompt": replace(SMALL_MODEL, prompt="none"),
    "no mask flag": replace(SMALL_MODEL, mask_flag=False),
    "raw counts": replace(SMALL_MODEL, standardise=False),
    "raw counts, no mask flag": replace(SMALL_MODEL, standardise=False, mask_flag=False),
    "two-layer read-in": replace(SMALL_MODEL, read_in="two_layer"),
    "bias from the mean": replace(SMALL_MODEL, output_bias="mean"),
    "no unit history": replace(SMALL_MODEL, unit_history=False),
    "component read-in": replace(SMALL_MODEL, read_in="components"),
    "components three times": replace(SMALL_MODEL, read_in="components", component_copies=3),
    "component read-in, prefix tokens": replace(
        SMALL_MODEL, read_in="components", prompt="prefix", session_token=True
    ),
    "stitched": replace(SMALL_MODEL, read_in="stitched", stitch_width=12),
    "unit embeddings": replace(SMALL_MODEL, read_in="unit_embedding", unit_width=6),
    "unit embeddings from features alone": replace(
        SMALL_MODEL, read_in="unit_embedding", unit_vectors=False, session_token=True
    ),
    "ndt2": SMALL_NDT2,
    "ndt2, prefix tokens": replace(SMALL_NDT2, prompt="prefix", session_token=True),
    "ndt2, learnt positions, no mask flag": replace(
        SMALL_NDT2, positions="learnt", mask_flag=False, standardise=False
    ),
    "ndt2, regions": replace(SMALL_NDT2, unit_order="region", region_embedding=True),
    "lfads": SMALL_LFADS,
    "lfads, no controller": replace(SMALL_LFADS, controller=False),
    "lfads, no prompt, gaussian inputs": replace(
        SMALL_LFADS, prompt="none", input_prior="gaussian", mask_flag=False, standardise=False
    ),
    "lfads, no unit history": replace(SMALL_LFADS, unit_history=False),
}
SCHEMES: dict[str, MaskingConfig] = {
    **{name: MaskingConfig(schemes=(name,)) for name in get_args(SchemeName)},
    "temporal spans": MaskingConfig(schemes=("temporal",), temporal_span=3),
    "causal suffix": MaskingConfig(schemes=("causal",), causal_span="suffix"),
    "causal mixed": MaskingConfig(schemes=("causal",), causal_span="mixed"),
    "mixture": MaskingConfig(),
}
CA1 = UnitChoice.of_region("CA1")
SPECS: dict[str, MaskSpec] = {
    "forward prediction": forward_prediction(N_BINS, 0.3),
    "inter-region": inter_region("DG"),
    "units x bins": MaskSpec(blocks=(Block(CA1, (2, 5)), Block(bins=(7, 9)))),
    "a rule": MaskSpec(blocks=(Block(UnitChoice.by_rule("depth_um > 2000"), (0, 6)),)),
    "some bins, causal": MaskSpec(blocks=(Block(bins=(3, 5)),), prompt="causal"),
    "some units, causal": MaskSpec(blocks=(Block(CA1, (4, 9)),), prompt="causal"),
}


def make_model(config: ModelConfig) -> SpikeModel:
    """Make a model all of whose weights matter, in double precision."""
    masking = MaskingConfig(schemes=("neuron",))  # any that every architecture can learn
    return make_checkpoint(SESSION, TrainConfig(model=config, masking=masking)).model.double()


def true_counts() -> torch.Tensor:
    return torch.from_numpy(SESSION.counts[:N_TRIALS].astype(np.float64)).requires_grad_()


def reach(log_rate: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """Say how strongly each true count shapes the outputs; exactly 0 where there is no path.

    The outputs are added up with random weights: contributions over several paths would cancel
    only with probability 0.
    """
    weight = torch.rand(log_rate.shape, generator=torch.Generator().manual_seed(5)).double() + 0.5
    (gradient,) = torch.autograd.grad((weight * log_rate).sum(), counts, retain_graph=True)
    return gradient.abs()


def reach_by_bin(log_rate: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """Say how strongly each bin of the input shapes each bin of the output: (output, input)."""
    return torch.stack([reach(log_rate[:, [t]], counts).sum(dim=(0, 2)) for t in range(N_BINS)])


def hide(counts: torch.Tensor, is_hidden: torch.Tensor, prompt: str) -> MaskedBatch:
    index = torch.full((len(counts),), prompt_index(prompt))
    full = is_hidden.expand(counts.shape)
    return mask_counts(counts, full, full, index, index == prompt_index("causal"))


def assert_no_hidden_count_reaches_an_output(
    model: SpikeModel, batch: MaskedBatch, counts: torch.Tensor
) -> None:
    reached = reach(model(batch), counts)
    assert (reached[batch.is_hidden] == 0).all()
    assert (reached[~batch.is_hidden] > 0).any()  # the test sees a path where there is one


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])
@pytest.mark.parametrize("architecture", ["default", "ndt2", "lfads"])
def test_no_scheme_lets_a_hidden_count_reach_any_prediction(
    scheme: str, training: bool, architecture: str
) -> None:
    model, counts = make_model(MODELS[architecture]).train(training), true_counts()
    sampler = MaskSampler(SCHEMES[scheme], SESSION.region)
    batch = sampler.draw(counts, torch.Generator().manual_seed(0))
    assert_no_hidden_count_reaches_an_output(model, batch, counts)


@pytest.mark.parametrize("config", MODELS.values(), ids=MODELS)
def test_no_architecture_lets_a_hidden_count_reach_any_prediction(config: ModelConfig) -> None:
    model, counts = make_model(config), true_counts()
    is_hidden = torch.rand(counts.shape, generator=torch.Generator().manual_seed(1)) < 0.4
    for prompt in ("neuron", "causal"):
        index = torch.full((len(counts),), prompt_index(prompt))
        is_causal = index == prompt_index("causal")
        batch = mask_counts(counts, is_hidden, is_hidden, index, is_causal)
        assert_no_hidden_count_reaches_an_output(model, batch, counts)


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("architecture", ["default", "ndt2", "lfads"])
def test_no_asked_for_mask_lets_a_hidden_count_reach_any_prediction(
    name: str, architecture: str
) -> None:
    mask = SPECS[name].resolve(SESSION)
    model, counts = make_model(MODELS[architecture]), true_counts()
    batch = hide(counts, torch.tensor(mask.is_hidden), mask.prompt)
    assert_no_hidden_count_reaches_an_output(model, batch, counts)


@pytest.mark.parametrize("config", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("spec", [co_smoothing(), intra_region("DG")], ids=["co", "intra"])
def test_a_unit_hidden_in_turn_does_not_shape_its_own_prediction(
    config: ModelConfig, spec: MaskSpec
) -> None:
    model, mask = make_model(config), spec.resolve(SESSION)
    is_hidden, units = torch.tensor(mask.is_hidden), torch.from_numpy(mask.scored_units)
    counts = true_counts().detach()
    changed = torch.randint_like(counts, 0, 9)
    prompt = prompt_index(mask.prompt)
    before = model.predict_one_at_a_time(counts, is_hidden, units, prompt)
    for column, unit in enumerate(units):
        other = counts.clone()
        other[..., unit] = changed[..., unit]
        other[:, is_hidden] = changed[:, is_hidden]
        after = model.predict_one_at_a_time(other, is_hidden, units, prompt)
        torch.testing.assert_close(after[..., column], before[..., column], rtol=0, atol=1e-9)
        assert (after - before).abs().max() > 1e-6  # the others did see it


@pytest.mark.parametrize("config", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("share", [0.0, 0.6], ids=["all visible", "bins hidden"])
def test_a_causal_bin_does_not_see_later_bins(config: ModelConfig, share: float) -> None:
    model, counts = make_model(config), true_counts()
    is_hidden = torch.rand(N_BINS, 1, generator=torch.Generator().manual_seed(2)) < share
    by_bin = reach_by_bin(model(hide(counts, is_hidden, "causal")), counts)
    assert (by_bin.triu(diagonal=1) == 0).all()
    assert (by_bin.tril(diagonal=-1) > 0).any()


@pytest.mark.parametrize("config", MODELS.values(), ids=MODELS)
def test_a_causal_bin_does_not_feel_which_later_bins_are_hidden(config: ModelConfig) -> None:
    model, counts = make_model(config), true_counts().detach()
    for t in range(1, N_BINS):
        visible, hidden = torch.zeros(2, N_BINS, 1, dtype=torch.bool)
        hidden[t:] = True
        first, second = (model(hide(counts, h, "causal"))[:, :t] for h in (visible, hidden))
        torch.testing.assert_close(first, second, rtol=0, atol=1e-12)


@pytest.mark.parametrize("config", MODELS.values(), ids=MODELS)
def test_other_prompts_look_both_ways(config: ModelConfig) -> None:
    model, counts = make_model(config), true_counts()
    nothing = torch.zeros(N_BINS, 1, dtype=torch.bool)
    by_bin = reach_by_bin(model(hide(counts, nothing, "neuron")), counts)
    assert (by_bin.triu(diagonal=1) > 0).any()


@pytest.mark.parametrize(
    "name", ["prefix prompt and session token", "ndt2, prefix tokens", "lfads"]
)
def test_causal_and_other_trials_do_not_mix_within_a_batch(name: str) -> None:
    model, counts = make_model(MODELS[name]), true_counts()
    prompt = torch.tensor([prompt_index(name) for name in ("neuron", "causal", "inter_region")])
    nothing = torch.zeros(counts.shape, dtype=torch.bool)
    is_causal = prompt == prompt_index("causal")
    mixed = model(mask_counts(counts, nothing, nothing, prompt, is_causal))
    for trial, index in enumerate(prompt.tolist()):
        alone = model(hide(counts[trial : trial + 1], nothing[0], PROMPTS[index]))
        torch.testing.assert_close(mixed[trial], alone[0], rtol=0, atol=1e-12)


def test_targets_do_not_reach_the_prediction() -> None:
    model, counts = make_model(SMALL_MODEL), true_counts().detach()
    batch = hide(counts, torch.zeros(N_BINS, 1, dtype=torch.bool), "neuron")
    other = replace(batch, targets=batch.targets + 3, is_scored=~batch.is_scored)
    assert torch.equal(model(batch), model(other))


def test_a_model_that_sees_nothing_depends_on_nothing() -> None:
    model, counts = make_model(MODELS["raw counts, no mask flag"]), true_counts()
    everything = torch.ones(N_BINS, 1, dtype=torch.bool)
    assert (reach(model(hide(counts, everything, "neuron")), counts) == 0).all()


@pytest.mark.parametrize(
    "spec",
    [*SPECS.values(), co_smoothing(), intra_region("DG")],
    ids=[*SPECS, "co-smoothing", "intra-region"],
)
def test_what_the_session_holds_under_the_mask_does_not_change_the_answer(spec: MaskSpec) -> None:
    """From the recording to the rates: through collation, pieces and shortcuts."""
    checkpoint, rows = make_checkpoint(SESSION), np.arange(N_TRIALS)
    mask = spec.resolve(SESSION)
    before = Reconstructor(checkpoint, SESSION).complete(spec, rows).log_rate
    turns = mask.scored_units if mask.one_at_a_time else [None]
    for unit in turns:
        is_hidden = mask.is_hidden.copy()
        if unit is not None:
            is_hidden[:, unit] = True
        counts = np.where(is_hidden, 7, SESSION.counts).astype(np.uint8)
        after = Reconstructor(checkpoint, replace(SESSION, counts=counts)).complete(spec, rows)
        judged = is_hidden if unit is None else np.arange(SESSION.n_units) == unit
        changed = np.abs(after.log_rate - before)[:, np.broadcast_to(judged, is_hidden.shape)]
        assert changed.max() < 1e-5
