"""The rules that every store of artifacts shares."""

from __future__ import annotations

import pytest
from google.genai import types as official
from hypothesis import given
from hypothesis import strategies as st

from antiphon.artifacts import ArtifactAddress, InMemoryArtifactService
from antiphon.artifacts.service import ArtifactScope, artifact_part, artifact_scope
from antiphon.errors import UsageError
from antiphon.types import Part

names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8) | st.sampled_from(
    ["..", "a/b", "user:a", "%2F"]
)


@given(names, names, st.none() | names, names, st.integers(0, 10**6))
def test_address_is_read_back_from_its_uri(
    app: str, user: str, session: str | None, filename: str, version: int
) -> None:  # contract 4.3
    address = ArtifactAddress(app, user, session, filename, version)
    assert ArtifactAddress.parse(address.uri) == address


def test_uri_says_where_the_artifact_is() -> None:  # contract 4.3
    of_session = ArtifactAddress("app", "user", "session", "user 1.wav", 2)
    assert (
        of_session.uri == "artifact://apps/app/users/user/sessions/session/artifacts/user%201.wav/versions/2"
    )
    of_user = ArtifactAddress("app", "user", None, "user:a.wav", 0)
    assert of_user.uri == "artifact://apps/app/users/user/artifacts/user:a.wav/versions/0"


@pytest.mark.parametrize(
    "uri", ["", "gs://bucket/a", "artifact://apps/a/users/u/artifacts/f/versions/x", "artifact://a/u/s/f#0"]
)
def test_other_uris_are_no_addresses(uri: str) -> None:
    assert ArtifactAddress.parse(uri) is None


def test_prefix_decides_whose_an_artifact_is() -> None:
    of_user = artifact_scope(app_name="a", user_id="u", session_id="s", filename="user:f")
    assert of_user == ArtifactScope("a", "u", None)
    assert artifact_scope(app_name="a", user_id="u", session_id="s", filename="f") == ArtifactScope(
        "a", "u", "s"
    )


def test_refusals_say_what_to_do() -> None:
    with pytest.raises(UsageError, match="'f' belongs to a session: pass session_id, or call it 'user:f'"):
        artifact_scope(app_name="a", user_id="u", session_id=None, filename="f")
    with pytest.raises(UsageError, match="filename is blank"):
        artifact_scope(app_name="a", user_id="u", session_id="s", filename="user:")
    with pytest.raises(UsageError, match="text, inline_data or file_data"):
        artifact_part(Part())


def test_parts_of_the_official_package_are_taken() -> None:
    theirs = official.Part.from_bytes(data=b"\0", mime_type="image/png")
    assert artifact_part(theirs) == Part.from_bytes(data=b"\0", mime_type="image/png")  # type: ignore[arg-type]


async def test_closing_is_inherited() -> None:
    await InMemoryArtifactService().close()
