"""What the services need from storage and from other modules, each method an access pattern."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from courtside.kernel.actor import Actor
from courtside.kernel.jobs import Freed, Job
from courtside.kernel.journal import Entry, Json, Recorded
from courtside.kernel.ledger import Account, AccountId
from courtside.kernel.sheets import CellError, Sheet, Template
from courtside.modules.meals.contracts.canteens import Canteen, Dish, MealPeriod, Period
from courtside.modules.meals.contracts.imports import Import
from courtside.modules.meals.contracts.kitchen import KitchenCount
from courtside.modules.meals.contracts.menus import (
    DayMenu,
    DraftDay,
    DraftLine,
    MenuDay,
    MenuLine,
    PlannedLines,
    Window,
)
from courtside.modules.meals.contracts.orders import (
    Decided,
    MealOrder,
    OrderFacts,
    OrderKey,
    Wanted,
)

LineKey = tuple[Period, str]


class CanteenStore(Protocol):
    async def list_canteens(self, court: str) -> list[Canteen]:
        """All canteens of a court: one query."""
        ...

    async def find_canteen(self, court: str, canteen: str) -> Canteen | None:
        """A canteen by its id: one consistent get."""
        ...

    async def list_periods(self, court: str, canteen: str) -> list[MealPeriod]:
        """The settings of a canteen's meals: one consistent query."""
        ...

    async def find_period(self, court: str, canteen: str, period: Period) -> MealPeriod | None:
        """The settings of one meal: one consistent get."""
        ...

    async def list_dishes(self, court: str, canteen: str) -> list[Dish]:
        """All dishes of a canteen: one consistent query."""
        ...

    async def find_dish(self, court: str, canteen: str, dish: str) -> Dish | None:
        """A dish by its id: one consistent get."""
        ...

    async def save_canteen(
        self, canteen: Canteen, periods: Sequence[MealPeriod], entry: Entry
    ) -> Recorded | None:
        """A new canteen with its periods."""
        ...

    async def save_period(self, period: MealPeriod, entry: Entry) -> Recorded | None:
        """The next version of a meal's settings."""
        ...

    async def save_dish(self, dish: Dish, entry: Entry) -> Recorded | None:
        """The next version of a dish; DishExists for a new one whose name is taken."""
        ...


class MenuStore(Protocol):
    async def load_menu(self, court: str, canteen: str, day: date, *, decide: bool) -> DayMenu:
        """A whole day, unseen batches included: one query, consistent when `decide`."""
        ...

    async def find_draft_days(
        self, court: str, canteen: str, days: Sequence[date]
    ) -> list[DraftDay]:
        """The pointers of those days that have a draft: one batch get."""
        ...

    async def list_draft_lines(self, court: str, draft: DraftDay) -> list[DraftLine]:
        """A day's lines of the batches that count: one consistent query a batch."""
        ...

    async def find_days(self, court: str, canteen: str, days: Sequence[date]) -> list[MenuDay]:
        """The days there are: one consistent batch get."""
        ...

    async def find_dishes(self, court: str, canteen: str, dishes: Sequence[str]) -> dict[str, Dish]:
        """Dishes by id: one batch get."""
        ...

    async def find_lines_of(
        self, court: str, canteen: str, dish: str, days: Sequence[date]
    ) -> list[MenuLine]:
        """The lines of one dish on those days, unseen batches included: one consistent batch
        get."""
        ...

    async def restate_lines(
        self, lines: Sequence[MenuLine], dish: Dish, entry: Entry
    ) -> Recorded | None:
        """The dish's statement on its lines of a day, if the dish is still at its version."""
        ...

    async def request_job(self, days: Sequence[MenuDay], job: Job, entry: Entry) -> Recorded | None:
        """The days' next versions and a job's parent."""
        ...

    async def publish_lines(
        self, day: MenuDay, chunk: PlannedLines, job: Job, entry: Entry
    ) -> Recorded | None:
        """Lines as they shall be, if the day and the dishes are still at their versions; and the
        job's step."""
        ...

    async def turn(
        self, days: Sequence[MenuDay], job: Job, report: Json | None, entry: Entry
    ) -> Recorded | None:
        """The days' next versions and the job's end with its report, or (None) its step."""
        ...

    async def withdraw_lines(
        self, lines: Sequence[MenuLine], job: Job, entry: Entry
    ) -> Recorded | None:
        """Each line WITHDRAWN that is still open and gone with the same batch; the job's step."""
        ...

    async def close_lines(
        self, lines: Sequence[MenuLine], job: Job | None, entry: Entry
    ) -> Recorded | None:
        """Each line CLOSED from the attempt's instant on; the job's step if it is given."""
        ...

    async def move_lines(
        self,
        day: MenuDay,
        lines: Sequence[MenuLine],
        window: Window,
        job: Job | None,
        entry: Entry,
    ) -> Recorded | None:
        """The window's bounds on each line that is not closed, if the day is still at its version;
        the job's step if it is given."""
        ...

    async def find_job(self, court: str, job_id: str) -> Job | None:
        """A job by its id: one consistent get."""
        ...

    def free_days(self, court: str, days: Sequence[MenuDay]) -> Freed:
        """The days' next versions, for the transaction that ends their job: at most 14 days."""
        ...


