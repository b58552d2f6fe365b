"""The command `bookmesh refresh`, as a real process."""

from contextlib import closing

from catalog.database import open_database
from catalog.editing.books import add_book
from tests.homes import Home


def test_the_command_tells_what_changed_and_a_second_one_that_nothing_did(copied_home: Home) -> None:
    trained = str(copied_home.store.current())
    with (
        closing(open_database(f"sqlite:///{copied_home.path / 'catalog.db'}")) as db,
        db.session(write=True) as session,
    ):
        add_book(session, {"title": "The Quokka Concordance", "authors": ["Ann Ash"]})

    first = copied_home.succeed("refresh")
    second = copied_home.succeed("refresh")
    listed = copied_home.succeed("versions", "list")
    rolled_back = copied_home.fail("versions", "rollback")

    assert f"a refresh of {trained}" in first
    assert "books: 1 new, 0 changed, 0 no longer shown" in first
    assert "nothing to refresh" in second
    assert f"refresh of {trained}" in listed
    assert "no version was promoted before" in rolled_back


def test_without_a_version_the_command_says_what_to_do(imported_home: Home) -> None:
    assert "bookmesh train" in imported_home.fail("refresh")
