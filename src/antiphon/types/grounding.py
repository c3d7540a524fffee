"""What an answer rests on."""

from antiphon.types.model import Model

__all__ = [
    "Citation",
    "CitationMetadata",
    "GoogleTypeDate",
    "GroundingChunk",
    "GroundingChunkCustomMetadata",
    "GroundingChunkImage",
    "GroundingChunkMaps",
    "GroundingChunkMapsPlaceAnswerSources",
    "GroundingChunkMapsPlaceAnswerSourcesAuthorAttribution",
    "GroundingChunkMapsPlaceAnswerSourcesReviewSnippet",
    "GroundingChunkMapsRoute",
    "GroundingChunkRetrievedContext",
    "GroundingChunkStringList",
    "GroundingChunkWeb",
    "GroundingMetadata",
    "GroundingMetadataSourceFlaggingUri",
    "GroundingSupport",
    "RagChunk",
    "RagChunkPageSpan",
    "RetrievalMetadata",
    "SearchEntryPoint",
    "Segment",
]


class GroundingChunkImage(Model):
    """An image found, and the page it stands on."""

    source_uri: str | None = None
    image_uri: str | None = None
    title: str | None = None
    domain: str | None = None


class GroundingChunkMapsPlaceAnswerSourcesAuthorAttribution(Model):
    """Who wrote a review."""

    display_name: str | None = None
    photo_uri: str | None = None
    uri: str | None = None


class GroundingChunkMapsPlaceAnswerSourcesReviewSnippet(Model):
    """A review of a place."""

    author_attribution: GroundingChunkMapsPlaceAnswerSourcesAuthorAttribution | None = None
    flag_content_uri: str | None = None
    google_maps_uri: str | None = None
    relative_publish_time_description: str | None = None
    review: str | None = None
    review_id: str | None = None
    title: str | None = None


class GroundingChunkMapsPlaceAnswerSources(Model):
    """The reviews behind an answer on a place."""

    review_snippet: list[GroundingChunkMapsPlaceAnswerSourcesReviewSnippet] | None = None
    flag_content_uri: str | None = None
    review_snippets: list[GroundingChunkMapsPlaceAnswerSourcesReviewSnippet] | None = None


class GroundingChunkMapsRoute(Model):
    """A route: metres, a duration such as `"90s"`, an encoded polyline."""

    distance_meters: int | None = None
    duration: str | None = None
    encoded_polyline: str | None = None


class GroundingChunkMaps(Model):
    """A place or route found."""

    place_answer_sources: GroundingChunkMapsPlaceAnswerSources | None = None
    place_id: str | None = None
    text: str | None = None
    title: str | None = None
    uri: str | None = None
    route: GroundingChunkMapsRoute | None = None


class RagChunkPageSpan(Model):
    """Pages, counted from 1, both included."""

    first_page: int | None = None
    last_page: int | None = None


class RagChunk(Model):
    """A passage of a corpus."""

    page_span: RagChunkPageSpan | None = None
    text: str | None = None
    chunk_id: str | None = None
    file_id: str | None = None


class GroundingChunkStringList(Model):
    """Several strings as one value."""

    values: list[str] | None = None


class GroundingChunkCustomMetadata(Model):
    """A key and its value, which is one of three kinds."""

    key: str | None = None
    numeric_value: float | None = None
    string_list_value: GroundingChunkStringList | None = None
    string_value: str | None = None


class GroundingChunkRetrievedContext(Model):
    """A passage that retrieval found."""

    document_name: str | None = None
    rag_chunk: RagChunk | None = None
    text: str | None = None
    title: str | None = None
    uri: str | None = None
    custom_metadata: list[GroundingChunkCustomMetadata] | None = None
    file_search_store: str | None = None
    page_number: int | None = None
    media_id: str | None = None


class GroundingChunkWeb(Model):
    """A page found."""

    domain: str | None = None
    title: str | None = None
    uri: str | None = None


class GroundingChunk(Model):
    """One source: a page, an image, a place or a passage."""

    image: GroundingChunkImage | None = None
    maps: GroundingChunkMaps | None = None
    retrieved_context: GroundingChunkRetrievedContext | None = None
    web: GroundingChunkWeb | None = None


class Segment(Model):
    """A stretch of the answer. Indexes are bytes within the part: start included, end not."""

    start_index: int | None = None
    end_index: int | None = None
    part_index: int | None = None
    text: str | None = None


class GroundingSupport(Model):
    """Which sources (indexes of `grounding_chunks`) support which stretch, and how surely, from 0 to 1."""

    confidence_scores: list[float] | None = None
    grounding_chunk_indices: list[int] | None = None
    segment: Segment | None = None
    rendered_parts: list[int] | None = None


class RetrievalMetadata(Model):
    """How likely a search was to help, from 0 to 1."""

    google_search_dynamic_retrieval_score: float | None = None


class SearchEntryPoint(Model):
    """What must be shown with searched answers. `rendered_content` is HTML."""

    rendered_content: str | None = None
    sdk_blob: bytes | None = None


class GroundingMetadataSourceFlaggingUri(Model):
    """Where to report a source."""

    flag_content_uri: str | None = None
    source_id: str | None = None


class GroundingMetadata(Model):
    """What the model looked up and which sources it used."""

    image_search_queries: list[str] | None = None
    grounding_chunks: list[GroundingChunk] | None = None
    grounding_supports: list[GroundingSupport] | None = None
    retrieval_metadata: RetrievalMetadata | None = None
    search_entry_point: SearchEntryPoint | None = None
    web_search_queries: list[str] | None = None
    google_maps_widget_context_token: str | None = None
    retrieval_queries: list[str] | None = None
    source_flagging_uris: list[GroundingMetadataSourceFlaggingUri] | None = None


class GoogleTypeDate(Model):
    """A date; a field that is 0 or unset is unknown."""

    day: int | None = None
    month: int | None = None
    year: int | None = None


class Citation(Model):
    """A stretch of the answer that is quoted from a source."""

    end_index: int | None = None
    license: str | None = None
    publication_date: GoogleTypeDate | None = None
    start_index: int | None = None
    title: str | None = None
    uri: str | None = None


class CitationMetadata(Model):
    """The quotations in an answer."""

    citations: list[Citation] | None = None
