"""One file a Lambda function, and schema.py, which only merges."""

import gc
import os

# Imports allocate much and free nothing: collecting meanwhile is a tenth of a cold start. The
# container turns it on again when its application is built.
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    gc.disable()
