"""The fault proxy in a process of its own, as benches use it."""

import asyncio
import dataclasses
import json
import sys
from pathlib import Path

from courtside.platform.clock import SystemClock
from courtside.platform.dynamo.aio import DynamoEngine
from courtside.platform.settings import Settings
from testkit.factories.portions import Portions, asked

ROOT = Path(__file__).parents[2]


async def test_serves_until_it_is_ended_and_tells_what_it_did(settings: Settings) -> None:
    options = ["--upstream", settings.endpoint, "--seed", "4", "--unanswered", "0.5"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "testkit.proxy",
        *options,
        cwd=ROOT / "tests",
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    address = (await process.stdout.readline()).decode().strip()
    engine = DynamoEngine(dataclasses.replace(settings, endpoint=address))
    seller = Portions(engine, SystemClock(), dish="PROXY")
    truth = DynamoEngine(settings)
    await Portions(truth, SystemClock(), dish="PROXY").offer(10)

    outcomes = [await asked(seller, "P1", f"proxy-{n:04}") for n in range(5)]

    process.terminate()
    told = json.loads(await process.stdout.readline())
    assert await process.wait() == 0
    assert {outcome.answer for outcome in outcomes} == {"taken"}
    assert await Portions(truth, SystemClock(), dish="PROXY").left() == 5
    assert told["TransactWriteItems"] == 5 + told["unanswered"]
    await engine.close()
    await truth.close()
