"""The contracts as their users meet them: inherited, collected, and failing for a wrong back-end."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

BACK_ENDS = """
    from antiphon.artifacts import InMemoryArtifactService
    from antiphon.sessions import InMemorySessionService
    from antiphon.testing.contracts import ArtifactServiceContract, SessionServiceContract

    class TestSessions(SessionServiceContract):
        async def make_service(self):
            return InMemorySessionService()

    class Forgetful(InMemoryArtifactService):
        async def list_versions(self, **names):
            await super().list_versions(**names)
            return []

    class TestArtifacts(ArtifactServiceContract):
        async def make_service(self):
            return Forgetful()
"""

INI = """
    [pytest]
    asyncio_mode = auto
    asyncio_default_fixture_loop_scope = function
    filterwarnings = error
"""


def test_inherited_contracts_are_collected_and_tell_right_from_wrong(pytester: pytest.Pytester) -> None:
    pytester.makeini(INI)
    pytester.makepyfile(test_back_ends=BACK_ENDS)

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-rf", "-q")

    result.stdout.fnmatch_lines(["FAILED *::TestArtifacts::test_versions_count_from_zero*"])
    result.stdout.no_fnmatch_line("FAILED *::TestSessions::*")
    assert result.parseoutcomes()["passed"] > 30


def test_contracts_need_no_pytest_to_be_imported() -> None:
    code = "import sys, antiphon.testing.contracts; sys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
