"""Made-up works in any number, for benchmarks: titles, authors and subjects that belong to no real book."""

from collections.abc import Sequence

import numpy as np

from catalog.demo.works import Work


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_ADJECTIVES = _words("""
Amber Ancient Bitter Blue Borrowed Bright Broken Burning Careful Clockwork Cold Crooked Crystal Distant
Drowned Dusty Early Eastern Electric Empty Faded Fallen First Foreign Forgotten Frozen Gentle Gilded Glass
Golden Green Hidden Hollow Honest Hungry Idle Inner Iron Jagged Last Late Lonely Long Lost Lucky Midnight
Missing Modest Narrow Northern Old Open Painted Paper Patient Quiet Restless Salted Scarlet Second Secret
Severed Shallow Silent Silver Sleeping Slow Small Southern Stolen Stubborn Sunken Tangled Tender Thirsty
Twisted Unfinished Unlikely Velvet Wandering Weathered Western White Wild Winter Wooden Yellow Young
""")
_NOUNS = _words("""
Almanac Anchor Archive Atlas Ballad Bargain Beacon Bell Border Bridge Cabin Candle Canyon Cartographer
Cellar Choir Circus Clerk Cloud Coast Compass Confession Corridor Courier Crossing Daughter Debt Door
Engine Envoy Exile Farm Ferry Fever Fire Garden Gate Ghost Glacier Guest Harbour Harvest Heir Horizon Hour
House Hunter Inheritance Island Journey Judge Key Kingdom Lantern Ledger Letter Library Lighthouse
Locksmith Machine Map Market Meadow Mill Mirror Needle Night Oath Orchard Orphan Palace Passage Pilgrim
Promise Quarry Railway Reef Ribbon River Road Season Shadow Shore Signal Station Stranger Summer Thief
Tide Tower Tunnel Valley Vessel Voyage Wager Well Whistle Widow Window Witness
""")
_PLACES = _words("""
Aldermoor Ashgrove Birchwater Blackmere Brackenfell Calderwick Castelmar Copperhill Cresthaven Darrowby
Dunmarsh Eastmarch Elderfen Fairhollow Farrowdale Fenwick Foxbridge Galloway Glenmarrow Greyport
Hallowfield Harrowgate Hawkstone Highcombe Ironmouth Kestrelton Kingsferry Lakemoor Larkspur Longbarrow
Marlowe Mistral Northwold Oakhaven Ormsby Penrose Quarrington Ravensholt Redcliffe Rosewater Saltmarsh
Silverlake Southmere Stonecroft Summerfield Thornbury Tidewell Umberland Valmont Westerleigh Whitcombe
Willowbrook Wintermoor Yarrowdale
""")
_FIRST_NAMES = _words("""
Ada Agnes Alma Anton Arthur Beatrix Bruno Cara Casper Celia Clara Conrad Cyrus Dagmar Dora Edith Edmund
Elias Elsa Emil Esther Ezra Felix Fiona Frida Gideon Greta Gustav Hanna Hector Hugo Ida Ingrid Irma Isaac
Ivo Jasper Johanna Jonas Judith Julius Karin Klara Konrad Lars Leona Linus Lotte Lucian Mabel Magnus Marta
Matilda Maurice Mira Nadia Nils Nora Olga Oscar Otto Paula Petra Quentin Ralph Rosa Rufus Ruth Sabine Saul
Selma Silas Stella Tessa Theo Thora Ulla Ursula Vera Victor Wanda Wilma Xenia Yara Yves Zelda
""")
_LAST_NAMES = _words("""
Abend Alderton Arkwright Ashdown Barrowman Bellweather Birkin Blackwood Bramhall Brandt Brightwater
Calloway Carnaby Cartwright Chilvers Colbeck Corrigan Cragg Dahlgren Delacroix Dragomir Drummond Eastlake
Eklund Fairbairn Falkner Farthing Fenner Ferrars Fothergill Gantry Garrick Goldhurst Grimshaw Haldane
Harcastle Hartnell Havelock Hexham Holloway Ibsworth Jarnegan Jessup Kaplinski Kellerman Kirkbride Lachlan
Larkin Ledbetter Lindqvist Lorimer Lovelace Mallory Marchbanks Merriman Moncrieff Nightingale Norrington
Oakley Okonjo Ormerod Osterman Pargeter Pemberton Penhaligon Quayle Quennell Radcliffe Rasmussen
Ravenscroft Rookwood Rosenthal Sandoval Selwyn Sinclair Stanhope Sterne Tamworth Thackery Thorne Tolliver
Underhill Vandermeer Varga Verlaine Wainwright Wetherby Whitlock Winterbourne Woolcott Yardley Zielinski
""")
_BOOKS_AN_AUTHOR = 4


class MadeUpWorks(Sequence[Work]):
    """n_books works, each worked out from its number when asked for, so that any number needs no memory."""

    def __init__(self, n_books: int, vocabulary: Sequence[str], *, seed: int) -> None:
        self._n_books, self._vocabulary = n_books, vocabulary
        self._n_authors = max(1, n_books // _BOOKS_AN_AUTHOR)
        rng = np.random.default_rng(seed)
        # Authors keep to a genre: a subject and its neighbours in the list.
        self._genre = (rng.zipf(1.6, self._n_authors) - 1) % len(vocabulary)
        self._author = rng.integers(self._n_authors, size=n_books)
        self._spread = rng.integers(1, 12, size=(n_books, 3))
        self._year = rng.integers(1900, 2024, size=n_books)

    def __len__(self) -> int:
        return self._n_books

    def __getitem__(self, index: int) -> Work:  # type: ignore[override]  # nobody slices it
        subjects = tuple(self._vocabulary[number] for number in self.subject_numbers(index))
        return Work(
            external_id=f"made-up-{index}",
            title=_title(index),
            authors=(_name(int(self._author[index])),),
            year=int(self._year[index]),
            language="eng",
            subjects=subjects,
            description=f"A made-up book about {', '.join(subjects).lower()}.",
        )

    def subject_numbers(self, index: int) -> list[int]:
        """Numbers of a book's subjects, the first one its author's genre."""
        genre = int(self._genre[self._author[index]])
        near = [(genre + int(step)) % len(self._vocabulary) for step in np.cumsum(self._spread[index])[:-1]]
        return [genre, *near]

    @property
    def authors(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """(n_books,) number of each book's author."""
        return self._author


def _title(index: int) -> str:
    rest, adjective = divmod(index, len(_ADJECTIVES))
    rest, noun = divmod(rest, len(_NOUNS))
    volume, place = divmod(rest, len(_PLACES))
    title = f"The {_ADJECTIVES[adjective]} {_NOUNS[noun]} of {_PLACES[place]}"
    return f"{title}, Part {volume + 1}" if volume else title


def _name(index: int) -> str:
    rest, first = divmod(index, len(_FIRST_NAMES))
    rest, last = divmod(rest, len(_LAST_NAMES))
    middle = f" {chr(ord('A') + rest % 26)}." if rest else ""
    return f"{_FIRST_NAMES[first]}{middle} {_LAST_NAMES[last]}"
