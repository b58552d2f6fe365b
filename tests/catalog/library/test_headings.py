"""Every book has the heading of its title, whoever wrote it."""

from dataclasses import replace

from sqlalchemy import select, update

from catalog.cleaning import title_heading
from catalog.database import Database
from catalog.editing.books import add_book, change_book
from catalog.headings import fill_headings, lacks_headings
from catalog.importing import import_source
from catalog.tables import Book
from tests.catalog.shelf import ListSource, work


def read_headings(db: Database) -> dict[str, str | None]:
    with db.session() as session:
        return dict(session.execute(select(Book.title, Book.heading)).all())


def test_a_heading_is_the_title_before_its_subtitle_as_one_word() -> None:
    assert title_heading("The Lord of the Rings: The Two Towers") == "lordoftherings"
    assert title_heading("Princess Bride, The") == title_heading("The Princess Bride (Annotated)")
    assert title_heading("The Green Mile, Part 5: Night Journey") == title_heading("The Green Mile")
    assert title_heading("The No. 1 Ladies' Detective Agency") == "no1ladiesdetectiveagency"


def test_imports_and_operators_write_headings(db: Database) -> None:
    source = ListSource([work("a", "Dune"), work("b", "Emma: A Novel")])
    import_source(db, source)
    import_source(db, replace(source, work_list=[work("a", "Dune"), work("b", "Emma Woodhouse")]))
    with db.session(write=True) as session:
        book_id = add_book(session, {"title": "Ulysses", "authors": ["James Joyce"]})
        add_book(session, {"title": "Beowulf (Norton)", "authors": []})
    with db.session(write=True) as session:
        change_book(session, book_id, {"title": "Dubliners: Stories"})

    assert read_headings(db) == {
        "Dune": "dune",
        "Emma Woodhouse": "emmawoodhouse",
        "Dubliners: Stories": "dubliners",
        "Beowulf (Norton)": "beowulf",
    }


def test_what_an_earlier_release_left_out_is_filled(db: Database) -> None:
    import_source(db, ListSource([work("a", "Dune"), work("b", "Emma")]))
    with db.session(write=True) as session:
        session.execute(update(Book).values(heading=None))

    with db.session(write=True) as session:
        assert fill_headings(session.connection(), most=1) == 1
        assert lacks_headings(session)
        assert fill_headings(session.connection()) == 1
        assert not lacks_headings(session)

    assert read_headings(db) == {"Dune": "dune", "Emma": "emma"}
