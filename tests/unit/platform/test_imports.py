"""What is left out of a cold start (docs/adr/0041)."""

import subprocess
import sys
from pathlib import Path

import pytest

FUNCTIONS = Path(__file__).parents[3] / "functions"


# Clients and servers that nobody needs, or not before the first answer.
NEVER = "aiohttp boto3 botocore.client pynamodb.models pynamodb.connection"


@pytest.mark.parametrize(
    ("entrypoint", "absent"),
    [
        (
            "journal_relay",
            "strawberry graphql courtside.modules.meals.rules",
        ),
        (
            "event_worker",
            "strawberry graphql openpyxl python_calamine",
        ),
        ("scheduled", "strawberry graphql openpyxl python_calamine"),
        ("job_worker", "strawberry graphql openpyxl python_calamine"),
        ("graphql_http", "openpyxl python_calamine"),
    ],
)
def test_a_function_does_not_import_what_it_rarely_needs(entrypoint, absent):
    """O-07: what a container has imported when its application is built."""
    program = (
        f"import sys; sys.path.insert(0, {str(FUNCTIONS)!r})\n"
        f"import courtside.entrypoints.{entrypoint} as e\n"
        "(getattr(e, '_build', None) or e._mangum)()\n"
        f"print(*[name for name in {[*NEVER.split(), *absent.split()]!r} if name in sys.modules])"
    )
    environment = {"COURTSIDE_STAGE": "test", "AWS_REGION": "cn-north-1"}

    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == []
