"""From a tree of agents to who may speak in a conversation: each with its model, tools and successor."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from antiphon.agents.llm import Agent
from antiphon.agents.sequential import SequentialAgent
from antiphon.core.handover import Cast, Role
from antiphon.core.reviews import Asks, Circle
from antiphon.errors import ConfigurationError, UnsupportedByModel
from antiphon.models import ChatModel, LiveModel, resolve, resolve_chat
from antiphon.tools import BaseTool, BaseToolset, FunctionTool, task_completed_tool, transfer_tool
from antiphon.types import Tool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from antiphon.agents.base import BaseAgent

__all__ = ["Speaker", "Troupe", "assemble"]


@dataclass(frozen=True, slots=True)
class Speaker:
    """An agent ready to talk."""

    agent: Agent
    model: LiveModel
    tools: dict[str, BaseTool]
    successor: str | None = None
    toolsets: tuple[BaseToolset, ...] = ()
    targets: Mapping[str, str] = field(default_factory=dict)
    """Who it may hand over to, with what they are for."""
    circles: tuple[Circle, ...] = ()
    moves_on: bool = False
    """The successor goes on as soon as it has answered (contract 6.3)."""

    def declarations(self) -> list[Tool]:
        """What its model is told of its tools: all functions in one, then the model-side ones."""
        declared = [declaration for tool in self.tools.values() if (declaration := tool.declaration())]
        functions = [Tool.trusted(function_declarations=declared)] if declared else []
        return functions + [offered for tool in self.tools.values() if (offered := tool.model_tool())]


@dataclass(frozen=True, slots=True)
class Troupe:
    """All that may speak, by name, and their rules' side as the `cast`."""

    speakers: dict[str, Speaker]
    cast: Cast
    agents: dict[str, BaseAgent] = field(default_factory=dict)
    """All of them, groups included."""
    keepers: frozenset[str] = frozenset()
    """Who, having been handed over to, goes on in the next turn-based run: they could hand back."""

    def toolsets(self) -> list[BaseToolset]:
        """All toolsets, each once."""
        return list(dict.fromkeys(each for speaker in self.speakers.values() for each in speaker.toolsets))

    def computing(self) -> list[Callable[..., Any]]:
        """The functions of all that are called in another process."""
        tools = [tool for speaker in self.speakers.values() for tool in speaker.tools.values()]
        return [tool.func for tool in tools if isinstance(tool, FunctionTool) and tool.kind == "process"]

    def with_tools(self, found: Mapping[BaseToolset, Sequence[BaseTool]]) -> Troupe:
        """The same with what the toolsets gave; one that is not in `found` gave nothing.

        Raises `ConfigurationError` when two tools of an agent come to have the same name.
        """
        speakers = {name: _equipped(speaker, found) for name, speaker in self.speakers.items()}
        roles = {name: _role(speaker) for name, speaker in speakers.items()}
        return replace(self, speakers=speakers, cast=Cast(roles, self.cast.first))


@dataclass(slots=True)
class _Place:
    """Where an agent stands in the tree."""

    parent: BaseAgent | None = None
    model: str | LiveModel | ChatModel | None = None
    successor: str | None = None
    sequential: bool = False
    circles: tuple[Circle, ...] = ()
    """The groups it is in, the outermost first, as far as they have callbacks."""
    keeps: bool = True
    peers: list[BaseAgent] = field(default_factory=list)


def assemble(root: BaseAgent, *, turn_based: bool = False) -> Troupe:
    """Resolves models, gives the agents their hand-over tools, and orders sequences.

    For turn-based runs models are asked request by request, and a sequence goes on when its agent has
    answered, instead of when it calls `task_completed` (contract 6.3).

    Raises `ConfigurationError` for an agent without a model, `UnknownModel`, and for turn-based runs
    `UnsupportedByModel` for a model that is only live.
    """
    scene = _Scene(turn_based)
    _enter(root, _Place(), scene)
    roles = {name: _role(speaker) for name, speaker in scene.speakers.items()}
    agents = {agent.name: agent for agent in root.walk()}
    return Troupe(scene.speakers, Cast(roles, _entry(root).name), agents, frozenset(scene.keepers))


@dataclass(slots=True)
class _Scene:
    """What is being assembled."""

    turn_based: bool
    speakers: dict[str, Speaker] = field(default_factory=dict)
    keepers: set[str] = field(default_factory=set)

    def model(self, given: str | LiveModel | ChatModel) -> LiveModel:
        return resolve(resolve_chat(given)) if self.turn_based else resolve(given)


