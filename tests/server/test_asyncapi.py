"""The sockets described for tools (contract 8.11)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from antiphon import Event
from antiphon.server import messages
from antiphon.server.access import Access, BearerTokens
from antiphon.server.asyncapi import asyncapi_document, asyncapi_router
from antiphon.types import Content, Part
from tests.server.birds import calling

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = asyncapi_document("birds", "localhost:8000")
VECTORS = json.loads(Path(__file__).with_name("vectors.json").read_text())["vectors"]


def conforms(channel: str, message: str, value: Any) -> None:
    payload = DOCUMENT["channels"][channel]["messages"][message]["payload"]
    schema = payload | {"components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(schema).validate(value)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_every_reference_leads_somewhere() -> None:
    for reference in set(references(DOCUMENT)):
        place = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def test_every_message_is_in_it_and_goes_one_way() -> None:
    names = {f"up.{name}" for name in messages.UP} | {f"down.{name}" for name in messages.DOWN}
    assert DOCUMENT["channels"]["v1"]["messages"].keys() == names | {"up.media", "down.media"}
    for name, channel in DOCUMENT["channels"].items():
        ways = [
            {reference["$ref"].rpartition("/")[2] for reference in DOCUMENT["operations"][key]["messages"]}
            for key in (f"{name}.receive", f"{name}.send")
        ]
        assert ways[0] | ways[1] == channel["messages"].keys() and not ways[0] & ways[1]


def test_its_schemas_are_schemas() -> None:
    for channel in DOCUMENT["channels"].values():
        for message in channel["messages"].values():
            jsonschema.Draft202012Validator.check_schema(message.get("payload", {}))


GOOD = [
    vector
    for vector in VECTORS
    if vector.get("message", {}).get("type")
    and "null" not in vector.get("text", "null")  # read, never written
]


@pytest.mark.parametrize("vector", GOOD, ids=lambda vector: str(vector["name"]))
def test_what_the_codec_reads_is_described(vector: Any) -> None:
    written = json.loads(vector["text"])
    known = messages.UP if vector["direction"] == "up" else messages.DOWN
    if written["type"] not in known:
        return
    if written["type"] == "event":  # a vector's event is only an example of an object
        written["event"] = {}
    conforms("v1", f"{vector['direction']}.{written['type']}", written)


def test_what_the_codec_refuses_is_not_described() -> None:
    for message in ({"type": "text", "n": 0, "text": "a"}, {"type": "text", "n": 1}, {"type": "ack"}):
        with pytest.raises(jsonschema.ValidationError):
            conforms("v1", f"up.{message['type']}", message)


def test_events_and_plain_messages_are_described() -> None:
    event = Event(
        author="parrot", content=Content(parts=[Part.from_bytes(data=b"\0", mime_type="audio/pcm")])
    )
    written = json.loads(event.model_dump_json(by_alias=True, exclude_none=True))
    conforms("plain", "event", written)
    conforms("run_live", "request", {"content": {"parts": [{"text": "hello"}]}})
    conforms("plain", "say.image", {"type": "image", "data": "AA==", "mimeType": "image/jpeg"})
    conforms("plain", "say.audio", {"type": "audio", "data": "AA=="})


async def test_it_is_served() -> None:
    async with calling(asyncapi_router("birds", Access())) as client:
        served = (await client.get("/asyncapi.json")).json()
    assert served["info"]["title"] == "birds" and served["servers"]["here"]["host"] == "localhost"
    assert "securitySchemes" not in served["components"]
    access = Access(authenticator=BearerTokens({"of-ann": "ann"}))
    async with calling(asyncapi_router("birds", access)) as client:
        served = (await client.get("/asyncapi.json")).json()
    assert len(served["servers"]["here"]["security"]) == 2
