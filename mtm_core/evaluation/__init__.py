"""Scores of reconstructions: metrics, the four tasks, reports."""
