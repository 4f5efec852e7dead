"""Each court's work calendar: the State Council's year as the court amended it.

Owns the imported years and the single days that a court set otherwise.
"""
