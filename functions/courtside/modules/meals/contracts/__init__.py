"""The domain objects of meals, by concern; import the file, not the package."""
