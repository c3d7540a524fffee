"""A conversation with an Antiphon server from a Python program.

    async with connect("ws://localhost:8000", user_id="ada") as conversation:
        conversation.send_text("Hello")
        async for item in conversation:
            match item:
                case Audio(pcm=pcm): …
                case Event() if item.is_final_response(): …

It comes back by itself when the network does, and loses nothing that was said.
"""

from antiphon.client.conversation import Conversation, connect
from antiphon.client.errors import BacklogFull, ClientError, ConversationLost, ConversationRefused
from antiphon.client.items import (
    Audio,
    Closed,
    Connected,
    Disconnected,
    Draining,
    Flush,
    Item,
    Missing,
    QueuePosition,
    Refused,
    RoleChanged,
)
from antiphon.client.player import Player
from antiphon.events import Event

__all__ = [
    "Audio",
    "BacklogFull",
    "ClientError",
    "Closed",
    "Connected",
    "Conversation",
    "ConversationLost",
    "ConversationRefused",
    "Disconnected",
    "Draining",
    "Event",
    "Flush",
    "Item",
    "Missing",
    "Player",
    "QueuePosition",
    "Refused",
    "RoleChanged",
    "connect",
]
