"""Which brain answers when none was chosen: a language model where one is at hand, else `KeywordBrain`."""

from __future__ import annotations

import json
import logging
import os
from http.client import HTTPException
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from antiphon.errors import ConfigurationError, MissingExtra
from antiphon.models.local.keyword_brain import KeywordBrain
from antiphon.models.openai_chat import OpenAIChat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from antiphon.models.chat import ChatModel

__all__ = ["LOCAL", "PATIENCE", "Choice", "choose_brain", "default_brain"]

log = logging.getLogger(__name__)

LOCAL: Final = (("Ollama", "http://127.0.0.1:11434/v1"), ("llama.cpp", "http://127.0.0.1:8080/v1"))
"""Where servers of this machine are looked for, in this order."""
PATIENCE: Final = 0.3
"""Seconds that a server on this machine has to answer in; one that was named has ten times as long."""

_LONGEST_LIST: Final = 1_000_000
"""Bytes that are read of a list of models."""
_OPENAI_HOST: Final = "api.openai.com"
_OPENAI_MODEL: Final = "gpt-5.2"


class Choice(NamedTuple):
    """A brain, and in a sentence which one it is and why."""

    brain: ChatModel
    why: str
    missed: str = ""
    """A language model that answers on this machine and cannot be asked, and what to install."""


def default_brain(
    llm: str | None = None, *, model: str | None = None, local: Sequence[tuple[str, str]] = LOCAL
) -> ChatModel:
    """The chat model to use when none was chosen; which one and why is logged. See `choose_brain`."""
    choice = choose_brain(llm, model=model, local=local)
    log.info("%s", choice.why)
    return choice.brain


def choose_brain(
    llm: str | None = None,
    *,
    model: str | None = None,
    local: Sequence[tuple[str, str]] = LOCAL,
    hosted: bool = True,
) -> Choice:
    """The chat model to use when none was chosen, and why it is this one.

    A server with chat completions at `llm`, else at `OPENAI_BASE_URL`; else OpenAI, if `OPENAI_API_KEY` is
    set; else the first of the `local` servers that lists a model; else `KeywordBrain`. Of a server's models
    `model` is taken, else `OPENAI_MODEL`, else the first in its list that is not for embeddings only. Unless
    `hosted`, a key alone is no reason to ask OpenAI.

    Asks servers and waits for them, at most for seconds: call it off the event loop, before a conversation.

    Raises:
        ConfigurationError: a server that was named does not say which models it has.
        MissingExtra: a language model was named, and the `openai` package is not installed.
    """
    model = model or os.environ.get("OPENAI_MODEL") or None
    named = [("it was asked for", llm), ("OPENAI_BASE_URL is set", os.environ.get("OPENAI_BASE_URL"))]
    for why, url in named:
        if url:
            return _chosen(_at(url, model), url, why)
    if hosted and (os.environ.get("OPENAI_API_KEY") or "").strip():
        url = f"https://{_OPENAI_HOST}/v1"
        return _chosen(model or _OPENAI_MODEL, url, "OPENAI_API_KEY is set")
    missed = ""
    for server, url in local:
        found = _models(url, PATIENCE)
        if not found:
            continue
        try:
            return _chosen(model or found[0], url, f"{server} answers there")
        except MissingExtra as missing:
            missed = f"{server} answers at {url}, but is left alone: {missing}"
            log.warning("%s", missed)
    return Choice(
        KeywordBrain(),
        "The brain is KeywordBrain: no language model was named, and none answers on this machine.",
        missed,
    )


def _chosen(model: str, url: str, why: str) -> Choice:
    place = urlsplit(url)
    shown = place._replace(netloc=place.netloc.rpartition("@")[2], query="", fragment="").geturl()
    return Choice(OpenAIChat(model, base_url=url), f"The brain is {model} at {shown}: {why}.")


def _at(url: str, model: str | None) -> str:
    if model:
        return model
    if urlsplit(url).hostname == _OPENAI_HOST:
        return _OPENAI_MODEL
    found = _models(url, 10 * PATIENCE)
    if not found:
        raise ConfigurationError(
            f"{url} does not say which models it has. Check the address (with its /v1) and that the server "
            "runs, or name the model by OPENAI_MODEL."
        )
    return found[0]


def _models(url: str, patience: float) -> list[str]:
    """The names of the models there; none if nothing of the kind answers."""
    key = (os.environ.get("OPENAI_API_KEY") or "").strip()
    try:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        request = Request(f"{url.rstrip('/')}/models", headers=headers)
        with build_opener(ProxyHandler({})).open(request, timeout=patience) as answer:
            listed = json.loads(answer.read(_LONGEST_LIST))
        names = [str(each["id"]) for each in listed["data"]]
    except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
        log.debug("No language model at %s: %s", url, error)
        return []
    return [name for name in names if "embed" not in name]
