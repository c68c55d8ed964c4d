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
_FORWARD = "forward_prediction"
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
    group.add_argument("--score", metavar="RULE", help="score these units only; also with --task")
    group.add_argument(
        "--one-at-a-time",
        action="store_true",
        help="predict each unit of --score in a pass of its own, in which it is hidden too",
    )
    group.add_argument("--task", metavar="NAME", help="one of the paper's four tasks instead")
    group.add_argument(
        "--region",
        nargs="+",
        metavar="ACRONYM",
        help="the region or regions that the task targets",
    )
    group.add_argument(
        "--last", type=int, metavar="BINS", help="bins that --task forward_prediction hides"
    )
    group.add_argument(
        "--named", metavar="NAME", help="a mask that was named in mtm-viewer for this session"
    )
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
    if (args.task or args.mask or args.named) and spec.prompt in schemes:
        return spec
    rates = bound.train_rate_hz() if spec.needs_rates else None
    return spec.with_prompt(best_prompt(spec, bound.session, schemes, rates))


def _spec(args: argparse.Namespace, bound: Reconstructor) -> MaskSpec:
    with_task = ("hide", "bins") if args.task else ("hide", "bins", "score")
    by_hand = [f"--{name}" for name in with_task if getattr(args, name)]
    by_hand += ["--one-at-a-time"] if args.one_at_a_time else []
    ways = [f"--{name}" for name in ("task", "mask", "named") if getattr(args, name)] + by_hand[:1]
    if len(ways) > 1:
        msg = f"{ways[0]} says what is hidden, and so does {ways[1]}. Give one of them."
        raise ConfigError(msg)
    if args.region and not args.task:
        msg = "--region goes with --task. To hide a region write --hide 'region == \"CA1\"'."
        raise ConfigError(msg)
    if args.last is not None and args.task != _FORWARD:
        msg = "--last goes with --task forward_prediction. To hide other bins give --bins."
        raise ConfigError(msg)
    if args.task:
        return _task(args, bound)
    if args.mask:
        return _read_mask(args.mask)
    if args.named:
        return _named(args.named, bound)
    if not by_hand:
        msg = (
            "What shall be hidden? Give --hide RULE, --bins FIRST:STOP, --task, --mask or --named."
        )
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


def _task(args: argparse.Namespace, bound: Reconstructor) -> MaskSpec:
    """Make the mask of a task, as the window's recipe of that name does."""
    from mtm_core.masking import tasks
    from mtm_core.masking.recipes import RecipeSettings, recipe_spec

    task, regions, session = tasks.find_task(args.task), args.region or (), bound.session
    known = ", ".join(session.region_names()) or "none in this session"
    if task not in _REGION_TASKS and regions:
        msg = f"--task {task} has no region. Leave --region out, or give --score RULE."
        raise ConfigError(msg)
    if task in _REGION_TASKS and not regions:
        msg = f"--task {task} needs --region ACRONYM: {known}."
        raise ConfigError(msg)
    for region in regions:
        plan = tasks.plan_task(task, session, min_region_units=1, target_regions=[region])
        if not plan.specs:
            msg = f"{region} cannot be a target of {task}: {plan.skipped[region]}."
            raise MaskError(msg)
    settings = RecipeSettings(last_bins=args.last, score_rule=args.score or "")
    return recipe_spec(task, tuple(regions), session.n_bins, settings)


def _named(name: str, bound: Reconstructor) -> MaskSpec:
    from mtm_core.masking.named_masks import find_named_mask

    return find_named_mask(name, bound.session.session_id)


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
