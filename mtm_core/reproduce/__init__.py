"""Results tables, from training to scores: one of our own, and those of the paper."""
