"""Accounts: what moves, what it may not pass, and that sums stay sums."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courtside.kernel.ledger import (
    Account,
    AccountId,
    Movement,
    Short,
    Unit,
    commit,
    hold,
    move,
    net,
    release,
)

amounts = st.integers(1, 10**6)
balances = st.integers(0, 10**6)
accounts = st.builds(
    Account,
    id=st.builds(AccountId, st.sampled_from(["A", "B"]), st.sampled_from(["1", "2"])),
    unit=st.just(Unit.FEN),
    available=balances,
    held=balances,
    floor=st.integers(-100, 0),
)


def an_account(**known: int | bool | None) -> Account:
    return Account(**{"id": AccountId("A", "1"), "unit": Unit.PORTION, "available": 10, **known})


class TestMove:
    @given(accounts, st.integers(-(10**6), 10**6))
    def test_never_passes_the_floor(self, account: Account, amount: int) -> None:
        after = account.available + amount

        if amount < 0 and after < account.floor:
            with pytest.raises(Short) as caught:
                move(account, amount, counter="X")
            assert caught.value.missing == account.floor - after
            assert move(account, amount + caught.value.missing, counter="X")
        else:
            assert move(account, amount, counter="X").available == amount

    def test_counts_what_is_held_under_the_ceiling(self) -> None:
        full = an_account(available=6, held=3, ceiling=10)

        assert move(full, 1, counter="X").available == 1
        with pytest.raises(Short) as caught:
            move(full, 3, counter="X")
        assert caught.value.missing == 2

    def test_takes_from_an_account_below_its_floor_nothing_but_gives_to_it(self) -> None:
        overdrawn = an_account(available=-5)

        assert move(overdrawn, 1, counter="X").available == 1
        with pytest.raises(Short):
            move(overdrawn, -1, counter="X")

    def test_opens_an_account_that_is_not_there_yet(self) -> None:
        assert move(an_account(opened=False), -4, counter="X").opens == 10
        assert move(an_account(), -4, counter="X").opens is None


class TestHolds:
    @given(accounts, amounts)
    def test_hold_and_release_leave_all_as_it_was(self, account: Account, amount: int) -> None:
        if account.available - amount < account.floor:
            with pytest.raises(Short):
                hold(account, amount, counter="X")
            return
        held = hold(account, amount, counter="X")
        after = applied(account, held)
        given_back = release(after, amount, counter="X")

        assert (held.available, held.held) == (-amount, amount)
        assert applied(after, given_back) == account
        assert net([held, given_back]) == ()

    @given(accounts, amounts)
    def test_commit_spends_only_what_is_held(self, account: Account, amount: int) -> None:
        if amount > account.held:
            with pytest.raises(Short) as caught:
                commit(account, amount, counter="X")
            assert caught.value.missing == amount - account.held
        else:
            spent = commit(account, amount, counter="X")
            assert (spent.available, spent.held) == (0, -amount)

    @pytest.mark.parametrize("step", [hold, release, commit])
    @pytest.mark.parametrize("amount", [0, -1])
    def test_take_positive_amounts(self, step: object, amount: int) -> None:
        with pytest.raises(ValueError, match="positive"):
            step(an_account(held=5), amount, counter="X")  # type: ignore[operator]

    def test_release_of_more_than_is_held_is_short(self) -> None:
        with pytest.raises(Short) as caught:
            release(an_account(held=2), 5, counter="X")
        assert caught.value.missing == 3


movements = st.builds(
    Movement,
    account=st.builds(AccountId, st.sampled_from(["A", "B"]), st.sampled_from(["1", "2"])),
    available=st.integers(-9, 9),
    held=st.integers(-9, 9),
    counter=st.sampled_from(["SOLD", "RETURNED"]),
    opens=st.none() | st.integers(0, 99),
)


class TestNet:
    @given(st.lists(movements, max_size=12))
    def test_keeps_every_sum(self, made: list[Movement]) -> None:
        assert sums(net(made)) == sums(made)

    @given(st.lists(movements, max_size=12))
    def test_has_one_of_each_account_and_counter_and_none_of_nothing(
        self, made: list[Movement]
    ) -> None:
        netted = net(made)

        pairs = [(m.account, m.counter) for m in netted]
        assert len(set(pairs)) == len(pairs)
        assert all(m.available or m.held or m.opens is not None for m in netted)
        assert net(netted) == netted


def applied(account: Account, movement: Movement) -> Account:
    return Account(
        id=account.id,
        unit=account.unit,
        available=account.available + movement.available,
        held=account.held + movement.held,
        floor=account.floor,
    )


def sums(made: list[Movement] | tuple[Movement, ...]) -> dict[object, tuple[int, int]]:
    found: dict[object, tuple[int, int]] = {}
    for m in made:
        available, held = found.get((m.account, m.counter), (0, 0))
        found[m.account, m.counter] = (available + m.available, held + m.held)
    return {key: total for key, total in found.items() if any(total)}
