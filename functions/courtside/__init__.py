"""Courtside: the judicial support platform of a court system."""
