"""A day's menu, and the office's jobs that publish and move it."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import strawberry

from courtside.kernel import jobs
from courtside.kernel.errors import NotFound, Refusal
from courtside.kernel.jobs import JobState
from courtside.kernel.workdays import CalendarYearMissing
from courtside.modules.meals import errors
from courtside.modules.meals.contracts import menus as contracts
from courtside.modules.meals.contracts.canteens import Allergen, Period, Tag
from courtside.modules.meals.contracts.menus import WindowState
from courtside.modules.meals.gql import ids
from courtside.modules.meals.service.menus import Menus
from courtside.platform.gql.commands import carry_out
from courtside.platform.gql.payloads import (
    Info,
    Payload,
    UserError,
    mutation,
    query,
)
from courtside.platform.gql.scalars import Yuan

strawberry.enum(JobState, description="任务状态 / Whether a job runs, is done, or was refused.")


@strawberry.type(description="菜单上的一道菜 / A dish on the menu.")
class MenuLine:
    dish_id: strawberry.ID
    name: str
    price: Yuan
    left: int = strawberry.field(description="剩余份数 / Portions left.")
    allergens: list[Allergen]
    tags: list[Tag]

    @staticmethod
    def of(line: contracts.MenuLine) -> "MenuLine":
        return MenuLine(
            dish_id=ids.dish_id(line.canteen, line.dish),
            name=line.name,
            price=Yuan(line.price_fen),
            left=line.available,
            allergens=list(line.allergens or ()),
            tags=list(line.tags),
        )


@strawberry.type(description="某日的一餐 / One meal of a day. All bounds are exclusive.")
class MenuMeal:
    period: Period
    serves_from: datetime
    serves_to: datetime
    closes_at: datetime = strawberry.field(description="订餐截止 / Ordering ends.")
    changes_until: datetime
    cancels_until: datetime
    seconds_left: int = strawberry.field(
        description="距订餐截止的秒数,已截止为 0 / Seconds until ordering ends; 0 when it has."
    )
    is_open: bool
    subsidy_left: Yuan = strawberry.field(description="本餐可用餐补 / Subsidy for this meal.")
    lines: list[MenuLine] = strawberry.field(
        description="首页不列已截止餐次的菜品 / On the first screen, closed meals list no dishes."
    )


@strawberry.type(description="食堂一日菜单 / A canteen's day. No meals: nothing is published.")
class DayMenu:
    date: date
    meals: list[MenuMeal]
    server_now: datetime = strawberry.field(
        description="服务器时间,倒计时以此为准 / Count down from this clock, not the phone's."
    )


def to_day_menu(
    menu: contracts.DayMenu,
    *,
    now: datetime,
    subsidies: Mapping[tuple[date, Period], int],
    lists_closed: bool = True,
) -> DayMenu:
    """The published meals of a day in their order; with the dishes of closed ones, or without.

    The main dishes come first, rice and soup last: as they are priced.
    """
    lines: dict[Period, list[MenuLine]] = {}
    for line in sorted(menu.lines, key=lambda line: (-line.price_fen, line.name)):
        lines.setdefault(line.period, []).append(MenuLine.of(line))
    windows = menu.day.windows if menu.day is not None else ()
    return DayMenu(
        date=menu.date,
        meals=[
            _meal(
                window,
                lines[window.period] if lists_closed or _is_open(window, now) else [],
                subsidies.get((menu.date, window.period), window.subsidy_fen),
                now,
            )
            for window in windows
            if window.period in lines
        ],
        server_now=now,
    )


def _meal(
    window: contracts.Window, lines: list[MenuLine], subsidy_fen: int, now: datetime
) -> MenuMeal:
    left = max(0, int((window.order_by - now).total_seconds()))
    return MenuMeal(
        period=window.period,
        serves_from=window.serves_from,
        serves_to=window.serves_to,
        closes_at=window.order_by,
        changes_until=window.change_by,
        cancels_until=window.cancel_by,
        seconds_left=left,
        is_open=_is_open(window, now),
        subsidy_left=Yuan(subsidy_fen),
        lines=lines,
    )


def _is_open(window: contracts.Window, now: datetime) -> bool:
    return window.state is WindowState.OPEN and now < window.order_by


@strawberry.type(description="后台任务 / Long work; ask again until it is no longer RUNNING.")
class MealsJob:
    id: strawberry.ID
    kind: str
    state: JobState
    done: int = strawberry.field(description="已完成的步数 / Steps done, of `steps`.")
    steps: int
    code: str | None = strawberry.field(description="被拒原因代码 / Why it was refused.")
    message: str | None

    @staticmethod
    def of(job: jobs.Job, language: str) -> "MealsJob":
        return MealsJob(
            id=ids.job_id(job.id),
            kind=job.kind,
            state=job.state,
            done=job.cursor,
            steps=job.children,
            code=job.report.get("refused"),
            message=job.report.get(language),
        )


@strawberry.type(
    description="尚未声明过敏原 / Dishes without a statement, which blocks publishing."
)
class NoAllergenStatement(UserError):
    dish_names: list[str]

    @staticmethod
    def of(refusal: errors.NoAllergenStatement, **common: Any) -> "NoAllergenStatement":
        return NoAllergenStatement(dish_names=refusal.names.split("、"), **common)


ERROR_TYPES: dict[type[Refusal], type[Any]] = {errors.NoAllergenStatement: NoAllergenStatement}


@strawberry.input
class PublishMenuInput:
    idempotency_key: str
    canteen_id: strawberry.ID
    from_: date = strawberry.field(name="from")
    to: date = strawberry.field(description="含此日,最多 14 天 / Included; at most 14 days.")

    def request(self) -> contracts.PublishMenu:
        canteen = ids.to_canteen(self.canteen_id)
        return contracts.PublishMenu(canteen=canteen, from_on=self.from_, to_on=self.to)


@strawberry.input
class MoveCutOffInput:
    idempotency_key: str
    canteen_id: strawberry.ID
    date: date
    period: Period
    order_by: datetime
    change_by: datetime
    cancel_by: datetime

    def request(self) -> contracts.MoveCutOff:
        return contracts.MoveCutOff(
            canteen=ids.to_canteen(self.canteen_id),
            date=self.date,
            period=self.period,
            order_by=self.order_by.replace(microsecond=0),
            change_by=self.change_by.replace(microsecond=0),
            cancel_by=self.cancel_by.replace(microsecond=0),
        )


@strawberry.type
class PublishMenuPayload(Payload):
    job: MealsJob | None = None


@strawberry.type
class MoveCutOffPayload(Payload):
    job: MealsJob | None = None


@strawberry.type
class Query:
    @query("meals.get_job", description="后台任务进度 / How far a job is.")
    async def meals_job(self, info: Info, job_id: strawberry.ID) -> MealsJob:
        context = info.context
        job = await context.get(Menus).get_job(
            context.principal, ids.to_job(job_id), now=context.now
        )
        return MealsJob.of(job, context.language)


@strawberry.type
class Mutation:
    @mutation(
        "meals.publish_menu",
        refuses=(
            NotFound,
            errors.NothingDrafted,
            errors.NoAllergenStatement,
            errors.DayIsOver,
            errors.MealClosed,
            errors.MealBusy,
            errors.PriceChanged,
            errors.FewerThanSold,
            CalendarYearMissing,
        ),
        description="发布已导入的菜单 / Publish what is drafted; seen only when the job is done.",
    )
    async def publish_menu(self, info: Info, input: PublishMenuInput) -> PublishMenuPayload:
        use_case = info.context.get(Menus).publish_menu
        done = await carry_out(info, use_case, input.idempotency_key, input.request())
        job = MealsJob.of(done.value, info.context.language)
        return PublishMenuPayload(job=job, replayed=done.replayed)

    @mutation(
        "meals.move_cut_off",
        refuses=(NotFound, errors.MenuNotPublished, errors.MealClosed, errors.MealBusy),
        description="调整某餐的截止时间 / Move the cut-offs of one meal of one day.",
    )
    async def move_cut_off(self, info: Info, input: MoveCutOffInput) -> MoveCutOffPayload:
        use_case = info.context.get(Menus).move_cut_off
        done = await carry_out(info, use_case, input.idempotency_key, input.request())
        job = MealsJob.of(done.value, info.context.language)
        return MoveCutOffPayload(job=job, replayed=done.replayed)
