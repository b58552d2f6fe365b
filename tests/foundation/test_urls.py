import pytest

from foundation.urls import local_url


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.2", "http://127.0.0.2:80"),
        ("localhost", "http://localhost:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("::1", "http://[::1]:80"),
    ],
)
def test_what_listens_anywhere_is_reached_from_this_machine(host: str, url: str) -> None:
    assert local_url(host, 80) == url
