"""Where the bundled program begins: the window, or `mtm-core` behind the flag ``--mtm-core``."""

from __future__ import annotations

import multiprocessing
import sys

if __name__ == "__main__":
    multiprocessing.freeze_support()  # a worker process of ours is this program again
    from mtm_viewer.app import main

    sys.exit(main())
