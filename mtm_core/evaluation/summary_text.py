"""The results table as Markdown, for the README."""

from __future__ import annotations

from collections.abc import Sequence

from mtm_core.evaluation.summary import (
    Mean,
    SessionResult,
    TaskSummary,
    best_baseline,
    session_value,
)
from mtm_core.masking.tasks import TASKS

NOTE = (
    "Bits per spike on test trials, pooled over units, null: each unit's mean rate in training "
    "trials. Means over sessions (over seeds first) with 95 % intervals by Student's t over "
    "sessions. *Best baseline*: highest mean over sessions. *Won*: sessions in which the model's "
    "mean over seeds is above that baseline; in brackets, above every baseline."
)


def table_markdown(
    results: Sequence[SessionResult], summaries: Sequence[TaskSummary], heading: Sequence[str] = ()
) -> str:
    """Return the tables of a reproduction: the summary, all baselines, and session by session."""
    parts = [*heading, NOTE, _main_table(summaries)]
    for split in dict.fromkeys(summary.split for summary in summaries):
        of_split = [summary for summary in summaries if summary.split == split]
        parts.append(f"All baselines, {split} split (difference: model minus baseline):")
        parts.append(_baseline_table(of_split))
    done = [result for result in results if result.models]
    parts += ["Session by session (model / best baseline of that session):", _sessions(done)]
    return "\n\n".join(parts) + "\n"


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table.

    Examples
    --------
    >>> print(markdown_table(["task", "bps"], [["co_smoothing", "0.2"]]))
    | task | bps |
    | --- | --- |
    | co_smoothing | 0.2 |
    """
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _main_table(summaries: Sequence[TaskSummary]) -> str:
    header = (
        "split",
        "task",
        "MtM",
        "SD over seeds",
        "beyond PSTH",
        "best baseline",
        "its score",
        "difference",
        "won",
    )
    return markdown_table(header, [_main_row(summary) for summary in summaries])


def _main_row(summary: TaskSummary) -> list[str]:
    rival = summary.against[summary.best_baseline]
    return [
        summary.split,
        summary.task,
        _mean(summary.model),
        "-" if summary.seed_sd is None else f"{summary.seed_sd:.4f}",
        _mean(summary.model_beyond_psth),
        summary.best_baseline,
        _mean(summary.baselines[summary.best_baseline]),
        f"**{_mean(rival.difference, sign=True)}**",
        f"{rival.n_won} ({summary.against_best_of_each.n_won}) of {rival.difference.n_sessions}",
    ]


def _baseline_table(summaries: Sequence[TaskSummary]) -> str:
    names = dict.fromkeys(name for summary in summaries for name in summary.baselines)
    rows = [["**MtM**", *(f"**{_mean(s.model)}**" for s in summaries)]]
    rows += [[name, *(_baseline_cell(s, name) for s in summaries)] for name in names]
    return markdown_table(["", *(summary.task for summary in summaries)], rows)


def _baseline_cell(summary: TaskSummary, name: str) -> str:
    if name not in summary.baselines:
        return "-"
    rival = summary.against[name]
    return (
        f"{summary.baselines[name].mean:.3f} (difference {_mean(rival.difference, sign=True)}, "
        f"won {rival.n_won} of {rival.difference.n_sessions})"
    )


def _sessions(results: Sequence[SessionResult]) -> str:
    rows = [
        [result.session, result.split, *(_session_cell(result, task) for task in TASKS)]
        for result in results
    ]
    return markdown_table(["session", "split", *TASKS], rows)


def _session_cell(result: SessionResult, task: str) -> str:
    own, rival = session_value(result, task), best_baseline(result, task)
    if own is None or rival is None:
        return "-"
    return f"{own:.3f} / {rival[1]:.3f} ({rival[0]})"


def _mean(value: Mean, *, sign: bool = False) -> str:
    number = f"{value.mean:+.3f}" if sign else f"{value.mean:.3f}"
    if value.interval is None:
        return number
    return f"{number} [{value.interval[0]:.3f}, {value.interval[1]:.3f}]"
