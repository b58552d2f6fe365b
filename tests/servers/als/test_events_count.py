"""What a reader did besides rating moves their list, by as much as it weighs, and stays in it."""

import numpy as np
import pytest
from pydantic import ValidationError

from contracts.als import EventBook, HistoryBook, RankRequest
from evidence.kind import EventBooks, read_history
from tests.servers.als.test_model import N, make_model


def test_a_book_of_an_event_counts_as_its_weight_says_unless_it_was_read() -> None:
    events = EventBooks([30, 10, 99], [0.5, 0.2, 0.2])

    history = read_history(np.array([10, 20, 30]), [10, 20], [None, 1.0], events=events)

    assert history.item_idx.tolist() == [0, 1, 2]
    np.testing.assert_allclose(history.weights, [1, -1, 0.5])


def test_a_book_of_an_event_may_come_back_and_one_that_was_read_does_not() -> None:
    book_ids, _ = make_model(als=1.0).rank([0], [None], k=N, events=EventBooks([0, 50], [0.2, 0.2]))

    assert set(book_ids // 10) == set(range(N)) - {0}


def test_without_events_a_list_is_the_very_same() -> None:
    model = make_model(als=0.5, neighbours=0.3, authors=0.1, popularity=0.1)

    without, with_none = (
        model.rank([0, 50], [None, 3.0], k=N),
        model.rank([0, 50], [None, 3.0], k=N, events=EventBooks([], [])),
    )

    assert all((a == b).all() for a, b in zip(without, with_none, strict=True))


def test_events_alone_make_a_list_and_a_stronger_one_raises_what_the_book_speaks_for() -> None:
    model = make_model(neighbours=0.7, popularity=0.3)
    weak, strong = (
        dict(
            zip(
                *(column.tolist() for column in model.rank([], [], k=N, events=EventBooks([50], [weight]))),
                strict=True,
            )
        )
        for weight in (0.1, 0.8)
    )

    nearest = model.rank([50], [None], k=1)[0][0]

    assert strong[nearest] > weak[nearest]


def test_a_request_names_a_book_at_least() -> None:
    assert RankRequest(history=[], events=[EventBook(book_id=1, weight=0.2)], k=1)
    assert RankRequest(history=[HistoryBook(book_id=1)], k=1)
    with pytest.raises(ValidationError, match="name a book of the history or of an event"):
        RankRequest(history=[], k=1)
