"""Items of meals. Attribute names are short where an order writes them: one kilobyte each."""

from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    ListAttribute,
    NumberAttribute,
    UnicodeAttribute,
)

from courtside.platform.dynamo.database import Record, Versioned

CANTEENS = "MEALS#CANTEENS"
DAY = "DAY"
LINE = "LINE#"


class CanteenItem(Versioned):
    """`MEALS#CANTEENS` / `<canteen>`."""

    name = UnicodeAttribute()
    site = UnicodeAttribute()
    windows = ListAttribute(of=UnicodeAttribute)


class PeriodItem(Versioned):
    """`MEALS#PERIODS#<canteen>` / `<PERIOD>`; a cut-off is `<days>|<time>|<count>`."""

    serve_from = UnicodeAttribute()
    serve_to = UnicodeAttribute()
    order = UnicodeAttribute()
    change = UnicodeAttribute()
    cancel = UnicodeAttribute()
    subsidy = NumberAttribute()


class DishItem(Versioned):
    """`MEALS#DISHES#<canteen>` / `<dish>`; without `allergens` nothing was stated yet."""

    name = UnicodeAttribute()
    category = UnicodeAttribute()
    price = NumberAttribute()
    allergens = UnicodeAttribute(null=True)
    tags = UnicodeAttribute()


class DraftDayItem(Versioned):
    """`MEALS#DRAFTS#<canteen>` / `<date>`: which batch of drafted lines counts, by meal."""

    batches = JSONAttribute()


class DraftLineItem(Record):
    """`MEALS#DRAFT#<canteen>#<batch>` / `<date>#<PERIOD>#<dish>`."""

    name = UnicodeAttribute()
    price = NumberAttribute()
    planned = NumberAttribute()


class DayItem(Versioned):
    """`MEALS#MENU#<canteen>#<date>` / `DAY`; `windows` is JSON, one list a meal."""

    published = NumberAttribute()
    batch = NumberAttribute()
    windows = UnicodeAttribute()
    publishing = UnicodeAttribute(null=True)


class LineItem(Record):
    """`MEALS#MENU#<canteen>#<date>` / `LINE#<PERIOD>#<dish>`: a menu line, and its account."""

    available = NumberAttribute()
    held = NumberAttribute()
    planned = NumberAttribute(attr_name="pl")
    name = UnicodeAttribute(attr_name="n")
    price = NumberAttribute(attr_name="p")
    allergens = UnicodeAttribute(attr_name="al")
    tags = UnicodeAttribute(attr_name="tg")
    state = UnicodeAttribute(attr_name="st")
    order_by = UnicodeAttribute(attr_name="ob")
    change_by = UnicodeAttribute(attr_name="cb")
    cancel_by = UnicodeAttribute(attr_name="xb")
    closed_at = UnicodeAttribute(attr_name="ca", null=True)
    batch = NumberAttribute(attr_name="b")
    gone = NumberAttribute(attr_name="g", null=True)


class OrderItem(Versioned):
    """`MEALS#ORDERS#<date>#<PERIOD>` / `<person>`; lines are JSON: dish, name, quantity, price."""

    gsi1pk = UnicodeAttribute()
    gsi1sk = UnicodeAttribute()
    state = UnicodeAttribute(attr_name="st")
    canteen = UnicodeAttribute(attr_name="c")
    lines = UnicodeAttribute(attr_name="l")
    subsidy = NumberAttribute(attr_name="s")
    wallet = NumberAttribute(attr_name="w")
    code = UnicodeAttribute(attr_name="k")
    placed_at = UnicodeAttribute(attr_name="at")
    placed_by = UnicodeAttribute(attr_name="pb", null=True)
    collected_at = UnicodeAttribute(attr_name="ca", null=True)
    collected_by = UnicodeAttribute(attr_name="cb", null=True)
    window = UnicodeAttribute(attr_name="cw", null=True)


class AccountItem(Record):
    """A subsidy or a wallet: nothing but its balance."""

    available = NumberAttribute()
    held = NumberAttribute()


class CountItem(Record):
    """`MEALS#COUNTS#<canteen>#<date>` / `<PERIOD>#<version>#<part>`: totals in part 0, diners in
    all parts; both are JSON."""

    issued_at = UnicodeAttribute()
    lines = UnicodeAttribute(null=True)
    diners = UnicodeAttribute()
    counted = NumberAttribute()
    ordered = NumberAttribute()
    sold = NumberAttribute()
    agrees = BooleanAttribute()


class ImportItem(Versioned):
    """`MEALS#IMPORTS` / `<import>`; `faults` is JSON: the first of them, each a list of four."""

    kind = UnicodeAttribute()
    canteen = UnicodeAttribute()
    state = UnicodeAttribute()
    filename = UnicodeAttribute()
    sha256 = UnicodeAttribute()
    size = NumberAttribute()
    requested_by = UnicodeAttribute()
    at = UnicodeAttribute()
    portions = NumberAttribute(null=True)
    rows = NumberAttribute()
    total = NumberAttribute()
    faults = UnicodeAttribute()
    fault_count = NumberAttribute()
    annotated = UnicodeAttribute(null=True)
    plan = UnicodeAttribute(null=True)
    job = UnicodeAttribute(null=True)
    paid = NumberAttribute(default=0)
    taken_at = UnicodeAttribute(null=True)


class TakenItem(Record):
    """`MEALS#TAKEN#<KIND>` / `<sha256>`: a file whose money moves; no second import takes it."""

    imported = UnicodeAttribute()
    at = UnicodeAttribute()
