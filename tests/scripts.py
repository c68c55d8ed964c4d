"""The scripts of ``packaging/`` as modules."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

FOLDER = Path(__file__).parents[1] / "packaging"


def load_script(name: str) -> ModuleType:
    """Import ``packaging/NAME.py``, which lies in no package."""
    place = importlib.util.spec_from_file_location(f"script_{name}", FOLDER / f"{name}.py")
    assert place is not None
    assert place.loader is not None
    module = importlib.util.module_from_spec(place)
    sys.modules[place.name] = module  # dataclasses look their module up
    place.loader.exec_module(module)
    return module
