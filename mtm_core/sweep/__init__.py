"""Searches over settings: spec, journal, workers, table, and the launcher for Slurm."""
