"""The real OpenTelemetry SDK, sending spans of every shape, and a record of what its exporter put on the wire."""
import gzip
import logging
import urllib.request

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

import canonical

# The SDK warns of every attribute past its limit, which is what these spans are for.
logging.getLogger("opentelemetry").setLevel(logging.ERROR)

ATTRIBUTES = {
    "text": "Grüße, 世界 🌍 \x00\x07", "empty": "", "zero": 0, "big": 2**63 - 1, "small": -(2**63), "ratio": 0.1, "minus_zero": -0.0,
    "nan": float("nan"), "infinity": float("inf"), "on": True, "off": False, "strings": ["a", "", "ü"], "ints": [1, -1], "doubles": [0.5],
    "bools": [True, False], "nothing": [], "http.response.status_code": 200, "text.of.a.number": "200", "long": "x" * 70_000,
    "user.id": "user-42", "session.id": "s-1", "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 120, "gen_ai.usage.output_tokens": 30, "gen_ai.usage.cost": 0.0012345,
    "gen_ai.response.finish_reasons": ["stop"], "gen_ai.response.time_to_first_chunk": 0.25, "llm.model_name": "gpt-4o (second name)",
}


class JSONExporter(SpanExporter):
    """OTLP/HTTP with JSON bodies, which the Python SDK has no exporter for."""

    def __init__(self, url, compress):
        self.url, self.compress = url, compress

    def export(self, spans):
        body, headers = canonical.to_json(encode_spans(spans)), {"content-type": "application/json"}
        if self.compress:
            body, headers["content-encoding"] = gzip.compress(body), "gzip"
        with urllib.request.urlopen(urllib.request.Request(self.url, body, headers), timeout=30) as answer:
            return SpanExportResult.SUCCESS if answer.status == 200 else SpanExportResult.FAILURE


class Recorder(SpanExporter):
    def __init__(self, inner):
        self.inner, self.sent = inner, []

    def export(self, spans):
        result = self.inner.export(spans)
        if result != SpanExportResult.SUCCESS:
            raise AssertionError("an export was refused")
        self.sent.append(encode_spans(spans))
        return result

    def shutdown(self):
        self.inner.shutdown()

    def force_flush(self, timeout_millis=30_000):
        return True


def drive(url, wire, compression, **options):
    """Sends some dozens of spans; returns the requests that carried them, decoded by the official classes.

    The options are the exporter's: headers, certificate_file.
    """
    if wire == "json":
        exporter = JSONExporter(url, compression == "gzip")
    else:
        exporter = OTLPSpanExporter(endpoint=url, compression=Compression(compression), **options)
    recorder = Recorder(exporter)
    resource = Resource.create({"service.name": "conformance", "service.version": "1", "deployment.environment.name": "test", "org.id": "acme",
                                "host.cpus": 8, "flags": ["x", "y"]})
    provider = TracerProvider(resource=resource, span_limits=SpanLimits(max_attributes=64, max_events=4))
    provider.add_span_processor(BatchSpanProcessor(recorder, schedule_delay_millis=60_000, max_export_batch_size=16))
    tracer = provider.get_tracer("conformance.tracer", "0.1", "https://opentelemetry.io/schemas/1.37.0", {"team": "a"})
    remote = SpanContext(0xABC, 0xDEF, True, TraceFlags(1), TraceState([("vendor", "1")]))
    for turn in range(12):
        parent = trace.set_span_in_context(trace.NonRecordingSpan(remote)) if turn % 3 == 0 else None
        with tracer.start_as_current_span(f"turn {turn}", parent, SpanKind(turn % 5), ATTRIBUTES, [Link(remote, {"n": turn})]) as span:
            for n in range(6):  # two more than the limit: the SDK counts what it drops
                span.add_event("step", {"n": n, "why": "because", "scores": [0.5, 1.0]})
            with tracer.start_as_current_span("child") as child:
                child.set_attributes({f"key.{n}": n for n in range(80)})
                if turn % 4 == 1:
                    child.record_exception(ValueError("Ungültig"))
                    child.set_status(Status(StatusCode.ERROR, "Ungültig"))
                elif turn % 4 == 2:
                    child.set_status(StatusCode.OK)
    provider.force_flush()
    provider.shutdown()
    return recorder.sent
