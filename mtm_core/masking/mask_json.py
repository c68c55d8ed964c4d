"""Masks as JSON, and back: ``{"schema": "mtm-mask", "version": 1, "blocks": [...], ...}``."""

from __future__ import annotations

import json
from typing import Any, TypeGuard

from mtm_core.errors import MaskError
from mtm_core.json_text import parse_json
from mtm_core.masking.choice import Block, UnitChoice
from mtm_core.masking.spec import MaskSpec

SCHEMA = "mtm-mask"
VERSION = 1
MAX_LENGTH = 4_000_000
"""Longest text that is read, in characters."""


def to_json(spec: MaskSpec) -> str:
    """Return a mask as one line of JSON, the same line for equal masks."""
    return json.dumps(to_dict(spec), sort_keys=True, ensure_ascii=False)


def to_dict(spec: MaskSpec) -> dict[str, Any]:
    """Return a mask as plain dictionaries and lists."""
    scored = None if spec.scored is None else [_block_to_dict(block) for block in spec.scored]
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "blocks": [_block_to_dict(block) for block in spec.blocks],
        "scored": scored,
        "one_at_a_time": spec.one_at_a_time,
        "prompt": spec.prompt,
    }


def from_json(text: str) -> MaskSpec:
    """Read a mask.

    Raises
    ------
    MaskError
        If the text is not a mask that this version knows.
    """
    if len(text) > MAX_LENGTH:
        msg = f"A mask of {len(text)} characters is too long to be one."
        raise MaskError(msg)
    try:
        value = parse_json(text)
    except ValueError as error:
        msg = "This is not a mask: the text is not JSON."
        raise MaskError(msg) from error
    return from_dict(value)


def from_dict(value: object) -> MaskSpec:
    """Read a mask from plain dictionaries and lists; see `from_json`."""
    record = _mapping(value, "the mask", ("blocks", "scored", "one_at_a_time", "prompt"), SCHEMA)
    prompt = record.get("prompt")
    one_at_a_time = record.get("one_at_a_time", False)
    if not isinstance(prompt, str) or not isinstance(one_at_a_time, bool):
        msg = "This is not a mask: 'prompt' must be text, 'one_at_a_time' true or false."
        raise MaskError(msg)
    scored = record.get("scored")
    return MaskSpec(
        blocks=_blocks(record.get("blocks")),
        scored=None if scored is None else _blocks(scored),
        one_at_a_time=one_at_a_time,
        prompt=prompt,
    )


def _block_to_dict(block: Block) -> dict[str, Any]:
    units = block.units
    chosen: dict[str, Any] = {"all": True}
    if units.ids is not None:
        chosen = {"ids": list(units.ids)}
    elif units.region is not None:
        chosen = {"region": units.region}
    elif units.rule is not None:
        chosen = {"rule": units.rule}
    bins = None if block.bins is None else list(block.bins)
    return {"units": chosen, "bins": bins, "invert": block.invert}


def _blocks(value: object) -> tuple[Block, ...]:
    if not isinstance(value, list):
        msg = "This is not a mask: its blocks are not a list."
        raise MaskError(msg)
    return tuple(_block(item) for item in value)


def _block(value: object) -> Block:
    record = _mapping(value, "a block", ("units", "bins", "invert"))
    invert = record.get("invert", False)
    if not isinstance(invert, bool):
        msg = "This is not a mask: 'invert' must be true or false."
        raise MaskError(msg)
    return Block(_choice(record.get("units")), _bins(record.get("bins")), invert)


def _choice(value: object) -> UnitChoice:
    record = _mapping(value, "a choice of units", ("all", "ids", "region", "rule"))
    if len(record) != 1:
        msg = "This is not a mask: choose units by one of all, ids, region, rule."
        raise MaskError(msg)
    [(kind, chosen)] = record.items()
    if kind == "ids" and _is_list_of(chosen, str):
        return UnitChoice.these(chosen)
    if kind == "region" and isinstance(chosen, str):
        return UnitChoice.of_region(chosen)
    if kind == "rule" and isinstance(chosen, str):
        return UnitChoice.by_rule(chosen)
    if kind == "all" and chosen is True:
        return UnitChoice.every()
    msg = f"This is not a mask: '{kind}' does not choose units so."
    raise MaskError(msg)


def _bins(value: object) -> tuple[int, int] | None:
    if value is None:
        return None
    if not _is_list_of(value, int) or len(value) != 2:
        msg = "This is not a mask: 'bins' must be null or [first, stop]."
        raise MaskError(msg)
    return value[0], value[1]


def _is_list_of(value: object, kind: type) -> TypeGuard[list[Any]]:
    """Tell whether a JSON value is a list of one kind (true and false are no numbers)."""
    return isinstance(value, list) and all(type(item) is kind for item in value)


def _mapping(
    value: object, what: str, known: tuple[str, ...], schema: str | None = None
) -> dict[str, Any]:
    if not isinstance(value, dict):
        msg = f"This is not a mask: {what} is not an object."
        raise MaskError(msg)
    record = dict(value)
    if schema is not None:
        found, version = record.pop("schema", None), record.pop("version", None)
        if found != schema or version != VERSION or type(version) is not int:
            msg = (
                f"This is not a mask of a version known here: schema {str(found)[:40]!r}, "
                f"version {str(version)[:40]!r}; expected {schema!r}, {VERSION}."
            )
            raise MaskError(msg)
    unknown = sorted(set(record) - set(known))
    if unknown:
        msg = f"This is not a mask: {what} has an unknown field '{unknown[0][:40]}'."
        raise MaskError(msg)
    return record
