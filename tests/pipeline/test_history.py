"""How every version was judged stays known, also after it has gone."""

import json
from pathlib import Path

from artifacts.manifest import GateCheck, GateVerdict
from artifacts.store import ArtifactStore
from pipeline.history import Judged, read_history

PASSED = GateVerdict(passed=True)
REFUSED = GateVerdict.of(GateCheck(name="learned_evidence", value=1.0, threshold=6.0, passed=False))


def seal(store: ArtifactStore, verdict: GateVerdict, *, refresh_of: str | None = None) -> str:
    manifest = store.draft().seal(
        split_id="pairs-0.2-of-5", data_fingerprint="", code_revision="0.7.0+0", params={}, seed=1,
        metrics={"recall@30": {"mean": 0.15, "low": 0.14, "high": 0.16}}, gate=verdict, refresh_of=refresh_of,
    )  # fmt: skip
    return manifest.version


def promote(store: ArtifactStore, version: str) -> None:
    store.promote(version, by="test", why="to see how it is told", force=True)


def read(home: Path) -> dict[str, Judged]:
    return {each.version: each for each in read_history(ArtifactStore(home / "artifacts"), home / "reports")}


def test_each_trained_version_is_told_with_what_became_of_it(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path / "artifacts")
    first, refused, forced, waiting = (seal(store, each) for each in (PASSED, REFUSED, REFUSED, PASSED))
    for version in (first, forced):
        promote(store, version)

    told = read(tmp_path)

    assert list(told) == sorted(told)
    outcomes = {version: told[version].outcome for version in told}
    assert outcomes == {first: "promoted", refused: "refused", forced: "forced", waiting: "passed"}
    assert [version for version in told if told[version].is_current] == [forced]


def test_a_refresh_is_no_version_of_its_own(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path / "artifacts")
    trained = seal(store, PASSED)
    promote(store, trained)
    promote(store, seal(store, PASSED, refresh_of=trained))

    told = read(tmp_path)

    assert list(told) == [trained] and told[trained].is_current


def test_a_version_that_is_gone_is_told_by_its_report(tmp_path: Path) -> None:
    gone = "20260101T000000Z-abcdef"
    reports = tmp_path / "reports"
    reports.mkdir()
    report = {"version": gone, "verdict": REFUSED.model_dump(mode="json"), "metrics": {"n_readers": 3}}
    (reports / "train-2026-01-01T000000+0000.json").write_text(json.dumps(report))
    (reports / "train-2026-01-02T000000+0000.json").write_text("{")
    (reports / "import-demo-2026-01-01.json").write_text("{}")

    told = read(tmp_path)

    assert list(told) == [gone] and told[gone].outcome == "refused"
    assert told[gone].describe()["created_at"] == "2026-01-01T00:00:00+00:00"
    assert told[gone].metrics == {"n_readers": 3}
