"""Business modules: each has the same files, and meets the others only at the public ones."""
