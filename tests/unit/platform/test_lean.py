"""What is left out of a cold start, and that nothing is trusted because of it."""

import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from courtside.platform.dynamo.database import Record
from courtside.platform.lean import late_certificates

FUNCTIONS = Path(__file__).parents[3] / "functions"


class TestLateCertificates:
    def test_read_no_certificates_before_the_first_connection(self):
        with late_certificates():
            context = ssl.create_default_context()

        assert context.cert_store_stats()["x509"] == 0
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname

    def test_are_those_of_the_machine_from_then_on(self):
        with late_certificates():
            context = ssl.create_default_context()

        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="example.invalid")

        assert context.cert_store_stats() == ssl.create_default_context().cert_store_stats()
        assert type(context) is ssl.SSLContext

    def test_leave_contexts_made_later_as_they_were(self):
        with late_certificates():
            pass

        assert type(ssl.create_default_context()) is ssl.SSLContext
        assert "set_default_verify_paths" not in vars(ssl.SSLContext)


def test_item_classes_never_speak_to_a_table():
    with pytest.raises(TypeError, match="left out"):
        Record.get("C310#X", "y")


@pytest.mark.parametrize(
    ("entrypoint", "absent"),
    [
        ("journal_relay", "strawberry graphql boto3 botocore.client courtside.modules.meals.rules"),
        ("event_worker", "strawberry graphql boto3 botocore.client openpyxl python_calamine"),
        ("scheduled", "strawberry graphql boto3 botocore.client openpyxl python_calamine"),
        ("job_worker", "strawberry graphql boto3 botocore.client openpyxl python_calamine"),
        ("graphql_http", "boto3 botocore.client openpyxl python_calamine"),
    ],
)
def test_a_function_does_not_import_what_it_rarely_needs(entrypoint, absent):
    """O-07: what a container has imported when its application is built."""
    program = (
        f"import sys; sys.path.insert(0, {str(FUNCTIONS)!r})\n"
        f"import courtside.entrypoints.{entrypoint} as e\n"
        "(getattr(e, '_build', None) or e._mangum)()\n"
        f"print(*[name for name in {absent.split()!r} if name in sys.modules])"
    )
    environment = {"COURTSIDE_STAGE": "test", "AWS_REGION": "cn-north-1"}

    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == []
