"""A model server made for tests of the shell: it answers from one array, slowly or not at all if told to."""

import threading
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from artifacts.manifest import GateVerdict
from artifacts.store import ArtifactStore
from contracts.shell import Request, Response
from servers.shell.routes import ModelRoute, ModelServer


@dataclass(frozen=True, eq=False)
class CountingModel:
    numbers: NDArray[np.int64]
    constants: NDArray[np.int64]


class Empty(Request):
    pass


class Sum(Response):
    total: int


@dataclass
class Gate:
    """Lets slow requests wait until a test opens it."""

    entered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    opened: threading.Event = field(default_factory=threading.Event)


def counting_server(gate: Gate) -> ModelServer[CountingModel]:
    def add(model: CountingModel, version: str, request: Empty) -> Sum:
        return Sum(version=version, total=int(model.numbers.sum()))

    def add_slowly(model: CountingModel, version: str, request: Empty) -> Sum:
        gate.entered.release()
        assert gate.opened.wait(10)
        return add(model, version, request)

    def fail(model: CountingModel, version: str, request: Empty) -> Sum:
        raise ZeroDivisionError("a secret of ours")

    def warm_up(model: CountingModel) -> None:
        if not model.numbers.size:
            raise ValueError("no numbers to count")

    return ModelServer(
        name="als",
        model=CountingModel,
        routes=(
            ModelRoute("/add", Empty, add),
            ModelRoute("/add-slowly", Empty, add_slowly, is_slow=lambda model, request: True),
            ModelRoute("/fail", Empty, fail),
            ModelRoute("/fail-in-thread", Empty, fail, is_slow=lambda model, request: True),
        ),
        warm_up=warm_up,
    )


def publish_numbers(store: ArtifactStore, numbers: list[int], *, promote: bool = True) -> str:
    draft = store.draft()
    draft.add("als", CountingModel(np.array(numbers, dtype=np.int64), np.arange(3)))
    version = draft.seal(
        split_id="counting",
        data_fingerprint="counting",
        code_revision="tests",
        params={},
        seed=0,
        metrics={},
        gate=GateVerdict(passed=True),
    ).version
    if promote:
        store.promote(version, by="tests", why="published")
    return version
