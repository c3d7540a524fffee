"""Processes for sync code that computes: it shares no GIL with conversations (contract 5.14)."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import pickle
import signal
import threading
import traceback
from collections import deque
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from antiphon.errors import ProcessEnded
from antiphon.runtime.threads import Threads, called
from antiphon.tools.result import tool_response

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from multiprocessing.connection import Connection

__all__ = ["PROCESSES", "Processes", "serve"]

log = logging.getLogger(__name__)

SPAWN: Final = multiprocessing.get_context("spawn")
NICER: Final = 10
"""By how much the priority of a process that starts, and imports, is below that of this one."""
NICENESS: Final = 19
"""The lowest priority of all, which it has at most."""
STARTING: Final = 60.0
"""Seconds that a process has for its start and the import of what it is to call."""
BEGUN: Final = b""


class Processes:
    """At most `most` processes, or one for each processor, each for one call at a time.

    One is started when a call finds none idle, and stays for later calls; a call that finds all busy waits.
    They have the lowest priority once they have started, and the processors that this process may use. They
    end with it.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._waiting: deque[_Call] = deque()
        self._idle: list[_Worker] = []
        self._working = 0
        self._preparation: _Call | None = None

    async def run(self, function: Callable[[], Any], begin: Callable[[], object]) -> dict[str, Any]:
        """What `function` returns as a tool's answer, made in another process; raises what it raised there.

        `begin` is called when it begins. Leaving this early ends the process; so does `ProcessEnded`, raised
        when the process ended by itself. The next call has another.
        """
        call = _Call(function, begin)
        self._start(call)
        try:
            return await call.answer
        finally:
            self._leave(call)

    def prepare(self, functions: Collection[Callable[..., Any]]) -> None:
        """Starts a process that imports these, if there is none; returns at once.

        To be called before they are needed, so that the first call does not wait for a start.
        """
        if functions:
            call = _Call(partial(_import, *functions), lambda: None)
            call.answer.add_done_callback(asyncio.Future.exception)  # read: the first call says what is wrong
            with suppress(RuntimeError):  # there are too many threads
                if self._start(call, if_none=True):
                    self._preparation = call

    async def aclose(self) -> None:
        """Ends the processes that are idle, or are being prepared; a later call starts another."""
        if self._idle or (self._preparation is not None and not self._preparation.told.is_set()):
            await asyncio.get_running_loop().run_in_executor(Threads("antiphon-process"), self._end_idle)

    def _end_idle(self) -> None:
        if self._preparation is not None:
            self._leave(self._preparation)
            self._preparation.told.wait()
        with self._lock:
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.end()

    def _start(self, call: _Call, *, if_none: bool = False) -> bool:
        """Whether it was started, or waits. `if_none`: not where there is a process already."""
        with self._lock:
            if if_none and (self._idle or self._working):
                return False
            most = self._most or _processors()
            if self._working >= most:
                if not self._waiting:
                    log.warning("All %d processes for tools are taken.", most)
                self._waiting.append(call)
                return True
            self._working += 1
        try:
            threading.Thread(target=self._work, args=(call,), name="antiphon-process", daemon=True).start()
        except BaseException:
            with self._lock:
                self._working -= 1
            raise
        return True

    def _leave(self, call: _Call) -> None:
        with self._lock:
            call.wanted = False
            if call in self._waiting:
                self._waiting.remove(call)
            elif call.worker is not None:
                call.worker.kill()

    def _work(self, call: _Call | None) -> None:
        while call is not None:
            outcome = self._outcome(call)
            following = self._next()
            call.tell(*outcome)  # who is told finds nothing at work on it any more
            call = following

    def _next(self) -> _Call | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._working -= 1
            return None

    def _outcome(self, call: _Call) -> tuple[Any, BaseException | None]:
        """The worker is idle again before the call's answer is told."""
        try:
            worker = self._worker()
        except BaseException as error:  # there are too many processes, or files
            return None, error
        try:
            with self._lock:
                if not call.wanted:
                    return None, None
                call.worker = worker
            return worker.run(call), None
        except BaseException as error:
            return None, error
        finally:
            with self._lock:
                call.worker = None
                if not worker.ended:
                    self._idle.append(worker)
            if worker.ended:
                worker.end()

    def _worker(self) -> _Worker:
        while True:
            with self._lock:
                worker = self._idle.pop() if self._idle else None
            if worker is None:
                return _Worker()
            if worker.is_alive():
                return worker
            worker.end()


