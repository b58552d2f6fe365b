"""Spaces around a name are no part of it: MariaDB compares names without them, and so does everybody else."""

from pathlib import Path

from sqlalchemy import func, select

from catalog.database import Database
from catalog.editing.authors import rename_author
from catalog.editing.books import add_book
from catalog.editing.subjects import rename_subject
from catalog.importing import import_source
from catalog.sources.goodbooks import Goodbooks
from catalog.sources.movielens import MovieLens
from catalog.tables import Author, Book, Rating, Subject, SubjectAlias, User
from tests.catalog.shelf import ListSource, edition, work

FILMS = {
    "movies.csv": "movieId,title,genres\n1,Ash Grove,Action| Comedy\n 1 ,Ash,Action\n"
    "2,Birch,Action |Comedy\n",
    "tags.csv": "userId,movieId,tag,timestamp\n1,1,funny,1\n2,1,funny ,1\n1,2 ,funny ,1\n2,2,silly,1\n",
    "ratings.csv": "userId,movieId,rating,timestamp\n7,1,0.5,1\n7 ,2,5.0 ,1\n 7,1 ,3.5,2\n",
}
BOOKS = {
    "books.csv": "book_id,goodreads_book_id,isbn,isbn13,authors,original_publication_year,title,"
    "language_code\n"
    '1,70,,,"Ann Ash ",1999,Ash,en\n2,80,,,Ann Ash,1999,Birch ,en\n',
    "tags.csv": "tag_id,tag_name\n1,dragons\n2,dragons \n",
    "book_tags.csv": "goodreads_book_id,tag_id,count\n70,1,5\n80 ,2,5\n",
    "ratings.csv": "user_id,book_id,rating\n7,1,5\n7 ,2,4\n",
    "to_read.csv": "user_id,book_id\n 7,2\n",
}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def read_names(db: Database) -> dict[str, list[str]]:
    """The names that are keys, each table's ascending."""
    names = {
        "users": User.external_id, "books": Book.external_id, "authors": Author.name,
        "subjects": Subject.name, "aliases": SubjectAlias.raw,
    }  # fmt: skip
    with db.session() as session:
        return {table: sorted(session.scalars(select(column))) for table, column in names.items()}


def test_films_readers_genres_and_tags_that_differ_by_spaces_alone_are_one(
    db: Database, tmp_path: Path
) -> None:
    report = import_source(db, MovieLens(write(tmp_path, FILMS)))

    assert read_names(db) == {
        "users": ["7"],
        "books": ["1", "2"],
        "authors": [],
        "subjects": ["Action", "Comedy", "Silly"],
        "aliases": ["Action", "Comedy", "funny", "silly"],
    }
    assert {file.name: file.dropped for file in report.files}["movies.csv"] == {"duplicate id": 1}
    with db.session() as session:
        assert session.scalar(select(func.count()).select_from(Rating)) == 2


def test_books_authors_and_tags_that_differ_by_spaces_alone_are_one(db: Database, tmp_path: Path) -> None:
    import_source(db, Goodbooks(write(tmp_path, BOOKS)))

    names = read_names(db)
    assert (names["users"], names["books"], names["authors"]) == (["7"], ["1", "2"], ["Ann Ash"])
    assert (names["subjects"], names["aliases"]) == (["Dragons"], ["dragons"])


def test_what_an_operator_writes_has_no_spaces_around_it(db: Database) -> None:
    source = ListSource([work("A", "Ash", "Ann Ash", "Dragons ", "Dragons")], [edition(1, "Ash", of="A")])
    import_source(db, source)

    with db.session(write=True) as session:
        add_book(session, {"title": " Birch ", "authors": ["Ann Ash "], "subjects": ["Dragons ", "Soups "]})
        rename_author(session, 1, " Ann Asher ")
        rename_subject(session, "Dragons ", "Wyverns ")
    import_source(db, source)

    names = read_names(db)
    assert (names["authors"], names["subjects"]) == (["Ann Asher"], ["Soups", "Wyverns"])
    with db.session() as session:
        assert sorted(session.scalars(select(Book.title))) == ["Ash", "Birch"]
