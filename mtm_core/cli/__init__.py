"""The `mtm-core` command line: one small module per command."""