class _Call:
    """`wanted` and `worker` are guarded by the lock of `Processes`. `told` is set when all is over."""

    def __init__(self, function: Callable[[], Any], begin: Callable[[], object]) -> None:
        self._loop = asyncio.get_running_loop()
        self._begin = begin
        self.function = function
        self.answer: asyncio.Future[dict[str, Any]] = self._loop.create_future()
        self.told = threading.Event()
        self.wanted = True
        self.worker: _Worker | None = None

    def begun(self) -> None:
        self._on_loop(self._begin)

    def tell(self, value: Any, error: BaseException | None) -> None:
        self.told.set()
        self._on_loop(self._settle, value, error)

    def _settle(self, value: Any, error: BaseException | None) -> None:
        if self.answer.done():
            return
        if error is None:
            self.answer.set_result(value)
        else:
            self.answer.set_exception(error)

    def _on_loop(self, function: Callable[..., object], *args: Any) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(function, *args)


class _Worker:
    """A process, from the side of those who want something of it."""

    def __init__(self) -> None:
        self.ended = False
        self._pipe, theirs = SPAWN.Pipe()
        # A daemon: what it computes does not hold up the exit.
        self._process = SPAWN.Process(target=serve, args=(theirs,), name="antiphon-tool", daemon=True)
        try:
            with theirs:
                self._process.start()
        except BaseException:
            self._pipe.close()
            raise
        if (pid := self._process.pid) is not None:
            _lower_priority(pid, min(NICENESS, _niceness() + NICER))

    def is_alive(self) -> bool:
        return self._process.is_alive()

    def run(self, call: _Call) -> Any:
        function = pickle.dumps(call.function)
        try:
            self._pipe.send_bytes(function)
            if not self._pipe.poll(STARTING):
                self.kill()
                raise ProcessEnded(f"Its process had not imported its function after {STARTING:g} s.")
            while (answer := self._pipe.recv_bytes()) == BEGUN:
                call.begun()
        except (EOFError, OSError):
            self.kill()
            self._process.join()
            code = self._process.exitcode
            raise ProcessEnded(f"Its process ended (exit code {code}) before it had a result.") from None
        value, error = pickle.loads(answer)
        if isinstance(error, tuple):
            name, text = error
            raise type(name, (Exception,), {})(text)
        if error is not None:
            raise error
        return value

    def kill(self) -> None:
        self.ended = True
        self._process.kill()

    def end(self) -> None:
        self.kill()
        self._pipe.close()
        self._process.join()
        with suppress(ValueError):  # another thread is just being told that it ended
            self._process.close()


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, 0) if hasattr(os, "getpriority") else 0


def _lower_priority(pid: int, niceness: int) -> None:
    if hasattr(os, "setpriority"):
        with suppress(OSError):  # it has ended already
            os.setpriority(os.PRIO_PROCESS, pid, niceness)


# In the other process.


def _give_way() -> None:
    """Conversations on the same processor go first, at once.

    Linux lets a process of its ordinary policy finish its slice, of milliseconds, however low its priority;
    an idle one is interrupted when another wakes up.
    """
    _lower_priority(0, NICENESS)
    if hasattr(os, "SCHED_IDLE"):
        with suppress(OSError):  # where a sandbox forbids it
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def _import(*functions: Callable[..., Any]) -> dict[str, Any]:
    """Being told of them was enough."""
    return {}


def serve(pipe: Connection) -> None:
    """Makes the calls that come, until the other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, OSError):
        while True:
            pipe.send_bytes(_answer(pipe, pipe.recv_bytes()))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _answer(pipe: Connection, function: bytes) -> bytes:
    try:
        call = pickle.loads(function)
        _give_way()
        pipe.send_bytes(BEGUN)
        return pickle.dumps((tool_response(called(call)), None))
    except BaseException as error:
        return _told(error)


def _told(error: BaseException) -> bytes:
    """The error itself, or, of one that cannot be pickled, its name and text."""
    trace = "".join(traceback.format_exception(error))
    try:
        error.add_note(f"In the tool's process:\n{trace}")
        told = pickle.dumps((None, error))
        pickle.loads(told)
        return told
    except Exception:
        return pickle.dumps((None, (type(error).__name__, _text(error))))


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return ""


PROCESSES: Final = Processes()
"""Those of this process: all conversations share them."""
