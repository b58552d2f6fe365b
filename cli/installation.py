"""Whether this installation can train: one that only serves lacks the libraries of the extra `train`."""

from importlib.util import find_spec
from typing import Final

from cli.errors import TrainingNotInstalled

TRAINING_LIBRARIES: Final = ("implicit", "lightgbm", "matplotlib", "optuna", "sklearn", "torch")


def check_can_train() -> None:
    """Raise TrainingNotInstalled if it cannot."""
    if missing := [name for name in TRAINING_LIBRARIES if find_spec(name) is None]:
        raise TrainingNotInstalled(missing)
