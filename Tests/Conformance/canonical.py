"""Spans in one canonical form, made with the official protobuf classes: what was sent and what an export holds compare equal
exactly when nothing was lost. Attributes are sorted (their order carries no meaning), repeats are kept, values keep their type
and their bits. User ids are left out: Lintel stores a keyed hash in their place.
"""
import base64
import gzip
import json
import struct
import zlib

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

USER_KEYS = {"user.id", "enduser.id", "enduser.pseudo.id", "langfuse.user.id", "gen_ai.user", "llm.user",
             "ai.telemetry.metadata.userId", "traceloop.association.properties.user_id", "user.hash"}
ID_KEYS = ("traceId", "spanId", "parentSpanId")


def value(v):
    kind = v.WhichOneof("value")
    if kind is None:
        return ["empty"]
    if kind == "double_value":
        return [kind, struct.pack(">d", v.double_value).hex()]
    if kind == "bytes_value":
        return [kind, v.bytes_value.hex()]
    if kind == "array_value":
        return [kind, [value(x) for x in v.array_value.values]]
    if kind == "kvlist_value":
        return [kind, attributes(v.kvlist_value.values)]
    return [kind, getattr(v, kind)]


def attributes(items):
    return sorted(([a.key, value(a.value)] for a in items if a.key not in USER_KEYS), key=json.dumps)


def spans(request):
    for rs in request.resource_spans:
        entities = [[e.schema_url, e.type, list(e.id_keys), list(e.description_keys)] for e in rs.resource.entity_refs]
        resource = [attributes(rs.resource.attributes), rs.resource.dropped_attributes_count, rs.schema_url, entities]
        for ss in rs.scope_spans:
            scope = [ss.scope.name, ss.scope.version, attributes(ss.scope.attributes), ss.scope.dropped_attributes_count, ss.schema_url]
            for s in ss.spans:
                yield {
                    "id": (s.trace_id.hex(), s.span_id.hex()), "parent": s.parent_span_id.hex(), "state": s.trace_state, "flags": s.flags,
                    "name": s.name, "kind": s.kind, "start": s.start_time_unix_nano, "end": s.end_time_unix_nano,
                    "status": [s.status.code, s.status.message], "attributes": attributes(s.attributes),
                    "dropped": [s.dropped_attributes_count, s.dropped_events_count, s.dropped_links_count],
                    "events": [[e.time_unix_nano, e.name, attributes(e.attributes), e.dropped_attributes_count] for e in s.events],
                    "links": [[l.trace_id.hex(), l.span_id.hex(), l.trace_state, l.flags, attributes(l.attributes), l.dropped_attributes_count] for l in s.links],
                    "resource": resource, "scope": scope}


def user_keys(request):
    """The raw user keys in a request's span and resource attributes."""
    for rs in request.resource_spans:
        lists = [rs.resource.attributes] + [s.attributes for ss in rs.scope_spans for s in ss.spans]
        yield from (a.key for items in lists for a in items if a.key in USER_KEYS - {"user.hash"})


def decode(body, encoding=""):
    if encoding == "gzip":
        body = gzip.decompress(body)
    elif encoding == "deflate":
        body = zlib.decompress(body)
    return ExportTraceServiceRequest.FromString(body)


def _map_ids(node, convert):
    """OTLP JSON writes ids in hex where protobuf's own JSON has base64."""
    if isinstance(node, dict):
        return {k: convert(v) if k in ID_KEYS else v if k == "attributes" else _map_ids(v, convert) for k, v in node.items()}
    return [_map_ids(x, convert) for x in node] if isinstance(node, list) else node


def to_json(request):
    tree = json_format.MessageToDict(request, use_integers_for_enums=True)
    return json.dumps(_map_ids(tree, lambda v: base64.b64decode(v).hex()), ensure_ascii=False).encode()


def from_json(line):
    tree = _map_ids(json.loads(line), lambda v: base64.b64encode(bytes.fromhex(v)).decode())
    return json_format.ParseDict(tree, ExportTraceServiceRequest(), ignore_unknown_fields=True)
