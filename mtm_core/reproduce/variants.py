"""What a table is: its rows, the budgets, and the settings that each row is trained with.

A variant is a preset for its budget and what is changed of it. At the budgets ``quick`` and
``standard`` all variants of a table share sizes, optimiser, ratios and steps, so that only what
the table is about differs; at ``paper`` they have the published settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from mtm_core import config_io
from mtm_core.config import SplitName, TrainConfig
from mtm_core.config_fields import settings_of
from mtm_core.errors import ConfigError
from mtm_core.resources import list_presets

BudgetName = Literal["quick", "standard", "paper"]
BUDGETS: tuple[BudgetName, ...] = get_args(BudgetName)
"""Names of the budgets."""
Kind = Literal["tasks", "decoding", "chance"]
Changes = tuple[tuple[str, str | list[str]], ...]
Typed = Sequence[tuple[str, str | list[str]]]


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How much training a table gets.

    Parameters
    ----------
    steps, finetune_steps : int or None
        Optimiser steps of each training and of each fine-tuning; None: what the preset says.
    sessions : tuple of str
        Sessions by default, as `cli.reproduce.choose_sessions` takes them.
    seeds : tuple of int
        Training seeds by default.
    splits : tuple of str
        How trials are divided by default.
    """

    steps: int | None
    finetune_steps: int | None
    sessions: tuple[str, ...]
    seeds: tuple[int, ...]
    splits: tuple[SplitName, ...]


BUDGET: Mapping[str, Budget] = {
    "quick": Budget(
        steps=400,
        finetune_steps=150,
        sessions=("steinmetz2019_s12", "steinmetz2019_s17"),
        seeds=(0,),
        splits=("random",),
    ),
    "standard": Budget(
        steps=800,
        finetune_steps=300,
        sessions=(
            "steinmetz2019_s02",
            "steinmetz2019_s07",
            "steinmetz2019_s11",
            "steinmetz2019_s16",
        ),
        seeds=(0, 1),
        splits=("random",),
    ),
    "paper": Budget(
        steps=None,
        finetune_steps=None,
        sessions=("untouched",),
        seeds=(42,),
        splits=("random",),
    ),
}


