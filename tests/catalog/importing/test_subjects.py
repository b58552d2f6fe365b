"""Which subjects an import gives to books."""

from sqlalchemy import select

from catalog.database import Database
from catalog.importing import import_source
from catalog.tables import Subject, SubjectAlias
from tests.catalog.reading import book_of
from tests.catalog.shelf import ListSource, edition, work


def test_raw_subjects_are_folded_and_the_mapping_is_kept(db: Database) -> None:
    source = ListSource(
        work_list=[
            work("A", "Ash", "A A", "Dragons, fiction", "Fiction, fantasy, general", "Fantasy", "Fiction"),
            work("B", "Birch", "B B", "dragon", "Dragons in literature"),
        ],
        edition_list=[edition(1, "Ash", of="A"), edition(2, "Birch", of="B")],
    )

    import_source(db, source)

    assert book_of(db, 1).subjects == ("Fantasy", "Dragons", "Fiction")
    assert book_of(db, 2).subjects == ("Dragons",)
    with db.session() as session:
        aliases = set(session.scalars(select(SubjectAlias.raw)))
    assert {"Dragons, fiction", "Fiction, fantasy, general", "dragon", "Dragons in literature"} <= aliases


def test_a_short_list_of_a_sources_own_subjects_keeps_its_names_and_takes_in_what_means_the_same(
    db: Database,
) -> None:
    genres = ("Action", "Adventure", "Children's", "Comedy", "Drama", "Sci-Fi", "Thriller")
    tagged = work("A", "Ash", "", "thrillers", "humor", "funny", "dragons")._replace(
        exact_subjects=("Comedy", "Thriller")
    )
    source = ListSource(
        [tagged, *(work(g, g, "")._replace(exact_subjects=(g,)) for g in genres)],
        [edition(1, "Ash", of="A")],
    )

    import_source(db, source)
    import_source(db, source)

    assert book_of(db, 1).subjects == ("Comedy", "Thriller", "Dragons")
    with db.session() as session:
        assert set(session.scalars(select(Subject.name))) == {*genres, "Dragons"}


def test_books_without_an_author_share_subjects(db: Database) -> None:
    works = [work(str(n), f"Ash {n}", "", "Basket weaving") for n in range(4)]

    import_source(db, ListSource(works, [edition(1, "Ash 1", of="1")]))

    assert book_of(db, 1).subjects == ("Basket weaving",)
