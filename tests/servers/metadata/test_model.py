from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from artifacts.records import open_record, save_record
from pipeline.models.text_index import build_text_index
from servers.errors import SubjectUnknown
from servers.metadata.model import MetadataModel
from servers.metadata.text_index import TextIndex
from tests.servers.tiny import BOOK_IDS, SOUP_IDS, SPACE_IDS, TITLES, N, metadata_model, popularity


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> MetadataModel:
    return metadata_model(tmp_path_factory.mktemp("metadata") / "text")


@pytest.fixture
def make_index(tmp_path: Path) -> "MakeIndex":
    return MakeIndex(tmp_path)


class MakeIndex:
    """Builds the text index of a few books, given as title, authors, subjects and number of ratings."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *books: tuple[str, list[str], list[str], int]) -> TextIndex:
        titles, authors, subjects, n_ratings = zip(*books, strict=True)
        cards = pa.table(
            {
                "book_id": np.arange(len(books)),
                "title": list(titles),
                "authors": list(authors),
                "subjects": list(subjects),
            }
        )
        build_text_index(cards, popularity(np.array(n_ratings)), self.folder)
        return TextIndex(self.folder)


def find(index: TextIndex, text: str) -> list[int]:
    return index.search(text, 10)[0].tolist()


def titles_of(model: MetadataModel, text: str, k: int = 10) -> list[str]:
    return [TITLES[row] for row in np.searchsorted(BOOK_IDS, model.search(text, k)[0])]


def test_cards_come_in_the_order_asked_without_the_unknown(model: MetadataModel) -> None:
    cards = model.find_cards([SOUP_IDS[0], 5, SPACE_IDS[0], SOUP_IDS[0]])

    assert [card["book_id"] for card in cards] == [SOUP_IDS[0], SPACE_IDS[0], SOUP_IDS[0]]
    assert cards[1] == {
        "book_id": 11,
        "title": "The Left Hand of Space",
        "authors": ["Author Amos"],
        "year": 1950,
        "language": "en",
        "isbns": ["9780000000002"],
        "main_subject": "Space",
        "subjects": ["Space"],
        "description": None,
        "n_ratings": 120,
        "mean_rating": 7.5,
        "n_pages": 200,
    }


def test_popular_pages_join_into_the_whole_order(model: MetadataModel) -> None:
    pages = [model.popular(k=5, offset=offset)[0].tolist() for offset in (0, 5, 10, 15)]

    assert [book_id for page in pages for book_id in page] == BOOK_IDS.tolist()
    assert pages[-1] == []
    np.testing.assert_array_equal(model.popular(k=N)[1], popularity())


def test_popular_of_a_subject_holds_its_books_only_whatever_the_letter_case(model: MetadataModel) -> None:
    book_ids, scores = model.popular(k=4, offset=1, subject="sOUP")

    assert book_ids.tolist() == SOUP_IDS[1:5]
    assert (np.diff(scores) <= 0).all()
    with pytest.raises(SubjectUnknown):
        model.popular(k=1, subject="Chess")


def test_scores_keep_the_order_asked_and_give_an_unknown_book_nothing(model: MetadataModel) -> None:
    scores = model.scores([SOUP_IDS[0], 5, SPACE_IDS[0]])

    assert scores.tolist() == [popularity()[6], 0.0, 1.0]


def test_a_title_is_found_by_its_words_in_any_case_and_order(model: MetadataModel) -> None:
    assert titles_of(model, "JOY of soup the")[0] == "The Joy of Soup"
    assert titles_of(model, "solaris") == ["Solaris"]


@pytest.mark.parametrize("text", ["Garcia", "garcía", "GARCIAS", "garcia's"])
def test_accents_and_apostrophes_do_not_matter(model: MetadataModel, text: str) -> None:
    assert titles_of(model, text)[0] == "García's Kitchen"


@pytest.mark.parametrize("text", ["solariz", "solars", "soolaris", "osl aris solrais"])
def test_one_typo_a_word_is_forgiven(model: MetadataModel, text: str) -> None:
    assert "Solaris" in titles_of(model, text)


@pytest.mark.parametrize("text", ["zolariz", "xyzzy", "", "  ", "!?", "'"])
def test_what_is_no_word_of_any_book_finds_nothing(model: MetadataModel, text: str) -> None:
    assert titles_of(model, text) == []


def test_a_book_is_found_by_its_author_and_by_its_subject(model: MetadataModel) -> None:
    assert titles_of(model, "dmos")[:2] == TITLES[6:8]
    assert set(titles_of(model, "soup")) == set(TITLES[6:])


def test_exact_words_precede_beginnings_and_those_precede_typos(make_index: MakeIndex) -> None:
    index = make_index(
        ("Scar", [], [], 9_000_000),  # one typo away, and the most popular of all
        ("Unrelated", [], ["Starship building"], 0),  # the word begins one of its least important field
        ("Starship", [], [], 10),
        ("Star", [], [], 0),
    )

    assert find(index, "star") == [3, 2, 1, 0]


def test_the_last_word_may_be_only_begun(make_index: MakeIndex) -> None:
    index = make_index(
        ("Harry and the Hendersons", [], [], 900), ("Harry Potter", [], [], 10), ("Pottery", [], [], 1)
    )

    assert {find(index, typed)[0] for typed in ("harry po", "harry pot", "harry pott")} == {1}
    assert set(find(index, "po")) == {1, 2}
    assert find(index, "po harry")[0] == 0  # of a word before it, two letters are no beginning


def test_a_title_counts_more_than_an_author_and_an_author_more_than_a_subject(make_index: MakeIndex) -> None:
    index = make_index(("Nothing", [], ["Emma"], 10), ("Else", ["Emma Brown"], [], 10), ("Emma", [], [], 10))

    assert find(index, "emma") == [2, 1, 0]


def test_an_author_s_well_read_books_precede_those_about_them(make_index: MakeIndex) -> None:
    index = make_index(
        ("The Stephen King Companion", ["George Beahm"], [], 1),
        ("Misery", ["Stephen King"], [], 100),
        ("Stephen King, a Biography", ["Somebody Else"], [], 1),
        ("The Green Mile", ["Stephen King"], [], 50),
        *[("A Longer Title of Another Book", ["Yet Another"], [], 1)] * 20,
    )

    assert find(index, "stephen king")[:2] == [1, 3]


def test_a_whole_title_precedes_a_part_of_a_more_popular_author_s_name(make_index: MakeIndex) -> None:
    index = make_index(
        ("Divine Secrets", ["Rebecca Wells"], [], 1000),
        ("Rebecca", ["Daphne du Maurier"], [], 100),
        *[("A Longer Title of Another Book", ["Yet Another"], [], 1)] * 20,
    )

    assert find(index, "rebecca") == [1, 0]


@pytest.mark.parametrize("text", ["jrr tolkien", "J.R.R. Tolkien", "j. r. r. tolkien", "JRR"])
def test_initials_are_one_word_however_they_are_written(make_index: MakeIndex, text: str) -> None:
    index = make_index(("The Tolkien Reader", ["Peter"], [], 900), ("The Hobbit", ["J.R.R. Tolkien"], [], 1))

    assert find(index, text)[0] == 1


def test_among_equals_the_popular_one_comes_first_and_then_the_lower_id(make_index: MakeIndex) -> None:
    index = make_index(
        ("Emma", [], [], 1), ("Emma", [], [], 1000), ("Emma", [], [], 50), ("Emma", [], [], 50)
    )

    assert find(index, "emma") == [1, 2, 3, 0]


def test_the_shorter_title_wins_among_equally_popular_ones(make_index: MakeIndex) -> None:
    index = make_index(("Emma and the Vampires of Bath", [], [], 10), ("Emma", [], [], 10))

    assert find(index, "emma") == [1, 0]


def test_a_rare_word_with_a_typo_outweighs_common_words(make_index: MakeIndex) -> None:
    flies = [(f"The {name} of the Flies", [], [], 500) for name in ("Lord", "King", "Fall", "Rise", "Land")]
    index = make_index(*flies, ("The Lord of the Rings", [], [], 1), *[("The End of It", [], [], 900)] * 20)

    assert find(index, "the lord of the rngs")[0] == 5


def test_scores_never_increase_and_k_is_kept(model: MetadataModel) -> None:
    book_ids, scores = model.search("soup space the planet", 4)

    assert book_ids.size == 4
    assert (np.diff(scores) <= 0).all()
    assert len(set(book_ids.tolist())) == 4


def test_a_query_of_very_many_words_is_answered(model: MetadataModel) -> None:
    assert titles_of(model, "soup " + " ".join(f"w{number}" for number in range(100)), k=1)


def test_a_saved_model_answers_alike_from_mapped_files(model: MetadataModel, tmp_path: Path) -> None:
    save_record(model, tmp_path)

    opened = open_record(MetadataModel, tmp_path)

    opened.warm_up()
    assert opened.find_cards([11, 77]) == model.find_cards([11, 77])
    assert opened.search("soup", 5)[0].tolist() == model.search("soup", 5)[0].tolist()
    assert opened.popular(k=3, subject="soup")[0].tolist() == SOUP_IDS[:3]
