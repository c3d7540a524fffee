"""What a client may say: the setup, field by field and model by model (wire 1.4, 1.9, 1.10). Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from antiphon.testing.live_wire import Json, Message, Route, blob_of, camel_case, snake_case

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from antiphon.testing.live_profiles import Profile

__all__ = [
    "INVALID",
    "MISPLACED_ACTIVITY",
    "NOT_FOUND",
    "FunctionDeclaration",
    "Refusal",
    "Setup",
    "accept",
    "check",
    "seed_refused",
]

INVALID: Final = "Request contains an invalid argument."
MISPLACED_ACTIVITY: Final = (
    "Explicit activity control is not supported when automatic activity detection is enabled."
)
NOT_FOUND: Final = "Requested entity was not found."

Shape = dict[str, Any]
"""Field → its own shape, or None for what is not looked into. A list has the shape of its items."""

_CONTENT: Shape = {"role": None, "parts": None}
_FUNCTION: Shape = dict.fromkeys(
    (
        "name",
        "description",
        "parameters",
        "parametersJsonSchema",
        "response",
        "responseJsonSchema",
        "behavior",
    )
)
_TOOL: Shape = {
    "functionDeclarations": _FUNCTION,
    **dict.fromkeys(
        "googleSearch googleSearchRetrieval codeExecution urlContext googleMaps computerUse fileSearch "
        "retrieval enterpriseWebSearch parallelAiSearch exaAiSearch mcpServers".split()
    ),
}
_GENERATION: Shape = {
    "speechConfig": {
        "voiceConfig": {
            "prebuiltVoiceConfig": {"voiceName": None},
            "replicatedVoiceConfig": None,
            "voice": None,
        },
        "multiSpeakerVoiceConfig": None,
        "languageCode": None,
    },
    "thinkingConfig": {"includeThoughts": None, "thinkingBudget": None, "thinkingLevel": None},
    "translationConfig": {"targetLanguageCode": None, "echoTargetLanguage": None},
    **dict.fromkeys(
        "candidateCount maxOutputTokens temperature topP topK presencePenalty frequencyPenalty seed "
        "responseModalities mediaResolution enableAffectiveDialog".split()
    ),
    **dict.fromkeys(  # known, but without effect on Live
        "responseLogprobs responseMimeType logprobs responseSchema responseJsonSchema stopSequences "
        "responseFormat routingConfig audioTimestamp imageConfig modelConfig modelSelectionConfig "
        "audioTranscriptionConfig enableEnhancedCivicAnswers".split()
    ),
}
_DETECTION: Shape = dict.fromkeys(
    ("disabled", "startOfSpeechSensitivity", "endOfSpeechSensitivity", "prefixPaddingMs", "silenceDurationMs")
)
_SETUP: Shape = {
    "model": None,
    "generationConfig": _GENERATION,
    "systemInstruction": _CONTENT,
    "tools": _TOOL,
    "realtimeInputConfig": {
        "automaticActivityDetection": _DETECTION,
        "activityHandling": None,
        "turnCoverage": None,
        "interimTranscriptTimestampEnabled": None,
    },
    "sessionResumption": {"handle": None},
    "contextWindowCompression": {"triggerTokens": None, "slidingWindow": {"targetTokens": None}},
    "inputAudioTranscription": None,
    "outputAudioTranscription": None,
    "historyConfig": {"initialHistoryInClientContent": None},
    "avatarConfig": None,
    "safetySettings": None,
    "labels": None,
}
_PROACTIVITY: Shape = {"proactiveAudio": None, "proactiveVideo": None}
_MESSAGES: Shape = {
    "clientContent": {"turns": _CONTENT, "turnComplete": None},
    "realtimeInput": dict.fromkeys(
        ("audio", "video", "mediaChunks", "text", "audioStreamEnd", "activityStart", "activityEnd")
    ),
    "toolResponse": {
        "functionResponses": dict.fromkeys(("id", "name", "response", "scheduling", "willContinue", "parts"))
    },
    "contextUpdate": {"systemInstruction": _CONTENT, "tools": None},
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the service closes the connection: the close code and the verbatim reason (wire 1.9)."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class FunctionDeclaration:
    """A function that the client offers. `parameters` is its schema as the client wrote it."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    blocking: bool = True
    """As this model treats it: what a BLOCKING call holds up is the model's turn."""


