"""Units read in and out by their embeddings: what is shared, what is the session's, symmetry."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from mtm_core.config import TrainConfig
from mtm_core.config_model import Ndt1Config
from mtm_core.masking.masked_batch import MaskedBatch, mask_counts, prompt_index
from mtm_core.models.build import build_model
from mtm_core.models.checkpoint import load_checkpoint
from mtm_core.models.family import Family
from mtm_core.models.ndt1 import Ndt1
from mtm_core.models.session_part import SessionFacts
from mtm_core.models.unit_features import N_FEATURES, N_REGIONS, UnitFacts
from tests.core.checkpoints import make_checkpoint, write_checkpoint
from tests.core.sessions import make_session

N_TRIALS, N_BINS, N_UNITS = 4, 6, 9
SMALL = Ndt1Config(
    width=16, layers=2, heads=2, mlp_width=16, read_in="unit_embedding", unit_width=10
)
VARIANTS = {
    "vectors": SMALL,
    "features alone": replace(SMALL, unit_vectors=False),
    "no mask flag, no history": replace(SMALL, mask_flag=False, unit_history=False),
}


def make_facts(n_units: int = N_UNITS, seed: int = 0) -> SessionFacts:
    draw = torch.Generator().manual_seed(seed)
    units = UnitFacts(
        features=torch.randn(n_units, N_FEATURES, generator=draw),
        region=torch.randint(N_REGIONS, (n_units,), generator=draw),
        area=torch.randint(11, (n_units,), generator=draw),
    )
    return SessionFacts(psth=torch.rand(N_BINS, n_units, generator=draw) + 0.1, units=units)


def permuted_facts(facts: SessionFacts, order: torch.Tensor) -> SessionFacts:
    units = facts.units
    assert units is not None
    units = UnitFacts(
        features=units.features[order], region=units.region[order], area=units.area[order]
    )
    return replace(facts, psth=facts.psth[:, order], units=units)


def stir(model: torch.nn.Module) -> None:
    """Move every weight away from its start."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(3)
        for parameter in model.parameters():
            parameter.data += 0.2 * torch.randn_like(parameter)


def make_batch(n_units: int = N_UNITS) -> MaskedBatch:
    draw = torch.Generator().manual_seed(1)
    counts = torch.poisson(torch.ones(N_TRIALS, N_BINS, n_units), generator=draw)
    is_hidden = torch.rand(counts.shape, generator=draw) < 0.3
    prompt = torch.full((N_TRIALS,), prompt_index("neuron"))
    return mask_counts(counts, is_hidden, is_hidden, prompt, prompt < 0)


@pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS)
def test_permuting_the_units_permutes_the_predictions(config: Ndt1Config) -> None:
    facts, batch = make_facts(), make_batch()
    model = build_model(config, facts).eval()
    stir(model)
    order = torch.randperm(N_UNITS, generator=torch.Generator().manual_seed(2))
    other = Ndt1(config, permuted_facts(facts, order), model.trunk).eval()
    state = dict(model.state_dict())
    if config.unit_vectors:
        state["part.units.vector"] = state["part.units.vector"][order]
    for name in ("features", "region", "area"):
        state[f"part.units.{name}"] = state[f"part.units.{name}"][order]
    for name in ("offset", "mean", "scale"):
        state[f"part.{name}"] = state[f"part.{name}"][..., order]
    other.load_state_dict(state)
    moved = replace(
        batch,
        inputs=batch.inputs[..., order],
        targets=batch.targets[..., order],
        is_hidden=batch.is_hidden[..., order],
    )
    torch.testing.assert_close(other(moved), model(batch)[..., order], rtol=1e-4, atol=1e-5)


def test_without_vectors_no_trained_number_belongs_to_a_session() -> None:
    facts = {"one": make_facts(), "two": make_facts(5, seed=1)}
    family = Family(VARIANTS["features alone"], facts)
    assert list(family.parts.parameters()) == []
    assert sum(p.numel() for p in family.parameters()) == sum(
        p.numel() for p in Family(VARIANTS["features alone"], {"": make_facts()}).parameters()
    )


