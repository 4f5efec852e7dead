"""Use cases of meals, one class a concern; each is asked for by its own type."""
