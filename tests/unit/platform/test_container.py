"""One loop and one application for the life of a container."""

import asyncio

from courtside.platform.clock import SystemClock, deadline, ends_at
from courtside.platform.container import Container


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 30_000


class Remembers:
    """Keeps the loops it ran on and how much time it was given."""

    def __init__(self) -> None:
        self.loops = []
        self.given = []

    async def take(self, event):
        self.loops.append(asyncio.get_running_loop())
        clock = SystemClock()
        self.given.append(ends_at(clock) - clock.monotonic())
        return {"seen": event["n"]}


class TestContainer:
    def test_builds_once_and_keeps_its_loop(self):
        built = []

        def build() -> Remembers:
            asyncio.get_running_loop()  # an engine's session belongs to the loop it is made on
            built.append(Remembers())
            return built[0]

        handler = Container(build, dict)
        answers = [handler({"n": n}, Context()) for n in range(3)]
        loops = built[0].loops
        loops[0].close()

        assert answers == [{"seen": 0}, {"seen": 1}, {"seen": 2}]
        assert len(built) == 1
        assert len(set(map(id, loops))) == 1

    def test_leaves_time_for_the_answer(self):
        taker = Remembers()

        Container(lambda: taker, dict)({"n": 0}, Context())
        taker.loops[0].close()

        assert 27 < taker.given[0] <= 28

    def test_tries_its_checks_when_it_is_probed_and_takes_nothing(self):
        taker = Remembers()

        async def fails() -> None:
            raise OSError

        async def holds() -> None:
            return None

        handler = Container(lambda: taker, lambda: {"one": holds, "other": fails})
        answer = handler({"probe": True}, Context())
        handler._loop.close()

        assert answer == {"failed": {"other": "OSError"}}
        assert taker.loops == []


class TestDeadline:
    def test_an_inner_one_never_outlives_the_outer(self):
        clock = SystemClock()

        with deadline(clock, 5.0), deadline(clock, 20.0):
            within = ends_at(clock) - clock.monotonic()
        with deadline(clock, 20.0), deadline(clock, 5.0):
            sooner = ends_at(clock) - clock.monotonic()

        assert within <= 5.0
        assert sooner <= 5.0
