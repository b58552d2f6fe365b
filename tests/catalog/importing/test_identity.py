"""Which book is which, by cases whose answer is known by construction."""

from collections.abc import Mapping

from catalog.importing.identity import BookIdentities, Description, EditionChange, Found, StoredBooks
from catalog.importing.ids import Ids

FIRST_NEW = 100


def identities(
    books: Mapping[str, int] | None = None,
    *,
    editions: Mapping[str, int] | None = None,
    foreign: Mapping[str, int] | None = None,
    untitled: frozenset[int] = frozenset(),
    replaced: Mapping[int, int] | None = None,
    split: Mapping[int, int] | None = None,
    described: Mapping[int, Description] | None = None,
) -> BookIdentities:
    """What an import starts from: the source's stored books by external id, and all else that is stored."""
    descriptions = described or {}
    stored = StoredBooks(
        editions=editions or {},
        foreign=foreign or {},
        untitled=untitled,
        replaced=replaced or {},
        split=split or {},
        read_description=lambda book_id: descriptions.get(book_id, Description(None, is_edition=False)),
    )
    return BookIdentities(Ids(dict(books or {}), first_new=FIRST_NEW), stored, foretold={})


def test_new_works_get_the_next_ids() -> None:
    known = identities({"A": 7})

    matches = [known.match_work(work, key=None) for work in ("B", "A", "C")]

    assert matches == [(100, Found.NEW), (7, Found.STORED), (101, Found.NEW)]


def test_a_work_of_an_earlier_ones_title_and_author_joins_it() -> None:
    known = identities({"A": 7, "B": 8})

    first, second = known.match_work("A", "ash|a"), known.match_work("B", "ash|a")

    assert (first, second) == ((7, Found.STORED), (7, Found.JOINED))
    assert known.book_of_work("B") == 7


def test_an_edition_goes_to_the_work_that_it_names() -> None:
    known = identities(editions={"isbn": 7})
    known.match_work("A", "ash|a")

    assert known.match_edition("A", ["isbn"], "birch|b", external_id="isbn") == (100, Found.JOINED)


def test_an_edition_without_a_work_is_found_by_isbn_before_title_before_what_is_stored() -> None:
    known = identities(editions={"stored": 7, "both": 8})
    known.match_work("A", "ash|a")
    known.match_work("B", "birch|b")
    known.place_isbn("both", 101)

    by_isbn = known.match_edition(None, ["stored", "both"], "ash|a", external_id="x")
    by_title = known.match_edition(None, ["stored"], "ash|a", external_id="x")
    by_stored = known.match_edition(None, ["unknown", "stored"], "oak|o", external_id="x")

    assert [match and match.book_id for match in (by_isbn, by_title, by_stored)] == [101, 100, 7]


def test_an_edition_of_nothing_known_is_a_new_book_only_if_it_can_be_named() -> None:
    known = identities()

    assert known.match_edition(None, ["1"], None, external_id=None) is None
    assert known.match_edition(None, ["1"], None, external_id="1") == (100, Found.NEW)


def test_the_next_edition_of_a_title_joins_the_book_of_the_first() -> None:
    known = identities()
    known.match_edition(None, ["1"], "ash|a", external_id="1")

    assert known.match_edition(None, ["2"], "ash|a", external_id="2") == (100, Found.JOINED)


def test_an_external_id_is_one_book_however_often_it_is_named() -> None:
    known = identities({"1": 7})

    matches = [known.match_edition(None, [isbn], None, external_id="1") for isbn in ("1", "2")]

    assert matches == [(7, Found.STORED), (7, Found.JOINED)]


def test_isbns_are_inserted_once_updated_when_stored_and_left_to_their_source() -> None:
    known = identities({"A": 7}, editions={"old": 7}, foreign={"theirs": 9})

    changes = [known.place_isbn(isbn, 7) for isbn in ("new", "new", "old", "theirs")]

    assert changes == [
        EditionChange.INSERT,
        EditionChange.NOTHING,
        EditionChange.UPDATE,
        EditionChange.LEAVE_TO_OTHER_SOURCE,
    ]
    assert [known.book_of_isbn(isbn) for isbn in ("new", "old", "theirs", "unknown")] == [7, 7, 7, None]


def test_a_book_that_lost_its_edition_is_replaced_by_the_one_that_has_it() -> None:
    known = identities({"1": 7}, editions={"1": 7, "2": 7})
    work = known.match_work("A", None)
    known.match_edition("A", ["1"], None, external_id="1")
    known.place_isbn("1", work.book_id)

    assert known.replacements() == {7: 100}
    assert known.book_of_isbn("2") == 100
    assert known.book_of_work("1") == 100


def test_a_book_that_is_still_told_of_is_not_replaced_though_it_lost_an_edition() -> None:
    known = identities({"A": 7, "B": 8}, editions={"1": 7})
    known.match_work("A", None)
    known.match_work("B", None)
    known.place_isbn("1", 8)

    assert known.replacements() == {}
    assert known.book_of_work("A") == 7


def test_what_an_earlier_import_replaced_is_its_heir_and_the_heirs_heir() -> None:
    known = identities({"A": 7, "B": 8}, editions={"1": 8}, replaced={7: 8})
    work = known.match_work("C", None)
    before = known.book_of_work("A")
    known.place_isbn("1", work.book_id)

    assert (before, known.book_of_work("A")) == (8, work.book_id)


def test_a_replaced_book_that_its_source_tells_of_again_is_itself_again() -> None:
    known = identities({"A": 7, "B": 8}, replaced={7: 8})

    assert known.match_work("A", None) == (7, Found.STORED)
    assert known.book_of_work("A") == 7
