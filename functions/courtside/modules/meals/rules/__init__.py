"""Pure decisions of meals, by concern, and who may ask for each operation."""

from courtside.kernel.actor import Permits, Role

_KITCHEN = frozenset({Role.KITCHEN, Role.LOGISTICS_OFFICER})
_MANAGERS = frozenset({Role.LOGISTICS_MANAGER, Role.ADMINISTRATOR})
_SERVING = frozenset({Role.SERVING, Role.KITCHEN})
_DINERS = frozenset({Role.MEMBER})
_FINANCE = frozenset({Role.FINANCE})
_SYSTEM = frozenset({Role.SYSTEM})
_OFFICE = _KITCHEN | _MANAGERS

# `_for` rows are asked for as well when a clerk acts for another diner.
PERMITS: Permits = {
    "meals.list_canteens": _DINERS,
    "meals.add_canteen": _MANAGERS,
    "meals.set_meal_period": _MANAGERS,
    "meals.list_dishes": _OFFICE,
    "meals.add_dish": _KITCHEN,
    "meals.set_dish_allergens": _KITCHEN,
    "meals.get_home": _DINERS,
    "meals.get_day_menu": _DINERS,
    "meals.list_my_orders": _DINERS,
    "meals.place_order": _DINERS,
    "meals.place_order_for": frozenset({Role.CLERK}),
    "meals.change_order": _DINERS,
    "meals.change_order_for": frozenset({Role.CLERK}),
    "meals.cancel_order": _DINERS,
    "meals.cancel_order_for": frozenset({Role.CLERK}),
    "meals.cancel_for_leaver": _SYSTEM,
    "meals.list_orders_ahead": _SYSTEM,
    "meals.restate_allergens": _SYSTEM,
    "meals.collect_order": _SERVING,
    "meals.publish_menu": _KITCHEN,
    "meals.move_cut_off": _KITCHEN,
    "meals.issue_count": _KITCHEN,
    "meals.get_count": _KITCHEN | _SERVING,
    "meals.get_job": _OFFICE | _FINANCE,
    "meals.start_menu_import": _KITCHEN,
    "meals.check_menu_import": _KITCHEN,
    "meals.commit_menu_import": _KITCHEN,
    "meals.get_menu_import": _KITCHEN,
    "meals.start_top_up_import": _FINANCE,
    "meals.check_top_up_import": _FINANCE,
    "meals.commit_top_up_import": _FINANCE,
    "meals.get_top_up_import": _FINANCE,
}
