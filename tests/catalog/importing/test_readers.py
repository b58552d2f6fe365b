"""What an import tells of readers."""

from sqlalchemy import select

from catalog.database import Database
from catalog.importing import import_source
from catalog.tables import User
from tests.catalog.reading import ratings_of
from tests.catalog.shelf import ListSource, edition, rating, user


def test_readers_have_an_age_group_and_a_country_or_nothing(db: Database) -> None:
    source = ListSource(
        user_list=[
            user("1", "34", "porto, v.n.gaia, portugal"),
            user("2", "239", "timmins, ontario, canada"),
            user("3", "", "n/a, n/a, n/a"),
        ]
    )

    report = import_source(db, source)

    with db.session() as session:
        rows = session.execute(select(User.age_group, User.country).order_by(User.external_id)).all()
    assert [tuple(row) for row in rows] == [("25-34", "Portugal"), (None, "Canada"), (None, None)]
    assert report.repairs == {"ages outside 5-100 left unknown": 1}


def test_a_reader_who_only_rated_is_created(db: Database) -> None:
    source = ListSource(edition_list=[edition(1, "Ash")], rating_list=[rating("unseen", 1, "8")])

    report = import_source(db, source)

    assert ratings_of(db, "unseen") == {"Ash": 8.0}
    assert report.totals["readers created from ratings and events"] == 1
