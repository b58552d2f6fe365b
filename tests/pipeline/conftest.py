"""A catalog of reading clubs, and one training run over it that several tests look at."""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from artifacts.store import ArtifactStore
from catalog.database import Database, open_database
from pipeline.report import RunReport
from pipeline.run import train
from pipeline.settings import SubjectsParams, TrainOptions, TrainSettings
from tests.pipeline.catalogs import Pair, Work, club_pairs, club_works, write_catalog


@dataclass(frozen=True)
class Home:
    """A BOOKMESH_HOME in which clubs were trained on."""

    settings: TrainSettings
    db: Database
    store: ArtifactStore

    def train(self, **options: object) -> RunReport:
        return train(self.settings, self.db, self.store, **options)  # type: ignore[arg-type]


def quick_settings(home: Path) -> TrainSettings:
    """Real steps, but few batches: the clubs are easily told apart."""
    return TrainSettings(
        home=home, train=TrainOptions(subjects=SubjectsParams(dim=8, max_steps=20, batch_size=256))
    )


@contextmanager
def opened_home(path: Path, works: Sequence[Work], pairs: Iterable[Pair]) -> Iterator[Home]:
    """A home whose catalog holds these works and pairs."""
    with closing(write_catalog(path / "catalog.db", works, pairs)) as db:
        yield Home(quick_settings(path), db, ArtifactStore(path / "artifacts"))


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with opened_home(tmp_path, club_works(), club_pairs(np.random.default_rng(0))) as opened:
        yield opened


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, RunReport]]:
    """A home after its first run; tests that share it must not change it."""
    path = tmp_path_factory.mktemp("trained")
    with opened_home(path, club_works(), club_pairs(np.random.default_rng(0))) as shared:
        yield shared, shared.train()


@pytest.fixture
def trained_home(trained: tuple[Home, RunReport], tmp_path: Path) -> Iterator[Home]:
    """A trained home of the test's own; what its first run computed is kept there."""
    copy = tmp_path / "home"
    shutil.copytree(trained[0].settings.home, copy)
    with closing(open_database(f"sqlite:///{copy / 'catalog.db'}")) as db:
        yield Home(quick_settings(copy), db, ArtifactStore(copy / "artifacts"))
