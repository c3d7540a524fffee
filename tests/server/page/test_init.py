"""The page's files as they are served: types, caches, security, and nothing else."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from antiphon import InMemoryRunner
from antiphon.cli.samples import SUGGESTIONS, demo_agent
from antiphon.models.local.keyword_brain import KeywordBrain
from antiphon.server.page import SECURITY, page_router


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    runner = InMemoryRunner(demo_agent(KeywordBrain()), app_name="demo")
    app.include_router(page_router(runner, suggestions=SUGGESTIONS))
    app.include_router(page_router(runner), prefix="/inside")
    return TestClient(app)


class Parts(HTMLParser):
    """The addresses that a page names, and whether anything in it is inline."""

    def __init__(self) -> None:
        super().__init__()
        self.named: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.inline += [name for name in told if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in told):
            self.inline.append(tag)
        if tag in ("link", "script"):
            self.named.append(told.get("href") or told.get("src") or "")


@pytest.mark.parametrize("root", ["/", "/inside/"])
def test_all_that_the_page_names_is_there_and_nothing_is_inline(client: TestClient, root: str) -> None:
    page = client.get(root)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    parts = Parts()
    parts.feed(page.text)
    assert len(parts.named) > 5 and parts.inline == []
    seen: set[str] = set()
    waiting = {root + name for name in parts.named}
    while waiting:
        address = waiting.pop()
        seen.add(address)
        answer = client.get(address)
        assert answer.status_code == 200, address
        if address.endswith(".js"):
            assert answer.headers["content-type"].startswith("text/javascript")
            found = re.findall(r'(?:from|import) "(\.[^"]+)"', answer.text)
        else:
            found = re.findall(r"url\((\.\./[^)]+)\)", answer.text) if address.endswith(".css") else []
        waiting |= {str(answer.url.join(name).path) for name in found} - seen
    assert {f"{root}client/index.js", f"{root}page/js/story.js"} <= seen


@pytest.mark.parametrize(
    "path", ["/", "/page/js/main.js", "/client/index.js", "/page/agent.json", "/page/none"]
)
def test_everything_says_what_it_may_do(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert {name: headers[name] for name in SECURITY} == SECURITY
    assert (
        "unsafe" not in headers["content-security-policy"]
        and "script-src 'self';" in SECURITY["Content-Security-Policy"]
    )


def test_a_browser_asks_whether_anything_has_changed(client: TestClient) -> None:
    first = client.get("/page/css/talk.css")
    assert first.headers["cache-control"] == "no-cache"
    again = client.get("/page/css/talk.css", headers={"If-None-Match": f'"x", W/{first.headers["etag"]}'})
    assert again.status_code == 304 and again.content == b""
    assert client.get("/page/css/talk.css", headers={"If-None-Match": '"x"'}).status_code == 200
    font = client.get("/page/fonts/inter-latin-wght-normal.woff2")
    assert font.headers["content-type"] == "font/woff2" and "immutable" in font.headers["cache-control"]
    assert client.get("/page/fonts/LICENSE-inter").text.startswith("Copyright")


@pytest.mark.parametrize(
    "path",
    [
        "/page/../__init__.py",
        "/page/%2e%2e/__init__.py",
        "/client/..%2f..%2fpyproject.toml",
        "/page//etc/passwd",
    ],
)
def test_no_path_leads_elsewhere(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_agent_introduces_itself(client: TestClient) -> None:
    told = client.get("/page/agent.json").json()
    assert (told["name"], told["app"]) == ("antiphon", "demo") and told["suggestions"] == list(SUGGESTIONS)
    assert client.get("/inside/page/agent.json").json()["suggestions"][0] == "Tell me the weather of Paris."
