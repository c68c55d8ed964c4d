"""Small widgets: each takes a drawable, draws it and emits what the person asked."""
