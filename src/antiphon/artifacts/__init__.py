"""Files that belong to a conversation or to a user: recordings, uploads, what tools make."""

from antiphon.artifacts.files import FileArtifactService
from antiphon.artifacts.memory import InMemoryArtifactService
from antiphon.artifacts.service import ArtifactAddress, BaseArtifactService

__all__ = ["ArtifactAddress", "BaseArtifactService", "FileArtifactService", "InMemoryArtifactService"]
