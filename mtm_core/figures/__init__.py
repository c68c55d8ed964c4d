"""Headless figures, drawn with matplotlib."""