def _enter(agent: BaseAgent, place: _Place, scene: _Scene) -> None:
    circles = (*place.circles, *_circle(agent, place.successor))
    if isinstance(agent, SequentialAgent):
        steps = agent.sub_agents
        for at, step in enumerate(steps):
            successor = _entry(steps[at + 1]).name if at + 1 < len(steps) else place.successor
            below = _Place(None, place.model, successor, not scene.turn_based, circles, keeps=False)
            _enter(step, below, scene)
        return
    if not isinstance(agent, Agent):
        raise ConfigurationError(
            f"{type(agent).__name__} {agent.name!r} cannot take part in a live conversation: use an Agent, "
            "or a SequentialAgent of them."
        )
    model = agent.model or place.model
    if model is None:
        raise ConfigurationError(
            f"Agent {agent.name!r} has no model: pass Agent(model=…), or give its parent one."
        )
    targets = _targets(agent, place)
    tools = _tools(agent, targets, sequential=place.sequential)
    toolsets = tuple(each for each in agent.tools if isinstance(each, BaseToolset))
    moves_on = scene.turn_based and place.successor is not None
    model_of = scene.model(model)
    speaker = Speaker(agent, model_of, tools, place.successor, toolsets, targets, circles, moves_on)
    _refuse_thinking(speaker)
    _refuse_waiting(speaker)
    scene.speakers[agent.name] = speaker
    keeps = place.keeps and (place.parent is None or not agent.disallow_transfer_to_parent)
    if keeps:
        scene.keepers.add(agent.name)
    successor = place.successor if scene.turn_based else None  # whoever answers in a step's place ends it
    for sub in agent.sub_agents:
        peers = [peer for peer in agent.sub_agents if peer is not sub]
        below = _Place(agent, model, successor, circles=place.circles, peers=peers, keeps=keeps)
        _enter(sub, below, scene)


def _circle(agent: BaseAgent, successor: str | None) -> list[Circle]:
    before, after = bool(agent.before_agent_callback), bool(agent.after_agent_callback)
    return [Circle(agent.name, before, after, successor)] if before or after else []


def _tools(agent: Agent, targets: Mapping[str, str], *, sequential: bool) -> dict[str, BaseTool]:
    """The agent's own, and those by which it hands over."""
    tools = {tool.name: tool for tool in agent.tools if isinstance(tool, BaseTool)}
    given = [transfer_tool(targets)] if targets else []
    if sequential:
        given.append(task_completed_tool())
    for tool in given:
        if tool.name in tools:
            raise ConfigurationError(
                f"Agent {agent.name!r} has a tool called {tool.name!r}, as is the one it is given to hand "
                "over by: give its own another name, or leave it out."
            )
        tools[tool.name] = tool
    return tools


def _equipped(speaker: Speaker, found: Mapping[BaseToolset, Sequence[BaseTool]]) -> Speaker:
    """The speaker with the tools of its toolsets."""
    tools = dict(speaker.tools)
    origins = dict.fromkeys(tools, "its own")
    for toolset in speaker.toolsets:
        for tool in found.get(toolset, ()):
            if tool.name in tools:
                raise ConfigurationError(
                    f"Agent {speaker.agent.name!r} has two tools called {tool.name!r}: {origins[tool.name]}, "
                    f"and one of {toolset!r}. Leave one out by tool_filter, or give the toolset a "
                    "tool_name_prefix."
                )
            tools[tool.name] = tool
            origins[tool.name] = f"one of {toolset!r}"
    equipped = replace(speaker, tools=tools)
    _refuse_waiting(equipped)
    return equipped


def _refuse_thinking(speaker: Speaker) -> None:
    """What the model cannot do is refused before anything is opened (contract 6.2)."""
    config, can = speaker.agent.generate_content_config, speaker.model.capabilities
    thinking = config.thinking_config if config is not None else None
    if thinking is None:
        return
    for asked, what, able in (
        (thinking.thinking_level, "thinking_level", can.thinking_level),
        (thinking.thinking_budget, "thinking_budget", can.thinking_budget),
    ):
        if asked is not None and not able:
            raise UnsupportedByModel(
                f"The model {speaker.model.name!r} of agent {speaker.agent.name!r} does not take a {what}: "
                "leave it out of generate_content_config.thinking_config, or choose another model."
            )


def _refuse_waiting(speaker: Speaker) -> None:
    """As above, for tools that the model is to wait for."""
    for tool in speaker.tools.values():
        if tool.facts.blocking and not speaker.model.capabilities.blocking_tools:
            raise UnsupportedByModel(
                f"The model {speaker.model.name!r} of agent {speaker.agent.name!r} waits for no tool: leave "
                f"behavior=BLOCKING out of {tool.name}, or choose another model."
            )


def _entry(agent: BaseAgent) -> BaseAgent:
    """The agent that speaks when this one is handed over to."""
    return _entry(agent.sub_agents[0]) if isinstance(agent, SequentialAgent) else agent


def _targets(agent: Agent, place: _Place) -> dict[str, str]:
    """Who the agent may hand over to, with what they are for."""
    candidates = list(agent.sub_agents)
    if place.parent is not None and not agent.disallow_transfer_to_parent:
        candidates.append(place.parent)
    if not agent.disallow_transfer_to_peers:
        candidates.extend(place.peers)
    return {_entry(candidate).name: candidate.description for candidate in candidates}


def _role(speaker: Speaker) -> Role:
    facts = {
        name: replace(tool.facts, streaming=tool.kind == "stream") for name, tool in speaker.tools.items()
    }
    agent, can = speaker.agent, speaker.model.capabilities
    asks = Asks(
        before_model=bool(agent.before_model_callback) and not can.calls_hooks,
        after_model=bool(agent.after_model_callback) and not can.calls_hooks,
        model_error=bool(agent.on_model_error_callback) and not can.calls_hooks,
        guardrails=bool(agent.guardrails),
    )
    targets = tuple(speaker.targets)
    return Role(agent.name, facts, can, speaker.successor, targets, asks, speaker.circles, speaker.moves_on)
