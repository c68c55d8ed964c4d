"""A table of the paper as Markdown: ours, the classical baselines, the published numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from statistics import fmean

from mtm_core.evaluation.summary_text import markdown_table
from mtm_core.masking.tasks import TASKS
from mtm_core.reproduce.published import COLUMNS, SOURCE, PublishedRow, published_rows
from mtm_core.reproduce.table_behavior import COLUMNS as BEHAVIOR
from mtm_core.reproduce.table_differences import Difference
from mtm_core.reproduce.table_plan import TableCell, TablePlan
from mtm_core.reproduce.table_rows import (
    MEASURES,
    Row,
    Value,
    behavior_score,
    classical_rows,
    model_rows,
    not_recorded,
)

WORDS = {
    "co_smoothing": "co-smoothing",
    "forward_prediction": "forward prediction",
    "intra_region": "intra-region",
    "inter_region": "inter-region",
    "choice": "choice (accuracy)",
    "whisker_motion_energy": "whisker (R2)",
}
NOT_RECORDED = "not recorded"
PENDING = "..."
OTHER_DATA = "published, *other data*"


def table_rows(plan: TablePlan) -> list[Row]:
    """Return all rows of a table of tasks: every split, every measure."""
    return [
        row
        for split in plan.splits
        for measure in MEASURES
        for row in (*model_rows(plan, split, measure), *classical_rows(plan, split, measure))
    ]


def table_text(plan: TablePlan) -> str:
    """Return a table as Markdown, as far as its cells are there."""
    parts = [f"# {plan.content.title}", *_heading(plan)]
    if plan.content.kind == "tasks":
        rows = table_rows(plan)
        for split in plan.splits:
            for measure, words in MEASURES.items():
                parts.append(f"**{split.capitalize()} split; {words}**")
                own = [row for row in rows if (row.split, row.measure) == (split, measure)]
                parts.append(_tasks_table(plan, own, published_rows(plan.table)))
                if differences := _differences_table(plan, own):
                    parts += [f"Minus {_label(plan, plan.content.baseline)}:", differences]
                parts += _classical_differences(own)
    else:
        parts += _behavior_tables(plan)
    parts += [*_notes(plan), *_failures(plan), _runs(plan)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _heading(plan: TablePlan) -> list[str]:
    names = ", ".join(path.stem for path in plan.sessions)
    config = plan.configs()[plan.content.variants[0].name]
    done = [values for cell in plan.cells() if (values := plan.read(cell)) is not None]
    simulated = " SIMULATED recordings." if any(v["is_simulated"] for v in done) else ""
    steps = config.optim.steps
    lines = [
        f"Budget {plan.budget} ({f'{config.optim.epochs} epochs' if steps is None else steps} "
        f"{'' if steps is None else 'steps '}of {config.optim.batch_size} trials); seeds "
        f"{', '.join(map(str, plan.seeds))}; {len(plan.sessions)} sessions: {names}.{simulated} "
        f"{len(done)} of {len(plan.cells())} cells computed."
    ]
    trained = [values for values in done if "train_seconds" in values]
    if trained:
        lines.append(
            f"On average a model took {fmean(v['train_seconds'] for v in trained):.0f} s to train "
            f"and {fmean(v['score_seconds'] for v in trained):.0f} s to score, {plan.workers} at "
            f"a time with {plan.threads} threads each."
        )
    return lines


def _tasks_table(plan: TablePlan, rows: Sequence[Row], published: Sequence[PublishedRow]) -> str:
    header = ["", *(WORDS[column] for column in COLUMNS), "cells"]
    missing = {target for target in BEHAVIOR if not_recorded(plan, target)}
    lines = [
        [
            row.label,
            *(_cell(plan, row, column, missing) for column in COLUMNS),
            f"{row.n_cells} of {row.n_planned}",
        ]
        for row in rows
    ]
    if rows and rows[0].measure == "bps_unit_mean":
        lines += [
            [
                f"{each.label}: {OTHER_DATA}",
                *(each.values.get(column, "-") for column in COLUMNS),
                "-",
            ]
            for each in published
        ]
    return markdown_table(header, lines)


def _cell(plan: TablePlan, row: Row, column: str, missing: set[str]) -> str:
    value = row.values.get(column)
    if value is not None:
        return _number(value, plan)
    if column in missing:
        return NOT_RECORDED
    return "-" if row.kind == "classical" or row.n_cells == row.n_planned else PENDING


def _number(value: Value, plan: TablePlan) -> str:
    text = f"{value.mean:.3f}" + (f" ± {value.sd:.3f}" if value.sd is not None else "")
    few = value.n_sessions < len(plan.sessions)
    return f"{text} ({value.n_sessions} sessions)" if few else text


def _differences_table(plan: TablePlan, rows: Sequence[Row]) -> str:
    header = ["", *(WORDS[task] for task in TASKS)]
    lines = [
        [row.label, *(_difference(row.minus_baseline.get(task)) for task in TASKS)]
        for row in rows
        if row.minus_baseline
    ]
    return markdown_table(header, lines) if lines else ""


def _classical_differences(rows: Sequence[Row]) -> list[str]:
    models = [row for row in rows if row.minus_classical]
    if not models:
        return []
    best = models[0].classical
    header = ["", *(f"{WORDS[task]}: {best.get(task, '-').replace('_', ' ')}" for task in TASKS)]
    lines = [
        [row.label, *(_difference(row.minus_classical.get(task)) for task in TASKS)]
        for row in models
    ]
    return ["Minus the best classical baseline of each task:", markdown_table(header, lines)]


def _difference(value: Difference | None) -> str:
    if value is None:
        return "-"
    mean = value.over_sessions
    interval = value.by_trials or mean.interval
    if interval is None:
        return f"{mean.mean:+.3f}"
    won = f"{value.n_won} of {mean.n_sessions}"
    clear = f", {value.n_clear} clearly" if value.by_trials is not None else ""
    return f"{mean.mean:+.3f} [{interval[0]:.3f}, {interval[1]:.3f}]; {won}{clear}"


def behavior_rows(plan: TablePlan) -> list[dict[str, object]]:
    """Return what was decoded: one entry per session, split, seed, prompt, target, features."""
    found: list[dict[str, object]] = []
    for cell in plan.cells():
        for prompt, targets in ((plan.read(cell) or {}).get("behavior") or {}).items():
            for target, values in targets.items():
                key = {
                    "session": cell.session,
                    "split": cell.split,
                    "seed": cell.seed,
                    "prompt": prompt,
                    "target": target,
                    "run": plan.run_of(cell).relative_to(plan.out).as_posix(),
                }
                if "why_not" in values:
                    found.append({**key, "why_not": values["why_not"]})
                metric = "accuracy" if values.get("classes") else "r2"
                for decoder in values.get("decoders", ()):
                    chance = decoder["chance"].get(metric) or {}
                    low, high = chance.get("interval", (None, None))
                    found.append(
                        {
                            **key,
                            "prompt": values["prompt"],
                            "features": decoder["features"],
                            "decoder": decoder["decoder"],
                            "metric": metric,
                            "value": decoder["scores"][metric]["value"],
                            "chance": chance.get("mean"),
                            "chance_low": low,
                            "chance_high": high,
                            "p": chance.get("p"),
                            "n_test": values["n_test"],
                            "until": values["until"],
                        }
                    )
    return found


def _behavior_tables(plan: TablePlan) -> list[str]:
    make = _chance_table if plan.content.kind == "chance" else _prompt_table
    parts = []
    for split in plan.splits:
        parts += [f"**{split.capitalize()} split**", make(plan, split)]
    if plan.content.kind == "decoding":
        rows = published_rows(plan.table)
        texts = [
            f"{row.label}: choice {row.values['choice']}, whisker "
            f"{row.values['whisker_motion_energy']}"
            for row in rows
        ]
        parts += [f"Published, *other data*: {'; '.join(texts)} ({SOURCE})."] if texts else []
    return parts


def _prompt_table(plan: TablePlan, split: str) -> str:
    """Average over seeds and sessions: a row per prompt, a column per target."""
    cells = [c for c in plan.cells() if c.split == split and plan.read(c) is not None]
    found = [(plan.read(cell) or {}).get("behavior", {}) for cell in cells]
    targets = dict.fromkeys(
        [*BEHAVIOR, *(t for each in found for by_target in each.values() for t in by_target)]
    )
    rows = [
        [prompt.replace("_", "-"), *(_over(plan, cells, t, "log_rate", prompt) for t in targets)]
        for prompt in dict.fromkeys(p for each in found for p in each)
    ]
    if found:
        first = next(iter(found[0]))
        counts = (_over(plan, cells, t, "counts", first) for t in targets)
        rows.append(["raw counts", *counts])
    return markdown_table(["prompt", *(_target(t) for t in targets)], rows)


def _over(
    plan: TablePlan, cells: Sequence[TableCell], target: str, features: str, prompt: str
) -> str:
    every = (behavior_score(plan.read(c) or {}, target, features, prompt) for c in cells)
    known = [value for value in every if value is not None]
    return f"{fmean(known):.3f} ({len(known)} cells)" if known else NOT_RECORDED


def _chance_table(plan: TablePlan, split: str) -> str:
    rows = []
    for row in behavior_rows(plan):
        if row["split"] != split:
            continue
        head = [str(row["session"]), str(row["seed"]), _target(str(row["target"]))]
        if "why_not" in row:
            rows.append([*head, NOT_RECORDED, "-", "-", "-", "-"])
            continue
        chance = "-"
        if row["chance"] is not None:
            chance = f"{row['chance']:.3f} [{row['chance_low']:.2f}, {row['chance_high']:.2f}]"
        words = f"{row['features']}, {row['decoder']}".replace("_", "-")
        p = "-" if row["p"] is None else f"{row['p']:.3f}"
        rows.append([*head, words, str(row["metric"]), f"{row['value']:.3f}", chance, p])
    header = ["session", "seed", "target", "features, decoder", "metric", "score", "chance", "p"]
    return markdown_table(header, rows)


def _target(name: str) -> str:
    return WORDS.get(name, name.replace("_", " "))


def _label(plan: TablePlan, name: str) -> str:
    return plan.variant(name).label


def _notes(plan: TablePlan) -> list[str]:
    lines = list(plan.content.notes)
    if plan.content.kind == "tasks":
        lines.append(
            "Test trials. Means over sessions; ± standard deviation over seeds of that mean. A "
            "model is given the task's prompt and attention if it was trained under them, else "
            "those of its first scheme (a temporal baseline attends to all bins). Differences: "
            "mean over sessions; 95 % intervals by drawing sessions, and trials within each, with "
            "replacement (for means over units: Student's t over sessions); sessions in which the "
            "row is above, and clearly: by that session's own 95 % interval over trials."
        )
    lines.append(
        "Behaviour is decoded from the frozen model's log-rates: logistic regression for choice "
        "(features end at the first movement where it is known), ridge for signals."
    )
    for target in BEHAVIOR:
        reasons = _told_once(not_recorded(plan, target).values())
        if reasons:
            lines.append(f"{_target(target)}: {NOT_RECORDED}. {' '.join(reasons)}")
    if plan.content.kind == "tasks" and published_rows(plan.table):
        lines.append(f"{OTHER_DATA}: {SOURCE}. Other sessions, other units, other bins.")
    return [f"- {line}" for line in lines]


def _told_once(sentences: Iterable[str]) -> list[str]:
    """Return what is said of each session once, also where only its numbers differ.

    Examples
    --------
    >>> _told_once(["In all 3 trials.", "In all 4 trials.", "No signal."])
    ['In all 3 trials. (The same in 1 other session.)', 'No signal.']
    """
    groups: dict[str, list[str]] = {}
    for sentence in sentences:
        groups.setdefault(re.sub(r"\d+", "#", sentence), []).append(sentence)
    told = []
    for first, *others in groups.values():
        plural = "s" if len(others) > 1 else ""
        more = f" (The same in {len(others)} other session{plural}.)" if others else ""
        told.append(first + more)
    return told


def _failures(plan: TablePlan) -> list[str]:
    failed = plan.failures([cell for cell in plan.cells() if not plan.file_of(cell).exists()])
    if not failed:
        return []
    lines = [f"- {name}: {why}" for name, why in failed.items()]
    return ["**Cells that could not be computed** (called again, the command tries anew)", *lines]


def _runs(plan: TablePlan) -> str:
    done = [values for cell in plan.cells() if cell.variant and (values := plan.read(cell))]
    if not done:
        return ""
    folders = ", ".join(str(values["run"]) for values in done)
    return f"Runs that made these numbers, with every setting in their config.toml: {folders}."
