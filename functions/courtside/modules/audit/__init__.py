"""The audit administrator's view of the journal: who did or saw what, on which day.

Owns nothing: what it searches are history lines, what it shows are the journal's own entries.
"""
