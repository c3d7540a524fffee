"""Files that belong to a conversation or to a user: recordings, uploads, what tools make."""

from typing import TYPE_CHECKING

from antiphon.binding import late

if TYPE_CHECKING:
    from antiphon.artifacts.files import FileArtifactService
    from antiphon.artifacts.memory import InMemoryArtifactService
    from antiphon.artifacts.service import ArtifactAddress, BaseArtifactService

__all__ = ["ArtifactAddress", "BaseArtifactService", "FileArtifactService", "InMemoryArtifactService"]

__getattr__ = late(
    __name__,
    {
        "files": ("FileArtifactService",),
        "memory": ("InMemoryArtifactService",),
        "service": ("ArtifactAddress", "BaseArtifactService"),
    },
)
