"""Training as an iterator of events, and the run folder that it fills."""
