"""Drives one GenAI instrumentation against the fake provider and keeps the OTLP bodies that its exporter sends.

    capture.py INSTRUMENTATION OUT     INSTRUMENTATION: openai-v2, openinference-openai, traceloop-openai, traceloop-anthropic, sdk
"""
import contextlib
import http.server
import os
import re
import sys
import threading
import traceback

# Stack traces are captured without the folders of the machine that ran this.
format_exception = traceback.format_exception
traceback.format_exception = lambda *a, **k: [re.sub(r'"/[^"]*/', '"', line) for line in format_exception(*a, **k)]

os.environ.update(
    OPENAI_API_KEY="sk-test", ANTHROPIC_API_KEY="sk-test", NO_PROXY="127.0.0.1", TRACELOOP_TELEMETRY="false",
    OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="span_only", OTEL_SEMCONV_STABILITY_OPT_IN="gen_ai_latest_experimental")

from opentelemetry.exporter.otlp.proto.http import Compression  # noqa: E402
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: E402
from opentelemetry.sdk.resources import Resource  # noqa: E402
from opentelemetry.sdk.trace import TracerProvider  # noqa: E402
from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: E402
from opentelemetry.trace import Link, SpanKind, Status, StatusCode  # noqa: E402

import fake_provider  # noqa: E402

ENCODINGS = {"gzip": ".gz", "deflate": ".deflate", "": ""}


def keep_bodies(folder, prefix):
    """A server that writes each export body to FOLDER/PREFIX-NNN.pb[.gz|.deflate]; returns its address."""
    count = iter(range(1, 1000))

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            name = f"{prefix}-{next(count):03d}.pb{ENCODINGS[self.headers.get('content-encoding', '')]}"
            with open(os.path.join(folder, name), "wb") as file:
                file.write(body)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/v1/traces"


def openai_calls(provider):
    import openai
    client = openai.OpenAI(base_url=provider + "/v1", api_key="sk-test", max_retries=0)
    tool = {"type": "function", "function": {"name": "get_weather", "description": "Weather of a city", "parameters": {
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}
    ask = lambda text: [{"role": "system", "content": "Be brief."}, {"role": "user", "content": text}]
    yield lambda: client.chat.completions.create(model="gpt-4o", messages=ask("What is a lintel?"), temperature=0.2, max_tokens=64, user="user-7")
    yield lambda: client.chat.completions.create(model="gpt-4o-mini", messages=ask("天気は? 🌦"), tools=[tool])
    yield lambda: list(client.chat.completions.create(model="gpt-4o", messages=ask("Stream it."), stream=True, stream_options={"include_usage": True}))
    yield lambda: client.embeddings.create(model="text-embedding-3-small", input=["lintel", "beam"])
    yield lambda: client.chat.completions.create(model="gpt-4o", messages=ask("Please fail."))


def anthropic_calls(provider):
    import anthropic
    client = anthropic.Anthropic(base_url=provider, api_key="sk-test", max_retries=0)
    for text in ("What is a lintel?", "Straße, café, 橋", "Please fail."):
        yield lambda text=text: client.messages.create(model="claude-sonnet-4-5", max_tokens=64, system="Be brief.", messages=[{"role": "user", "content": text}])


def sdk_calls(tracer):
    """Plain SDK spans with every attribute type, events, links, errors."""
    def one():
        attributes = {"text": "höhö", "count": 7, "ratio": -0.0, "on": True, "tags": ["a", "b"], "sizes": [1, 2], "empty": "", "user.id": "user-7",
                      "session.id": "session-1", "http.response.status_code": 200}
        with tracer.start_as_current_span("POST /chat", kind=SpanKind.SERVER, attributes=attributes) as root:
            root.add_event("progress", {"percent": 50, "rows": [1, 2, 3]})
            with tracer.start_as_current_span("execute_tool lookup", links=[Link(root.get_span_context(), {"why": "retry"})]) as tool:
                tool.set_attributes({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "lookup"})
                tool.record_exception(TimeoutError("no answer after 30 s"))
                tool.set_status(Status(StatusCode.ERROR, "no answer after 30 s"))
    yield one


def main(name, out):
    os.makedirs(out, exist_ok=True)
    for compression in (Compression.NoCompression, Compression.Gzip, Compression.Deflate):
        prefix = f"{name}-{compression.value}"
        exporter = OTLPSpanExporter(endpoint=keep_bodies(out, prefix), compression=compression)
        resource = Resource.create({"service.name": "support-bot", "service.version": "2.7.1", "deployment.environment.name": "test", "org.id": "acme"})
        provider = TracerProvider(resource=resource)
        provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=60_000))
        address = fake_provider.start()
        tracer = provider.get_tracer("acme.support-bot", "2.7.1", "https://opentelemetry.io/schemas/1.37.0")
        instrumentor = None
        if name == "openai-v2":
            from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor as Instrumentor
            instrumentor, calls = Instrumentor(), openai_calls(address)
        elif name == "openinference-openai":
            from openinference.instrumentation.openai import OpenAIInstrumentor as Instrumentor
            instrumentor, calls = Instrumentor(), openai_calls(address)
        elif name == "traceloop-openai":
            from opentelemetry.instrumentation.openai import OpenAIInstrumentor as Instrumentor
            instrumentor, calls = Instrumentor(enrich_assistant=False), openai_calls(address)
        elif name == "traceloop-anthropic":
            from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor as Instrumentor
            instrumentor, calls = Instrumentor(), anthropic_calls(address)
        else:
            calls = sdk_calls(tracer)
        if instrumentor:
            instrumentor.instrument(tracer_provider=provider)
        for call in calls:
            with contextlib.suppress(Exception):  # refused calls are part of the data
                call()
            provider.force_flush()
        if instrumentor:
            instrumentor.uninstrument()
        provider.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
