"""What every back-end is held to, as classes of tests to inherit, each citing the clause it holds to.

    class TestMySessions(SessionServiceContract):
        async def make_service(self) -> BaseSessionService:
            return MySessionService(...)

`make_service()` returns a new, empty service; each test closes the one it got. For a model it is `open()`,
which also opens what the model talks to: see `LiveModelContract` and `ChatModelContract`. The tests are
coroutines: with pytest-asyncio set `asyncio_mode = auto`, or mark the class. For failures that show the
values, put `pytest.register_assert_rewrite("antiphon.testing")` into `conftest.py`, above what imports this.
"""

from __future__ import annotations

from antiphon.testing.artifact_contract import ArtifactServiceContract
from antiphon.testing.chat_contract import ChatModelContract
from antiphon.testing.model_contract import LiveModelContract
from antiphon.testing.session_contract import SessionServiceContract

__all__ = ["ArtifactServiceContract", "ChatModelContract", "LiveModelContract", "SessionServiceContract"]
