"""Step 6: fits every kind of evidence, above all who reads alike (ALS) and which books are read together."""

from evidence.kind import TrainingData
from evidence.registry import Evidence, EvidenceParams
from foundation.tools import Tools
from pipeline.models.figures import measure_figures
from pipeline.models.languages import collect_languages
from pipeline.models.subject_sets import collect_authors, collect_title_words, list_author_ids
from pipeline.records import Aggregates, Export, Fold


def fit_evidence(
    fold: Fold, aggregates: Aggregates, catalog: Export, *, params: EvidenceParams, seed: int, tools: Tools
) -> Evidence:
    """All kinds of evidence over the fold's books."""
    return Evidence.fit(collect_data(fold, aggregates, catalog), params, seed=seed, tools=tools)


def collect_data(fold: Fold, aggregates: Aggregates, catalog: Export) -> TrainingData:
    """What every kind may learn from."""
    return TrainingData(
        user_items=fold.evidence,
        counts=aggregates.counts,
        book_authors=collect_authors(catalog.book_authors, fold.book_ids),
        title_words=collect_title_words(catalog.books, fold.book_ids),
        languages=collect_languages(catalog, fold.book_ids),
        author_ids=list_author_ids(catalog.book_authors, fold.book_ids),
        figures=measure_figures(fold, aggregates, catalog),
    )
