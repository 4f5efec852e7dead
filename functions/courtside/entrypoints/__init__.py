"""One file a Lambda function, and schema.py, which only merges."""