def test_a_vector_is_the_only_thing_that_a_unit_adds() -> None:
    few, many = (Family(SMALL, {"": make_facts(n)}) for n in (5, 9))
    count = [sum(p.numel() for p in family.parameters()) for family in (few, many)]
    assert count[1] - count[0] == 4 * SMALL.unit_width


def test_a_fresh_vector_changes_nothing() -> None:
    """So fine-tuning starts where zero-shot prediction is."""
    facts, batch = make_facts(), make_batch()
    with_vectors = build_model(SMALL, facts).eval()
    without = Ndt1(VARIANTS["features alone"], facts, with_vectors.trunk).eval()
    assert torch.equal(with_vectors(batch), without(batch))


def test_every_shared_map_and_every_vector_is_learnt() -> None:
    model = build_model(replace(SMALL, unit_vector_dropout=0.0), make_facts()).train()
    stir(model)
    batch = make_batch()
    model(replace(batch, targets=batch.inputs)).square().sum().backward()
    quiet = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert quiet == ["part.session_token"]  # the settings do not use it


def test_vectors_are_left_out_at_random_in_training_only() -> None:
    config = replace(SMALL, dropout=0.0, embedding_dropout=0.0, unit_dropout=0.0)
    model, batch = build_model(config, make_facts()), make_batch()
    stir(model)
    assert not torch.equal(model.train()(batch), model(batch))
    assert torch.equal(model.eval()(batch), model(batch))
    steady = build_model(replace(config, unit_vector_dropout=0.0), make_facts()).train()
    assert torch.equal(steady(batch), steady(batch))


def test_units_of_which_nothing_is_known_can_be_learnt() -> None:
    facts = SessionFacts(psth=make_facts().psth)
    model = build_model(SMALL, facts).train()
    model(make_batch()).exp().sum().backward()
    assert model.part.units.vector.grad.abs().max() > 0


def test_features_decide_what_a_unit_is_read_as() -> None:
    """Those of a visible unit shape every prediction, those of a hidden one its own only."""
    facts, batch = make_facts(), make_batch()
    model = build_model(replace(SMALL, mask_flag=False), facts).eval()
    stir(model)
    is_hidden = torch.zeros_like(batch.is_hidden)
    is_hidden[..., 5] = True
    batch = mask_counts(batch.targets, is_hidden, is_hidden, batch.prompt, batch.is_causal)
    before = model(batch)
    for unit, expected in ((2, [True] * N_UNITS), (5, [unit == 5 for unit in range(N_UNITS)])):
        saved = model.part.units.features.clone()
        model.part.units.features[unit] += 1.0
        changed = (model(batch) - before).abs().amax(dim=(0, 1)) > 1e-6
        model.part.units.features.copy_(saved)
        assert changed.tolist() == expected


@pytest.mark.parametrize("unit_vectors", [True, False])
def test_a_checkpoint_rebuilds_the_model_without_its_session(tmp_path, unit_vectors) -> None:
    session = make_session()
    model = replace(SMALL, unit_vectors=unit_vectors)
    checkpoint = make_checkpoint(session, TrainConfig(model=model))
    assert checkpoint.model.part.units.features.abs().sum() > 0
    write_checkpoint(tmp_path / "model.safetensors", checkpoint)
    loaded = load_checkpoint(tmp_path / "model.safetensors").model
    counts = torch.tensor(session.counts[:4]).float()
    nothing = torch.zeros(counts.shape, dtype=torch.bool)
    prompt = torch.full((4,), prompt_index("causal"))
    batch = mask_counts(counts, nothing, nothing, prompt, prompt >= 0)
    assert torch.equal(loaded(batch), checkpoint.model(batch))
