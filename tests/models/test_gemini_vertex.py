import sys
import threading
from typing import Any

import google.auth
import pytest
from google.auth import exceptions as untyped

from antiphon.errors import AuthenticationRefused, ConnectionLost, MissingCredentials, MissingExtra
from antiphon.models import gemini_vertex
from antiphon.models.gemini_vertex import bearer_headers

exceptions: Any = untyped


class Credentials:
    """What google-auth finds: a token that must be fetched first."""

    def __init__(self, quota_project_id: str | None = None, error: Exception | None = None) -> None:
        self.token: str | None = None
        self.valid = False
        self.quota_project_id = quota_project_id
        self.refreshed_in: list[threading.Thread] = []
        self._error = error

    def refresh(self, request: object) -> None:
        self.refreshed_in.append(threading.current_thread())
        if self._error is not None:
            raise self._error
        self.token, self.valid = f"token-{len(self.refreshed_in)}", True


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets google-auth find what is given."""

    def find(found: Credentials | Exception) -> None:
        def default(scopes: tuple[str, ...]) -> tuple[Credentials, str]:
            assert scopes == ("https://www.googleapis.com/auth/cloud-platform",)
            if isinstance(found, Exception):
                raise found
            return found, "project"

        monkeypatch.setattr(gemini_vertex, "_found", {})
        monkeypatch.setattr(google.auth, "default", default)

    return find


async def test_the_token_is_fetched_off_the_loop_once_and_again_when_it_is_old(environment: Any) -> None:
    credentials = Credentials()
    environment(credentials)
    assert await bearer_headers() == {"Authorization": "Bearer token-1"}
    assert await bearer_headers() == {"Authorization": "Bearer token-1"}
    credentials.valid = False
    assert await bearer_headers() == {"Authorization": "Bearer token-2"}
    assert threading.main_thread() not in credentials.refreshed_in


async def test_a_quota_project_is_named_only_where_there_is_one(environment: Any) -> None:
    environment(Credentials(quota_project_id="payer"))
    assert (await bearer_headers())["x-goog-user-project"] == "payer"


async def test_without_credentials_the_error_says_how_to_get_some(environment: Any) -> None:
    environment(exceptions.DefaultCredentialsError("none"))
    with pytest.raises(MissingCredentials, match="gcloud auth application-default login"):
        await bearer_headers()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (exceptions.RefreshError("invalid_grant"), AuthenticationRefused),
        (exceptions.RefreshError("busy", retryable=True), ConnectionLost),
        (exceptions.TransportError("no network"), ConnectionLost),
    ],
)
async def test_a_refresh_that_fails_may_or_may_not_pass(  # contract 7.4
    environment: Any, error: Exception, kind: type[Exception]
) -> None:
    environment(Credentials(error=error))
    with pytest.raises(kind, match="could not be refreshed"):
        await bearer_headers()


async def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.auth", None)
    with pytest.raises(MissingExtra, match=r"pip install 'antiphon\[vertex\]'"):
        await bearer_headers()
