"""Multi-task masking (MtM) for multi-region spiking data: training, inference, evaluation.

Ten names are for everyday use and stay as they are (docs/python.md); each is imported when it is
first asked for, so that ``import mtm_core`` costs nothing.

Examples
--------
>>> import mtm_core
>>> session = mtm_core.open_session("steinmetz2019_s12")
>>> session.n_units
698
>>> mtm_core.hide(region="DG").prompt
'neuron'
"""

from __future__ import annotations

import importlib

from mtm_core.brief_waits import wait_briefly as _wait_briefly

__version__ = "0.2.0"

__all__ = [  # see __getattr__; their types stand in __init__.pyi
    "MaskSpec",
    "MtmError",
    "Session",
    "evaluate",
    "hide",
    "load_model",
    "open_session",
    "reconstruct",
    "save_session",
    "train",
]

_HOMES = {
    "MaskSpec": "mtm_core.masking.spec",
    "MtmError": "mtm_core.errors",
    "Session": "mtm_core.data.session",
    "evaluate": "mtm_core.api.scores",
    "hide": "mtm_core.api.masks",
    "load_model": "mtm_core.api.models",
    "open_session": "mtm_core.api.sessions",
    "reconstruct": "mtm_core.api.predictions",
    "save_session": "mtm_core.api.sessions",
    "train": "mtm_core.api.models",
}

_wait_briefly()  # PyTorch is not imported yet, unless the user's own code did so


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        msg = f"module 'mtm_core' has no attribute '{name}'"
        raise AttributeError(msg)
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
