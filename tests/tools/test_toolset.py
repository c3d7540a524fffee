from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.tools import BaseToolset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from antiphon.tools import BaseTool


async def test_a_toolset_that_opens_nothing_needs_no_close() -> None:  # contract 5.11
    class Nothing(BaseToolset):
        async def get_tools(self) -> Sequence[BaseTool]:
            return ()

    toolset = Nothing()
    await toolset.close()
    await toolset.close()
    assert await toolset.get_tools() == ()
