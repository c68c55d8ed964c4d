"""What a person uses in Python: the functions behind the names of `mtm_core`."""
