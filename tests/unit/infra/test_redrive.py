"""`make redrive`: what failed in all its attempts is tried again."""

import pytest
from infra.local import commands
from infra.local.clock import RunningClock
from infra.local.data import DataFolder

from courtside.platform.queues import ATTEMPTS, LocalQueues


def test_puts_dead_letters_back_and_says_how_many(tmp_path, capsys):
    folder = DataFolder(tmp_path)
    queues = LocalQueues(folder.queues, RunningClock(folder.clock))
    queues.put("jobs", [{"job": "meals.close#1"}, {"job": "meals.close#2"}])
    for _ in range(ATTEMPTS):
        for message in queues.receive("jobs"):
            queues.again(message.id, after=0)
    assert queues.receive("jobs") == []

    commands.redrive(folder)

    assert capsys.readouterr().out == "2 messages are tried again\n"
    assert len(queues.receive("jobs")) == 2
    queues.close()


def test_says_that_nothing_has_run_here(tmp_path, capsys):
    with pytest.raises(SystemExit):
        commands.redrive(DataFolder(tmp_path / "nowhere"))

    assert "nothing has run here" in capsys.readouterr().err
    assert not (tmp_path / "nowhere").exists()
