import subprocess
import sys
from datetime import UTC, datetime, timedelta

import psutil
import pytest
from infra.local.clock import Backwards, RunningClock, parse
from infra.local.data import DataFolder, InUse, read_json, write_json

FUTURE = datetime(2199, 3, 2, 1, 0, tzinfo=UTC)


class TestRunningClock:
    def test_runs_on_from_where_it_is_set(self, tmp_path):
        clock = RunningClock(tmp_path / "clock.json")

        clock.move(FUTURE)

        assert FUTURE <= clock.now() < FUTURE + timedelta(seconds=30)

    def test_is_one_clock_for_all_that_read_it(self, tmp_path):
        here, there = (RunningClock(tmp_path / "clock.json") for _ in range(2))
        before = there.now()

        here.move(FUTURE)

        assert before < FUTURE <= there.now()

    def test_never_goes_backwards(self, tmp_path):
        clock = RunningClock(tmp_path / "clock.json")
        clock.move(FUTURE)

        with pytest.raises(Backwards):
            clock.move(FUTURE - timedelta(seconds=1))

        assert clock.now() >= FUTURE

    def test_starts_a_folder_once(self, tmp_path):
        clock = RunningClock(tmp_path / "clock.json")

        assert clock.start(FUTURE)
        assert not clock.start(FUTURE + timedelta(days=1))
        assert clock.now() < FUTURE + timedelta(days=1)

    @pytest.mark.parametrize(
        "text", ["2026-03-02T09:00+08:00", "2026-03-02T09:00", "2026-03-02 01:00Z"]
    )
    def test_understands_local_time_without_an_offset(self, text):
        assert parse(text) == datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


class TestDataFolder:
    def test_belongs_to_one_process(self, tmp_path):
        folder = DataFolder(tmp_path)
        write_json(folder.running, {"pid": 7, "url": "http://127.0.0.1:8000"})

        with (
            folder.locked(),
            pytest.raises(InUse, match="process 7"),
            DataFolder(tmp_path).locked(),
        ):
            pass

    def test_is_free_again_after_a_failure(self, tmp_path):
        folder = DataFolder(tmp_path)
        with pytest.raises(ZeroDivisionError), folder.locked():
            _ = 1 / 0

        with folder.locked():
            assert folder.root.exists()

    def test_ends_the_children_of_an_earlier_run(self, tmp_path):
        folder = DataFolder(tmp_path)
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
            folder.adopt(child.pid)

            ended = DataFolder(tmp_path).end_children()

        assert ended == [child.pid]
        assert not psutil.pid_exists(child.pid)

    def test_spares_a_stranger_who_got_the_same_id(self, tmp_path):
        folder = DataFolder(tmp_path)
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
            write_json(folder.children, [{"pid": other.pid, "born": 1.0}])

            ended = folder.end_children()
            alive = other.poll() is None
            other.kill()

        assert (ended, alive) == ([], True)

    def test_reads_no_half_written_file(self, tmp_path):
        (tmp_path / "broken.json").write_text('{"pid":')

        assert read_json(tmp_path / "broken.json") is None
