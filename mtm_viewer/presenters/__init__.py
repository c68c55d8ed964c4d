"""Qt-free: numpy in, drawable dataclass out."""
