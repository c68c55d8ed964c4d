"""MtM Viewer: hide regions, units or bins of a recording and see what a model reconstructs."""
