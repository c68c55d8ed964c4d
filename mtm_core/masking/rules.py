"""Choosing units by rule: one grammar for the command line, the viewer and mask files.

A rule is a sentence about the fields of a unit; it chooses the units for which it is true::

    region == "CA1"
    region in ("CA1", "DG")
    region == "VIS*" and not good
    depth_um > 1200 and rate_hz > 2
    500 < depth_um <= 1200 or probe != "probe00"

::

    rule       either
    either     both ("or" both)...
    both       negation ("and" negation)...
    negation   "not" negation  |  statement
    statement  "(" rule ")"
               FIELD                                   a field that is true or false, as in: good
               FIELD SIGN VALUE                        SIGN is  == != < <= > >=
               VALUE SIGN FIELD [SIGN VALUE]           as in: 500 < depth_um <= 1200
               FIELD ["not"] "in" "(" VALUE ["," VALUE]... ")"
    VALUE      a number, true, false, or text in "double" or 'single' quotes

=============  ====================================================================
field          what it is
=============  ====================================================================
``region``     acronym as given with the recording
``beryl``      the region at the Beryl level (``region_beryl``)
``cosmos``     the region at the Cosmos level (``region_cosmos``)
``depth_um``   depth along the probe, micrometres
``rate_hz``    mean rate in spikes/s over the *training* trials
``good``       passed the quality criteria (``is_good``)
``probe``      probe label
``label``      quality label
``unit_id``    id of the unit
=============  ====================================================================

and every other column of the session's unit table, by its name. A session that lacks a field
says so. In text compared by ``==``, ``!=`` and ``in`` a star stands for any letters. Upper and
lower case differ. A name that no unit has is an error, so that a slip of the pen cannot choose
nothing; names that are only *excluded* may be absent where they are regions of the Allen atlas.
A unit whose value is absent is chosen neither by a comparison nor by its negation.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.regions import load_regions
from mtm_core.data.table import Column, Table
from mtm_core.errors import MissingFieldError, RuleError
from mtm_core.masking.rule_nodes import Node, printable
from mtm_core.masking.rule_parser import parse

SHORT_NAMES = {"beryl": "region_beryl", "cosmos": "region_cosmos", "good": "is_good"}
"""Names of the grammar that stand for a column of another name."""
RATE_FIELD = "rate_hz"
"""Never a column: always computed from training trials."""
_KNOWN = ("region", "beryl", "cosmos", "depth_um", RATE_FIELD, "good", "probe", "label", "unit_id")
_REGION_FIELDS = ("region", "region_beryl", "region_cosmos")


@dataclass(frozen=True)
class Rule:
    """A rule for choosing units.

    Parameters
    ----------
    text : str
        As typed.
    node : Node
        What it means.
    """

    text: str
    node: Node

    @property
    def fields(self) -> frozenset[str]:
        """The fields that the rule looks at, as typed."""
        return self.node.fields()

    @property
    def needs_rates(self) -> bool:
        """True if the rule looks at ``rate_hz``."""
        return RATE_FIELD in self.fields

    def select(
        self, units: Table, rate_hz: NDArray[np.floating[Any]] | None = None
    ) -> NDArray[np.bool_]:
        """Say which units the rule chooses.

        Parameters
        ----------
        units : Table
            The unit table of a session.
        rate_hz : ndarray of float, shape (n_units,), optional
            Mean rate of each unit over the training trials.

        Returns
        -------
        ndarray of bool, shape (n_units,)

        Raises
        ------
        MissingFieldError
            If the session lacks a field; the text names it and those that are there.
        RuleError
            If a field is unknown or compared with what it cannot be.

        Examples
        --------
        >>> units = Table({"region": Column.full(np.array(["CA1", "DG", "VISp"]))})
        >>> parse_rule('region in ("CA1", "VIS*")').select(units).tolist()
        [True, False, True]
        """
        return self.node.evaluate(_UnitFields(units, rate_hz)).is_true

    def __str__(self) -> str:
        return str(self.node)


def parse_rule(text: str) -> Rule:
    """Read a rule; the grammar stands at the top of this module.

    Raises
    ------
    RuleError
        If the text is not a rule; the message says what to write instead.

    Examples
    --------
    >>> str(parse_rule('region in ("CA1", "DG") and not rate_hz < 2'))
    'region is one of (CA1, DG) and not rate_hz below 2'
    >>> parse_rule("region = CA1")
    Traceback (most recent call last):
    ...
    mtm_core.errors.RuleError: This is not a rule: region = CA1 (instead of = write == ...
    """
    return Rule(text.strip(), parse(text))


@dataclass(frozen=True, eq=False)
class _UnitFields:
    """The unit table as rules see it: short names, and rates of training trials."""

    units: Table
    rate_hz: NDArray[np.floating[Any]] | None

    def column(self, name: str) -> Column:
        if name == RATE_FIELD:
            return self._rates()
        full = SHORT_NAMES.get(name, name)
        if self.units.has(full):
            return self.units.column(full)
        has = f"It has: {', '.join(self._names())}."
        if name in (*_KNOWN, *SHORT_NAMES.values()):
            msg = f"This session has no field '{name}' for its units. {has}"
            raise MissingFieldError(msg)
        near = difflib.get_close_matches(name[:60], [*self._names(), *_KNOWN], n=1, cutoff=0.5)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        msg = f"Units have no field '{printable(name)}' in this session.{hint} {has}"
        raise RuleError(msg)

    def is_known_elsewhere(self, name: str, value: str) -> bool:
        """Regions of the atlas may be absent from a session."""
        return SHORT_NAMES.get(name, name) in _REGION_FIELDS and value in load_regions()

    def _rates(self) -> Column:
        if self.rate_hz is None:
            msg = "rate_hz is the mean rate over training trials, and none were given here."
            raise MissingFieldError(msg)
        return Column.full(self.rate_hz)

    def _names(self) -> list[str]:
        """List the fields of this session by the names that a person would type."""
        typed = {full: short for short, full in SHORT_NAMES.items()}
        names = {typed.get(name, name) for name in self.units.columns} - {RATE_FIELD}
        return sorted(names | ({RATE_FIELD} if self.rate_hz is not None else set()))
