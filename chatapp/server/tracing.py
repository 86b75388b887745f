"""`Tracing`: OpenTelemetry, where OTEL_EXPORTER_OTLP_ENDPOINT is set: a span a request, in the trace it came with."""

from typing import Any

from chatapp.web import Answered

LIBRARY, EXTRA = "opentelemetry.sdk", "otel"
NS_PER_S = 1_000_000_000


class Tracing:
    """Spans gather and leave in the background; what cannot be sent is dropped by the library's own bounds.

    Where to, and under which name, the library reads from the environment by itself (OTEL_…).
    """

    def __init__(self) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME
        from opentelemetry.sdk.resources import OTELResourceDetector
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        resource = Resource({SERVICE_NAME: "chatapp"}).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("chatapp")
        self._context = TraceContextTextMapPropagator()
        self._kind = SpanKind.SERVER

    def record(self, answered: Answered) -> None:
        carrier = {} if answered.trace_parent is None else {"traceparent": answered.trace_parent}
        attributes: dict[str, Any] = {
            "http.request.method": answered.method,
            "http.response.status_code": answered.status,
            "http.response.body.size": answered.bytes,
            "chatapp.request_id": answered.request_id,
        }
        if answered.route is not None:
            attributes["http.route"] = answered.route
        begun_ns = int(answered.begun_s * NS_PER_S)
        span = self._tracer.start_span(
            f"{answered.method} {answered.route or ''}".strip(),
            context=self._context.extract(carrier),
            kind=self._kind,
            attributes=attributes,
            start_time=begun_ns,
        )
        span.end(begun_ns + int(answered.seconds * NS_PER_S))

    def stop(self) -> None:
        self._provider.shutdown()
