"""The tables of the paper: for each its variants, what they are trained with, how they are scored.

A variant is a preset for its budget and what is changed of it. At the budgets ``quick`` and
``standard`` all variants of a table share sizes, optimiser, ratios and steps, so that only what
the table is about differs; at ``paper`` they have the published settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from mtm_core import config_io
from mtm_core.config import SplitName, TrainConfig
from mtm_core.config_fields import settings_of
from mtm_core.errors import ConfigError, UnknownNameError
from mtm_core.resources import list_presets

BudgetName = Literal["quick", "standard", "paper"]
BUDGETS: tuple[BudgetName, ...] = get_args(BudgetName)
"""Names of the budgets."""
Kind = Literal["tasks", "decoding", "chance"]
Changes = tuple[tuple[str, str | list[str]], ...]
Typed = Sequence[tuple[str, str | list[str]]]

MTM = ["neuron", "causal", "intra_region", "inter_region"]


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
        steps=1500,
        finetune_steps=300,
        sessions=("untouched",),
        seeds=(0, 1, 2),
        splits=("random", "blocked"),
    ),
    "paper": Budget(
        steps=None,
        finetune_steps=None,
        sessions=("untouched",),
        seeds=(42,),
        splits=("random",),
    ),
}


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
        Sessions of other animals to train on before fine-tuning; 0: from drawn weights.
    """

    name: str
    label: str
    architecture: str = "ndt1"
    changes: Changes = ()
    n_pretrain: int = 0


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


def find_table(name: str) -> Table:
    """Return a table by its name.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    if name not in TABLES:
        raise UnknownNameError("table", name, TABLES)
    return TABLES[name]


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
    preset, common = _base(variant.architecture, budget)
    changes = dict(common)
    steps = BUDGET[budget].steps
    if steps is not None:
        changes["optim.steps"] = str(steps)
    if "optim.epochs" in dict(typed):
        changes["optim.steps"] = config_io.NONE
    changes |= dict(variant.changes)
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


def _schemes(*names: str) -> Changes:
    return (("masking.schemes", list(names)),)


_NO_PROMPT: Changes = (("model.prompt", "none"),)


def _mask_variants(architecture: str) -> tuple[Variant, ...]:
    """Return the rows of a table of masks: the baseline, each scheme alone, MtM."""
    baseline = "temporal" if architecture == "ndt1" else "random_token"
    alone = (baseline, "neuron", "causal", "intra_region", "inter_region")
    rows = [
        Variant(
            name=scheme.replace("_", "-"),
            label=f"{_words(scheme)} (baseline)" if scheme == baseline else _words(scheme),
            architecture=architecture,
            changes=_NO_PROMPT + _schemes(scheme) + _without_session_token(architecture),
        )
        for scheme in alone
    ]
    unprompted = Variant(
        name="mtm-unprompted",
        label="MtM, not prompted",
        architecture=architecture,
        changes=_NO_PROMPT + _schemes(*MTM),
    )
    return (*rows, unprompted, _mtm("mtm", "MtM, prompted", architecture))


def _words(scheme: str) -> str:
    return {"intra_region": "intra-region", "inter_region": "inter-region"}.get(
        scheme, scheme.replace("_", " ")
    )


def _without_session_token(architecture: str) -> Changes:
    return () if architecture == "lfads" else (("model.session_token", "false"),)


def _mtm(name: str, label: str, architecture: str = "ndt1", changes: Changes = ()) -> Variant:
    """Return MtM with its prompt, given as the preset gives it."""
    return Variant(
        name=name, label=label, architecture=architecture, changes=_schemes(*MTM) + changes
    )


def _ratio(ratio: str) -> Variant:
    changes: Changes = (("masking.neuron_ratio", ratio), ("masking.causal_ratio", ratio))
    return _mtm(f"ratio-{ratio}", f"ratio {ratio}, MtM prompted", changes=changes)


def _positions(kind: str) -> Variant:
    return _mtm(kind, f"{kind} positions, MtM prompted", changes=(("model.positions", kind),))


def _mask_token(start: Variant, *, with_token: bool) -> Variant:
    words = "with" if with_token else "without"
    flag: Changes = (("model.mask_flag", str(with_token).lower()),)
    return Variant(
        name=f"{start.name}-{words}-mask-token",
        label=f"{start.label}, {words} mask token",
        architecture=start.architecture,
        changes=start.changes + flag,
    )


def _stitched(name: str, label: str, start: Variant, n_pretrain: int) -> Variant:
    """Return a row of a model that is fine-tuned: NDT1 is stitched, NDT2 shares all."""
    read_in: Changes = (("model.read_in", "stitched"),) if start.architecture == "ndt1" else ()
    return Variant(
        name=name,
        label=label,
        architecture=start.architecture,
        changes=start.changes + read_in,
        n_pretrain=n_pretrain,
    )


_NDT1, _NDT2 = _mask_variants("ndt1"), _mask_variants("ndt2")
_MANY = 8
"""Sessions of other animals for fine-tuning: as many as there are beside any bundled mouse."""
_LFADS_BASELINE = Variant(
    name="lfads-coordinated-dropout",
    label="LFADS, coordinated dropout (baseline)",
    architecture="lfads",
    changes=_NO_PROMPT + _schemes("coordinated_dropout"),
)
_FINETUNED = (
    "Held-out: the model is trained on sessions of other animals only, each seen as often as a "
    "single session is, and then fine-tuned on training trials of the session in question."
)

_TABLES = (
    Table(
        name="masks",
        title="Masking schemes, NDT1, one session per model",
        variants=_NDT1,
        baseline="temporal",
        headline="mtm",
    ),
    Table(
        name="masks-ndt2",
        title="Masking schemes, NDT2, one session per model",
        variants=_NDT2,
        baseline="random-token",
        headline="mtm",
    ),
    Table(
        name="lfads",
        title="NDT1 against LFADS, each with its baseline and with MtM",
        variants=(
            replace(_NDT1[0], name="ndt1-temporal", label="NDT1, temporal (baseline)"),
            _mtm("ndt1-mtm", "NDT1, MtM"),
            _LFADS_BASELINE,
            _mtm("lfads-mtm", "LFADS, MtM", "lfads"),
        ),
        baseline="lfads-coordinated-dropout",
        headline="lfads-mtm",
        notes=("LFADS has the sizes of lfads-quick at every budget: the paper's are not known.",),
    ),
    Table(
        name="mask-token",
        title="NDT2 with a binary mask token, which tells hidden bins from silent ones",
        variants=tuple(
            _mask_token(start, with_token=flag)
            for start in (_NDT2[0], _NDT2[-1])
            for flag in (False, True)
        ),
        baseline="mtm-without-mask-token",
        headline="mtm-with-mask-token",
    ),
    Table(
        name="mask-ratio",
        title="Mask ratio, NDT1 with MtM",
        variants=tuple(map(_ratio, ("0.1", "0.3", "0.6"))),
        baseline="ratio-0.3",
        headline="ratio-0.1",
        notes=(
            "The ratio is that of hidden units, alone and inside a region, and of hidden bins.",
        ),
    ),
    Table(
        name="positions",
        title="Positions, NDT1 with MtM",
        variants=tuple(map(_positions, ("learnt", "rotary", "both"))),
        baseline="learnt",
        headline="rotary",
    ),
    Table(
        name="decoding-prompt",
        title="Behaviour decoded under each prompt, NDT1 with MtM",
        variants=(_NDT1[-1],),
        kind="decoding",
    ),
    Table(
        name="chance",
        title="Behaviour decoded, and its chance level, session by session; NDT1 with MtM",
        variants=(_NDT1[-1],),
        kind="chance",
    ),
    Table(
        name="scaling",
        title="Number of sessions trained on before fine-tuning, NDT1-stitch with MtM",
        variants=tuple(
            _stitched(f"sessions-{n}", f"{n} other sessions" if n else "single session", mtm, n)
            for mtm, n in ((_NDT1[-1], n) for n in (0, 1, 2, 5, 10))
        ),
        baseline="sessions-0",
        headline="sessions-10",
        sessions=("steinmetz2019_s07", "steinmetz2019_s02", "steinmetz2019_s11"),
        notes=(_FINETUNED,),
    ),
    Table(
        name="held-out",
        title="Held-out sessions, fine-tuned",
        variants=(
            _stitched(
                "ndt1-temporal-single", "NDT1-stitch, single session, temporal", _NDT1[0], 0
            ),
            _stitched("ndt1-mtm-single", "NDT1-stitch, single session, MtM", _NDT1[-1], 0),
            _stitched(
                "ndt1-temporal-many", f"NDT1-stitch, {_MANY} sessions, temporal", _NDT1[0], _MANY
            ),
            _stitched("ndt1-mtm-many", f"NDT1-stitch, {_MANY} sessions, MtM", _NDT1[-1], _MANY),
            _stitched(
                "ndt2-random-token-many", f"NDT2, {_MANY} sessions, random token", _NDT2[0], _MANY
            ),
            _stitched("ndt2-mtm-many", f"NDT2, {_MANY} sessions, MtM", _NDT2[-1], _MANY),
        ),
        baseline="ndt1-temporal-many",
        headline="ndt1-mtm-many",
        notes=(_FINETUNED,),
    ),
)
TABLES: Mapping[str, Table] = {table.name: table for table in _TABLES}
"""Every table of the paper, by its name."""
