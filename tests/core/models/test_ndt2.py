from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from mtm_core.config_model import Ndt2Config
from mtm_core.errors import ConfigError
from mtm_core.masking.masked_batch import MaskedBatch, mask_counts, prompt_index
from mtm_core.models import backend
from mtm_core.models.build import build_model
from mtm_core.models.family import Family
from mtm_core.models.ndt2 import Ndt2
from mtm_core.models.passes import trials_per_piece
from mtm_core.models.session_part import SessionFacts
from tests.core.models.turns import PassCounter, plain_loop, sparse_counts

N_TRIALS, N_BINS, N_UNITS, TOKEN_UNITS = 4, 6, 11, 4
SMALL = Ndt2Config(width=16, layers=2, heads=2, mlp_width=16, token_units=TOKEN_UNITS)
REGION = ("CA1", "DG", "CA1", "VISp", "DG", "nowhere", "CA1", "VISp", "VISp", "DG", "CA1")
VARIANTS = {
    "default": SMALL,
    "paper": replace(
        SMALL,
        positions="learnt",
        prompt="prefix",
        session_token=True,
        mask_flag=False,
        standardise=False,
        output_bias="mean",
        unit_history=False,
    ),
    "rotary, by rate": replace(SMALL, positions="rotary", unit_order="rate"),
    "regions": replace(SMALL, unit_order="region", region_embedding=True),
}


def make_counts() -> torch.Tensor:
    rates = torch.linspace(0.2, 2.0, N_UNITS).expand(N_TRIALS, N_BINS, N_UNITS)
    return torch.poisson(rates, generator=torch.Generator().manual_seed(0))


def make_facts(chosen: torch.Tensor | None = None) -> SessionFacts:
    """Describe the session, or one that has its units in another order."""
    chosen = torch.arange(N_UNITS) if chosen is None else chosen
    rate = torch.linspace(0.2, 2.0, N_UNITS)[chosen]
    region = tuple(REGION[unit] for unit in chosen.tolist())
    return SessionFacts(psth=rate.expand(N_BINS, -1), n_trials=4, region=region)


def make_model(config: Ndt2Config, facts: SessionFacts | None = None) -> Ndt2:
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(1)
        model = build_model(config, facts or make_facts())
        assert isinstance(model, Ndt2)
        for name, parameter in model.named_parameters():
            if not name.startswith("part.history"):
                parameter.data += 0.2 * torch.randn_like(parameter)
    return model.eval()


def hide(counts: torch.Tensor, is_hidden: torch.Tensor, prompt: str) -> MaskedBatch:
    full = is_hidden.expand(counts.shape)
    index = torch.full((len(counts),), prompt_index(prompt))
    return mask_counts(counts, full, full, index, index == prompt_index("causal"))


def some_hidden() -> torch.Tensor:
    return torch.rand(N_BINS, N_UNITS, generator=torch.Generator().manual_seed(3)) < 0.3


@pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize("prompt", ["neuron", "intra_region", "causal"])
@pytest.mark.parametrize("max_tokens", [1, 10**6], ids=["one by one", "all in one pass"])
def test_one_at_a_time_equals_one_forward_pass_per_unit(
    config: Ndt2Config, prompt: str, max_tokens: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mtm_core.models.ndt2_turns.MAX_TOKENS", max_tokens)
    model, counts = make_model(config), make_counts()
    base = torch.zeros(N_BINS, N_UNITS, dtype=torch.bool)
    base[:, 7:] = True
    base[4:, 2] = True
    units = torch.tensor([0, 9, 2, 5])
    fast = model.predict_one_at_a_time(counts, base, units, prompt_index(prompt))
    for column, unit in enumerate(units):
        is_hidden = base.clone()
        is_hidden[:, unit] = True
        with torch.inference_mode():
            plain = model(hide(counts, is_hidden, prompt))[..., unit]
        torch.testing.assert_close(fast[..., column], plain, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("prompt", ["neuron", "causal"])
def test_few_spikes_give_what_the_plain_loop_gives(prompt: str) -> None:
    config = replace(VARIANTS["paper"], mask_flag=False, standardise=False)
    model, counts = make_model(config), sparse_counts(N_TRIALS, N_BINS, N_UNITS)
    is_hidden, units = torch.zeros(N_BINS, N_UNITS, dtype=torch.bool), [0, 1, 5, 9]
    in_turn, counter = model.in_turn(counts, is_hidden, prompt_index(prompt)), PassCounter(model)
    found = in_turn(torch.tensor(units))
    is_turn = (counts[..., units] > 0).any(dim=1)
    assert counter.n == N_TRIALS + int(is_turn.sum()) < (len(units) + 1) * N_TRIALS
    expected = plain_loop(model, counts, is_hidden, units, prompt)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_what_tells_fresh_patches_apart_stands_out_from_what_they_read_in() -> None:
    config = Ndt2Config(mask_flag=False)
    facts = SessionFacts(psth=torch.full((N_BINS, 4 * config.token_units), 0.1))
    rates = torch.full((64, *facts.psth.shape), 0.1)
    counts = torch.poisson(rates, generator=torch.Generator().manual_seed(0))
    with torch.random.fork_rng(), torch.inference_mode():
        torch.default_generator.manual_seed(1)
        model = build_model(config, facts)
        assert isinstance(model, Ndt2)
        tokens = model.to_tokens(model.first(counts, torch.zeros_like(counts, dtype=torch.bool)))
        spread = tokens.flatten(0, 2).std(dim=0).mean()
        assert model.places().std(dim=0).mean() > 2 * spread


def test_padded_units_change_nothing() -> None:
    """Weights that only padded slots would use are neither used nor learnt."""
    facts = make_facts(torch.arange(3))
    model, counts = make_model(SMALL, facts), make_counts()[..., :3]
    batch = hide(counts, some_hidden()[:, :3], "neuron")
    before = model(batch)
    before.exp().sum().backward()
    read_in, read_out = model.trunk.read_in, model.trunk.read_out.linear
    assert read_in.flag_in is not None
    for weight in (read_in.counts_in.weight, read_in.flag_in.weight):
        assert (weight.grad[:, 3] == 0).all()
        assert (weight.grad[:, :3] != 0).any()
    assert (read_out.weight.grad[3] == 0).all()
    assert read_out.bias.grad[3] == 0
    with torch.no_grad():
        read_in.counts_in.weight[:, 3] = 9.0
        read_in.flag_in.weight[:, 3] = 9.0
        read_out.weight[3] = 9.0
        read_out.bias[3] = 9.0
    assert torch.equal(model(batch), before)


def test_padding_is_marked() -> None:
    part = make_model(SMALL).part
    assert part.is_real.tolist() == [[True] * 4, [True] * 4, [True] * 3 + [False]]
    counts = make_counts() + 1
    patches = part.to_patches(counts)
    assert (patches[..., ~part.is_real] == 0).all()
    assert (patches[..., part.is_real] > 0).all()
    assert torch.equal(part.from_patches(patches), counts)


def test_padded_units_do_not_count_for_a_patch_in_its_regions() -> None:
    trunk = make_model(VARIANTS["regions"]).trunk
    region = torch.tensor([[3, 5, 0, 0]])
    one, other = (
        trunk.patch_embedding(region, torch.tensor([is_real]))
        for is_real in ([True, True, False, False], [True, True, True, True])
    )
    assert trunk.regions is not None
    expected = trunk.space_position[0] + trunk.regions.weight[[3, 5]].mean(dim=0)
    torch.testing.assert_close(one[0], expected)
    assert not torch.allclose(one, other)


@pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS)
def test_a_trial_does_not_feel_the_others_of_its_batch(config: Ndt2Config) -> None:
    model, counts = make_model(config), make_counts()
    whole = model(hide(counts, some_hidden(), "causal"))
    for trial in range(N_TRIALS):
        alone = model(hide(counts[[trial]], some_hidden(), "causal"))
        torch.testing.assert_close(alone[0], whole[trial], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["rotary, by rate", "regions"])
def test_permuting_the_units_permutes_the_predictions(name: str) -> None:
    """Patches are filled by what units are, not by where they stand."""
    permuted = torch.randperm(N_UNITS, generator=torch.Generator().manual_seed(4))
    model, counts = make_model(VARIANTS[name]), make_counts()
    other = make_model(VARIANTS[name], make_facts(permuted))
    one = model(hide(counts, some_hidden(), "neuron"))
    two = other(hide(counts[..., permuted], some_hidden()[:, permuted], "neuron"))
    torch.testing.assert_close(two, one[..., permuted])


def test_units_as_given_follow_their_order_when_it_is_told() -> None:
    permuted = torch.randperm(N_UNITS, generator=torch.Generator().manual_seed(4))
    model, counts = make_model(SMALL), make_counts()
    other = make_model(SMALL, make_facts(permuted))
    other.part.order = permuted.argsort()
    one = model(hide(counts, some_hidden(), "neuron"))
    two = other(hide(counts[..., permuted], some_hidden()[:, permuted], "neuron"))
    torch.testing.assert_close(two, one[..., permuted])


@pytest.mark.parametrize("prompt", ["neuron", "causal"])
def test_the_fused_kernel_computes_what_plain_products_do(
    prompt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, counts = make_model(VARIANTS["paper"]).double(), make_counts().double()
    batch = hide(counts, some_hidden(), prompt)
    outputs, gradients = [], []
    for fused_from in (1, 10**6):
        monkeypatch.setattr(backend, "FUSED_FROM", fused_from)
        model.zero_grad()
        outputs.append(model(batch))
        outputs[-1].exp().sum().backward()
        gradients.append(model.trunk.read_in.counts_in.weight.grad)
    torch.testing.assert_close(outputs[0], outputs[1])
    torch.testing.assert_close(gradients[0], gradients[1])


def test_the_fused_kernel_shows_a_causal_bin_nothing_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backend, "FUSED_FROM", 1)
    model = make_model(SMALL).double()
    counts = make_counts().double().requires_grad_()
    log_rate = model(hide(counts, torch.zeros(N_BINS, 1, dtype=torch.bool), "causal"))
    for t in range(N_BINS):
        (gradient,) = torch.autograd.grad(log_rate[:, t].sum(), counts, retain_graph=True)
        assert (gradient[:, t + 1 :] == 0).all()
        assert (gradient[:, t] != 0).any()


def test_every_patch_sees_every_other_of_its_bin() -> None:
    """The causal layout is time-major, as the tokens are."""
    model = make_model(replace(SMALL, unit_history=False)).double()
    counts = make_counts().double().requires_grad_()
    log_rate = model(hide(counts, torch.zeros(N_BINS, 1, dtype=torch.bool), "causal"))
    (gradient,) = torch.autograd.grad(log_rate[:, 0, 0].sum(), counts)
    assert (gradient[:, 0].abs().sum(dim=0) > 0).all()


def test_sessions_share_all_maps() -> None:
    family = Family(SMALL, {"one": make_facts(), "two": make_facts(torch.arange(5))})
    one, two = family.member("one"), family.member("two")
    assert one.trunk is two.trunk
    own = {name for name, _ in one.part.named_parameters()}
    assert own == {"session_token", "history.gain", "history.log_strength"}


def test_a_session_of_too_many_patches_is_told() -> None:
    with pytest.raises(ConfigError, match=r"11 units fill 3 patches of 4\. The nearest valid"):
        build_model(replace(SMALL, max_patches=2), make_facts())


def test_hidden_states_are_what_is_read_out() -> None:
    model, counts = make_model(replace(SMALL, unit_history=False)), make_counts()
    batch = hide(counts, some_hidden(), "neuron")
    states = model.states(batch)
    assert states.shape == (N_TRIALS, N_BINS, 3 * SMALL.width)
    read = model.trunk.read_out(states.view(N_TRIALS, N_BINS, 3, -1), batch.prompt)
    log_rate = model.part.from_patches(read).clamp(max=3.0) + model.part.offset
    torch.testing.assert_close(log_rate, model(batch))


def test_pieces_of_work_are_shorter_where_a_bin_has_more_tokens() -> None:
    device = torch.device("cpu")
    wide = replace(SMALL, width=64, mlp_width=256, unit_history=False)
    few, many = (make_model(replace(wide, token_units=n)) for n in (6, 1))
    assert many.tokens_per_bin == N_UNITS
    assert trials_per_piece(many, 50, device) < trials_per_piece(few, 50, device)
    work = [model.turn_work(50, prompt_index("neuron")) for model in (many, few)]
    assert work[0] > work[1]
