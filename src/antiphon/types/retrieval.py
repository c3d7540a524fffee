"""Where Vertex AI looks things up."""

from antiphon.types.model import ClosedEnum, Model

__all__ = [
    "DynamicRetrievalConfig",
    "DynamicRetrievalConfigMode",
    "GoogleSearchRetrieval",
    "RagRetrievalConfig",
    "RagRetrievalConfigFilter",
    "RagRetrievalConfigHybridSearch",
    "RagRetrievalConfigRanking",
    "RagRetrievalConfigRankingLlmRanker",
    "RagRetrievalConfigRankingRankService",
    "Retrieval",
    "VertexAISearch",
    "VertexAISearchDataStoreSpec",
    "VertexRagStore",
    "VertexRagStoreRagResource",
]


class VertexAISearchDataStoreSpec(Model):
    """One data store to search, by resource name, and a filter on it."""

    data_store: str | None = None
    filter: str | None = None


class VertexAISearch(Model):
    """Search in data stores or in an engine, by resource name."""

    data_store_specs: list[VertexAISearchDataStoreSpec] | None = None
    datastore: str | None = None
    engine: str | None = None
    filter: str | None = None
    max_results: int | None = None


class VertexRagStoreRagResource(Model):
    """A corpus, whole or only some files of it."""

    rag_corpus: str | None = None
    rag_file_ids: list[str] | None = None


class RagRetrievalConfigFilter(Model):
    """What counts as near enough."""

    metadata_filter: str | None = None
    vector_distance_threshold: float | None = None
    vector_similarity_threshold: float | None = None


class RagRetrievalConfigHybridSearch(Model):
    """The mix of dense (1.0) and sparse (0.0) search."""

    alpha: float | None = None


class RagRetrievalConfigRankingLlmRanker(Model):
    """Rank by a language model."""

    model_name: str | None = None


class RagRetrievalConfigRankingRankService(Model):
    """Rank by the ranking service."""

    model_name: str | None = None


class RagRetrievalConfigRanking(Model):
    """How hits are ranked."""

    llm_ranker: RagRetrievalConfigRankingLlmRanker | None = None
    rank_service: RagRetrievalConfigRankingRankService | None = None


class RagRetrievalConfig(Model):
    """How hits are chosen: the `top_k` best after filter and ranking."""

    filter: RagRetrievalConfigFilter | None = None
    hybrid_search: RagRetrievalConfigHybridSearch | None = None
    ranking: RagRetrievalConfigRanking | None = None
    top_k: int | None = None


class VertexRagStore(Model):
    """Retrieval from corpora kept in Vertex AI."""

    rag_corpora: list[str] | None = None
    rag_resources: list[VertexRagStoreRagResource] | None = None
    rag_retrieval_config: RagRetrievalConfig | None = None
    similarity_top_k: int | None = None
    store_context: bool | None = None
    vector_distance_threshold: float | None = None


class Retrieval(Model):
    """Retrieval as a tool."""

    disable_attribution: bool | None = None
    vertex_ai_search: VertexAISearch | None = None
    vertex_rag_store: VertexRagStore | None = None


class DynamicRetrievalConfigMode(ClosedEnum):
    """Whether the model decides when to search."""

    MODE_UNSPECIFIED = "MODE_UNSPECIFIED"
    MODE_DYNAMIC = "MODE_DYNAMIC"


class DynamicRetrievalConfig(Model):
    """When to search: above this score, from 0 to 1."""

    dynamic_threshold: float | None = None
    mode: DynamicRetrievalConfigMode | None = None


class GoogleSearchRetrieval(Model):
    """Search by Google, as older models have it."""

    dynamic_retrieval_config: DynamicRetrievalConfig | None = None