@dataclass(frozen=True, slots=True)
class Setup:
    """A setup that was accepted. `body` is the normalised `setup` object; the rest is read from it."""

    body: Json
    profile: Profile
    route: Route

    @property
    def model(self) -> str:
        return str(self.body.get("model", ""))

    @property
    def generation(self) -> Json:
        return self.body.get("generationConfig") or {}

    @property
    def modality(self) -> str:
        """`AUDIO` or `TEXT`."""
        wanted = self.generation.get("responseModalities") or [self.profile.modalities[0]]
        return str(wanted[0]).upper()

    @property
    def handle(self) -> str | None:
        """The handle of the session to be resumed."""
        return (self.body.get("sessionResumption") or {}).get("handle") or None

    @property
    def resumable(self) -> bool:
        return self.body.get("sessionResumption") is not None

    @property
    def seeds_history(self) -> bool:
        return bool((self.body.get("historyConfig") or {}).get("initialHistoryInClientContent"))

    @property
    def detection(self) -> Json:
        """`automaticActivityDetection`."""
        return (self.body.get("realtimeInputConfig") or {}).get("automaticActivityDetection") or {}

    @property
    def interruptible(self) -> bool:
        """Whether the start of the user's activity cuts the model off."""
        return (self.body.get("realtimeInputConfig") or {}).get("activityHandling") != "NO_INTERRUPTION"

    @property
    def transcribes_input(self) -> bool:
        return self.body.get("inputAudioTranscription") is not None

    @property
    def transcribes_output(self) -> bool:
        return self.body.get("outputAudioTranscription") is not None

    @property
    def shows_thoughts(self) -> bool:
        return bool((self.generation.get("thinkingConfig") or {}).get("includeThoughts"))

    @property
    def instruction(self) -> str:
        """The texts of the system instruction."""
        parts = (self.body.get("systemInstruction") or {}).get("parts") or []
        return "\n".join(part["text"] for part in parts if part.get("text"))

    @property
    def functions(self) -> tuple[FunctionDeclaration, ...]:
        return tuple(self._function(declared) for declared in _declarations(self.body))

    def _function(self, declared: Json) -> FunctionDeclaration:
        behavior = declared.get("behavior")
        blocking = {
            "honoured": behavior != "NON_BLOCKING",
            "ignored": True,
            "default": behavior == "BLOCKING",
            "always": False,
        }[self.profile.non_blocking]
        schema = declared.get("parameters") or declared.get("parametersJsonSchema") or {}
        return FunctionDeclaration(
            str(declared.get("name", "")), str(declared.get("description", "")), schema, blocking
        )

    def updated(self, update: Mapping[str, Any]) -> Setup:
        """With the instruction and the tools of a `contextUpdate`; `tools: {tools: []}` clears them."""
        changes: Json = {}
        if "systemInstruction" in update:
            changes["systemInstruction"] = update["systemInstruction"]
        if "tools" in update:
            tools = update["tools"]
            changes["tools"] = (tools.get("tools") or []) if isinstance(tools, dict) else tools
        return replace(self, body={**self.body, **changes})


def accept(
    message: Message, route: Route, profile: Profile, *, models: Collection[str] | None = None
) -> Setup | Refusal:
    """The setup of a connection, or why it is refused. `models`: the names that exist, None for any."""
    if message.kind != "setup" or not isinstance(message["setup"], dict):
        return check(message) or Refusal(1007, INVALID)
    body: Json = message["setup"]
    shape = dict(_SETUP)
    if route.version == "v1alpha" or route.is_vertex:
        shape["proactivity"] = _PROACTIVITY
    if route.is_vertex:
        shape["explicitVadSignal"] = None
        shape["sessionResumption"] = {"handle": None, "transparent": None}
    if unknown := _unknown(body, shape, "setup"):
        return unknown
    model = str(body.get("model") or "")
    if not model:
        return Refusal(1007, INVALID)
    if models is not None and model.removeprefix("models/") not in {
        m.removeprefix("models/") for m in models
    }:
        return Refusal(
            1008,
            f"{model} is not found for API version {route.version}, or is not supported for "
            "bidiGenerateContent. Call ModelService.ListModels to see the list of available models.",
        )
    setup = Setup(body, profile, route)
    return _refused(setup) or setup


