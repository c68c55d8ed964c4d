"""What `mtm-core info` says about how a session was prepared and whether it is in good health."""

from __future__ import annotations

import textwrap

from mtm_core.data.health import session_health
from mtm_core.data.session import Session

NOTABLE_DRIFT = 0.3
"""A larger change of the mean rate from the first fifth to the last is worth a word."""


def preparation_text(session: Session) -> str:
    """Return the rules that a session was prepared by, and what they left out; "" if none."""
    report = session.preparation
    if report is None:
        return ""
    lines = [
        _paragraph("Prepared", f"{report.trials_sentence}."),
        _paragraph("", f"{report.units_sentence}."),
        *(_paragraph("Rule", rule) for rule in report.rules),
    ]
    return "\n".join(lines)


def health_text(session: Session) -> str:
    """Return what to mind before anything is trained on a session."""
    health = session_health(session)
    good = "quality not recorded" if health.n_good is None else f"{health.n_good} good"
    lines = [
        _paragraph(
            "Health",
            f"{health.n_units} units ({good}, {health.n_silent} without a spike), "
            f"{health.n_trials} trials.",
        ),
        _paragraph("", _drift_sentence(health.rate_hz_by_fifth, health.drift)),
    ]
    missing: dict[str, list[str]] = {}
    for name, why in health.behaviors_missing:
        missing.setdefault(why, []).append(name)
    lines += [_paragraph("", f"Missing ({why}): {', '.join(n)}.") for why, n in missing.items()]
    if health.behaviors_partial:
        partial = ", ".join(f"{name} in {n} trials" for name, n in health.behaviors_partial)
        lines.append(_paragraph("", f"Not valid: {partial}."))
    return "\n".join(lines)


def _drift_sentence(rates: tuple[float, ...], drift: float) -> str:
    shown = ", ".join(f"{rate:.2f}" for rate in rates)
    remark = " Mind the drift." if abs(drift) > NOTABLE_DRIFT else ""
    parts = "each fifth" if len(rates) == 5 else f"each of {len(rates)} parts"
    return (
        f"Mean rate in {parts} of the session {shown} Hz, {drift:+.0%} from first to last.{remark}"
    )


def _paragraph(title: str, text: str) -> str:
    return textwrap.fill(text, width=99, initial_indent=f"{title:<14}", subsequent_indent=" " * 14)
