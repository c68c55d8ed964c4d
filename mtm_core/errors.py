"""Errors that teach: what is wrong, where, and what to do next.

::

    MtmError                      base; the command line prints its text and exits with code 2
    |-- ConfigError               a setting, a flag or a preset
    |   `-- UnknownNameError      a word that is not known; carries the nearest known ones
    |-- DataError                 a recording or its file
    |   |-- SessionFileError      a session file that cannot be trusted
    |   |-- DatasetError          one dataset of a recording that cannot be trusted
    |   |   `-- MissingDatasetError   a dataset that is needed and is not there
    |   `-- MissingFieldError     a field that this session lacks
    |-- MaskError                 a mask or a rule that cannot be applied
    |   `-- RuleError             text that is not a rule
    |-- CheckpointError           a checkpoint file that cannot be trusted
    |   `-- MismatchError         a checkpoint and a session that do not belong together
    |-- ExperimentError           an experiment file that cannot be trusted or replayed
    |-- TrainingError             a run that cannot start, go on or resume
    |-- OutputError               a result that could not be written
    `-- MemoryLimitError          work that does not fit into the memory of a device
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MtmError(Exception):
    """Base of every error that a person can cause and mend."""


class ConfigError(MtmError):
    """A setting, a flag or a preset is wrong."""


class UnknownNameError(ConfigError):
    """A word is not one of the known ones.

    Parameters
    ----------
    kind : str
        What the word should have named, for example ``"preset"``.
    word : str
        The word as typed.
    known : iterable of str
        The valid words.

    Examples
    --------
    >>> str(UnknownNameError("preset", "quik", ["quick", "paper-ndt1-mtm"]))
    "There is no preset 'quik'. Did you mean 'quick'? Known: paper-ndt1-mtm, quick."
    """

    def __init__(self, kind: str, word: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        shown = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
        super().__init__(f"There is no {kind} '{word}'.{hint} Known: {shown}.")
        self.nearest = near[0] if near else None


class DataError(MtmError):
    """A recording cannot be used as it is."""


class SessionFileError(DataError):
    """A session file cannot be trusted."""


class DatasetError(DataError):
    """One dataset (a file of a recording) is damaged or does not fit the others."""


class MissingDatasetError(DatasetError):
    """A dataset is needed that is not there."""


class MissingFieldError(DataError):
    """A field is needed that this session lacks."""


class NetworkError(DataError):
    """A database or its file server cannot be used."""


class UnreachableError(NetworkError):
    """There is no network, or the server is down."""


class LoginError(NetworkError):
    """An account or a token is missing, wrong or expired."""


class DownloadError(NetworkError):
    """A file did not arrive whole."""


class MaskError(MtmError):
    """A mask cannot be applied."""


class RuleError(MaskError):
    """A text is not a rule for choosing units."""


class CheckpointError(MtmError):
    """A checkpoint file cannot be trusted."""


class MismatchError(CheckpointError):
    """A checkpoint and a session do not belong together."""


class ExperimentError(MtmError):
    """An experiment file cannot be trusted, or what it was made with is not here."""


class TrainingError(MtmError):
    """A training run cannot start, go on or resume."""


class OutputError(MtmError):
    """A result could not be written."""


class MemoryLimitError(MtmError):
    """The smallest piece of some work does not fit into the memory of a device."""