EVERY = -1
"""As a number of sessions to train on: all that are of other animals."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One row of a table.

    Parameters
    ----------
    name : str
        Short; part of file names, and the row of the published table.
    label : str
        As shown.
    architecture : str
        ``ndt1``, ``ndt2`` or ``lfads``.
    changes : tuple of (str, str or list of str)
        Settings that differ from the preset's.
    n_pretrain : int
        Sessions of other animals to train on before fine-tuning; 0: from drawn weights; `EVERY`:
        all that there are.
    finetune_steps : int or None
        Steps of the fine-tuning; None: those of the budget.
    zero_shot : bool
        Predict without any training on the session itself.
    preset : str
        Preset that it is, whatever the budget; empty for the one of its architecture.
    as_long_as : str
        Variant whose training time it gets, in as many steps as fit; empty for its own steps.
    """

    name: str
    label: str
    architecture: str = "ndt1"
    changes: Changes = ()
    n_pretrain: int = 0
    finetune_steps: int | None = None
    zero_shot: bool = False
    preset: str = ""
    as_long_as: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table: its rows and how they are judged.

    Parameters
    ----------
    name, title : str
        What it is called, and what it shows.
    variants : tuple of Variant
        Its rows.
    baseline, headline : str
        The two variants that figures compare; empty where there are none.
    kind : str
        ``tasks``: the four tasks, then choice and whisker motion energy. ``decoding``: behaviour
        under each prompt. ``chance``: behaviour with its chance level, session by session.
    notes : tuple of str
        Sentences to be read with it.
    sessions : tuple of str
        Sessions by default, where they are not the budget's.
    """

    name: str
    title: str
    variants: tuple[Variant, ...]
    baseline: str = ""
    headline: str = ""
    kind: Kind = "tasks"
    notes: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()


def variant_config(variant: Variant, budget: str, typed: Typed = ()) -> TrainConfig:
    """Return the settings that a variant is trained with, without split and seed.

    Parameters
    ----------
    variant : Variant
        What to train.
    budget : str
        One of `BUDGETS`.
    typed : sequence of (str, str or list of str)
        Settings that replace the table's own.
    """
    preset, changes = variant.preset, dict[str, str | list[str]]()
    if not preset:
        preset, common = _base(variant.architecture, budget)
        changes |= dict(common)
        if (steps := BUDGET[budget].steps) is not None:
            changes["optim.steps"] = str(steps)
    if "optim.epochs" in dict(typed):
        changes["optim.steps"] = config_io.NONE
    changes |= dict(variant.changes)
    if changes.get("model.read_in") == "stitched" and budget != "paper":
        changes |= dict(_SMALL_STITCH)
    return config_io.apply_overrides(
        config_io.load_preset(preset), (changes | dict(typed)).items()
    )


def table_configs(table: Table, budget: str, typed: Typed = ()) -> dict[str, TrainConfig]:
    """Return the settings of every variant of a table, by its name.

    A typed setting of the model that only some of the architectures have goes to these.

    Raises
    ------
    ConfigError
        If a setting is impossible, or one that no variant has.
    """
    if "model.architecture" in dict(typed):
        msg = f"The table {table.name} chooses its architectures: leave out --model.architecture."
        raise ConfigError(msg)
    architectures = {variant.architecture for variant in table.variants}
    known = {name: _model_keys(name) for name in architectures}
    every = set().union(*known.values())
    found = {}
    for variant in table.variants:
        own = known[variant.architecture]
        kept = [pair for pair in typed if pair[0] not in every or pair[0] in own]
        found[variant.name] = variant_config(variant, budget, kept)
    return found


def _model_keys(architecture: str) -> set[str]:
    cls = config_io.section_classes(architecture)["model"]
    return {setting.key for setting in settings_of(cls).values()}


_SHARED: Changes = (
    ("model.prompt", "added"),
    ("masking.causal_ratio", "0.4"),
    ("masking.causal_span", "mixed"),
    ("masking.mixing", "trial"),
    ("optim.batch_size", "32"),
    ("run.validate_every", "50"),
    ("run.checkpoint_every", "200"),
)
_SMALL_STITCH: Changes = (("model.stitch_width", "84"),)
"""As much less than the paper's 668 as the width of a token, 64, is less than its 512."""
_QUICK = {"ndt1": "quick-temporal", "ndt2": "ndt2-quick", "lfads": "lfads-quick"}
_PAPER_NDT2: Changes = (
    ("model.architecture", "ndt2"),
    ("model.width", "512"),
    ("model.layers", "5"),
    ("model.heads", "8"),
    ("model.mlp_width", "1024"),
    ("model.positions", "learnt"),
    ("model.prompt", "prefix"),
    ("model.session_token", "true"),
    ("model.mask_flag", "false"),
    ("model.standardise", "false"),
    ("model.output_bias", "mean"),
    ("model.unit_history", "false"),
    ("model.unit_dropout", "0.0"),
    ("model.dropout", "0.4"),
    ("model.embedding_dropout", "0.2"),
)


def _base(architecture: str, budget: str) -> tuple[str, Changes]:
    """Return the preset of an architecture for a budget, and what is changed of it."""
    if budget != "paper":
        return _QUICK[architecture], _SHARED
    if architecture == "lfads":  # its published sizes are not known: ours, for as many epochs
        return _QUICK[architecture], (*_SHARED, ("optim.steps", config_io.NONE))
    preset = f"paper-{architecture}-mtm"
    if preset in list_presets():
        return preset, ()
    return "paper-ndt1-mtm", _PAPER_NDT2
