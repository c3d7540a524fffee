"""What the model may use."""

from datetime import datetime
from typing import Any

from antiphon.types.model import ClosedEnum, Model
from antiphon.types.retrieval import GoogleSearchRetrieval, Retrieval
from antiphon.types.schema import Schema

__all__ = [
    "Behavior",
    "ComputerUse",
    "EnterpriseWebSearch",
    "Environment",
    "FileSearch",
    "FunctionCallingConfig",
    "FunctionCallingConfigMode",
    "FunctionDeclaration",
    "GoogleMaps",
    "GoogleMapsGroundingTypes",
    "GoogleMapsPlaces",
    "GoogleMapsRouting",
    "GoogleSearch",
    "ImageSearch",
    "Interval",
    "LatLng",
    "McpServer",
    "PhishBlockThreshold",
    "RetrievalConfig",
    "SafetyPolicy",
    "SearchTypes",
    "StreamableHttpTransport",
    "Tool",
    "ToolCodeExecution",
    "ToolConfig",
    "ToolExaAiSearch",
    "ToolParallelAiSearch",
    "UrlContext",
    "WebSearch",
]


class Behavior(ClosedEnum):
    """Whether the conversation waits for the function."""

    UNSPECIFIED = "UNSPECIFIED"
    BLOCKING = "BLOCKING"
    NON_BLOCKING = "NON_BLOCKING"


class FunctionDeclaration(Model):
    """A function the model may call. Give `parameters` or `parameters_json_schema`, not both."""

    description: str | None = None
    name: str | None = None
    parameters: Schema | None = None
    parameters_json_schema: Any = None
    response: Schema | None = None
    response_json_schema: Any = None
    behavior: Behavior | None = None


class PhishBlockThreshold(ClosedEnum):
    """How suspicious a page may be before it is left out."""

    PHISH_BLOCK_THRESHOLD_UNSPECIFIED = "PHISH_BLOCK_THRESHOLD_UNSPECIFIED"
    BLOCK_LOW_AND_ABOVE = "BLOCK_LOW_AND_ABOVE"
    BLOCK_MEDIUM_AND_ABOVE = "BLOCK_MEDIUM_AND_ABOVE"
    BLOCK_HIGH_AND_ABOVE = "BLOCK_HIGH_AND_ABOVE"
    BLOCK_HIGHER_AND_ABOVE = "BLOCK_HIGHER_AND_ABOVE"
    BLOCK_VERY_HIGH_AND_ABOVE = "BLOCK_VERY_HIGH_AND_ABOVE"
    BLOCK_ONLY_EXTREMELY_HIGH = "BLOCK_ONLY_EXTREMELY_HIGH"


class WebSearch(Model):
    """Search for pages."""


class ImageSearch(Model):
    """Search for images."""


class SearchTypes(Model):
    """What to search for."""

    web_search: WebSearch | None = None
    image_search: ImageSearch | None = None


class Interval(Model):
    """A span of time: the start included, the end not."""

    end_time: datetime | None = None
    start_time: datetime | None = None


class GoogleSearch(Model):
    """Search by Google, run by the model."""

    search_types: SearchTypes | None = None
    blocking_confidence: PhishBlockThreshold | None = None
    exclude_domains: list[str] | None = None
    time_range_filter: Interval | None = None


class EnterpriseWebSearch(Model):
    """Search of the web for enterprises, run by the model."""

    blocking_confidence: PhishBlockThreshold | None = None
    exclude_domains: list[str] | None = None


class GoogleMapsPlaces(Model):
    """Ground in places."""


class GoogleMapsRouting(Model):
    """Ground in routes."""


class GoogleMapsGroundingTypes(Model):
    """What maps are used for."""

    places: GoogleMapsPlaces | None = None
    routing: GoogleMapsRouting | None = None


class GoogleMaps(Model):
    """Maps by Google, used by the model."""

    enable_widget: bool | None = None
    grounding_types: GoogleMapsGroundingTypes | None = None


class ToolCodeExecution(Model):
    """Code written and run by the model."""


class UrlContext(Model):
    """Pages named in the conversation are read by the model."""


class ToolParallelAiSearch(Model):
    """Search by Parallel, run by the model."""

    api_key: str | None = None
    custom_configs: dict[str, Any] | None = None
    enable_data_retention: bool | None = None
    enable_zero_data_retention: bool | None = None


