"""The health strip: what to know about the open session at a glance, and all of it on demand."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Literal

from mtm_core.data.health import SessionHealth
from mtm_core.data.session import Session

Role = Literal["muted", "good", "warning", "text"]

MUCH_DRIFT = 0.2
"""A larger relative change of the mean rate from the first fifth to the last is marked."""
MANY_DROPPED = 0.2
"""A larger share of dropped trials is marked."""
_WORDS = {
    "whisker_motion_energy": "whisker motion energy",
    "wheel_speed": "wheel speed",
    "wheel_velocity": "wheel velocity",
    "lick_count": "licks",
}


@dataclass(frozen=True, kw_only=True)
class Chip:
    """One thing to know.

    Parameters
    ----------
    name : str
        What it is about, for screen readers.
    text : str
        In a few words.
    tooltip : str
        In full.
    role : str
        How it is meant: a role of the theme.
    bars : tuple of float
        Heights (0 to 1) of a small bar chart beside it; empty for none.
    is_badge : bool
        Whether it stands in a coloured pill.
    """

    name: str
    text: str
    tooltip: str
    role: Role = "text"
    bars: tuple[float, ...] = ()
    is_badge: bool = False


def health_chips(session: Session, health: SessionHealth) -> tuple[Chip, ...]:
    """Say what to know about a session, most important first."""
    chips = (
        _kind(session),
        _units(session, health),
        _trials(session, health),
        _drift(health),
        _behaviors(health),
    )
    return tuple(chip for chip in chips if chip is not None)


def _kind(session: Session) -> Chip:
    origin = session.provenance
    lines = [origin.source, origin.licence, *origin.notes]
    tooltip = "\n".join(line for line in lines if line)
    if origin.is_simulated:
        told = "A program made these spikes: nothing here was recorded from an animal."
        text = "simulated"
        return Chip(
            name="Origin", text=text, tooltip=f"{told}\n{tooltip}", role="warning", is_badge=True
        )
    return Chip(name="Origin", text="recorded", tooltip=tooltip, role="good", is_badge=True)


def _units(session: Session, health: SessionHealth) -> Chip:
    text = f"{health.n_units:,} {_plural(health.n_units, 'unit')}"
    if health.n_good is not None:
        text += ", all good" if health.n_good == health.n_units else f", {health.n_good:,} good"
    lines = [] if session.preparation is None else [session.preparation.units_sentence + "."]
    if health.n_good is None:
        lines.append("The quality of the units is not recorded.")
    if health.n_silent:
        lines.append(f"{health.n_silent} of them have no spike in these trials.")
    return Chip(name="Units", text=text, tooltip="\n".join(lines) or text)


def _trials(session: Session, health: SessionHealth) -> Chip:
    report = session.preparation
    if report is None or health.n_trials_dropped is None:
        text = f"{health.n_trials:,} {_plural(health.n_trials, 'trial')}"
        told = "Prepared elsewhere: which trials were left out is not recorded."
        return Chip(name="Trials", text=text, tooltip=told)
    is_much = report.share_of_trials_dropped > MANY_DROPPED
    lines = [f"{n:,} {reason}" for reason, n in health.trials_dropped]
    tooltip = "\n".join(["Left out:", *lines] if lines else ["No trial was left out."])
    role: Role = "warning" if is_much else "text"
    return Chip(name="Trials", text=report.trials_sentence, tooltip=tooltip, role=role)


def _drift(health: SessionHealth) -> Chip | None:
    if len(health.rate_hz_by_fifth) < 2:
        return None
    rates = health.rate_hz_by_fifth
    top = max(rates) or 1.0
    percent = f"{100 * health.drift:+.0f} %".replace("-", "\N{MINUS SIGN}")
    each = ", ".join(f"{rate:.2f}" for rate in rates)
    tooltip = (
        f"Mean rate in each fifth of the session: {each} spikes/s.\n"
        f"From the first to the last it changes by {percent} of the mean."
    )
    is_much = abs(health.drift) > MUCH_DRIFT
    return Chip(
        name="Drift of the mean rate",
        text=f"rate drift {percent}",
        tooltip=tooltip,
        role="warning" if is_much else "text",
        bars=tuple(rate / top for rate in rates),
    )


def _behaviors(health: SessionHealth) -> Chip:
    missing = [behavior_words(name) for name, _ in health.behaviors_missing]
    lines = [f"{behavior_words(name)}: {why}" for name, why in health.behaviors_missing]
    lines += [
        f"{behavior_words(name)}: not in {n} of {health.n_trials} trials"
        for name, n in health.behaviors_partial
    ]
    if not missing:
        text = "all behaviour" if not health.behaviors_partial else "behaviour, with gaps"
        tooltip = "\n".join(lines) or "Every behaviour that models can be asked about is there."
        return Chip(name="Missing behaviour", text=text, tooltip=tooltip)
    return Chip(
        name="Missing behaviour",
        text=f"without {', '.join(missing)}",
        tooltip="\n".join(lines),
        role="muted",
    )


def behavior_words(name: str) -> str:
    """Name a behaviour for people.

    Examples
    --------
    >>> behavior_words("whisker_motion_energy"), behavior_words("block")
    ('whisker motion energy', 'block')
    """
    return _WORDS.get(name, name.replace("_", " "))


def health_details(session: Session, health: SessionHealth) -> str:
    """Write all of it as rich text: where it came from, the rules, what they left out."""
    origin, report = session.provenance, session.preparation
    facts = {
        "Session": session.session_id,
        "Subject": origin.subject,
        "Laboratory": origin.lab,
        "Date": origin.date,
        "Source": origin.source,
        "Kind": "simulated: made by a program" if origin.is_simulated else "recorded",
        "Trials": f"{session.n_bins} bins of {session.bin_size_s * 1000:g} ms from "
        f"{origin.window_start_s:g} s, aligned to {origin.align_event}",
        "Licence": origin.licence,
        "Cite": origin.citation,
    }
    rows = "".join(
        f"<tr><td><b>{name}</b>&nbsp;&nbsp;</td><td>{html.escape(value)}</td></tr>"
        for name, value in facts.items()
        if value
    )
    parts = [f"<table cellpadding='2'>{rows}</table>"]
    if report is not None:
        parts.append(_list("Rules of the preparation", report.rules))
        parts.append(_list("Kept", (report.units_sentence, report.trials_sentence)))
    else:
        parts.append("<p>It came prepared: no report of what was left out lies in the file.</p>")
    missing = tuple(f"{behavior_words(n)}: {why}" for n, why in health.behaviors_missing)
    parts.append(_list("Missing behaviour", missing))
    parts.append(_list("Notes", origin.notes))
    return "".join(parts)


def _list(title: str, entries: tuple[str, ...]) -> str:
    if not entries:
        return ""
    items = "".join(f"<li>{html.escape(entry)}</li>" for entry in entries)
    return f"<p><b>{title}</b></p><ul>{items}</ul>"


def _plural(number: int, noun: str) -> str:
    return noun if number == 1 else f"{noun}s"
