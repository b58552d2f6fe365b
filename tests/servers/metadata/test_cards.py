import orjson
import pytest
from msgspec.structs import asdict

from contracts.metadata import CardsRequest, CardsResponse
from servers.metadata.app import show_cards
from servers.metadata.cards import RenderedCards
from servers.metadata.model import MetadataModel
from tests.servers.tiny import BOOK_IDS, SOUP_IDS, metadata_model

EVERY_OTHER = BOOK_IDS.tolist()[::2]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> MetadataModel:
    return metadata_model(tmp_path_factory.mktemp("metadata") / "text")


def test_a_message_of_cards_keeps_to_the_contract(model: MetadataModel) -> None:
    book_ids = [SOUP_IDS[0], 5, *EVERY_OTHER, SOUP_IDS[0]]

    answers = [show_cards(model, 'a "version"', CardsRequest(book_ids=book_ids)) for _ in range(2)]

    response = CardsResponse.model_validate_json(answers[0])
    assert response.version == 'a "version"'
    assert [asdict(card) for card in response.cards] == model.find_cards(book_ids)
    assert answers[1] == answers[0]


def test_of_none_that_is_known_there_are_no_cards(model: MetadataModel) -> None:
    answer = show_cards(model, "v", CardsRequest(book_ids=[5]))

    assert CardsResponse.model_validate_json(answer).cards == []


def test_a_card_that_is_kept_no_more_is_made_anew(
    model: MetadataModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("servers.metadata.cards.KEPT_BYTES", 2_000)
    cards = RenderedCards(model.cards, model.book_ids)

    for _ in range(3):
        for book_id in EVERY_OTHER:
            assert orjson.loads(cards.render([book_id])[0]) == model.find_cards([book_id])[0]


def test_a_card_of_an_older_release_lacks_what_that_did_not_count(model: MetadataModel) -> None:
    cards = RenderedCards(model.cards.drop_columns("n_pages"), model.book_ids)

    message = b'{"version":"v","cards":[%b]}' % cards.render(EVERY_OTHER[:1])[0]

    assert CardsResponse.model_validate_json(message).cards[0].n_pages is None