class ToolExaAiSearch(Model):
    """Search by Exa, run by the model."""

    api_key: str | None = None
    custom_configs: dict[str, Any] | None = None


class FileSearch(Model):
    """Search in uploaded files; the `top_k` best."""

    file_search_store_names: list[str] | None = None
    top_k: int | None = None
    metadata_filter: str | None = None


class Environment(ClosedEnum):
    """What the model operates."""

    ENVIRONMENT_UNSPECIFIED = "ENVIRONMENT_UNSPECIFIED"
    ENVIRONMENT_BROWSER = "ENVIRONMENT_BROWSER"
    ENVIRONMENT_MOBILE = "ENVIRONMENT_MOBILE"
    ENVIRONMENT_DESKTOP = "ENVIRONMENT_DESKTOP"


class SafetyPolicy(ClosedEnum):
    """What the model asks about before doing it."""

    SAFETY_POLICY_UNSPECIFIED = "SAFETY_POLICY_UNSPECIFIED"
    FINANCIAL_TRANSACTIONS = "FINANCIAL_TRANSACTIONS"
    SENSITIVE_DATA_MODIFICATION = "SENSITIVE_DATA_MODIFICATION"
    COMMUNICATION_TOOL = "COMMUNICATION_TOOL"
    ACCOUNT_CREATION = "ACCOUNT_CREATION"
    DATA_MODIFICATION = "DATA_MODIFICATION"
    USER_CONSENT_MANAGEMENT = "USER_CONSENT_MANAGEMENT"
    LEGAL_TERMS_AND_AGREEMENTS = "LEGAL_TERMS_AND_AGREEMENTS"


class ComputerUse(Model):
    """The model operates a screen."""

    environment: Environment | None = None
    excluded_predefined_functions: list[str] | None = None
    enable_prompt_injection_detection: bool | None = None
    disabled_safety_policies: list[SafetyPolicy] | None = None


class StreamableHttpTransport(Model):
    """How to reach an MCP server. `timeout` and `sse_read_timeout` are durations such as `"30s"`."""

    headers: dict[str, str] | None = None
    sse_read_timeout: str | None = None
    terminate_on_close: bool | None = None
    timeout: str | None = None
    url: str | None = None


class McpServer(Model):
    """An MCP server the model talks to by itself."""

    name: str | None = None
    streamable_http_transport: StreamableHttpTransport | None = None


class Tool(Model):
    """What the model may use: functions of the application, or tools of its own."""

    retrieval: Retrieval | None = None
    computer_use: ComputerUse | None = None
    file_search: FileSearch | None = None
    google_search: GoogleSearch | None = None
    google_maps: GoogleMaps | None = None
    code_execution: ToolCodeExecution | None = None
    enterprise_web_search: EnterpriseWebSearch | None = None
    function_declarations: list[FunctionDeclaration] | None = None
    google_search_retrieval: GoogleSearchRetrieval | None = None
    parallel_ai_search: ToolParallelAiSearch | None = None
    url_context: UrlContext | None = None
    mcp_servers: list[McpServer] | None = None
    exa_ai_search: ToolExaAiSearch | None = None


class FunctionCallingConfigMode(ClosedEnum):
    """Whether the model may, must or must not call functions."""

    MODE_UNSPECIFIED = "MODE_UNSPECIFIED"
    AUTO = "AUTO"
    ANY = "ANY"
    NONE = "NONE"
    VALIDATED = "VALIDATED"


class FunctionCallingConfig(Model):
    """How the model calls functions."""

    allowed_function_names: list[str] | None = None
    mode: FunctionCallingConfigMode | None = None
    stream_function_call_arguments: bool | None = None


class LatLng(Model):
    """A place: degrees north and degrees east."""

    latitude: float | None = None
    longitude: float | None = None


class RetrievalConfig(Model):
    """Where the user is and what they speak, for search."""

    lat_lng: LatLng | None = None
    language_code: str | None = None


class ToolConfig(Model):
    """How the tools are used."""

    retrieval_config: RetrievalConfig | None = None
    function_calling_config: FunctionCallingConfig | None = None
    include_server_side_tool_invocations: bool | None = None
