"""The words and cells of canteens' sheets: what each can mean, and what it cannot."""

import os
import subprocess
import sys
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from courtside.modules.meals.contracts.canteens import Allergen, Period, Tag
from courtside.modules.meals.rules.menu_sheets.cells import pieces_of
from courtside.modules.meals.rules.menu_sheets.words import (
    ALLERGEN_NAMES,
    Wrong,
    allergens_of,
    date_of,
    period_of,
    span_of,
    tags_of,
)

MONDAY = date(2026, 3, 2)
KNOWN = {"红烧肉", "清炒时蔬", "米饭", "宫保鸡丁"}


class TestCell:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("红烧肉 12元 80份", [("红烧肉", 1200, 80)]),
            ("红烧肉(12元)", [("红烧肉", 1200, None)]),
            ("红烧肉(12元/份,80份)", [("红烧肉", 1200, 80)]),
            ("红烧肉¥12.50", [("红烧肉", 1250, None)]),
            ("红烧肉×80", [("红烧肉", None, 80)]),
            ("12元 红烧肉", [("红烧肉", 1200, None)]),
            ("红烧肉\n12元\n米饭\n1元", [("红烧肉", 1200, None), ("米饭", 100, None)]),
            ("红烧肉 清炒时蔬 米饭", [(n, None, None) for n in ("红烧肉", "清炒时蔬", "米饭")]),
            ("宫保 鸡丁", [("宫保鸡丁", None, None)]),
            ("红烧肉 12元 青菜 5元", [("红烧肉", 1200, None), ("青菜", 500, None)]),
            ("1.红烧肉 2.清炒时蔬", [("红烧肉", None, None), ("清炒时蔬", None, None)]),
            ("1、红烧肉\n2、米饭", [("红烧肉", None, None), ("米饭", None, None)]),
            (
                "红烧肉/清炒时蔬,米饭;青菜",
                [(n, None, None) for n in ("红烧肉", "清炒时蔬", "米饭", "青菜")],
            ),
            ("鱼香肉丝(微辣)15元", [("鱼香肉丝(微辣)", 1500, None)]),
            ("Apple Pie 8元", [("Apple Pie", 800, None)]),
            ("休息", []),
            ("/", []),
        ],
    )
    def test_is_read_where_it_can_mean_one_thing(self, text, expected):
        pieces, wrong = pieces_of(text, KNOWN.__contains__)

        assert [(p.name, p.price_fen, p.portions) for p in pieces] == expected
        assert wrong == []

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("红烧肉 12", "单价还是份数"),
            ("红烧肉12", "单价还是份数"),
            ("白米饭 小米粥", "一道菜还是几道菜"),
            ("红烧肉 青菜 12元", "一道菜还是几道菜"),
            ("红烧肉、米饭、12元", "一道菜还是几道菜"),
            ("红烧肉 12元 13元", "两个单价"),
            ("红烧肉 12.345元", "最多两位小数"),
            ("红烧肉 1001元", "0 到 1000 元"),
            ("红烧肉 0份", "1 到 9999"),
            ("=B2", "没有结果"),
            ("#REF!", "没有结果"),
            ("菜" * 21, "不能作为菜名"),
        ],
    )
    def test_is_an_error_where_it_could_mean_two(self, text, told):
        _, wrong = pieces_of(text, KNOWN.__contains__)

        assert len(wrong) == 1
        assert told in wrong[0].zh
        assert wrong[0].en.isascii() or "“" in wrong[0].en

    @settings(max_examples=150, deadline=None)
    @given(st.text(alphabet="红烧肉米饭 \n、,()元份¥0123456789./x=", max_size=30))
    def test_never_loses_or_breaks(self, text):
        """Whatever is written comes back as dishes or as an error, and never as nothing."""
        pieces, wrong = pieces_of(text, KNOWN.__contains__)

        if any(char in text for char in "红烧肉米饭"):
            assert pieces or wrong


