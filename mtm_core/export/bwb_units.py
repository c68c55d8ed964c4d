"""Units and recordings as BrainWideBench names and chooses them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtm_core.data.session import Session
from mtm_core.errors import DataError, MaskError
from mtm_core.inference import Reconstructor
from mtm_core.masking.choice import UnitChoice

HELD_OUT_SHARE = 0.1
"""Share of the units that co-smoothing hides."""
SALT = "ts2_co_smoothing_test"
"""Goes into the draw of the hidden units; any other word would draw others."""
RATE_RULE = "rate_hz > 1"
"""Units that are scored, by default; good ones only where that is known."""


def default_rule(session: Session) -> str:
    """Return the benchmark's rule for units: above 1 spike/s, and good where that is known.

    Here the rate is that of training trials; the benchmark takes the whole recording.
    """
    return f"{RATE_RULE} and good" if session.units.has("is_good") else RATE_RULE


def choose_units(bound: Reconstructor, rule: str) -> NDArray[np.str_]:
    """Return the ids of the units that may be scored, in the session's order.

    Raises
    ------
    MaskError
        If no unit fits the rule, or it is none.
    MissingFieldError
        If the rule needs a field that the session lacks.
    """
    is_chosen = UnitChoice.by_rule(rule).select(bound.session, bound.train_rate_hz())
    if not is_chosen.any():
        msg = f"No unit of this session fits the rule '{rule}'. Give another one by --units."
        raise MaskError(msg)
    return bound.session.unit_id[is_chosen]


def held_out_units(unit_id: Sequence[str] | NDArray[np.str_]) -> NDArray[np.bool_]:
    """Say which units co-smoothing hides: a tenth, those whose hashes come first.

    Parameters
    ----------
    unit_id : sequence of str
        The units to choose from; their order does not matter.

    Returns
    -------
    ndarray of bool, shape (n_units,)
        At least one is hidden.

    Examples
    --------
    >>> held_out_units(["a", "b", "c"]).tolist()
    [True, False, False]
    """
    digests = np.array([hashlib.sha256(f"{SALT}:{unit}".encode()).hexdigest() for unit in unit_id])
    is_held = np.zeros(len(digests), dtype=bool)
    is_held[np.argsort(digests)[: max(1, round(HELD_OUT_SHARE * len(digests)))]] = True
    return is_held


def recording_id(session: Session) -> str:
    """Return the session's id as the name of a folder."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", session.session_id)


def file_unit_ids(session_id: str, unit_id: NDArray[np.str_]) -> list[str]:
    """Return ids of units with their session before them, as in the benchmark.

    Examples
    --------
    >>> file_unit_ids("s1", np.array(["s1/0001", "uuid"]))
    ['s1/0001', 's1/uuid']
    """
    head = f"{session_id}/"
    return [unit if unit.startswith(head) else head + unit for unit in unit_id.tolist()]


def encode_ids(ids: Sequence[str]) -> Tensor:
    """Write ids as bytes, (n_ids, length of the longest) uint8, shorter ones filled up with NUL.

    Raises
    ------
    DataError
        If an id is empty or holds anything but ASCII.
    """
    for each in ids:
        if not each or not each.isascii() or "\0" in each:
            msg = f"The unit id {each!r} cannot be written: the format knows plain ASCII only."
            raise DataError(msg)
    rows = np.array([each.encode("ascii") for each in ids])
    return torch.from_numpy(rows.view(np.uint8).reshape(len(ids), -1).copy())


def decode_ids(encoded: NDArray[np.uint8]) -> tuple[str, ...]:
    """Read ids as `encode_ids` wrote them.

    Raises
    ------
    DataError
        If there are bytes that are no ASCII.
    """
    try:
        return tuple(row.tobytes().rstrip(b"\0").decode("ascii") for row in encoded)
    except UnicodeDecodeError as error:
        msg = "Its unit ids are no ASCII."
        raise DataError(msg) from error
