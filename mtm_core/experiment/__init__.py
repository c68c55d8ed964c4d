"""The shareable experiment: what was asked, of what, and the numbers that came out."""
