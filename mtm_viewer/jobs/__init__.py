"""Work that never runs in the GUI thread."""
