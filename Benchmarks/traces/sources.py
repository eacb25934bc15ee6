"""Readers of published traces: file -> [Span]. What a source doesn't tell is left out; only ids are made up where it has
none, and the day where it only has times from its beginning."""
import csv, datetime, io, json, subprocess
from spans import Span, made_up_id

DAY = 1_700_092_800 * 10**9             # 2023-11-16 00:00 UTC, the day of the Azure traces


def text(path):
    if not path.endswith(".zst"): return open(path, encoding="utf-8").read()
    return subprocess.run(["zstd", "-dc", path], check=True, capture_output=True).stdout.decode()


def rows(path): return csv.DictReader(io.StringIO(text(path)))


def request(source, number, start, tokens_in, tokens_out, more):
    """A request to a model of which only the arrival is known: it ends when it starts."""
    return Span(made_up_id(32, source, number), made_up_id(16, source, number, "span"), "chat", start, start, kind=3,
                attributes={"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": tokens_in,
                            "gen_ai.usage.output_tokens": tokens_out, **more}, resource={"service.name": source})


def azure(path, source):
    return [request(source, i, DAY + round(float(r["t_rel_s"]) * 1e7) * 100, int(r["input_tokens"]), int(r["output_tokens"]), {})
            for i, r in enumerate(rows(path))]


def mooncake(path, source):
    if ".csv" in path:
        return [request(source, i, DAY + int(r["t_ms"]) * 10**6, int(r["input_tokens"]), int(r["output_tokens"]),
                        {"session.id": r["inferred_session"], "blocks": int(r["blocks_512"]),
                         "prefix_hit_blocks": int(r["prefix_hit_blocks"])}) for i, r in enumerate(rows(path))]
    return [request(source, i, DAY + r["timestamp"] * 10**6, r["input_length"], r["output_length"], {"hash_ids": r["hash_ids"]})
            for i, r in enumerate(map(json.loads, text(path).splitlines()))]


def nezha(path, source):
    return [Span(r["TraceID"], r["SpanID"], r["OperationName"], int(r["StartTimeUnixNano"]), int(r["EndTimeUnixNano"]),
                 parent_id="" if r["ParentID"] == "root" else r["ParentID"],
                 resource={"service.name": r["PodName"].rsplit("-", 2)[0], "k8s.pod.name": r["PodName"]}) for r in rows(path)]


def servegen(path, source):
    """Each span an hour of a client of a workload."""
    hour = 3600 * 10**9
    return [Span(made_up_id(32, source, r["workload"], r["client"]), made_up_id(16, source, i), "client rate",
                 DAY + int(r["hour"]) * hour, DAY + (int(r["hour"]) + 1) * hour,
                 attributes={"client": int(r["client"]), "req_per_s": float(r["req_per_s"]),
                             **({"interarrival_cv_median": float(r["interarrival_cv_median"])} if r["interarrival_cv_median"] else {})},
                 resource={"service.name": r["workload"]}) for i, r in enumerate(rows(path))]


def wide_id(text, digits):
    """Hex ids as they are, filled up with zeros; others (UUIDs, words) by their hash."""
    plain = text.replace("-", "").lower()
    if plain and len(plain) <= digits and all(c in "0123456789abcdef" for c in plain): return plain.rjust(digits, "0")
    return made_up_id(digits, text)


def zipkin(path, source):
    kinds = {"SERVER": 2, "CLIENT": 3, "PRODUCER": 4, "CONSUMER": 5}
    spans = []
    # OTLP has no spans without a time; reports of the other side's half of a span may lack it.
    for z in (z for z in json.loads(text(path)) if "timestamp" in z):
        local, remote, tags = z.get("localEndpoint", {}), z.get("remoteEndpoint", {}), dict(z.get("tags", {}))
        start = z["timestamp"] * 1000
        for end, names in ((local, ("net.host.ip", "net.host.port")), (remote, ("net.peer.ip", "net.peer.port"))):
            for key in ("ipv4", "ipv6"):
                if key in end: tags[names[0]] = end[key]
            if "port" in end: tags[names[1]] = end["port"]
        if "serviceName" in remote: tags["peer.service"] = remote["serviceName"]
        if z.get("shared"): tags["zipkin.shared"] = True
        spans.append(Span(wide_id(z["traceId"], 32), wide_id(z["id"], 16), z.get("name", ""), start, start + z.get("duration", 0) * 1000,
                          parent_id=wide_id(z["parentId"], 16) if z.get("parentId") else "", kind=kinds.get(z.get("kind"), 1),
                          status=2 if "error" in tags else 0, attributes=tags, resource={"service.name": local.get("serviceName", "")},
                          events=[(a["timestamp"] * 1000, a["value"], {}) for a in z.get("annotations", [])]))
    return spans


