"""One engine process for the whole suite, and both engines for cases that ask for `engine`."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from infra.local import engine as local
from pytest_localstack.session import RunningSession

from courtside.platform.dynamo.aio import DynamoEngine
from courtside.platform.dynamo.engine import Engine
from courtside.platform.settings import Settings, table_names
from testkit.engine import MemoryEngine

NAMES = table_names("test")


@pytest.fixture(scope="session")
def engine_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("engine") / "tables.db"


@pytest.fixture(scope="session")
def endpoint(engine_file: Path) -> Iterator[str]:
    """The embedded engine's address, once it answers."""
    running = local.start(engine_file, NAMES)
    port = int(running.endpoint.rpartition(":")[2])
    try:
        with RunningSession("127.0.0.1", services={"dynamodb": port}) as session:
            yield session.endpoint_url("dynamodb")
    finally:
        running.stop()


@pytest.fixture
def settings(endpoint: str) -> Settings:
    return Settings(stage="test", region="local", endpoint=endpoint, tables=NAMES)


@pytest.fixture
async def embedded(settings: Settings) -> AsyncIterator[DynamoEngine]:
    engine = DynamoEngine(settings)
    yield engine
    await engine.close()


@pytest.fixture
def memory() -> MemoryEngine:
    return MemoryEngine()


@pytest.fixture(params=["memory", "embedded"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each of the engines that must behave alike."""
    found: Engine = request.getfixturevalue(request.param)
    return found
