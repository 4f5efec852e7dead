"""The embedded engine's stream stays as fast at its ten-thousandth record as at its first."""

import gzip
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from infra.local import engine as local

from courtside.platform.dynamo.aio import DynamoEngine
from courtside.platform.dynamo.values import Key, Write
from courtside.platform.settings import Settings, table_names

NAMES = table_names("test")
# What the engine asks at every write to a table with a stream.
HIGHEST = "SELECT MAX(CAST(sequence_number AS INTEGER)) FROM _stream_records WHERE table_name = ?"


def plan(file: Path) -> str:
    with closing(sqlite3.connect(file)) as database:
        rows = database.execute(f"EXPLAIN QUERY PLAN {HIGHEST}", ("courtside-test-journal",))
        return " ".join(str(column) for row in rows for column in row)


class TestStreamIndex:
    @pytest.mark.usefixtures("endpoint")
    def test_the_highest_number_is_looked_up_not_searched_for(self, engine_file: Path) -> None:
        assert f"USING INDEX {local.STREAM_INDEX}" in plan(engine_file).replace("COVERING ", "")

    def test_without_it_every_record_is_read(self, tmp_path: Path) -> None:
        file = tmp_path / "bare.db"
        local.start(file, NAMES).stop()
        with closing(sqlite3.connect(file)) as database:
            database.execute(f"DROP INDEX {local.STREAM_INDEX}")

        assert local.STREAM_INDEX not in plan(file)

    async def test_only_the_journal_has_a_stream(
        self, embedded: DynamoEngine, engine_file: Path
    ) -> None:
        before = counted(engine_file)

        await embedded.transact([a_put("records"), a_put("journal"), a_put("private")])

        after = counted(engine_file)
        assert {name: after[name] - before.get(name, 0) for name in after} == {
            "courtside-test-journal": 1
        }


class TestStart:
    async def test_data_survive_and_old_stream_records_go(self, tmp_path: Path) -> None:
        file = tmp_path / "tables.db"
        running = local.start(file, NAMES)
        await write_one(running.endpoint)
        running.stop()
        with closing(sqlite3.connect(file)) as database, database:
            database.execute("UPDATE _stream_records SET created_at = created_at - 25 * 3600")

        gone = local.prepare(file)

        again = local.start(file, NAMES)
        try:
            names = local.call(again.endpoint, "ListTables", {})["TableNames"]
            found = local.call(again.endpoint, "Scan", {"TableName": NAMES["journal"]})
        finally:
            again.stop()
        assert gone == 1
        assert sorted(names) == sorted(NAMES.values())
        assert found["Count"] == 1

    def test_export_files_are_imported_and_served(self, tmp_path: Path) -> None:
        exported = tmp_path / "export" / NAMES["records"] / "data"
        exported.mkdir(parents=True)
        item = {"pk": {"S": "C1#A"}, "sk": {"S": "1"}, "name": {"S": "红烧肉"}}
        with gzip.open(exported / "0001.json.gz", "wt", encoding="utf-8") as lines:
            lines.write(json.dumps({"Item": item}) + "\n")
        file = tmp_path / "imported.db"

        local.import_exports(tmp_path / "export", file, NAMES)

        running = local.start(file, NAMES)
        try:
            found = local.call(running.endpoint, "Scan", {"TableName": NAMES["records"]})
            names = local.call(running.endpoint, "ListTables", {})["TableNames"]
        finally:
            running.stop()
        assert found["Items"] == [item]
        assert sorted(names) == sorted(NAMES.values())

    def test_a_missing_package_says_what_to_do(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(local, "BINARY", tmp_path / "nowhere")

        with pytest.raises(local.EngineMissing) as caught:
            local.start(tmp_path / "tables.db", NAMES)

        assert "COURTSIDE_DYNAMODB" in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_a_port_in_use_is_an_error_and_leaves_no_process(
        self, tmp_path: Path, endpoint: str
    ) -> None:
        port = int(endpoint.rpartition(":")[2])

        with pytest.raises(local.EngineFailed):
            local.start(tmp_path / "tables.db", NAMES, port=port)


def a_put(table: str) -> Write:
    key = Key("STREAM#CASE", "1")
    return Write(table=table, key=key, put={"pk": {"S": key.pk}, "sk": {"S": key.sk}})


async def write_one(endpoint: str) -> None:
    settings = Settings(stage="test", region="local", endpoint=endpoint, tables=NAMES)
    engine = DynamoEngine(settings)
    await engine.transact([a_put("journal")])
    await engine.close()


def counted(file: Path) -> dict[str, int]:
    with closing(sqlite3.connect(file)) as database:
        sql = "SELECT table_name, COUNT(*) FROM _stream_records GROUP BY table_name"
        return dict(database.execute(sql).fetchall())
