"""`python -m mtm_core` is `mtm-core`; torchrun starts it so."""

from __future__ import annotations

import sys

from mtm_core.cli.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
