"""The audit module publishes nothing: what it shows was told by others."""
