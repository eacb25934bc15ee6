"""Spans as all readers make them, and as OTLP JSON."""
from dataclasses import dataclass, field
import hashlib, json


@dataclass
class Span:
    """Times in nanoseconds since 1970, ids in lower-case hex; attribute values are str, bool, int, float or lists."""
    trace_id: str
    span_id: str
    name: str
    start: int
    end: int
    parent_id: str = ""
    kind: int = 0                                   # OTLP's: 1 internal, 2 server, 3 client, 4 producer, 5 consumer
    status: int = 0                                 # 0 unset, 1 ok, 2 error
    status_message: str = ""
    attributes: dict = field(default_factory=dict)
    resource: dict = field(default_factory=dict)
    scope: str = ""
    events: list = field(default_factory=list)      # (time, name, attributes)


def made_up_id(digits, *of):
    """An id for what the source gives none: the same for the same source, as good as random to a compressor."""
    return hashlib.sha256("\0".join(map(str, of)).encode()).hexdigest()[:digits]


def value(v):
    if isinstance(v, bool): return {"boolValue": v}
    if isinstance(v, int): return {"intValue": str(v)}
    if isinstance(v, float): return {"doubleValue": v}
    if isinstance(v, list): return {"arrayValue": {"values": [value(x) for x in v]}}
    return {"stringValue": v}


def key_values(attributes):
    return [{"key": k, "value": value(v)} for k, v in attributes.items()]


def otlp_span(s):
    span = {"traceId": s.trace_id, "spanId": s.span_id, "name": s.name, "kind": s.kind,
            "startTimeUnixNano": str(s.start), "endTimeUnixNano": str(s.end)}
    if s.parent_id: span["parentSpanId"] = s.parent_id
    if s.attributes: span["attributes"] = key_values(s.attributes)
    if s.status or s.status_message: span["status"] = {"code": s.status, "message": s.status_message}
    if s.events:
        span["events"] = [{"timeUnixNano": str(t), "name": n, "attributes": key_values(a)} for t, n, a in s.events]
    return span


def otlp_bodies(spans, size=500):
    """JSON bodies of up to `size` spans, in the order of their ends, as a collector sends them."""
    spans = sorted(spans, key=lambda s: s.end)
    for start in range(0, len(spans), size):
        groups = {}
        for s in spans[start:start + size]:
            groups.setdefault((tuple(s.resource.items()), s.scope), []).append(s)
        yield json.dumps({"resourceSpans": [
            {"resource": {"attributes": key_values(dict(resource))},
             "scopeSpans": [{"scope": {"name": scope}, "spans": [otlp_span(s) for s in group]}]}
            for (resource, scope), group in groups.items()]}).encode()
