"""Courts, their units and persons, and who may do what.

Owns the court item, the tree of units, and one actor item a person with posts and role grants.
"""
