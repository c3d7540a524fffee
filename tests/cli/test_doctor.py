from __future__ import annotations

import io

import pytest
from rich.console import Console

from antiphon.cli import doctor
from antiphon.cli.doctor import Check, Mark
from antiphon.cli.selftest import Trial
from antiphon.compilation import build

GOOD, BAD = Trial("plain", True, 5.0, 1.5), Trial("TLS", False, error="OSError: no")


def by_name(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def test_programs_have_versions() -> None:
    found = by_name(doctor.programs())
    assert found["antiphon"].found.endswith(f", {build()}")
    assert found["Python"].mark is found["antiphon"].mark is found["picows"].mark is Mark.OK


def test_an_extra_that_is_missing_has_its_pip_line() -> None:
    checks = doctor.extras(
        [
            "pydantic>=2",
            "pydantic; extra == 'have'",
            "not-there-at-all>=1; extra == 'lack'",
            "x; extra == 'dev'",
        ]
    )
    assert [(check.name, check.mark) for check in checks] == [
        ("antiphon[have]", Mark.OK),
        ("antiphon[lack]", Mark.ABSENT),
    ]
    assert checks[1].found == "lacks not-there-at-all" and checks[1].advice == "pip install 'antiphon[lack]'"
    assert {"antiphon[server]", "antiphon[testing]"} <= by_name(doctor.extras()).keys()


def test_a_library_that_is_missing() -> None:
    assert doctor._library("not-there-at-all", "pip install it", "speed").mark is Mark.ABSENT


@pytest.mark.parametrize("name", ["GOOGLE_API_KEY", "GEMINI_API_KEY"])
def test_keys_are_not_told(name: str) -> None:
    checks = doctor.environment({name: "s3cret"})
    assert by_name(checks)["Gemini key"].found == f"{name} is set"
    assert "s3cret" not in repr(checks)
    assert by_name(doctor.environment({}))["Gemini key"].advice.startswith("Set GOOGLE_API_KEY")


def test_passwords_in_addresses_are_not_told() -> None:
    environ = {
        "HTTPS_PROXY": "http://ann:s3cret@proxy:3128",
        "all_proxy": "ann:s3cret@socks:1080",
        "GOOGLE_GEMINI_BASE_URL": "https://relay.example/live?key=s3cret",
        "SSL_CERT_FILE": "authority.pem",
    }
    found = by_name(doctor.environment(environ))
    assert found["Proxies"].found == "HTTPS_PROXY=http://proxy:3128, ALL_PROXY=socks:1080"
    assert found["GOOGLE_GEMINI_BASE_URL"].found == "https://relay.example/live"
    assert found["SSL_CERT_FILE"].found == "authority.pem"
    assert "s3cret" not in repr(found)


def test_vertex_needs_a_project() -> None:
    on = {"GOOGLE_GENAI_USE_VERTEXAI": "true"}
    assert by_name(doctor.environment({}))["Vertex AI"].mark is Mark.ABSENT
    assert by_name(doctor.environment(on))["Vertex AI"].mark is Mark.FAILED
    ready = by_name(doctor.environment(on | {"GOOGLE_CLOUD_PROJECT": "p"}))["Vertex AI"]
    assert (ready.mark, ready.found) == (Mark.OK, "project p, location global")


def test_the_table_shows_all_and_interprets_nothing() -> None:
    checks = [*doctor.trials([GOOD, BAD]), Check("[bold]", Mark.ABSENT, "[red]")]
    out = io.StringIO()
    Console(file=out, width=100).print(doctor.table(checks))
    assert "connected in 5 ms, answered in 1.5 ms" in out.getvalue()
    assert "✗ Self-test, TLS" in " ".join(out.getvalue().split())
    assert "[bold]" in out.getvalue() and "[red]" in out.getvalue()


def test_json_holds_the_same() -> None:
    told = doctor.as_json(doctor.trials([GOOD, BAD]), [GOOD, BAD], ok=False)
    assert told["ok"] is False
    assert [check["mark"] for check in told["checks"]] == ["ok", "failed"]
    assert told["selftest"][0]["answered"] == 1.5
