"""Recordings: what a session is, how it is stored, split and batched."""
