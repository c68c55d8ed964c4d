"""What stands behind the picture on screen, line by line, with what to mind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mtm_core.evaluation.leak_check import LeakCheck
from mtm_core.evaluation.mask_scores import CONTROL
from mtm_viewer.presenters.computing import route_words
from mtm_viewer.presenters.picture import Picture
from mtm_viewer.presenters.scores import ScoreLine
from mtm_viewer.presenters.workspace import Workspace

Verdict = Literal["fine", "mind", "bad", "plain"]
SIGNS: dict[Verdict, str] = {
    "fine": "\N{CHECK MARK}",
    "mind": "!",
    "bad": "\N{MULTIPLICATION X}",
    "plain": "\N{MIDDLE DOT}",
}
"""What stands before a line, so that no verdict is told by its colour alone."""
SIGN_WORDS: dict[Verdict, str] = {
    "fine": "as it should be",
    "mind": "to mind",
    "bad": "wrong",
    "plain": "",
}
_SEEN: dict[str, tuple[Verdict, str]] = {
    "test": ("fine", "the model was neither trained nor chosen on them"),
    "val": ("mind", "validation trials: the model's settings were chosen on them"),
    "train": ("bad", "the model was trained on them: scores say nothing"),
    "all": ("bad", "the model was trained on most of them: scores say nothing"),
}

_DIVIDED: dict[str, str] = {
    "random": "divided at random",
    "interleaved": "divided in turn",
    "blocked": "divided in blocks, with gaps",
}


@dataclass(frozen=True, kw_only=True)
class HonestyLine:
    """One thing that stands behind the picture.

    Parameters
    ----------
    what : str
        What it is about.
    words : str
        What is so.
    verdict : {"fine", "mind", "bad", "plain"}
        Whether that is as it should be.
    """

    what: str
    words: str
    verdict: Verdict = "plain"


@dataclass(frozen=True, eq=False, kw_only=True)
class Screen:
    """What is on screen.

    Parameters
    ----------
    workspace : Workspace
        What is open, with the trials that are shown.
    picture : Picture or None
        What came out.
    mask : str
        What is hidden, in words.
    split : str
        The part of the split that trials are from: test, val, train, all.
    untrained : str or None
        Why the model was not trained for such a mask.
    leak : LeakCheck, str or None
        What came of the leak check, or why it failed; None before it was tried.
    """

    workspace: Workspace
    picture: Picture | None
    mask: str
    split: str = "test"
    untrained: str | None = None
    leak: LeakCheck | str | None = None


def honesty_lines(screen: Screen) -> tuple[HonestyLine, ...]:
    """Say what stands behind a picture."""
    workspace, picture = screen.workspace, screen.picture
    lines = [_data(workspace), *_mask(screen), _trials(screen), _split(workspace)]
    if workspace.model is None:
        return (*lines, HonestyLine(what="Model", words="none: only what was recorded is shown"))
    lines.append(_trained(screen))
    if picture is not None and picture.n_done:
        lines += [_progress(picture), *_scores(picture.lines), _leak(screen.leak)]
        if picture.backend is not None:
            lines.append(HonestyLine(what="Computed", words=route_words(picture.backend)))
    return tuple(lines)


def _data(workspace: Workspace) -> HonestyLine:
    origin = workspace.recording.provenance
    if origin.is_simulated:
        return HonestyLine(what="Data", words="simulated by a program", verdict="mind")
    return HonestyLine(what="Data", words=f"recorded: {origin.source}", verdict="fine")


def _mask(screen: Screen) -> list[HonestyLine]:
    lines = [HonestyLine(what="Hidden (hatched)", words=screen.mask)]
    mask = None if screen.picture is None else screen.picture.mask
    if mask is not None:
        n_units = int(mask.is_scored.any(axis=0).sum())
        n_bins = int(mask.is_scored.any(axis=1).sum())
        lines.append(
            HonestyLine(
                what="Scored (not grey)",
                words=f"{n_units:,} units in {n_bins} of {len(mask.is_scored)} bins",
            )
        )
    return lines


def _trials(screen: Screen) -> HonestyLine:
    verdict, why = _SEEN[screen.split]
    if screen.workspace.model is None:
        verdict, why = "plain", "no model to judge"
    n_shown = len(screen.workspace.test)
    words = f"{n_shown} {screen.workspace.trial_kind} trials; {why}"
    return HonestyLine(what="Trials", words=words, verdict=verdict)


def _split(workspace: Workspace) -> HonestyLine:
    words = f"{len(workspace.train)} train, {len(workspace.val)} validation; rows are ordered, "
    words += "and nulls fitted, by train trials alone"
    if workspace.model is not None:
        split = workspace.model.checkpoint.manifest.config.data.split
        words = f"{_DIVIDED[split]}: {words}"
    return HonestyLine(what="Other trials", words=words)


def _trained(screen: Screen) -> HonestyLine:
    if screen.untrained:
        return HonestyLine(what="Model", words=screen.untrained, verdict="mind")
    model = screen.workspace.model
    name = "" if model is None else model.name
    words = f"{name}, trained for masks of this kind"
    return HonestyLine(what="Model", words=words, verdict="fine")


def _progress(picture: Picture) -> HonestyLine:
    if not picture.is_exact:
        words = f"{picture.n_done} of {picture.n_wanted} trials so far, some by a preview"
        return HonestyLine(what="Averages", words=words, verdict="mind")
    words = f"all {picture.n_wanted} trials, exact"
    return HonestyLine(what="Averages", words=words, verdict="fine")


def _scores(lines: Sequence[ScoreLine]) -> list[HonestyLine]:
    if not lines:
        return []
    own, *others = lines
    said = "; ".join(f"{line.name} {_bps(line)}" for line in others if line.name != CONTROL)
    told = [
        HonestyLine(
            what="Score",
            words=f"{own.name} {_bps(own)} bits/spike beyond the PSTH of training trials of the "
            "same condition, pooled over units and trials",
        ),
        HonestyLine(what="Baselines", words=said or "none"),
    ]
    control = [line for line in others if line.name == CONTROL]
    if control:
        told.append(_control(own, control[0]))
    else:
        words = "not tried: Model > Shuffle control (Ctrl+K)"
        told.append(HonestyLine(what="Shuffle control", words=words))
    return told


def _control(own: ScoreLine, control: ScoreLine) -> HonestyLine:
    words = f"given other trials' neurons the model reaches {_bps(control)}"
    both = own.bps_beyond_psth is not None and control.bps_beyond_psth is not None
    is_more = both and float(own.bps_beyond_psth or 0) > float(control.bps_beyond_psth or 0)
    return HonestyLine(
        what="Shuffle control",
        words=words if is_more else f"{words}: it reads nothing from these",
        verdict="fine" if is_more else "mind",
    )


def _leak(found: LeakCheck | str | None) -> HonestyLine:
    if found is None:
        words = "not tried: the button below replaces what is hidden, and looks what moves"
        return HonestyLine(what="Leak check", words=words)
    if isinstance(found, str):
        return HonestyLine(what="Leak check", words=found, verdict="mind")
    words = (
        f"{found.n_entries:,} predictions of {found.n_trials} trials: after all that was hidden "
        f"was replaced a log-rate moved by {found.hidden_moved:.1g} at most; after all that was "
        f"visible, by {found.visible_moved:.1g}"
    )
    return HonestyLine(what="Leak check", words=words, verdict="fine" if found.is_tight else "bad")


def _bps(line: ScoreLine) -> str:
    if line.bps_beyond_psth is None:
        return "no spike"
    return f"{line.bps_beyond_psth:+.3f}".replace("-", "\N{MINUS SIGN}")
