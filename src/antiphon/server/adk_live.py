"""The codec of the ADK API server's `/run_live` (contract 8.1): `LiveRequest`s up, events down. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from antiphon.errors import UsageError
from antiphon.requests import LiveRequest
from antiphon.server.plain import read_object
from antiphon.server.wire import Malformed

if TYPE_CHECKING:
    from antiphon.server.messages import Buffer

__all__ = ["decode"]

APP_PREFIX: Final = "app:"


def decode(frame: str | Buffer) -> LiveRequest:
    """What a client said. Raises `Malformed`; also for what would change the state of other users."""
    if not isinstance(frame, str):
        raise Malformed("bad_message", "Send LiveRequests as JSON text; media is base64 in `blob`.")
    try:
        request = LiveRequest.model_validate(read_object(frame))
    except (ValidationError, UsageError) as wrong:
        raise Malformed("bad_message", f"This is no LiveRequest: {wrong}") from None
    if shared := sorted(key for key in request.state_delta or {} if key.startswith(APP_PREFIX)):
        raise Malformed("unsupported", f"Clients may not change the application's state: leave out {shared}.")
    return request
