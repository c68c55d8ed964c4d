"""What is hidden from a model and what is scored: training schemes and a person's own masks."""
