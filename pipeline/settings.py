"""What a training run reads from the environment, and the parameters of its steps."""

from pathlib import Path
from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from catalog.settings import CatalogSettings
from evidence.registry import EvidenceParams
from foundation.serving_rules import ServingRules
from foundation.settings import Options
from telemetry.settings import TelemetryOptions

AttentionStrategy = Literal["scalar", "per-dimension", "transformer"]
"""One weight for each subject of a set, one for each dimension, or one after subjects are mixed."""


class SplitParams(Options):
    """Which interactions are held out."""

    held_out_share: float = Field(default=0.2, gt=0, lt=1)
    inner_share: float = Field(default=0.1, gt=0, lt=1)
    """Share of the train fold that the ranker is tuned on; a larger one thins histories and misleads it."""
    min_ratings: PositiveInt = 5
    """Readers with fewer interactions are trained on only."""
    min_users: PositiveInt = 20
    """Fewer readers with enough interactions than this, and the run stops."""


class AggregateParams(Options):
    """Counts and means of a fold."""

    prior_ratings: PositiveFloat = 30.0
    """Ratings of average height that each book is given beforehand, in its Bayesian mean."""
    n_co_read: PositiveInt = 20
    """Books kept for each book as read together with it most."""


class SubjectsParams(Options):
    """Training of the subject embeddings."""

    strategy: AttentionStrategy = "per-dimension"
    dim: PositiveInt = 64
    n_authors: NonNegativeInt = 2000
    """Most read authors that are embedded beside the subjects; with 0 books are their subjects alone."""
    n_epochs: PositiveInt = 6
    batch_size: PositiveInt = 1024
    n_negatives: PositiveInt = 512
    """Books that the ranking loss sets against each book read."""
    n_pairs: PositiveInt = 512
    """Pairs in a batch of each contrastive loss."""
    learning_rate: PositiveFloat = 0.01
    temperature: PositiveFloat = 0.1
    """Divides cosines in every softmax."""
    ranking_weight: float = Field(default=1.0, ge=0)
    """Share in the loss of ranking the book read before others."""
    rating_weight: float = Field(default=0.1, ge=0)
    """Share of the rating regression."""
    contrastive_weight: float = Field(default=0.2, ge=0)
    """Share of the loss that draws together what is read together."""
    co_occurrence_weight: float = Field(default=0.2, ge=0)
    """Share of the loss that draws together subjects of one book."""
    max_steps: PositiveInt = 400
    """Batches at most: bounds the time on large data."""


class RankerParams(Options):
    """Tuning of the blend, and the ranker that may reorder its best."""

    k: PositiveInt = 30
    """Length of the lists whose recall is tuned, beside NDCG@10."""
    max_users: PositiveInt = 4000
    """Readers that the search looks at: fewer, and it follows chance."""
    n_trees: NonNegativeInt = 200
    """Trees of the ranker; with 0 the blend alone orders lists."""
    n_candidates: PositiveInt = 200
    """Best books of each kind of evidence that a reader's candidates are made of."""
    start: dict[str, float] = {
        "ease": 1.0,
        "neighbours": 0.5,
        "als": 0.3,
        "authors": 1.0,
        "popularity": 0.02,
    }
    """Weights that the search starts from; 0 for a kind of evidence that is not named."""


class NewcomersParams(Options):
    """What favourites and traits tell of readers without a history."""

    k: PositiveInt = 30
    """Length of the lists whose recall is tuned, beside NDCG@10."""
    max_users: PositiveInt = 1500
    """Readers that the search looks at; nothing is learned from these before."""
    max_readers: PositiveInt = 10_000
    """Readers that are learned from at most."""
    min_books: PositiveInt = 5
    """Books that a reader must have read to be learned from."""
    min_readers: PositiveInt = 5
    """Readers who must have a favourite or a trait in common, or it tells nothing."""
    max_authors: PositiveInt = 3000
    """Authors that are learned of at most: time grows with the cube."""
    regularization: PositiveFloat = 10.0


class IndexParams(Options):
    """Text vectors and FAISS indexes."""

    text_dim: PositiveInt = 256
    max_terms: PositiveInt = 50_000
    n_related: PositiveInt = 50
    """Books kept for each book as read together with it, and as many as of its authors."""
    hnsw_links: PositiveInt = 48
    ef_construction: PositiveInt = 80
    ef_search: PositiveInt = 128
    """Breadth of a look-up, kept in the graph: recall@30 was .994 or better at 250,000 books."""


class GateParams(Options):
    """What a version must show before it is served."""

    k: PositiveInt = 30
    max_users: PositiveInt = 3000
    """Readers that are measured, always the same ones: enough for an interval of about ±0.007."""
    floor_margin: PositiveFloat = 1.1
    """Recall must be above this many times the recall of popularity."""
    max_loss: PositiveFloat = 0.005
    """δ: how far below the current version the interval of a difference may reach, if chance is smaller."""
    min_coverage: float = Field(default=0.7, gt=0)
    """Share of the current version's books on all lists together that there must be different books."""
    min_speed: float = Field(default=0.5, gt=0)
    """Share of the current version's speed."""
    min_ann_recall: float = Field(default=0.97, gt=0, le=1)
    """Share of the exact nearest that each approximate index finds."""


class TrainOptions(Options):
    """One training run; a parameter of a step is set as in BOOKMESH_TRAIN__EVIDENCE__ALS__N_FACTORS=64."""

    seed: int = Field(default=20, ge=0)
    """Every random choice of a run comes from it."""
    threads: PositiveInt = 2
    """Threads that training may use."""
    split: SplitParams = SplitParams()
    aggregate: AggregateParams = AggregateParams()
    subjects: SubjectsParams = SubjectsParams()
    evidence: EvidenceParams = EvidenceParams()
    ranker: RankerParams = RankerParams()
    newcomers: NewcomersParams = NewcomersParams()
    index: IndexParams = IndexParams()
    gate: GateParams = GateParams()


class TrainSettings(CatalogSettings):
    """All that a training run reads."""

    telemetry: TelemetryOptions = TelemetryOptions()
    serving: ServingRules = ServingRules()
    train: TrainOptions = TrainOptions()

    @property
    def steps_path(self) -> Path:
        return self.home / "steps"

    @property
    def comparisons_path(self) -> Path:
        """What comparisons have fitted."""
        return self.home / "comparisons"

    @property
    def tuning_path(self) -> Path:
        """Searches for hyper-parameters, and what they found."""
        return self.home / "tuning"

    @property
    def reports_path(self) -> Path:
        return self.home / "reports"