class OrderStore(Protocol):
    async def load_order(
        self, court: str, key: OrderKey, canteen: str, wanted: Sequence[Wanted]
    ) -> OrderFacts:
        """Day, wanted lines, order, subsidy and wallet: part of one consistent batch get."""
        ...

    async def find_order(self, court: str, key: OrderKey) -> MealOrder | None:
        """An order by its key: one consistent get."""
        ...

    async def find_orders(
        self, court: str, keys: Sequence[OrderKey], *, decide: bool
    ) -> list[MealOrder]:
        """The orders there are of those keys: one batch get, consistent when `decide`."""
        ...

    async def list_orders(self, court: str, day: date, period: Period) -> list[MealOrder]:
        """All orders of a court's meal, cancelled ones included: one consistent query."""
        ...

    async def find_by_code(self, court: str, code: str) -> list[OrderKey]:
        """Whose code it may be: one query of the index, to be read again by key."""
        ...

    async def find_balances(
        self, court: str, accounts: Sequence[AccountId]
    ) -> list[Account | None]:
        """Subsidies and wallets by their ids: one consistent batch get."""
        ...

    async def save_order(
        self, decided: Decided, entry: Entry, *, acting: Actor | None = None
    ) -> Recorded | None:
        """The order's next version with all its movements, within its bound, if whoever is
        `acting` for another is still granted what was read.

        SoldOut, the closed window's refusal, or Stale when anything else has moved.
        """
        ...

    async def save_collected(self, order: MealOrder, entry: Entry) -> Recorded | None:
        """The order handed out; Stale if somebody was faster."""
        ...

    async def save_top_ups(self, job: Job, entry: Entry) -> Recorded | None:
        """The entry's wallet movements, each opening its wallet or not, and the job's step."""
        ...


class KitchenStore(Protocol):
    async def save_count(
        self, count: KitchenCount, day: MenuDay, job: Job, entry: Entry
    ) -> Recorded | None:
        """A count, the day that names it, and the job's end."""
        ...

    async def find_count(
        self, court: str, canteen: str, day: date, period: Period, version: int
    ) -> KitchenCount | None:
        """One version of a count: one query over its parts."""
        ...


class ImportStore(Protocol):
    async def find_import(self, court: str, import_id: str) -> Import | None:
        """An import by its id: one consistent get."""
        ...

    async def save_import(
        self,
        imported: Import,
        job: Job | None,
        entry: Entry,
        *,
        acting: Actor | None = None,
        locks_file: bool = False,
    ) -> Recorded | None:
        """The import's next version, and the parent of the job that goes on with it; if `acting`
        is still granted what was read, and (`locks_file`) no other import has taken the file."""
        ...

    async def find_job(self, court: str, job_id: str) -> Job | None:
        """A job by its id: one consistent get."""
        ...

    def free_import(self, court: str, imported: Import) -> Freed:
        """The import's next version, for the transaction that ends its job."""
        ...

    async def end_import(
        self, imported: Import, drafts: Sequence[DraftDay], job: Job, report: Json, entry: Entry
    ) -> Recorded | None:
        """The import's next version, the job's end, and with it the draft days that now count."""
        ...

    async def save_drafts(
        self, lines: Sequence[DraftLine], dishes: Sequence[Dish], job: Job, entry: Entry
    ) -> Recorded | None:
        """Lines of the job's own batch, dishes new or at their next version, the job's step."""
        ...


class Spreadsheets(Protocol):
    """Foreign files as sheets and back, as the platform reads them."""

    async def read(self, data: bytes) -> list[Sheet]:
        """The sheets that hold anything. UnreadableSheet."""
        ...

    async def annotate(self, data: bytes, *, errors: Sequence[CellError]) -> bytes:
        """A copy with the errors at their cells."""
        ...

    async def template(self, template: Template) -> bytes:
        """The workbook to fill in."""
        ...
