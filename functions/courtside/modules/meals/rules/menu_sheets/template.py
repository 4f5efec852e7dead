"""The template of a menu: one row a dish."""

from courtside.kernel.errors import Text
from courtside.kernel.sheets import Column, Kind, Template
from courtside.modules.meals.rules.menu_sheets.words import (
    ALLERGEN_NAMES,
    PERIOD_NAMES,
    TAG_NAMES,
)

CATEGORIES = ("荤菜", "素菜", "主食", "汤羹", "面点", "凉菜", "水果", "饮品")
_ALLERGENS = "、".join(ALLERGEN_NAMES.values())
_TAGS = "、".join(TAG_NAMES)

MENU_TEMPLATE = Template(
    schema="courtside.meals.menu",
    version=1,
    sheet="菜单",
    title=Text(zh="食堂菜单导入表", en="Canteen menu"),
    columns=(
        Column(
            heading="日期",
            note=Text(
                zh="供餐日期,例如 2026-03-02 或 3月2日。", en="Day served: 2026-03-02 or 3月2日."
            ),
            example="2026-03-02",
            width=17,
            kind=Kind.DATE,
            is_open=True,
            is_required=True,
        ),
        Column(
            heading="餐次",
            note=Text(
                zh="从列表中选择:早餐、午餐、晚餐、夜宵。",
                en="Pick one: breakfast, lunch, dinner, night.",
            ),
            example="午餐",
            width=10,
            choices=tuple(name.zh for name in PERIOD_NAMES.values()),
            is_required=True,
        ),
        Column(
            heading="菜名",
            note=Text(
                zh="一行一道菜,最多 20 个字。同一天同一餐不要重复。",
                en="One dish a row, at most 20 characters, once a meal.",
            ),
            example="红烧肉",
            width=24,
            is_required=True,
        ),
        Column(
            heading="单价(元)",
            note=Text(
                zh="以元为单位,最多两位小数。菜品库已有的菜可留空。",
                en="Yuan, at most two decimals. Leave blank for a dish that is in the dish list.",
            ),
            example="12.00",
            width=12,
            kind=Kind.MONEY,
        ),
        Column(
            heading="份数",
            note=Text(
                zh="计划供应的份数。留空则用导入时填写的默认份数。",
                en="Portions planned. Blank: the number given when importing.",
            ),
            example="80",
            width=10,
            kind=Kind.COUNT,
        ),
        Column(
            heading="过敏原",
            note=Text(
                zh=f"可填:{_ALLERGENS}(多项用“、”隔开);没有请填“无”。未声明的菜不能发布。",
                en="The eight groups of GB 7718, separated by 、; 无 for none. A dish without a "
                "statement cannot be published.",
            ),
            example="大豆、含麸质谷物",
            width=26,
            is_open=True,
        ),
        Column(
            heading="标签",
            note=Text(
                zh=f"可填:{_TAGS}(多项用“、”隔开)。",
                en="Halal, vegetarian, low in salt, sugar or purine, three grades of hot; "
                "separated by 、.",
            ),
            example="微辣",
            width=18,
            is_open=True,
        ),
        Column(
            heading="类别",
            note=Text(
                zh="例如荤菜、素菜、主食、汤羹;可自行填写。",
                en="Kind of dish; pick one or write your own.",
            ),
            example="荤菜",
            width=12,
            choices=CATEGORIES,
            is_open=True,
        ),
    ),
    guide=(
        Text(
            zh="“示例”一行不会导入,可以保留或删除。请勿修改表头。",
            en="The example row (示例) is not imported. Leave the headings as they are.",
        ),
        Text(
            zh="也可以直接上传平时使用的周菜单:日期在上、餐次在左,一格可写几道菜,"
            "例如“红烧肉 12元 80份”。",
            en="Your usual weekly grid can be uploaded as well: dates across, meals down, several "
            "dishes a cell, such as “红烧肉 12元 80份”.",
        ),
        Text(
            zh="上传后先检查,有问题的单元格会标红并写明原因;改好后重新上传即可。",
            en="The file is checked first; cells with errors come back in red with the reason. "
            "Mend them and upload again.",
        ),
    ),
)
