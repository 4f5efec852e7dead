"""`make run`: the whole of Courtside on this machine, one process beside its table engine."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from datetime import timedelta
from functools import partial
from typing import NoReturn

import uvicorn
from infra.local import engine
from infra.local.clock import RunningClock, parse, shown
from infra.local.data import DataFolder, InUse, write_json
from infra.local.files_app import files_app
from infra.local.graphiql import graphiql_app
from infra.local.issuer import DevelopmentIssuer
from infra.local.pumps import QueuePump, Schedule, Stream, StreamPump
from infra.local.settings import COURTS, EVENTS, JOBS, STAGE, TABLES, local_settings
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from courtside import bootstrap
from courtside.entrypoints.event_worker import Events
from courtside.entrypoints.graphql_http import build_app
from courtside.entrypoints.job_worker import Jobs
from courtside.entrypoints.journal_relay import JournalRelay
from courtside.entrypoints.scheduled import Scheduled
from courtside.platform.dynamo.aio import DynamoEngine
from courtside.platform.files import LocalFiles
from courtside.platform.observability import Observer
from courtside.platform.queues import LocalQueues

LOOPBACK = "127.0.0.1"
USUAL_PORT = 8000
EVERY = {
    "sweep": timedelta(minutes=5),
    "seal": timedelta(minutes=15),
    "reconcile": timedelta(days=1),
    "verify": timedelta(days=1),
}
_LOOK = 0.5  # seconds between two looks at our parent and our engine
_AGAIN = 1.0
_LATE = timedelta(minutes=1)  # behind NOW= after which a clock that has begun is told

Pump = Callable[[], Awaitable[None]]


def main() -> None:
    """Serve until SIGINT or SIGTERM; what cannot start says why in one line."""
    os.environ.setdefault("POWERTOOLS_METRICS_DISABLED", "true")  # a terminal is no CloudWatch
    folder = DataFolder.chosen()
    try:
        with folder.locked(), _tables(folder) as endpoint, _listening() as door:
            asyncio.run(_serve(folder, endpoint, door))
    except InUse as who:
        _stop(
            f"the data folder {folder.root} is in use by {who}; DATA=<folder> runs a second one "
            "/ 数据目录正在使用,可用 DATA= 另选"
        )
    except (engine.EngineMissing, engine.EngineFailed) as missing:
        _stop(str(missing))


@contextlib.contextmanager
def _tables(folder: DataFolder) -> Iterator[str]:
    """The address of the tables: our own engine, or the one that COURTSIDE_DYNAMODB names."""
    for pid in folder.end_children():
        _say(f"ended process {pid} of an earlier run")
    elsewhere = os.environ.get("COURTSIDE_DYNAMODB")
    if elsewhere:
        engine.create_tables(elsewhere, TABLES)
        yield elsewhere
        return
    if not folder.tables.exists() and os.environ.get("DEMO") != "no":
        _load_demo(folder)
    running = engine.start(folder.tables, TABLES)
    folder.adopt(running.pid)
    try:
        yield running.endpoint
    finally:
        running.stop()
        folder.children.unlink(missing_ok=True)


def _load_demo(folder: DataFolder) -> None:
    """Let a court live through the weeks around now, before anybody is served."""
    from infra.demo.load import load

    clock = _clock(folder)
    _say("making the demo court's weeks around now, once (DEMO=no leaves it out)")
    settings = local_settings(folder, endpoint="")
    orders = asyncio.run(load(folder, settings, now=clock.now()))
    _say(f"{orders} orders stand in the demo court's books")


@contextlib.contextmanager
def _listening() -> Iterator[socket.socket]:
    """A socket on HOST and PORT; without PORT the usual one, or else any that is free."""
    host = os.environ.get("HOST") or LOOPBACK
    asked = os.environ.get("PORT")
    for port in [int(asked)] if asked else [USUAL_PORT, 0]:
        try:
            door = socket.create_server((host, port), backlog=512)
        except OSError as taken:
            if asked or port == 0:
                _stop(f"cannot listen on {host}:{port}: {taken.strerror}")
            continue
        with door:
            yield door
        return


async def _serve(folder: DataFolder, endpoint: str, door: socket.socket) -> None:
    clock = _clock(folder)
    queues = LocalQueues(folder.queues, clock)
    queues.show_all()
    settings = local_settings(folder, endpoint=endpoint)
    tables = DynamoEngine(settings)
    app = bootstrap.build(settings, clock=clock, engine=tables, queues=queues)
    stream = Stream(endpoint, TABLES["journal"])
    try:
        url = _announce(folder, endpoint, door, clock)
        server = _Server(_config(_web(app, folder, url)))
        pumps = _pumps(app, queues, stream, folder)
        pumps.append(partial(_live_on, app, folder, tables, queues))
        await _until_told(server, door, pumps, _deserted(folder))
    finally:
        folder.running.unlink(missing_ok=True)
        await stream.close()
        await tables.close()
        queues.close()


def _clock(folder: DataFolder) -> RunningClock:
    clock = RunningClock(folder.clock)
    wanted = os.environ.get("NOW")
    if wanted and not clock.start(parse(wanted)) and clock.now() - parse(wanted) > _LATE:
        _say(
            f"this folder's clock has begun already and goes on at {shown(clock.now())}; "
            "move it by make clock AT=, or begin anew with DATA=<folder>"
        )
    return clock


def _web(app: bootstrap.App, folder: DataFolder, url: str) -> Starlette:
    files = app.foundation.files
    if not isinstance(files, LocalFiles):
        raise TypeError("an embedded installation keeps its files in its folder")
    files.base = url
    issuer = DevelopmentIssuer.kept_in(folder.issuer)

    def token(subject: str) -> str:
        return issuer.token(subject, court=COURTS[0], now=app.clock.now())

    async def put(data: bytes) -> str:
        return await files.put(COURTS[0], data)

    return Starlette(
        routes=[
            Route("/graphql", build_app(app)),
            Mount("/files", files_app(files, app.clock)),
            Mount("/graphiql", graphiql_app(url, clock=app.clock, token=token, put=put)),
        ]
    )


def _config(web: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        web,
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=3,
    )


def _pumps(
    app: bootstrap.App, queues: LocalQueues, stream: Stream, folder: DataFolder
) -> list[Pump]:
    signals = Observer(stage=STAGE, level="WARNING")
    relay = JournalRelay(app.foundation, signals)
    return [
        StreamPump(stream, folder.root / "stream.json", relay.take).run,
        QueuePump(queues, EVENTS, Events(app, signals).take).run,
        QueuePump(queues, JOBS, Jobs(app, signals).take).run,
        Schedule(app.clock, EVERY, Scheduled(app, signals).take).run,
    ]


def _announce(folder: DataFolder, endpoint: str, door: socket.socket, clock: RunningClock) -> str:
    host, port = door.getsockname()[:2]
    url = f"http://{LOOPBACK if host == '0.0.0.0' else host}:{port}"  # noqa: S104 - compared only
    told = {"pid": os.getpid(), "url": url, "tables": endpoint}
    write_json(folder.running, told)
    _say(f"Courtside is at {url}/graphql, with GraphiQL at {url}/graphiql")
    _say(f"data in {folder.root}; the clock says {shown(clock.now())}")
    _say("in another terminal: make -s token AS=judge, make clock AT=...; Ctrl-C ends it")
    return url


async def _live_on(
    app: bootstrap.App, folder: DataFolder, tables: DynamoEngine, queues: LocalQueues
) -> None:
    """Once after the start: what the demo court lived through since the last one, and its seal."""
    from infra.demo.load import catch_up

    orders = await catch_up(folder, app.settings, tables, queues, now=app.clock.now())
    if orders:
        _say(f"{orders} orders of the days since the last start were added to the demo")
    await Scheduled(app, Observer(stage=STAGE, level="WARNING")).seal()
    await asyncio.Event().wait()


class _Server(uvicorn.Server):
    """uvicorn without signal handlers of its own: ours end everything together."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _until_told(
    server: uvicorn.Server,
    door: socket.socket,
    pumps: list[Pump],
    deserted: Coroutine[None, None, None],
) -> None:
    """Serve and pump until a signal comes or `deserted` returns."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    web = asyncio.create_task(server.serve(sockets=[door]))
    running = [asyncio.create_task(_for_ever(pump)) for pump in pumps]
    watch = asyncio.create_task(deserted)
    ended = asyncio.create_task(told.wait())
    await asyncio.wait([web, watch, ended], return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    for task in (*running, watch, ended):
        task.cancel()
    await asyncio.gather(web, *running, watch, ended, return_exceptions=True)


async def _for_ever(pump: Pump) -> None:
    """Begin a pump again after a fault: what it held is still in the stream or the queue."""
    observer = Observer(stage=STAGE)
    while True:
        try:
            await pump()
        except Exception as fault:  # noqa: BLE001 - told, and tried again
            observer.fault(fault, correlation="pump")
            await asyncio.sleep(_AGAIN)


async def _deserted(folder: DataFolder) -> None:
    """Return when the make that started us is gone, so that nothing runs on unseen, or when our
    engine has ended."""
    parent = os.getppid() if "MAKELEVEL" in os.environ else None
    while folder.children_live() and parent in (None, os.getppid()):  # noqa: ASYNC110
        await asyncio.sleep(_LOOK)
    _say("the process that started this one, or the table engine, has ended")


def _say(line: str) -> None:
    print(f"== {line}", flush=True)


def _stop(line: str) -> NoReturn:
    print(f"!! {line}", file=sys.stderr)
    raise SystemExit(1)


if __name__ == "__main__":
    main()
