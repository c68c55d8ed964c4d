"""Values of Python as the text that a person would type for a setting."""

from __future__ import annotations


def typed_text(value: object) -> str | list[str]:
    """Return what would be typed for a value.

    Examples
    --------
    >>> typed_text(True), typed_text(0.5), typed_text(None), typed_text(["neuron", "causal"])
    ('true', '0.5', 'none', ['neuron', 'causal'])
    """
    if isinstance(value, list | tuple):
        return [str(typed_text(entry)) for entry in value]
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