class TestDate:
    @pytest.mark.parametrize(
        "text",
        [
            "2026-03-02",
            "2026/3/2",
            "2026.3.2",
            "2026年3月2日",
            "2026年3月2日星期一",
            "3月2日",
            "3月2号(周一)",
            "3月2日\n星期一",
            "星期一 3月2日",
            "3/2",
            "46083",
        ],
    )
    def test_is_read_in_every_usual_form(self, text):
        assert date_of(text, MONDAY) == MONDAY

    @pytest.mark.parametrize(
        ("today", "text", "expected"),
        [
            (date(2025, 12, 29), "1月5日", date(2026, 1, 5)),
            (date(2026, 1, 5), "12月29日", date(2025, 12, 29)),
            (date(2028, 3, 1), "2月29日", date(2028, 2, 29)),
        ],
    )
    def test_without_a_year_is_the_nearest(self, today, text, expected):
        assert date_of(text, today) == expected

    @pytest.mark.parametrize("text", ["3月2日 星期二", "2月30日", "2026-02-29"])
    def test_that_does_not_exist_or_contradicts_its_weekday_is_refused(self, text):
        with pytest.raises(Wrong):
            date_of(text, MONDAY)

    @pytest.mark.parametrize("text", ["红烧肉", "3.2", "12元", "星期一", "26/3/2", ""])
    def test_is_not_guessed(self, text):
        assert date_of(text, MONDAY) is None

    def test_of_a_week_in_a_title(self):
        friday = date(2026, 3, 6)
        for text in ("3月2日-3月6日菜单", "一周菜谱(3月2日至6日)", "2026年3月2日—2026年3月6日"):
            assert span_of(text, MONDAY) == (MONDAY, friday)


class TestWords:
    def test_periods_with_blanks_and_times(self):
        assert period_of("午\n餐") is Period.LUNCH
        assert period_of("晚餐(17:30-19:00)") is Period.DINNER
        assert period_of("下午茶") is None

    def test_allergens_are_the_eight_groups_or_none(self):
        assert allergens_of("") is None
        assert allergens_of("无") == ()
        everything = "、".join(ALLERGEN_NAMES.values())
        assert allergens_of(everything) == tuple(Allergen)
        assert allergens_of("蛋类及其制品,乳及乳制品") == (Allergen.EGG, Allergen.MILK)
        for text in ("无、花生", "香菜"):
            with pytest.raises(Wrong):
                allergens_of(text)

    def test_tags(self):
        assert tags_of("清真、微辣") == (Tag.HALAL, Tag.SPICY_1)
        with pytest.raises(Wrong):
            tags_of("好吃")


HOSTILE = """
import resource
resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
from datetime import date
from courtside.modules.meals.rules.menu_sheets import cells, words
for text in ("1" * 4000, "3月2日" + " " * 3900 + "x", "3月" * 2000, "(" * 4000, "3月2日-" * 600,
             "星期一" + " " * 3900 + "x", "¥ " * 2000, "x1" * 2000, "1 " * 2000, "、" * 4000):
    for _ in range(20):
        cells.pieces_of(text, lambda name: False)
        for read in (words.price_of, words.portions_of, words.allergens_of):
            try:
                read(text)
            except words.Wrong:
                pass
        words.date_of(text, date(2026, 3, 2))
        words.span_of(text, date(2026, 3, 2))
        words.weekday_of(text)
        words.period_of(text)
"""


class TestHostileText:
    def test_is_read_in_time_that_grows_with_its_length(self):
        """An expression that backtracks would need hours here; the system ends it after 10 s."""
        done = subprocess.run(
            [sys.executable, "-c", HOSTILE],
            env={"PYTHONPATH": os.pathsep.join(sys.path)},
            check=False,
            capture_output=True,
            timeout=120,
        )

        assert (done.returncode, done.stderr) == (0, b"")
