from __future__ import annotations

import pytest

from mtm_core.cli import reproduce as command
from mtm_core.errors import ConfigError, UnknownNameError
from mtm_core.reproduce.published import COLUMNS, published_rows
from mtm_core.reproduce.table_cell import task_prompt
from mtm_core.reproduce.tables import TABLES, find_table
from mtm_core.reproduce.variants import BUDGET, BUDGETS, table_configs


@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_settings_at_every_budget(name, budget):
    table = find_table(name)
    configs = table_configs(table, budget)
    assert list(configs) == [variant.name for variant in table.variants]
    assert len(set(configs)) == len(table.variants)
    for role in filter(None, (table.baseline, table.headline)):
        assert role in configs


def test_the_command_knows_the_same_tables_and_budgets():
    assert tuple(TABLES) == command.TABLES
    assert tuple(BUDGETS) == tuple(BUDGET) == command.BUDGETS


def test_rows_of_a_table_differ_in_what_the_table_is_about_only():
    configs = table_configs(find_table("masks"), "quick")
    assert {config.optim.steps for config in configs.values()} == {BUDGET["quick"].steps}
    assert len({config.optim for config in configs.values()}) == 1
    assert {config.model.width for config in configs.values()} == {64}
    prompts = {name: config.model.prompt for name, config in configs.items()}
    assert prompts.pop("mtm") == "added"
    assert set(prompts.values()) == {"none"}
    assert configs["causal"].masking.schemes == ("causal",)


def test_at_the_papers_budget_the_settings_are_the_published_ones():
    configs = table_configs(find_table("masks"), "paper")
    assert configs["mtm"].model.prompt == "prefix"
    assert configs["mtm"].model.width == 512
    assert configs["temporal"].optim.epochs == 1000
    ndt2 = table_configs(find_table("masks-ndt2"), "paper")
    assert {config.model.architecture for config in ndt2.values()} == {"ndt2"}
    assert {config.model.width for config in ndt2.values()} == {512}


@pytest.mark.parametrize(("budget", "width"), [("quick", 84), ("standard", 84), ("paper", 668)])
def test_the_width_of_stitching_goes_with_the_width_of_tokens(budget, width):
    configs = table_configs(find_table("scaling"), budget)
    assert {config.model.read_in for config in configs.values()} == {"stitched"}
    assert {config.model.stitch_width for config in configs.values()} == {width}


def test_a_typed_setting_replaces_the_tables_own():
    typed = [("optim.steps", "5"), ("model.width", "16"), ("model.generator_width", "8")]
    configs = table_configs(find_table("lfads"), "quick", typed)
    assert {config.optim.steps for config in configs.values()} == {5}
    assert configs["ndt1-mtm"].model.width == 16
    assert configs["lfads-mtm"].model.generator_width == 8
    epochs = table_configs(find_table("masks"), "quick", [("optim.epochs", "3")])["mtm"]
    assert epochs.optim.n_steps(64) == 6


def test_a_table_chooses_its_architectures():
    with pytest.raises(ConfigError, match="chooses its architectures"):
        table_configs(find_table("masks"), "quick", [("model.architecture", "lfads")])


def test_a_setting_that_no_row_has_is_refused():
    with pytest.raises(UnknownNameError, match="controller"):
        table_configs(find_table("masks"), "quick", [("model.controller", "false")])


def test_no_table_is_called_so():
    with pytest.raises(UnknownNameError, match="masks"):
        find_table("mask")


def test_published_numbers_stand_beside_rows_of_the_same_name():
    for name in ("masks", "masks-ndt2", "held-out", "mask-ratio"):
        rows = {row.name for row in published_rows(name)}
        assert rows == {variant.name for variant in TABLES[name].variants}
    assert published_rows("positions") == []
    (row,) = [row for row in published_rows("masks") if row.name == "mtm"]
    assert [row.values[c] for c in COLUMNS] == ["0.98", "0.57", "0.43", "0.84", "0.63", "0.61"]


@pytest.mark.parametrize(
    ("wanted", "schemes", "given"),
    [
        ("causal", ["temporal"], "temporal"),
        ("neuron", ["causal"], "causal"),
        ("causal", ["neuron", "causal"], "causal"),
        ("inter_region", ["coordinated_dropout"], "none"),
    ],
)
def test_a_model_is_asked_under_what_it_was_trained_under(wanted, schemes, given):
    assert task_prompt(wanted, schemes) == given
