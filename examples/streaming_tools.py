"""Tools that go on until the model stops them: one tells stock prices, one watches the user's camera.

    export GOOGLE_API_KEY=…
    python examples/streaming_tools.py "monitor stock price of ACME" "watch camera" \
        "stop streaming of monitor_stock_price"

Without a key: start `python -m antiphon.testing --port 9000`; it repeats what it is told. Set
GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:9000 instead.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from antiphon import Agent, AntiphonError, FunctionTool, InMemoryRunner, LiveRequestQueue, types
from antiphon.tools import stop_streaming

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

PATIENCE = 20.0
"""Seconds that the model may take to answer."""


async def monitor_stock_price(symbol: str) -> AsyncIterator[str]:
    """Tells every new price of a stock. Every value that it yields is told to the model.

    Args:
        symbol: The stock's symbol, e.g. ACME.
    """
    price = 100
    while True:
        yield f"{symbol} costs {price}"
        await asyncio.sleep(0.5)
        price += 5


async def watch_camera(input_stream: LiveRequestQueue) -> AsyncIterator[str]:
    """Says when the picture changes. It reads its own copy of what the user sends to the model."""
    last: bytes | None = None
    async for request in input_stream:
        picture = request.blob
        if picture is None or picture.mime_type != "image/jpeg" or picture.data == last:
            continue
        if last is not None:
            yield "the picture has changed"
        last = picture.data


agent = Agent(
    name="monitor",
    model="gemini-3.8-live",
    instruction="You watch things for the user. Tell news in a few words; stop what they want stopped.",
    # A second monitor of the same stock is refused while the first one runs.
    tools=[FunctionTool(monitor_stock_price, on_duplicate="refuse"), watch_camera, stop_streaming],
)


def frames() -> Iterator[types.Blob]:
    """Stands for a camera: pictures that change now and then."""
    shown = 0
    while True:
        shown += 1
        yield types.Blob(data=b"\xff\xd8\xff" + bytes([shown // 3 % 256]), mime_type="image/jpeg")


async def film(queue: LiveRequestQueue) -> None:
    """One frame a fifth of a second, as long as the conversation lasts."""
    for frame in frames():
        if queue.closed:
            return
        queue.send_realtime(frame)
        await asyncio.sleep(0.2)


async def talk(*wishes: str) -> None:
    runner = InMemoryRunner(agent, app_name="monitors")
    session = await runner.session_service.create_session(app_name="monitors", user_id="ada")
    queue = LiveRequestQueue()
    asking = iter(wishes)
    heard = 0

    def ask() -> None:
        """The next wish; after the last, the end."""
        if (wish := next(asking, None)) is None:
            queue.close()
            return
        print(f"you: {wish}")
        queue.send_content(wish)

    filming = asyncio.create_task(film(queue))
    ask()
    try:
        async with asyncio.timeout(PATIENCE * len(wishes)):
            async for event in runner.run_live(
                user_id="ada", session_id=session.id, live_request_queue=queue
            ):
                for call in event.get_function_calls():
                    print(f"  calls {call.name} with {call.args}")
                    heard = 0
                for news in event.get_function_responses():
                    print(f"  {news.name} says {news.response}")
                if event.output_transcription and event.output_transcription.finished:
                    print(f"{event.author}: {event.output_transcription.text}")
                    heard += 1
                if event.turn_complete and heard >= 2:  # the news came twice, or a wish was answered
                    heard = 0
                    ask()
    finally:
        filming.cancel()


def main() -> None:
    wishes = sys.argv[1:] or [
        "monitor stock price of ACME",
        "watch camera",
        "stop streaming of monitor_stock_price",
    ]
    try:
        asyncio.run(talk(*wishes))
    except AntiphonError as error:
        sys.exit(str(error))
    except TimeoutError:
        sys.exit("The model did not answer in time.")


if __name__ == "__main__":
    main()
