"""One engine process for the whole suite, and both engines for cases that ask for `engine`."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from infra.local import engine as local
from infra.memory.engine import MemoryEngine
from pytest_localstack.session import RunningSession

from courtside.kernel.ids import short_id
from courtside.platform.clock import SystemClock
from courtside.platform.crypto import CourtKeys
from courtside.platform.dynamo.aio import DynamoEngine
from courtside.platform.dynamo.batching import BatchingEngine
from courtside.platform.dynamo.database import Database
from courtside.platform.dynamo.engine import Engine
from courtside.platform.settings import Settings, table_names
from testkit.atomic import Conserved, contend

NAMES = table_names("test")
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def engine_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("engine") / "tables.db"


@pytest.fixture(scope="session")
def endpoint(engine_file: Path) -> Iterator[str]:
    """The embedded engine's address, once it answers and has shown that it is atomic (D-00)."""
    running = local.start(engine_file, NAMES)
    port = int(running.endpoint.rpartition(":")[2])
    try:
        with RunningSession("127.0.0.1", services={"dynamodb": port}) as session:
            endpoint = session.endpoint_url("dynamodb")
            found = asyncio.run(contended(endpoint))
            if not found:  # D-00
                pytest.exit(f"this engine is not atomic, so nothing is proved on it: {found}", 1)
            yield endpoint
    finally:
        running.stop()


async def contended(endpoint: str) -> Conserved:
    engine = DynamoEngine(settings_of(endpoint))
    try:
        return await contend(engine, "D00#EMBEDDED", transactions=2000, clients=32)
    finally:
        await engine.close()


def settings_of(endpoint: str) -> Settings:
    return Settings(stage="test", region="local", endpoint=endpoint, tables=NAMES)


@pytest.fixture
def settings(endpoint: str) -> Settings:
    return settings_of(endpoint)


@pytest.fixture
async def embedded(settings: Settings) -> AsyncIterator[DynamoEngine]:
    engine = DynamoEngine(settings)
    yield engine
    await engine.close()


@pytest.fixture
def memory() -> MemoryEngine:
    return MemoryEngine()


@pytest.fixture
def place() -> str:
    """A partition of this test's own, since the embedded engine keeps its tables."""
    return f"C{next(_numbers)}#CASE"


@pytest.fixture
def code() -> str:
    """A court of this test alone, since the embedded engine serves the whole suite."""
    return f"C{short_id(8)}"


@pytest.fixture
def database(engine: Engine) -> Database:
    """What a module's store is given, on each of the engines."""
    return Database(BatchingEngine(engine), clock=SystemClock(), digests=CourtKeys(_Keys()))


class _Keys:
    def key(self, court: str) -> bytes:
        return court.encode().ljust(32, b".")


@pytest.fixture(params=["memory", "embedded"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each of the engines that must behave alike."""
    found: Engine = request.getfixturevalue(request.param)
    return found
