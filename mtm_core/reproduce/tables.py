"""The tables of the paper: for each its rows, and how they are judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mtm_core.errors import ConfigError, UnknownNameError
from mtm_core.reproduce.variants import EVERY, Changes, Table, Variant

MTM = ["neuron", "causal", "intra_region", "inter_region"]


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
_SHORT: Changes = (("optim.steps", "300"), ("run.validate_every", "25"))
_PRESETS = Table(
    name="presets",
    title="Presets, in the time of the recommended one",
    variants=(
        Variant(name="recommended", label="recommended", preset="recommended"),
        Variant(name="quick", label="quick", preset="quick"),
        Variant(
            name="quick-as-long",
            label="quick, as long",
            preset="quick",
            as_long_as="recommended",
        ),
        Variant(
            name="paper-as-long",
            label="paper's settings, as long",
            preset="paper-ndt1-mtm",
            as_long_as="recommended",
        ),
        Variant(
            name="paper-as-many-steps",
            label="paper's settings, as many steps",
            preset="paper-ndt1-mtm",
            changes=(("optim.steps", "300"),),
        ),
    ),
    baseline="quick-as-long",
    headline="recommended",
    sessions=("untouched",),
    notes=(
        "As long: as many steps as fit into the time that recommended took for the same session, "
        "split and seed, its fitted start included; the learning rate's schedule is as long.",
    ),
)
_NEW_ANIMALS = Table(
    name="new-animals",
    title="A new animal: pre-training on all sessions of the others, against none",
    variants=(
        Variant(
            name="from-scratch",
            label="from scratch, 300 steps",
            preset="recommended-multi",
            changes=_SHORT,
        ),
        Variant(
            name="from-scratch-long",
            label="from scratch, 1,500 steps",
            preset="recommended-multi",
            changes=(("optim.steps", "1500"), ("run.validate_every", "100")),
        ),
        Variant(
            name="zero-shot",
            label="pre-trained, zero-shot",
            preset="recommended-multi",
            n_pretrain=EVERY,
            zero_shot=True,
        ),
        Variant(
            name="pretrained",
            label="pre-trained, fine-tuned 300 steps",
            preset="recommended-multi",
            n_pretrain=EVERY,
            finetune_steps=300,
        ),
        Variant(
            name="pretrained-long",
            label="pre-trained, fine-tuned 1,500 steps",
            preset="recommended-multi",
            n_pretrain=EVERY,
            finetune_steps=1500,
        ),
        Variant(name="recommended", label="recommended (single session)", preset="recommended"),
    ),
    baseline="from-scratch",
    headline="pretrained",
    sessions=("untouched",),
    notes=(
        "No session of the animal in question is trained on beforehand; the model is then "
        "fine-tuned on training trials of the one session. All rows but the last have the "
        "architecture of recommended-multi.",
    ),
)
TABLES: Mapping[str, Table] = {table.name: table for table in (*_TABLES, _PRESETS, _NEW_ANIMALS)}
"""Every table of the paper, and those of our presets, by its name."""


def find_table(name: str, rows: Sequence[str] = ()) -> Table:
    """Return a table by its name, or some of its rows.

    Parameters
    ----------
    name : str
        One of `TABLES`.
    rows : sequence of str
        Names of variants; none for all. What they are compared with must be among them, or
        nothing is compared.

    Raises
    ------
    UnknownNameError
        If there is no such table or row.
    ConfigError
        If a row takes its time from one that is left out.
    """
    if name not in TABLES:
        raise UnknownNameError("table", name, TABLES)
    table = TABLES[name]
    known = {variant.name: variant for variant in table.variants}
    for row in rows:
        if row not in known:
            raise UnknownNameError(f"row of the table {name} called", row, known)
        if known[row].as_long_as and known[row].as_long_as not in rows:
            msg = f"The row {row} is trained as long as {known[row].as_long_as}: name that too."
            raise ConfigError(msg)
    if not rows:
        return table
    return replace(
        table,
        variants=tuple(variant for variant in table.variants if variant.name in rows),
        baseline=table.baseline if table.baseline in rows else "",
        headline=table.headline if table.headline in rows else "",
    )
