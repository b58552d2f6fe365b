"""Reading settings from the environment, with classes of the tests' own."""

import pytest
from pydantic import PositiveInt, SecretStr, ValidationError

from foundation.serving_rules import ServingRules
from foundation.settings import Options, ProcessSettings, find_variable

pytestmark = pytest.mark.usefixtures("environment")


class Als(Options):
    n_factors: PositiveInt = 128


class Ranker(Options):
    start: dict[str, float] = {"als": 1.0}


class Evidence(Options):
    als: Als = Als()


class Train(Options):
    evidence: Evidence = Evidence()
    ranker: Ranker = Ranker()


class Gateway(Options):
    port: PositiveInt = 8000
    key: SecretStr | None = None


class Settings(ProcessSettings):
    serving: ServingRules = ServingRules()
    gateway: Gateway = Gateway()
    train: Train = Train()


def refuse() -> tuple[str | int, ...]:
    """Path of the one setting that is refused."""
    with pytest.raises(ValidationError) as refused:
        Settings()
    (mistake,) = refused.value.errors()
    return mistake["loc"]


def test_a_name_is_the_path_of_its_setting(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("BOOKMESH_TRAIN__EVIDENCE__ALS__N_FACTORS", "64")

    settings = Settings()

    assert settings.train.evidence.als.n_factors == 64
    assert settings.gateway.port == 8000


@pytest.mark.parametrize("name", ["bookmesh_gateway__port", "bookmesh_port", "Bookmesh_Port"])
def test_small_letters_do_too(name: str, environment: pytest.MonkeyPatch) -> None:
    environment.setenv(name, "9000")

    assert Settings().gateway.port == 9000


def test_a_value_given_in_code_counts_most(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("BOOKMESH_GATEWAY__PORT", "9000")
    environment.setenv("BOOKMESH_GATEWAY__KEY", "k")

    settings = Settings(gateway={"port": 7000})

    assert settings.gateway.port == 7000
    assert settings.gateway.key == SecretStr("k")


def test_of_two_aliases_the_earlier_counts(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("BOOKMESH_GATE__COLD_POPULARITY_WEIGHT", "0.1")
    alone = Settings().serving

    environment.setenv("BOOKMESH_SUBJECTS_POPULARITY_WEIGHT", "0.2")

    assert alone.subjects_popularity_weight == 0.1
    assert Settings().serving.subjects_popularity_weight == 0.2


def test_a_table_is_set_as_json_or_a_value_at_a_time(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("BOOKMESH_TRAIN__RANKER__START", '{"als": 0.5, "authors": 2}')
    as_json = Settings().train.ranker.start

    environment.setenv("BOOKMESH_TRAIN__RANKER__START__AUTHORS", "3")

    assert as_json == {"als": 0.5, "authors": 2.0}
    assert Settings().train.ranker.start == {"als": 0.5, "authors": 3.0}


def test_settings_of_other_processes_are_not_looked_at(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("BOOKMESH_SERVERS__HOST", "10.0.0.7")
    environment.setenv("BOOKMESH_POOL_SIZE_OF_SOMETHING_ELSE", "1")

    assert Settings() == Settings(home=".bookmesh")


@pytest.mark.parametrize(
    ("name", "value", "path"),
    [
        ("BOOKMESH_GATEWAY__PORT", "harbour", ("gateway", "port")),
        ("BOOKMESH_PORT", "harbour", ("gateway", "port")),
        ("BOOKMESH_ALS__N_FACTORS", "0", ("train", "evidence", "als", "n_factors")),
        ("BOOKMESH_TRAIN__EVIDENCE__ALS__N_FACTOR", "64", ("train", "evidence", "als", "n_factor")),
        ("BOOKMESH_ALS__N_FACTOR", "64", ("train", "evidence", "als", "n_factor")),
        ("BOOKMESH_TRAIN__RANKER__START", "no JSON", ("train", "ranker", "start")),
        ("BOOKMESH_RANKER__START", "[1]", ("train", "ranker", "start")),
        ("BOOKMESH_RANKER__START", '{"als": "much"}', ("train", "ranker", "start", "als")),
        ("BOOKMESH_RANKER__START__ALS", "much", ("train", "ranker", "start", "als")),
        ("BOOKMESH_GATEWAY", "no JSON", ("gateway",)),
        ("BOOKMESH_GATEWAY", '{"port": 0}', ("gateway", "port")),
    ],
)
def test_what_makes_no_sense_is_refused_and_traced_to_the_variable_that_was_set(
    name: str, value: str, path: tuple[str, ...], environment: pytest.MonkeyPatch
) -> None:
    environment.setenv(name, value)

    assert refuse() == path
    assert find_variable(*path) == name


def test_a_setting_that_is_not_set_goes_by_its_own_name() -> None:
    assert find_variable("gateway", "port") == "BOOKMESH_GATEWAY__PORT"


def test_the_name_that_counts_is_the_one_that_is_told(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("BOOKMESH_PORT", "9000")
    environment.setenv("BOOKMESH_GATEWAY__PORT", "9001")

    assert find_variable("gateway", "port") == "BOOKMESH_GATEWAY__PORT"


def test_an_error_as_text_shows_no_value(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("BOOKMESH_GATEWAY__KEE", "secret")

    with pytest.raises(ValidationError) as refused:
        Settings()

    assert "secret" not in str(refused.value)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        Settings().gateway.port = 1  # type: ignore[misc]
