"""Conversations as OpenTelemetry sees them: the only modules that know its API (`antiphon[otel]`)."""

__all__: list[str] = []
