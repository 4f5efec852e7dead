"""A court's journal with its seals, and hands that change either of them."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count

from courtside.kernel.workdays import business_day
from courtside.platform.dynamo.values import Item, Key, Write
from courtside.platform.seal import Seal, Sealer, of_bytes
from courtside.platform.vault import Kept
from courtside.platform.verify import Report, Verifier
from testkit.house import COURT, House


class MemoryVault:
    """The platform's Vault, which a test may also change as nobody else can."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, bytes]] = {}
        self.covered: set[str] = set()

    async def keep(self, court: str, name: str, data: bytes) -> bool:
        return self.kept.setdefault(court, {}).setdefault(name, data) is data

    async def page(self, court: str, *, after: str = "", most: int = 1000) -> list[Kept]:
        names = sorted(name for name in self.kept.get(court, {}) if name > after)
        return [Kept(name, touched=name in self.covered) for name in names[:most]]

    async def read(self, court: str, kept: Kept) -> bytes:
        return self.kept[court][kept.name]

    def seals(self, court: str = COURT) -> list[Seal]:
        """Oldest first."""
        return [of_bytes(data) for _, data in sorted(self.kept.get(court, {}).items())][::-1]


@dataclass(slots=True, kw_only=True)
class SealedHouse:
    """A house whose journal is sealed when it is told to."""

    house: House
    vault: MemoryVault = field(default_factory=MemoryVault)
    founded: date = field(init=False)
    _paid: "count[int]" = field(default_factory=count)

    def __post_init__(self) -> None:
        self.founded = business_day(self.house.clock.now())

    async def seals(self) -> int:
        sealer = Sealer(self.house.database, self.vault)
        return await sealer.seal(COURT, since=self.founded, now=self.house.clock.now())

    async def verifies(self, *, first: date | None = None, last: date | None = None) -> Report:
        verifier = Verifier(
            self.house.database, self.vault, clock=self.house.clock, signals=self.house.signals
        )
        return await verifier.verify(COURT, first=first or self.founded, last=last)

    async def lives(self, entries: int, *, every: int = 5) -> None:
        """That many payments, a few minutes apart, sealed after every `every` and at the end."""
        for n in range(entries):
            self.house.clock.advance(minutes=7)
            key = f"paid-{next(self._paid):04}"
            await self.house.tills.pay(f"T{n % 3}", n + 1, key=key)
            if n % every == every - 1:
                await self.seals()
        self.house.clock.advance(minutes=1)
        await self.seals()

    def entries(self) -> list[Item]:
        """What the journal holds, in the order of its stamps."""
        return sorted(self.house.engine.items("journal"), key=lambda item: item["ds"]["S"])

    async def puts(self, item: Item) -> None:
        """Put an entry by hand, as nobody's role allows."""
        await self.house.engine.put_many("journal", [item])

    async def removes(self, item: Item) -> None:
        """Delete an entry by hand, as nobody's role allows."""
        key = Key(item["pk"]["S"], item["sk"]["S"])
        await self.house.engine.transact([Write(table="journal", key=key, delete=True)])


QUARTER = timedelta(minutes=15)
