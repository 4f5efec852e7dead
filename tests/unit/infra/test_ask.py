import json

import pytest
from infra.local.ask import WIDTH, document_id, picked, send, shown, told, variables_of

ANSWER = {
    "canteens": [
        {"id": "a", "name": "机关第一食堂"},
        {"id": "b", "name": "清真餐厅", "windows": ["一"]},
    ]
}


class TestVariables:
    def test_are_json(self):
        assert variables_of('{"date": "2026-03-09", "n": 2, "on": true, "no": null}') == {
            "date": "2026-03-09",
            "n": 2,
            "on": True,
            "no": None,
        }

    def test_need_no_quotes(self):
        given = "{date: 2026-03-09, by: 2026-03-09T09:00+08:00, lines: [{id: aB_-1, quantity: 2}]}"

        assert variables_of(given) == {
            "date": "2026-03-09",
            "by": "2026-03-09T09:00+08:00",
            "lines": [{"id": "aB_-1", "quantity": 2}],
        }

    @pytest.mark.parametrize("code", ["12345678", "01234567", "1234E567", "0X123456", "12_34567"])
    def test_leave_a_pick_up_code_text(self, code):
        assert variables_of(f"{{code: {code}}}") == {"code": code}

    def test_are_given_a_fresh_key_where_an_input_has_none(self):
        first, second = (variables_of("{input: {on: x}}")["input"] for _ in range(2))

        assert first.pop("idempotencyKey") != second.pop("idempotencyKey")
        assert first == second == {"on": "x"}

    def test_keep_their_own_key(self):
        assert variables_of("{input: {idempotencyKey: mine-0001}}") == {
            "input": {"idempotencyKey": "mine-0001"}
        }

    @pytest.mark.parametrize("text", ["{a: [", "[1]", "text", "{a: !!python/name:os.system x}"])
    def test_that_cannot_be_read_end_in_one_line(self, text, capsys):
        with pytest.raises(SystemExit):
            variables_of(text)

        assert capsys.readouterr().err.startswith("!! VARS ")


class TestPicked:
    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("canteens[name=清真餐厅].id", "b"),
            ("canteens.0.name", "机关第一食堂"),
            ("data.canteens.1.windows.0", "一"),
            ("canteens[id=b].windows", ["一"]),
        ],
    )
    def test_follows_the_path(self, path, value):
        assert picked(ANSWER, path) == value

    @pytest.mark.parametrize(
        ("path", "step"),
        [
            ("dishes", "dishes"),
            ("canteens.2.id", "2"),
            ("canteens.first", "first"),
            ("canteens.0.id.x", "x"),
        ],
    )
    def test_names_the_step_that_leads_nowhere(self, path, step):
        with pytest.raises(LookupError, match=f"^{step}$"):
            picked(ANSWER, path)

    def test_names_a_filter_that_finds_nothing(self):
        with pytest.raises(LookupError):
            picked(ANSWER, "canteens[name=没有].id")


class TestShown:
    def test_is_json_in_lines_that_fit(self):
        value = {
            "lines": [{"name": "清蒸鲈鱼" * 5, "n": n} for n in range(9)],
            "empty": [],
            "no": None,
        }

        text = shown(value)

        assert json.loads(text) == value
        assert max(map(len, text.splitlines())) <= WIDTH
        assert '    {"name": "清蒸鲈鱼清蒸鲈鱼清蒸鲈鱼清蒸鲈鱼清蒸鲈鱼", "n": 0},\n' in text

    def test_keeps_what_is_short_on_one_line(self):
        assert shown({"errors": [], "order": None}) == '{"errors": [], "order": null}'


class TestMistakes:
    def test_an_operation_that_there_is_not(self, capsys):
        with pytest.raises(SystemExit):
            document_id("Cant")

        assert capsys.readouterr().err == "!! no operation Cant; OP=AddCanteen|Canteens\n"

    def test_a_server_that_does_not_answer(self, capsys):
        with pytest.raises(SystemExit):
            send("GET", "http://127.0.0.1:1/graphql", {})

        assert capsys.readouterr().err.startswith("!! no answer from 127.0.0.1:1 (")

    def test_somebody_without_permission_is_told_who_there_is(self):
        error = {"message": "不行。", "path": ["a"], "extensions": {"code": "NOT_PERMITTED"}}

        assert told(error, "(known: judge)") == "NOT_PERMITTED: 不行。 (known: judge)"
