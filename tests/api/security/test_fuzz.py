"""G-19 and G-20: generated documents over the whole schema, and bytes of no meaning."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import schemathesis
from graphql import StringValueNode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from testkit.factories.living import ROOT
from testkit.factories.people import COURT
from testkit.figures import record
from testkit.fuzz import read
from testkit.graphql import serve, sign_in

REPOSITORY = Path(__file__).parents[3]
SOURCES = (REPOSITORY / "functions", REPOSITORY / "tests", REPOSITORY)
SDL = REPOSITORY / "graphql" / "schema.graphql"
SECONDS = os.environ.get("FUZZ_SECONDS", "600")
QUIET = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
SEEDS = (
    '{"query":"{serverNow}"}',
    "query A($a:ID!){mealsJob(jobId:$a){id}} fragment F on Query{...F}",
    '{"court":"C310","job":"meals.import#1","depth":0}',
    "2026-03-02T09:30:00+08:00",
    "12.50",
    "Q2FudGVlbgox",
)


def _scalars() -> None:
    words = {
        "Date": st.dates().map(str),
        "DateTime": st.datetimes().map(lambda at: f"{at.isoformat()}+08:00"),
        "Time": st.times().map(lambda at: at.isoformat("minutes")),
        "Money": st.decimals(0, 10_000, places=2).map(str),
    }
    for name, strategy in words.items():
        known = strategy | st.text(max_size=12)
        schemathesis.graphql.scalar(name, known.map(lambda word: StringValueNode(value=word)))


_scalars()
GENERATED = schemathesis.graphql.from_path(SDL)
CASES = st.one_of([found.ok().as_strategy() for found in GENERATED.get_all_operations()])


def ask_generated(living, count: int) -> tuple[int, set[str]]:
    """So many generated documents; how many ran, and the codes that were answered."""
    app = living.court.app
    view, watched = serve(app, development=True)
    client = sign_in(app, view, ROOT, court=COURT)
    loop = asyncio.new_event_loop()
    ran, codes = 0, set()

    @settings(max_examples=count, suppress_health_check=QUIET, database=None, deadline=None)
    @given(CASES)
    def ask(case):
        nonlocal ran
        answer = loop.run_until_complete(client.run(case.body))
        ran += 1
        codes.update(answer.codes)
        assert answer.status < 500
        assert watched.faults == []
        assert answer.body.keys() <= {"data", "errors"}

    try:
        ask()
    finally:
        loop.close()
    return ran, codes


class TestGeneratedDocuments:
    """G-19."""

    def test_meet_no_server_error(self, living):
        ran, codes = ask_generated(living, 150)

        assert ran >= 150
        assert not {code for code in codes if not re.fullmatch("[A-Z_]+", code)}

    @pytest.mark.nightly
    def test_meet_none_in_twenty_thousand(self, living):
        ran, _ = ask_generated(living, 20_000)

        record("G-19", "server errors", f"0 in {ran} documents")


class TestBytes:
    """G-20."""

    @settings(max_examples=300, suppress_health_check=QUIET)
    @given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
    def test_are_read_or_refused(self, raw):
        read(raw)

    @pytest.mark.parametrize("seed", SEEDS)
    def test_of_meaning_too(self, seed):
        for cut in range(len(seed)):
            read(seed[:cut].encode())
            read(seed[cut:].encode())

    @pytest.mark.nightly
    @pytest.mark.skipif(sys.platform != "linux", reason="atheris has wheels for Linux")
    def test_led_by_coverage_find_no_crash_and_nothing_slow(self, tmp_path):
        pytest.importorskip("atheris")
        corpus = REPOSITORY / ".bench" / "corpus"
        corpus.mkdir(parents=True, exist_ok=True)
        for n, seed in enumerate(SEEDS):
            (corpus / f"seed-{n}").write_text(seed, "utf-8")

        done = subprocess.run(
            [sys.executable, "-m", "testkit.fuzz", SECONDS, str(corpus)],
            cwd=tmp_path,
            env={
                **os.environ,
                "PYTHONPATH": f"{REPOSITORY}/functions:{REPOSITORY}/tests:{REPOSITORY}",
            },
            capture_output=True,
            text=True,
            check=False,
        )

        assert done.returncode == 0, done.stderr[-3000:]
        (runs,) = re.findall(r"Done (\d+) runs", done.stderr)
        record("G-20", "crashes", f"0 in {runs} inputs, {SECONDS} s")
