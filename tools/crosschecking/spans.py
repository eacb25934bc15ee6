"""Random spans as OTLP JSON: trees of which some parents are missing, every kind of value, often none."""

START = 1_790_000_000_000_000_000
BATCHES = 6


def random_spans(rng, count, batch):
    """About `count` spans in one body of several services."""
    resources, made = [], 0
    while made < count:
        spans = []
        for _ in range(rng.randint(1, 8)):
            trace, ids = f"{rng.randint(1, count // 4) + 1:032x}", []
            for _ in range(rng.randint(1, 9)):
                spans.append(random_span(rng, trace, ids))
                ids.append(spans[-1]["spanId"])
                made += 1
        about = {"service.name": rng.choice([f"svc-{rng.randint(0, 9)}"] * 9 + [None]),
                 "cloud.region": rng.choice(["eu-west-1", "eu-north-1", "us-east-1", None])}
        flavor = {"flavor": rng.choice(["plain", "Höhe", None])}
        resources.append({
            "resource": {"attributes": attributes(about)},
            "scopeSpans": [{"scope": {"name": f"batch-{batch}", "attributes": attributes(flavor)}, "spans": spans}]})
    return {"resourceSpans": resources}


def random_span(rng, trace, ids):
    start = START + rng.randint(0, 3600) * 1_000_000_000 + rng.randint(0, 999)
    fields = {
        "gen_ai.operation.name": rng.choice(["chat", "execute_tool", "invoke_agent", None]),
        "gen_ai.request.model": rng.choice(["gpt-4o", "claude", "mistral", "Ünïcode", None, None]),
        "session.id": rng.choice([f"s-{rng.randint(0, 40)}", None]), "org.id": rng.choice(["org-1", "org-2", None]),
        "user.id": rng.choice([f"u-{rng.randint(0, 20)}", None]),
        "gen_ai.usage.input_tokens": rng.choice([rng.randint(0, 4_000_000_000), rng.randint(0, 9), None]),
        "gen_ai.usage.output_tokens": rng.choice([0, rng.randint(0, 500), None]),
        "gen_ai.usage.cost": rng.choice([0.0, rng.randint(0, 5000) / 1000, None]),
        "gen_ai.response.time_to_first_chunk": rng.choice([rng.randint(1, 9000) / 1000, None]),
        "score": rng.choice([0.0, -1.5, 0.25, rng.gauss(0, 100), rng.random() * 1e-3, None]),
        "retries": rng.choice([0, 1, 2, -7, rng.randint(-(10**9), 10**9), None]),
        "cached": rng.choice([True, False, None]),
        "http.route": rng.choice(["/v1/chat", "/v1/a_b", "", "100%", None]),
        "mixed": rng.choice(["5", "text", 5, -3, 2.5, 2**53 + 1, 2**63 - 2, True, False, None, None]),
    }
    parent = ""
    if ids and rng.random() < 0.8:
        parent = rng.choice(ids)
    elif rng.random() < 0.1:
        parent = f"{rng.getrandbits(63) + 1:016x}"
    return {
        "traceId": trace, "spanId": f"{rng.getrandbits(63) + 1:016x}", "parentSpanId": parent,
        "name": rng.choice(["chat", "run", "it's", "a%b", "", "Über"]), "kind": rng.randint(0, 5),
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + rng.choice([0, rng.randint(1, 10**10), rng.randint(1, 10**6)])),
        "status": {"code": rng.randint(0, 2), "message": rng.choice(["", "", "rate limited", "context_length"])},
        "attributes": attributes(fields),
    }


def attributes(fields):
    kinds = {str: "stringValue", bool: "boolValue", int: "intValue", float: "doubleValue"}
    return [{"key": key, "value": {kinds[type(value)]: str(value) if type(value) is int else value}}
            for key, value in fields.items() if value is not None]
