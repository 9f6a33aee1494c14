"""Proves the store's promises: newest wish wins, nothing sent twice, history cannot be altered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from harness.sync.store import DeadLetter, Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path / 's.db'}")
    yield opened
    opened.close()


def test_the_same_wish_is_not_sent_again_but_a_newer_one_is(store: Store) -> None:
    with store.begin() as tx:
        assert tx.want("stock", "shop", "X", {"q": 5}, 1)
        assert not tx.want("stock", "shop", "X", {"q": 5}, 2)
        (intent,) = tx.due("shop", 2, 10)
        assert tx.want("stock", "shop", "X", {"q": 0}, 3)
        # The answer to the older wish does not close the newer one.
        assert not tx.settle(intent, state="done", due_us=3, now_us=3)
        (newer,) = tx.due("shop", 3, 10)
        assert newer.payload == {"q": 0}
        assert tx.settle(newer, state="done", due_us=4, now_us=4)
        assert tx.due("shop", 9, 10) == []
        assert not tx.want("stock", "shop", "X", {"q": 0}, 5)
        assert tx.want("stock", "shop", "X", {"q": 0}, 5, again=True)


def test_an_unknown_outcome_stays_unknown_when_the_wish_changes(store: Store) -> None:
    with store.begin() as tx:
        tx.want("order", "erp", "k", {"v": 1}, 1)
        tx.sending(tx.due("erp", 1, 1)[0], 1)
        tx.want("order", "erp", "k", {"v": 2}, 2)
        (intent,) = tx.due("erp", 2, 1)
        assert (intent.state, intent.payload) == ("unknown", {"v": 2})
        assert not tx.withdraw("order", "erp", "k", 3)


def test_a_wish_that_never_arrived_is_withdrawn_and_one_under_way_is_not(store: Store) -> None:
    with store.begin() as tx:
        tx.want("order", "erp", "k", {"v": 1}, 0)
        (intent,) = tx.due("erp", 0, 1)
        tx.sending(intent, 1)
        assert not tx.withdraw("order", "erp", "k", 1)
        tx.settle(intent, state="pending", due_us=2, now_us=2)
        assert tx.withdraw("order", "erp", "k", 3)
        assert tx.due("erp", 9, 1) == []


def test_a_cursor_never_goes_back(store: Store) -> None:
    with store.begin() as tx:
        tx.move_cursor("c", 10)
        tx.move_cursor("c", 5)
        assert tx.cursor("c") == 10


def test_a_dead_letter_is_masked_and_keeps_its_earliest_window(store: Store) -> None:
    with store.begin() as tx:
        for window in (20, 10):
            letter = DeadLetter("s", "k", "r", "/a", "m", {"buyerName": "Ada"}, "o", window)
            tx.bury(letter, 1)
        (row,) = tx.open_letters("s")
        assert (row["window_us"], row["attempts"]) == (10, 2)
        assert "Ada" not in row["payload"]
        assert tx.resolve("s", "k", 2)
        assert tx.open_letters("s") == []


def test_an_altered_audit_entry_is_found(store: Store, tmp_path: Path) -> None:
    with store.begin() as tx:
        for number in range(3):
            tx.audit(number, "did", "x", n=number)
        assert tx.audit_broken_at() is None
    other = create_engine(f"sqlite:///{tmp_path / 's.db'}")
    with other.begin() as connection:
        connection.execute(text("update audit set subject='y' where number=2"))
    other.dispose()
    with store.begin() as tx:
        assert tx.audit_broken_at() == 2


def test_a_failed_phase_leaves_nothing_behind(store: Store) -> None:
    def phase() -> None:
        with store.begin() as tx:
            tx.move_cursor("c", 1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        phase()
    with store.begin() as tx:
        assert tx.cursor("c") is None
