"""Meals at the API, by screen; the root fields of all screens are merged here."""

from collections.abc import Mapping
from typing import Any

from strawberry.tools import merge_types

from courtside.kernel.errors import Refusal
from courtside.modules.meals.gql import canteens, imports, kitchen, menus, orders

_SCREENS = (orders, menus, canteens, kitchen, imports)

Query = merge_types("MealsQuery", tuple(screen.Query for screen in _SCREENS))
Mutation = merge_types("MealsMutation", tuple(screen.Mutation for screen in _SCREENS))

ERROR_TYPES: Mapping[type[Refusal], type[Any]] = {
    **menus.ERROR_TYPES,
    **orders.ERROR_TYPES,
    **kitchen.ERROR_TYPES,
    **imports.ERROR_TYPES,
}
