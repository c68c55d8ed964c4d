"""What `mtm-core decode` prints: the choices behind the numbers, and a table for each target."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from typing import Any

from mtm_core.cli.output import table_text

Values = Mapping[str, Any]

FEATURE_WORDS = {
    "log_rate": "log-rates",
    "states": "hidden states",
    "counts": "raw counts",
}
METRIC_WORDS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced",
    "r2": "R2",
    "r2_beyond_average": "beyond average",
}
NO_COMPARISON = (
    "Regions differ in their number of units, and more units tell more: compare regions of like "
    "size\nonly. p is not corrected for the number of regions."
)


def decoding_text(values: Values) -> str:
    """Return the report of `DecodingReport.to_dict` for people."""
    targets = values["targets"].values()
    parts = [_head(values), *map(_target, targets), _rules(values, list(targets))]
    return "\n\n".join(parts)


def regions_text(by_region: Mapping[str, Values]) -> str:
    """Return reports of several regions: the scores of each target by region."""
    first = next(iter(by_region.values()))
    names = dict.fromkeys(name for values in by_region.values() for name in values["targets"])
    parts = [_head({**first, "region": "each region in turn,", "not_decoded": {}})]
    for name in names:
        rows = [
            (region, values["n_units_read"], *row)
            for region, values in by_region.items()
            if name in values["targets"]
            for row in _rows(values["targets"][name])
        ]
        found = next(v["targets"][name] for v in by_region.values() if name in v["targets"])
        header = ("region", "units", *_header(found))
        lines = [*_about(found), table_text(header, rows), *_reference_lines(found)]
        parts.append("\n".join(lines))
    for region, values in by_region.items():
        for name, why in values["not_decoded"].items():
            parts.append(f"Left out  {name} from {region}: {why}")
    targets = [found for values in by_region.values() for found in values["targets"].values()]
    return "\n\n".join([*parts, NO_COMPARISON, _rules(first, targets)])


def _head(values: Values) -> str:
    simulated = ", SIMULATED" if values["is_simulated"] else ""
    region = values["region"]
    lines = [
        f"Session   {values['session']}{simulated}",
        f"Model     {values['preset']}, step {values['train_step']}, seed "
        f"{values['train_seed']} ({values['checkpoint']})",
        f"Trials    scored: {values['split']} ({values['split_kind']} split, seed "
        f"{values['split_seed']}); decoders and chance: seed {values['seed']}",
        f"Visible   {f'{region} alone' if region else 'all units'}",
    ]
    for name, why in values["not_decoded"].items():
        lines += _wrapped("Left out  ", f"{name}: {why}")
    return "\n".join(lines)


def _target(found: Values) -> str:
    table = table_text(_header(found), _rows(found))
    return "\n".join([*_about(found), table, *_reference_lines(found)])


def _about(found: Values) -> list[str]:
    name = found["name"]
    until = {"end": "at the end of the window"}.get(found["until"], f"at the {found['until']}")
    sizes = {part: f"{found[f'n_{part}']}" for part in ("test", "fit")}
    for part, counts in found["n_per_class"].items():
        pairs = zip(counts, found["classes"], strict=True)
        sizes[part] += f" ({', '.join(f'{n} {words}' for n, words in pairs)})"
    lines = _wrapped(
        "",
        f"{name}: {sizes['test']} test trials, {sizes['fit']} to fit to; features end {until}; "
        f"prompt {found['prompt']}",
    )
    if found["left_out"]:
        reasons = ", ".join(f"{n} {why}" for why, n in found["left_out"])
        lines += _wrapped("  Left out  ", reasons)
    for warning in found["warnings"]:
        lines += _wrapped("  Mind      ", warning)
    lines += _wrapped("  Chance    ", f"{found['chance_method']} ({found['n_chance']} drawn)")
    return lines


def _header(found: Values) -> tuple[str, ...]:
    header = ["features", "decoder"]
    for metric in found["decoders"][0]["scores"]:
        header += [METRIC_WORDS[metric], "95 %", "chance", "95 %", "p"]
    return (*header, "chosen")


def _rows(found: Values) -> list[list[object]]:
    rows = []
    for scores in found["decoders"]:
        row: list[object] = [FEATURE_WORDS[scores["features"]], scores["decoder"]]
        for metric, score in scores["scores"].items():
            chance = scores["chance"].get(metric)
            row += [_number(score["value"]), _interval(score["interval"])]
            row += _chance(chance)
        rows.append([*row, _chosen(scores)])
    return rows


def _chance(chance: Values | None) -> list[object]:
    if chance is None:
        return ["-", "-", "-"]
    return [_number(chance["mean"]), _interval(chance["interval"]), _number(chance["p"])]


def _chosen(scores: Values) -> str:
    words = ", ".join(f"{name} {value:g}" for name, value in scores["chosen"].items())
    return f"{words} (edge)" if scores["is_at_edge"] else words


def _reference_lines(found: Values) -> list[str]:
    lines = []
    for name, scores in found["references"].items():
        told = ", ".join(
            f"{METRIC_WORDS[metric]} {_number(score['value'])} {_interval(score['interval'])}"
            for metric, score in scores.items()
        )
        lines.append(f"  Without neurons, {name}: {told}")
    return lines


def _rules(values: Values, targets: list[Values]) -> str:
    kinds = {bool(found["classes"]) for found in targets}
    lines = _wrapped("Logistic  ", values["logistic"]) if True in kinds else []
    if False in kinds:
        lines += [*_wrapped("Ridge     ", values["ridge"]), *_wrapped("R2        ", values["r2"])]
    return "\n".join([*lines, *_wrapped("Interval  ", values["intervals"])])


def _wrapped(name: str, text: str) -> list[str]:
    return textwrap.wrap(name + text, 99, subsequent_indent=" " * len(name))


def _number(value: float | None) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:.3f}"


def _interval(interval: tuple[float, float] | None) -> str:
    return "-" if interval is None else f"[{interval[0]:.2f}, {interval[1]:.2f}]"
