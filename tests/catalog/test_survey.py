from sqlalchemy import update

from catalog.database import Database
from catalog.importing import import_source
from catalog.subjects import SubjectRow
from catalog.survey import survey
from catalog.tables import Book, Hidden
from tests.catalog.shelf import ListSource, edition, event, rating, user, work

LIBRARY = ListSource(
    work_list=[
        work("A", "Ash", "Ada Lovelace", "Dragons", year=1851),
        work("B", "Birch", "", year=1999)._replace(language=None, description=None),
        work("C", "Cedar", "Ada Lovelace", "Dragons", year=1991),
        work("D", "Dogwood", year=None),
    ],
    edition_list=[edition(n, title, of=key, year="") for n, (key, title) in enumerate(
        [("A", "Ash"), ("B", "Birch"), ("C", "Cedar"), ("D", "Dogwood")], start=1
    )],
    user_list=[user("1"), user("2"), user("3")],
    rating_list=[rating("1", 1, "9"), rating("1", 2, "0"), rating("1", 3, "4"), rating("2", 1, "9")],
    event_list=[event("1", 1), event("2", 1), event("1", 2, "like")],
)  # fmt: skip


def test_a_survey_counts_what_the_catalog_holds(db: Database) -> None:
    import_source(db, LIBRARY)
    with db.session(write=True) as session:
        session.execute(update(Book).where(Book.external_id == "A").values(n_pages=320))
        session.execute(update(Book).where(Book.external_id == "D").values(hidden=Hidden.WITHDRAWN))

    with db.session() as session:
        found = survey(session)

    assert found.rows == {
        "books": 3, "editions": 4, "authors": 1, "readers": 3, "ratings": 4, "of these explicit": 3,
        "events": 3,
    }  # fmt: skip
    assert found.sources == {"lists": {"books": 3, "readers": 3}}
    assert found.hidden_books == {"withdrawn": 1}
    assert found.known == {
        "author": 2, "year": 3, "pages": 1, "language": 2, "description": 2, "subject": 2,
        "usable subject": 2,
    }  # fmt: skip
    assert {value: n for value, n in found.ratings.items() if n} == {"4": 1, "9": 2}
    assert found.ratings_of_reader == {"least": 1, "25 %": 1, "median": 1, "75 %": 3, "most": 3}
    assert found.ratings_of_book == {"least": 1, "25 %": 1, "median": 1, "75 %": 2, "most": 2}
    assert found.years == {"before 1900": 1, "1990s": 2}
    assert found.pages == {"300-399": 1, "unknown": 2}
    assert found.languages == {"eng": 2, "unknown": 1}
    assert found.subjects == [SubjectRow("Dragons", 2)]
    assert found.events == {"to_read": 2, "like": 1}


def test_a_survey_has_the_buckets_that_books_have(db: Database) -> None:
    import_source(db, LIBRARY)
    with db.session(write=True) as session:
        for key, n_pages in {"A": 40, "B": 1000, "C": 999, "D": 101}.items():
            session.execute(update(Book).where(Book.external_id == key).values(n_pages=n_pages))

    with db.session() as session:
        found = survey(session)

    assert list(found.years) == ["before 1900", "1990s", "unknown"]
    assert list(found.pages) == ["1-99", "100-199", "900-999", "1000 or more"]
