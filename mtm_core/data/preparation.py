"""From a recording to a session: `prepare` cuts trials, chooses units, counts spikes."""

from __future__ import annotations

from collections.abc import Collection

from mtm_core.config import PreparationConfig
from mtm_core.data.raw import RawSession
from mtm_core.data.session import Session


def prepare(raw: RawSession, config: PreparationConfig) -> Session:
    """Turn a recording into a session by the rules of the settings."""
    raise NotImplementedError


def prepare_session(
    session: Session, config: PreparationConfig, typed: Collection[str] = ()
) -> Session:
    """Apply what can be applied to a recording that came already binned.

    `typed` are the names of the settings that a person asked for (``"align"``, or with the
    section: ``"prepare.align"``).
    """
    raise NotImplementedError
