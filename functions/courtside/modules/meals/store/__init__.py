"""Storage of meals, by concern; the items and their keys stand in `items.py`."""