def check(message: Message) -> Refusal | None:
    """Why the service closes on a message after the setup that it cannot read; None when it can."""
    if message.problem:
        return Refusal(1007, message.problem)
    if not message:
        return None
    unknown = [name for name in message if name not in ("setup", *_MESSAGES)]
    if unknown:
        return Refusal(
            1007, f'Invalid JSON payload received. Unknown name "{unknown[0]}": Cannot find field.'
        )
    if message.kind == "setup" or len(message) != 1:
        return Refusal(1007, INVALID)
    return _unknown(message[message.kind], _MESSAGES[message.kind], snake_case(message.kind))


def seed_refused(content: Mapping[str, Any], profile: Profile) -> Refusal | None:
    """Why the service closes on a turn of client content (wire 1.9, 1.10); None when it takes it."""
    for part in content.get("parts") or []:
        if ("functionCall" in part or "functionResponse" in part) and profile.seeded_calls == "refused":
            return Refusal(1007, INVALID)
        if part.get("inlineData") and (blob := blob_of(part["inlineData"])).is_audio:
            if not profile.seeded_audio:
                return Refusal(1007, INVALID)
            if blob.rate != 16_000:
                return Refusal(1008, "Operation is not implemented, or supported, or enabled.")
    return None


def _unknown(value: Any, shape: Shape | None, path: str) -> Refusal | None:
    if shape is None or value is None:
        return None
    if isinstance(value, list):
        found = (_unknown(item, shape, f"{path}[{index}]") for index, item in enumerate(value))
        return next((refusal for refusal in found if refusal), None)
    if not isinstance(value, dict):
        return Refusal(1007, f"Invalid value at '{path}'")
    for name, item in value.items():
        if name not in shape:
            # In the spelling of the official SDK: it writes such fields in camelCase.
            reason = f"Invalid JSON payload received. Unknown name \"{name}\" at '{path}': Cannot find field."
            return Refusal(1007, reason)
        if refusal := _unknown(item, shape[name], f"{path}.{snake_case(camel_case(name))}"):
            return refusal
    return None


def _refused(setup: Setup) -> Refusal | None:
    """What this model does not do (wire 1.10)."""
    profile, generation = setup.profile, setup.generation
    modalities = [str(m).upper() for m in generation.get("responseModalities") or [setup.modality]]
    if len(modalities) != 1 or modalities[0] not in profile.modalities:
        wrong = ", ".join(modalities)
        return Refusal(
            1007,
            f"The requested combination of response modalities ({wrong}) is not supported by the model.",
        )
    thinking = generation.get("thinkingConfig") or {}
    if "thinkingLevel" in thinking and profile.thinking_level == "refused":
        return Refusal(1007, "Thinking level is not supported for this model")
    if "thinkingLevel" not in thinking and profile.thinking_level == "required":
        return Refusal(1007, "Thinking level must be specified for this model")
    if thinking.get("thinkingBudget") and not profile.thinking_budget:
        return Refusal(1007, INVALID)
    if generation.get("enableAffectiveDialog") and profile.affective_dialog == "refused":
        return Refusal(1007, INVALID)
    if profile.non_blocking == "always":
        if any(declared.get("behavior") == "BLOCKING" for declared in _declarations(setup.body)):
            return Refusal(1007, "BLOCKING function calls are not supported for this model")
    if not profile.code_execution and any("codeExecution" in tool for tool in _tools(setup.body)):
        return Refusal(1007, "Code Execution tool is not supported for this model")
    return None


def _tools(body: Json) -> list[Json]:
    tools = body.get("tools") or []
    return [tool for tool in ([tools] if isinstance(tools, dict) else tools) if isinstance(tool, dict)]


def _declarations(body: Json) -> list[Json]:
    return [declared for tool in _tools(body) for declared in tool.get("functionDeclarations") or []]
