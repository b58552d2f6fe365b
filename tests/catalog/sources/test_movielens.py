"""What is read of MovieLens, the set of 100,000 ratings and the newer ones."""

from pathlib import Path

import pytest
from sqlalchemy import select

from catalog.database import Database
from catalog.errors import SourceError
from catalog.importing import import_source
from catalog.sources.movielens import open_movielens, parse_title
from catalog.tables import Book, Rating, User
from tests.catalog.reading import dropped, subjects_of
from tests.catalog.sources.small_sets import write_set


@pytest.mark.parametrize(
    ("text", "title", "year"),
    [
        ("Toy Story (1995)", "Toy Story", 1995),
        ("Usual Suspects, The (1995)", "The Usual Suspects", 1995),
        ("Star Maker, The (Uomo delle stelle, L') (1995)", "The Star Maker (L'Uomo delle stelle)", 1995),
        ("Good, The Bad and The Ugly, The (1966)", "The Good, The Bad and The Ugly", 1966),
        ("Paris, Texas (1984)", "Paris, Texas", 1984),
        ("Nikita (La Femme Nikita) (1990)", "Nikita (La Femme Nikita)", 1990),
        ("Death Note (2006–2007) ", "Death Note", 2006),
        ("Babylon 5", "Babylon 5", None),
        ("Time of the Great Giving (1995) (V)", "Time of the Great Giving", 1995),
    ],
)
def test_a_title_is_read_as_it_is_spoken(text: str, title: str, year: int | None) -> None:
    assert parse_title(text) == (title, year)


def films(db: Database) -> list[tuple[str, int | None]]:
    with db.session() as session:
        return [tuple(row) for row in session.execute(select(Book.title, Book.year).order_by(Book.book_id))]


def ratings(db: Database) -> list[tuple[str, float | None, int | None]]:
    query = select(User.external_id, Rating.rating, Rating.rated_at).join(
        User, User.user_id == Rating.user_id
    )
    with db.session() as session:
        return [tuple(row) for row in session.execute(query.order_by(User.external_id, Rating.book_id))]


def test_the_old_set_has_films_with_genres_and_readers_with_attributes(
    sqlite: Database, tmp_path: Path
) -> None:
    report = import_source(sqlite, open_movielens(write_set("movielens-100k", tmp_path)))

    assert report.source == "movielens-100k"
    assert films(sqlite) == [("The Ash Grove", 1995), ("La Forêt (An Ash Wood)", 1996), ("unknown", None)]
    assert subjects_of(sqlite, "1") == ["Action", "Comedy"]
    assert subjects_of(sqlite, "3") == []
    columns = (User.age_group, User.gender, User.occupation, User.postal_code)
    with sqlite.session() as session:
        readers = session.execute(select(*columns).order_by(User.external_id))
        assert [tuple(row) for row in readers] == [
            ("18-24", "M", "technician", "85711"),
            ("45-54", "F", "other", "E8V-1"),
            ("5-12", "F", "student", "00000"),
        ]
    assert ratings(sqlite) == [("1", 10.0, 881250949), ("2", 5.5, 891717742), ("2", 1.0, None)]
    assert dropped(report, "u.data") == {"no book record": 1, "rating is not a whole number from 1 to 5": 1}
    assert report.repairs == {"times that are none left unknown": 1}


def test_the_newer_sets_have_half_stars_and_tags(sqlite: Database, tmp_path: Path) -> None:
    report = import_source(sqlite, open_movielens(write_set("movielens", tmp_path)))

    assert report.source == "movielens"
    assert films(sqlite) == [("Ash Grove", 1995), ("The Woods (L'Forêt)", 2006), ("Cedar", None)]
    assert subjects_of(sqlite, "1") == ["Comedy", "Action", "Trees"]
    assert subjects_of(sqlite, "2") == []
    assert [rating for _, rating, _ in ratings(sqlite)] == [1.0, 10.0, 7.0]
    assert dropped(report, "ratings.csv") == {"rating is not a number from 0.5 to 5": 1}
    assert dropped(report, "tags.csv") == {"no book record": 1}


def test_a_newer_set_needs_no_tags(sqlite: Database, tmp_path: Path) -> None:
    (write_set("movielens", tmp_path) / "tags.csv").unlink()

    report = import_source(sqlite, open_movielens(tmp_path))

    assert report.totals["books"] == 3


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], r"the folder must hold u.data, u.item, u.user .* or ratings.csv and movies.csv"),
        (["u.data"], r"u.item: no such file; the folder must hold u.data, u.item, u.user"),
        (["ratings.csv"], r"movies.csv: no such file; the folder must hold ratings.csv, movies.csv"),
    ],
)
def test_a_folder_that_holds_no_whole_set_is_refused(tmp_path: Path, files: list[str], message: str) -> None:
    for name in files:
        (tmp_path / name).write_text("1\t1\t1\t1\n")

    with pytest.raises(SourceError, match=message):
        open_movielens(tmp_path)


def test_a_table_with_other_fields_is_refused(sqlite: Database, tmp_path: Path) -> None:
    write_set("movielens-100k", tmp_path)
    (tmp_path / "u.data").write_text("1::1::5::881250949\n")

    with pytest.raises(SourceError, match=r"u.data, line 1: expected 4 fields of tab-separated text"):
        import_source(sqlite, open_movielens(tmp_path))
