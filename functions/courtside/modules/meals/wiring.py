"""Builds the meals module on a database."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from courtside.kernel.actor import Actors
from courtside.kernel.jobs import Work
from courtside.modules.meals.consumers import Consumers
from courtside.modules.meals.ports import Calendars
from courtside.modules.meals.service.canteens import Canteens
from courtside.modules.meals.service.home import Homes
from courtside.modules.meals.service.kitchen import Kitchen
from courtside.modules.meals.service.menus import Menus
from courtside.modules.meals.service.orders import MealOrders
from courtside.modules.meals.service.works import Closing, MovingCutOff, Publishing
from courtside.modules.meals.store.canteens import CanteenStore
from courtside.modules.meals.store.kitchen import KitchenStore
from courtside.modules.meals.store.menus import MenuStore
from courtside.modules.meals.store.orders import OrderStore
from courtside.platform.dynamo.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Wired:
    """The services by their types, and what meals consumes."""

    services: Mapping[type[Any], object]
    consumers: Consumers


def build(database: Database, *, actors: Actors, calendars: Calendars) -> Wired:
    canteens, menus = CanteenStore(database), MenuStore(database)
    orders, counts = OrderStore(database), KitchenStore(database)
    journal = database.journal
    meal_orders = MealOrders(orders, menus=menus, canteens=canteens, journal=journal, actors=actors)
    services: Mapping[type[Any], object] = {
        MealOrders: meal_orders,
        Menus: Menus(menus, canteens=canteens, calendars=calendars, journal=journal, actors=actors),
        Homes: Homes(menus, orders=orders, canteens=canteens, calendars=calendars, actors=actors),
        Canteens: Canteens(canteens, journal=journal, actors=actors),
        Kitchen: Kitchen(counts, menus=menus, journal=journal, actors=actors),
    }
    works: Mapping[str, Work] = {
        "meals.publish": Publishing(menus, journal=journal),
        "meals.move_cut_off": MovingCutOff(menus, journal=journal),
        "meals.close": Closing(menus, orders=orders, counts=counts, journal=journal),
    }
    return Wired(services=services, consumers=Consumers(meal_orders, works=works))
