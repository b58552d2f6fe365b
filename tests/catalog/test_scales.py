"""Every source's scale is kept, so that its ratings can be told as they were given."""

import pytest
from sqlalchemy import select

from catalog.database import Database
from catalog.errors import ScaleChanged
from catalog.importing import import_source
from catalog.scales import read_scale
from catalog.sources.scale import TEN_POINTS, Scale
from catalog.tables import Rating, User
from tests.catalog.shelf import SCALES, one_book


def test_every_rating_of_every_scale_is_told_as_it_was_given(db: Database) -> None:
    for name, (scale, values) in SCALES.items():
        # An ISBN belongs to the first source that brings it; ratings find the own book all the same.
        import_source(db, one_book(name, scale, values))

    with db.session() as session:
        scales = {name: read_scale(session.connection(), name) for name in SCALES}
        rows = session.execute(
            select(User.source, User.external_id, Rating.rating).join(Rating, Rating.user_id == User.user_id)
        ).all()
    assert scales == {name: scale for name, (scale, _) in SCALES.items()}
    told = [(given, (scales[source] or TEN_POINTS).to_source(stored)) for source, given, stored in rows]
    assert len(told) == sum(len(values) for _, values in SCALES.values())
    assert [(given, again) for given, again in told if float(given) != float(again)] == []


def test_a_source_keeps_its_scale(db: Database) -> None:
    import_source(db, one_book("shop", Scale(1, 5), ["4"]))

    with pytest.raises(ScaleChanged, match="shop are stored as on a scale of 1-5, this import has 1-10"):
        import_source(db, one_book("shop", TEN_POINTS, ["4", "9"]))

    with db.session() as session:
        assert read_scale(session.connection(), "shop") == Scale(1, 5)
        assert session.scalars(select(Rating.rating)).all() == [7.75]


def test_another_way_to_write_the_same_scale_is_no_other_scale(sqlite: Database) -> None:
    import_source(sqlite, one_book("shop", Scale(1, 10), ["4"]))

    import_source(sqlite, one_book("shop", TEN_POINTS, ["4"]))

    with sqlite.session() as session:
        assert read_scale(session.connection(), "shop") == TEN_POINTS


def test_the_scale_of_a_source_that_an_earlier_release_imported_is_unknown(sqlite: Database) -> None:
    with sqlite.session() as session:
        assert read_scale(session.connection(), "book-crossing") is None
