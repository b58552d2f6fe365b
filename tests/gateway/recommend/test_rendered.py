"""Lists are written as the API documents them."""

from gateway.recommend.rendered import MadeItem, MadeList, Rendered
from gateway.schemas import BookItem, BookList

ITEM = MadeItem(241, "Die Wand", ["Marlen Haushofer"], None, 286, ["9789999912082"], None, -0.25)


def test_a_list_is_what_is_documented() -> None:
    made = MadeList("popular.popular.1", "v1", "popular", ["als"], [ITEM])

    rendered = Rendered.of(made)

    documented = BookList.model_validate_json(rendered.body)
    assert documented.model_dump_json().encode() == rendered.body
    assert BookItem.model_fields.keys() == set(MadeItem.__struct_fields__)
    assert (rendered.scores, rendered.n_books, rendered.degraded) == ((-0.25, -0.25), 1, ("als",))


def test_what_a_cache_kept_is_what_was_made() -> None:
    rendered = Rendered.of(MadeList("popular.popular.1", "v1", "popular", [], [ITEM]))

    assert Rendered.unpack(rendered.pack(), "v1") == rendered
