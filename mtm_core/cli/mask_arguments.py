"""Arguments that say what to hide, and the mask that they make."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from mtm_core.errors import ConfigError, MaskError

if TYPE_CHECKING:
    from mtm_core.inference import Reconstructor
    from mtm_core.masking.choice import Block
    from mtm_core.masking.spec import MaskSpec

_REGION_TASKS = ("intra_region", "inter_region")
_MAX_MASK_BYTES = 16 * 2**20


def add_mask_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of a mask."""
    group = parser.add_argument_group("what is hidden")
    group.add_argument(
        "--hide",
        action="append",
        metavar="RULE",
        help="hide units by a rule, such as 'region == \"CA1\"'; may be given again",
    )
    group.add_argument(
        "--bins", metavar="FIRST:STOP", help="hide these bins only, such as 36:40 (STOP excluded)"
    )
    group.add_argument("--score", metavar="RULE", help="score these units only")
    group.add_argument(
        "--one-at-a-time",
        action="store_true",
        help="predict each unit of --score in a pass of its own, in which it is hidden too",
    )
    group.add_argument("--task", metavar="NAME", help="one of the paper's four tasks instead")
    group.add_argument("--region", metavar="ACRONYM", help="the region that the task targets")
    group.add_argument("--mask", type=Path, metavar="FILE.json", help="a saved mask instead")
    group.add_argument(
        "--prompt",
        default="auto",
        metavar="NAME",
        help="how the model is told; auto (the default) takes what suits the mask best",
    )


def choose_mask(args: argparse.Namespace, bound: Reconstructor) -> MaskSpec:
    """Return the mask that was asked for, under the prompt that suits it and the model.

    Raises
    ------
    ConfigError
        If arguments are missing or contradict each other.
    MaskError
        If the mask cannot be applied to the session.
    """
    from mtm_core.masking.spec import best_prompt

    spec = _spec(args, bound)
    if args.prompt != "auto":
        return spec.with_prompt(args.prompt)
    schemes = bound.checkpoint.manifest.config.masking.schemes
    if (args.task or args.mask) and spec.prompt in schemes:
        return spec
    rates = bound.train_rate_hz() if spec.needs_rates else None
    return spec.with_prompt(best_prompt(spec, bound.session, schemes, rates))


def _spec(args: argparse.Namespace, bound: Reconstructor) -> MaskSpec:
    by_hand = [f"--{name}" for name in ("hide", "bins", "score") if getattr(args, name)]
    by_hand += ["--one-at-a-time"] if args.one_at_a_time else []
    ways = [f"--{name}" for name in ("task", "mask") if getattr(args, name)] + by_hand[:1]
    if len(ways) > 1:
        msg = f"{ways[0]} says what is hidden, and so does {ways[1]}. Give one of them."
        raise ConfigError(msg)
    if args.region and not args.task:
        msg = "--region goes with --task. To hide a region write --hide 'region == \"CA1\"'."
        raise ConfigError(msg)
    if args.task:
        return _task(args.task, args.region, bound)
    if args.mask:
        return _read_mask(args.mask)
    if not by_hand:
        msg = "What shall be hidden? Give --hide RULE, --bins FIRST:STOP, --task or --mask."
        raise ConfigError(msg)
    return _by_hand(args)


def _by_hand(args: argparse.Namespace) -> MaskSpec:
    from mtm_core.masking.spec import MaskSpec

    bins = None if args.bins is None else _bins(args.bins)
    hidden = tuple(_block(rule, bins) for rule in args.hide or ())
    if not hidden and bins is not None:
        hidden = (_block(None, bins),)
    if args.one_at_a_time and not args.score:
        msg = "--one-at-a-time needs --score RULE: the units to predict in turn."
        raise ConfigError(msg)
    scored = (_block(args.score, None),) if args.score else None
    return MaskSpec(blocks=hidden, scored=scored, one_at_a_time=args.one_at_a_time)


def _block(rule: str | None, bins: tuple[int, int] | None) -> Block:
    from mtm_core.masking.choice import Block, UnitChoice

    return Block(UnitChoice.every() if rule is None else UnitChoice.by_rule(rule), bins)


def _bins(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"\s*([0-9]{1,6})\s*:\s*([0-9]{1,6})\s*", text)
    if found is None:
        msg = f"--bins is '{text}', but must be FIRST:STOP, such as 36:40."
        raise ConfigError(msg)
    return int(found[1]), int(found[2])


def _task(name: str, region: str | None, bound: Reconstructor) -> MaskSpec:
    from mtm_core.masking import tasks

    task = tasks.find_task(name)
    if task not in _REGION_TASKS:
        if region:
            msg = f"--task {task} has no region. Leave --region out."
            raise ConfigError(msg)
        return tasks.plan_task(task, bound.session).specs[0]
    if not region:
        known = ", ".join(bound.session.region_names()) or "none in this session"
        msg = f"--task {task} needs --region ACRONYM: {known}."
        raise ConfigError(msg)
    plan = tasks.plan_task(task, bound.session, min_region_units=1, target_regions=[region])
    if not plan.specs:
        msg = f"{region} cannot be a target of {task}: {plan.skipped[region]}."
        raise MaskError(msg)
    return plan.specs[0]


def _read_mask(path: Path) -> MaskSpec:
    from mtm_core.masking.spec import MaskSpec

    try:
        if path.stat().st_size > _MAX_MASK_BYTES:
            msg = f"{path} is too large to be a mask."
            raise MaskError(msg)
        return MaskSpec.from_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        msg = f"The mask {path} cannot be read: there is no such file, or it is no text."
        raise MaskError(msg) from error
