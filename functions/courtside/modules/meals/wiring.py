"""Builds the meals module on a database."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from courtside.kernel.files import Files
from courtside.kernel.jobs import Work
from courtside.modules.calendar.service import Calendar
from courtside.modules.meals.consumers import Consumers
from courtside.modules.meals.service.canteens import Canteens
from courtside.modules.meals.service.home import Homes
from courtside.modules.meals.service.import_works import Checking, Drafting, ToppingUp
from courtside.modules.meals.service.imports import CHECK, MENU, TOP_UP, Imports
from courtside.modules.meals.service.kitchen import Kitchen
from courtside.modules.meals.service.menus import Menus
from courtside.modules.meals.service.orders import MealOrders
from courtside.modules.meals.service.publishing import Publishing
from courtside.modules.meals.service.statements import Statements
from courtside.modules.meals.service.wallets import Wallets
from courtside.modules.meals.service.works import Closing, MovingCutOff
from courtside.modules.meals.store.canteens import CanteenStore
from courtside.modules.meals.store.imports import ImportStore
from courtside.modules.meals.store.kitchen import KitchenStore
from courtside.modules.meals.store.menus import MenuStore
from courtside.modules.meals.store.orders import OrderStore
from courtside.modules.people.service import People
from courtside.platform.dynamo.database import Database
from courtside.platform.spreadsheets import Spreadsheets


@dataclass(frozen=True, slots=True, kw_only=True)
class Wired:
    """The services by their types, and what meals consumes."""

    services: Mapping[type[Any], object]
    consumers: Consumers


def build(database: Database, *, people: People, calendars: Calendar, files: Files) -> Wired:
    canteens, menus = CanteenStore(database), MenuStore(database)
    orders, counts = OrderStore(database), KitchenStore(database)
    journal, actors = database.journal, people
    imports = Imports(
        store=ImportStore(database),
        canteens=canteens,
        journal=journal,
        actors=actors,
        files=files,
        spreadsheets=Spreadsheets(),
    )
    meal_orders = MealOrders(orders, menus=menus, canteens=canteens, journal=journal, actors=actors)
    services: Mapping[type[Any], object] = {
        MealOrders: meal_orders,
        Menus: Menus(menus, canteens=canteens, calendars=calendars, journal=journal, actors=actors),
        Homes: Homes(menus, orders=orders, canteens=canteens, calendars=calendars, actors=actors),
        Canteens: Canteens(canteens, journal=journal, actors=actors),
        Kitchen: Kitchen(counts, menus=menus, journal=journal, actors=actors),
        Imports: imports,
    }
    statements = Statements(menus=menus, journal=journal, actors=actors)
    works: Mapping[str, Work] = {
        "meals.publish": Publishing(menus, journal=journal),
        "meals.move_cut_off": MovingCutOff(menus, journal=journal),
        "meals.close": Closing(menus, orders=orders, counts=counts, journal=journal),
        **_import_works(imports, people=people, menus=menus, orders=orders),
    }
    return Wired(
        services=services, consumers=Consumers(meal_orders, statements=statements, works=works)
    )


def _import_works(
    imports: Imports, *, people: People, menus: MenuStore, orders: OrderStore
) -> Mapping[str, Work]:
    """The dry run, and what a commit sets going."""
    store, journal, files = imports.store, imports.journal, imports.files
    wallets = Wallets(orders=orders, journal=journal)
    return {
        CHECK: Checking(
            store=store,
            canteens=imports.canteens,
            people=people,
            journal=journal,
            files=files,
            spreadsheets=imports.spreadsheets,
        ),
        MENU: Drafting(store=store, menus=menus, journal=journal, files=files),
        TOP_UP: ToppingUp(store=store, wallets=wallets, journal=journal, files=files),
    }
