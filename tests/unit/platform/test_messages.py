"""Messages come back as they were sent, and whatever else comes is refused by one error."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courtside.kernel.journal import Delivered, Fact, Notify
from courtside.platform.messages import JobMessage, Unreadable, of_fact, of_job, to_fact, to_job

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
FACTS = st.builds(
    Delivered,
    court=TEXTS,
    id=TEXTS,
    at=st.datetimes(timezones=st.just(UTC), min_value=datetime(2025, 1, 1)),  # noqa: DTZ001
    depth=st.integers(0, 20),
    fact=st.builds(
        Fact,
        name=TEXTS,
        aggregate=TEXTS,
        version=st.integers(1, 10**9),
        state=st.dictionaries(TEXTS, st.none() | st.booleans() | st.integers() | TEXTS, max_size=4),
        notify=st.lists(
            st.builds(Notify, audience=TEXTS, template=TEXTS, key=TEXTS), max_size=2
        ).map(tuple),
    ),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@given(FACTS)
def test_a_fact_survives_its_message(delivered):
    assert to_fact(json.dumps(of_fact(delivered), ensure_ascii=False)) == delivered


@given(TEXTS, st.from_regex(r"[a-z]+\.[a-z_]+", fullmatch=True), TEXTS, st.integers(0, 9))
def test_a_job_survives_its_message(court, kind, job_id, depth):
    job = JobMessage(court, kind, job_id, depth)

    assert to_job(json.dumps(of_job(job))) == job


@given(FACTS, st.data())
def test_a_damaged_fact_is_unreadable_or_still_a_fact(delivered, data):
    message = of_fact(delivered)
    place = data.draw(st.sampled_from([message, message["fact"]]))
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(JSON)

    try:
        found = to_fact(json.dumps(message))
    except Unreadable:
        return
    assert isinstance(found, Delivered)


@pytest.mark.parametrize(
    "body",
    ["", "5", "null", "[]", "{}", '"x"', "[" * 100_000, '{"court": "C310", "job": "publish"}'],
)
def test_nothing_of_ours_is_unreadable(body):
    with pytest.raises(Unreadable):
        to_fact(body)
    with pytest.raises(Unreadable):
        to_job(body)