def instant(iso):
    return int(datetime.datetime.fromisoformat(iso.replace("Z", "+00:00")).timestamp() * 1000 + 0.5) * 10**6


def langfuse(path, source):
    """Observations become spans; what they were given and gave stays an attribute, as JSON where it isn't text."""
    as_text = lambda v: v if isinstance(v, str) else json.dumps(v, ensure_ascii=False, separators=(",", ":"))
    document = json.loads(text(path))
    trace, spans = document["trace"], []
    for o in document["observations"]:
        attributes = {"langfuse.observation.type": o["type"]}
        for key, name in (("model", "gen_ai.request.model"), ("version", "langfuse.version"), ("promptName", "langfuse.prompt.name"),
                          ("input", "langfuse.observation.input"), ("output", "langfuse.observation.output"),
                          ("metadata", "langfuse.observation.metadata"), ("modelParameters", "langfuse.observation.model.parameters")):
            if o.get(key) not in (None, "", {}, "{}"): attributes[name] = as_text(o[key])
        for key, count in (o.get("usageDetails") or {}).items():
            attributes[{"input": "gen_ai.usage.input_tokens", "output": "gen_ai.usage.output_tokens"}.get(key, f"langfuse.usage.{key}")] = count
        for key, cost in (o.get("costDetails") or {}).items(): attributes[f"langfuse.cost.{key}"] = float(cost)
        for key, name in (("userId", "user.id"), ("sessionId", "session.id")):
            if trace.get(key): attributes[name] = trace[key]
        start = instant(o["startTime"])
        spans.append(Span(wide_id(o["traceId"], 32), wide_id(o["id"], 16), o.get("name") or "", start,
                          instant(o["endTime"]) if o.get("endTime") else start,
                          parent_id=wide_id(o["parentObservationId"], 16) if o.get("parentObservationId") else "",
                          status=2 if o.get("level") == "ERROR" else 0, status_message=o.get("statusMessage") or "",
                          attributes=attributes, resource={"service.name": trace.get("name") or "", "deployment.environment.name": o["environment"]}))
    return spans


def openinference(path, source):
    time = lambda pair: pair[0] * 10**9 + pair[1]
    return [Span(s["spanContext"]["traceId"], s["spanContext"]["spanId"], s["name"], time(s["startTime"]), time(s["endTime"]),
                 parent_id=s.get("parentSpanId") or "", status=s["status"]["code"], status_message=s["status"].get("message", ""),
                 attributes=s["attributes"], resource={"service.name": source},
                 events=[(time(e["time"]), e["name"], e.get("attributes", {})) for e in s.get("events", [])])
            for s in json.loads(text(path))]


def otlp(path, source):
    plain = lambda v: next((int(x) if k == "intValue" else [plain(e) for e in x.get("values", [])] if k == "arrayValue" else x
                            for k, x in v.items()), "")
    attributes = lambda owner: {a["key"]: plain(a["value"]) for a in owner.get("attributes", [])}
    return [Span(s["traceId"].lower(), s["spanId"].lower(), s["name"], int(s["startTimeUnixNano"]), int(s["endTimeUnixNano"]),
                 parent_id=s.get("parentSpanId", "").lower(), kind=s.get("kind", 0), attributes=attributes(s),
                 resource=attributes(r["resource"]), scope=group["scope"]["name"])
            for r in json.loads(text(path))["resourceSpans"] for group in r["scopeSpans"] for s in group["spans"]]


# Beginnings of file names.
READERS = {"azure2023_": azure, "mooncake_": mooncake, "nezha_": nezha, "servegen_client_rates": servegen, "zipkin-": zipkin,
           "langfuse-": langfuse, "openinference-": openinference, "otel-proto-trace": otlp}


def reader(name): return next((r for start, r in READERS.items() if name.startswith(start)), None)
