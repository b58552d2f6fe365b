"""A catalogue of reading clubs, and one training run over it that several tests look at."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from artifacts.store import ArtifactStore
from catalog.database import Database
from pipeline.report import RunReport
from pipeline.run import train
from pipeline.settings import SubjectsParams, TrainSettings
from tests.pipeline.catalogues import club_pairs, club_works, write_catalogue


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
    return TrainSettings(home=home, subjects=SubjectsParams(dim=8, max_steps=20, batch_size=256))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    db = write_catalogue(tmp_path / "catalog.db", club_works(), club_pairs(np.random.default_rng(0)))
    yield Home(quick_settings(tmp_path), db, ArtifactStore(tmp_path / "artifacts"))
    db.close()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, RunReport]:
    """A home after its first run; tests that share it must not change it."""
    path = tmp_path_factory.mktemp("trained")
    db = write_catalogue(path / "catalog.db", club_works(), club_pairs(np.random.default_rng(0)))
    shared = Home(quick_settings(path), db, ArtifactStore(path / "artifacts"))
    yield shared, shared.train()
    db.close()
