import dataclasses

import pytest

from antiphon.agents import InvocationContext, ReadonlyContext
from antiphon.config import RunConfig
from antiphon.sessions import InMemorySessionService


async def test_what_is_known_of_a_conversation() -> None:
    session = await InMemorySessionService().create_session(
        app_name="app", user_id="ada", session_id="s", state={"city": "Bern"}
    )
    invocation = InvocationContext("e-1", "app", session, RunConfig())
    context = ReadonlyContext(invocation, "assistant")
    assert (invocation.user_id, context.user_id) == ("ada", "ada")
    assert context.invocation_id == "e-1" and context.session is session
    assert context.state["city"] == "Bern" and context.agent_name == "assistant"
    with pytest.raises(dataclasses.FrozenInstanceError):
        context.agent_name = "other"  # type: ignore[misc]
