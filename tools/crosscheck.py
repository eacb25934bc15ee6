"""Holds Lintel's answers to random queries against DuckDB's. Run by tools/crosscheck."""

import argparse, http.client, json, math, os, random, re, socket, subprocess, sys, tempfile, time

import duckdb

START = 1_790_000_000_000_000_000
COLUMNS = {
    "trace_id": "VARCHAR", "span_id": "VARCHAR", "parent_span_id": "VARCHAR", "name": "VARCHAR", "start_time": "BIGINT",
    "duration": "BIGINT", "status": "VARCHAR", "status_message": "VARCHAR", "service_name": "VARCHAR",
    "org_id": "VARCHAR", "operation": "VARCHAR", "request_model": "VARCHAR", "session_id": "VARCHAR",
    "input_tokens": "BIGINT", "output_tokens": "BIGINT",
}
TEXTS = ["name", "status_message", "service_name", "org_id", "operation", "request_model", "session_id"]
NUMBERS = ["duration", "input_tokens", "output_tokens"]
IDS = ["trace_id", "span_id", "parent_span_id"]


class Store:
    """A linteld of its own with random spans: some in parts, some in memory."""

    def __init__(self, linteld, spans, rng):
        self.folder = tempfile.TemporaryDirectory()
        self.otlp, self.api = free_port(), free_port()
        self.process = subprocess.Popen(
            [linteld, "serve", "--data", self.folder.name + "/data", "--otlp-http", f"127.0.0.1:{self.otlp}",
             "--api", f"127.0.0.1:{self.api}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                http.client.HTTPConnection("127.0.0.1", self.api, timeout=5).request("GET", "/health")
                break
            except OSError:
                time.sleep(0.1)
        batches = 6
        for number in range(batches):
            self.send(random_spans(rng, spans // batches, number))
            if number in (1, 3):
                self.query("FLUSH")

    def send(self, body):
        link = http.client.HTTPConnection("127.0.0.1", self.otlp, timeout=60)
        link.request("POST", "/v1/traces", json.dumps(body), {"Content-Type": "application/json"})
        answer = link.getresponse()
        if answer.status != 200:
            sys.exit(f"the spans were refused: {answer.status} {answer.read()[:200]}")

    def query(self, text):
        link = http.client.HTTPConnection("127.0.0.1", self.api, timeout=60)
        link.request("POST", "/v1/query", json.dumps({"query": text}), {"Content-Type": "application/json"})
        answer = link.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(body.decode(errors="replace"))
        return json.loads(body)["rows"]

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def random_spans(rng, count, batch):
    """Traces of trees, some of whose parents are missing, in one OTLP body of several services."""
    resources, made = [], 0
    while made < count:
        spans = []
        for _ in range(rng.randint(1, 8)):
            trace, ids = f"{rng.randint(1, count // 4) + 1:032x}", []
            for _ in range(rng.randint(1, 9)):
                span = f"{rng.getrandbits(63) + 1:016x}"
                start = START + rng.randint(0, 3600) * 1_000_000_000 + rng.randint(0, 999)
                fields = {
                    "gen_ai.operation.name": ["chat", "execute_tool", "invoke_agent", None],
                    "gen_ai.request.model": ["gpt-4o", "claude", "mistral", "Ünïcode", None, None],
                    "session.id": [f"s-{rng.randint(0, 40)}", None], "org.id": ["org-1", "org-2", None],
                    "gen_ai.usage.input_tokens": [rng.randint(0, 4_000_000_000), rng.randint(0, 9), None],
                    "gen_ai.usage.output_tokens": [0, rng.randint(0, 500), None],
                }
                attributes = []
                for key, values in fields.items():
                    value = rng.choice(values)
                    if value is not None:
                        kind = "stringValue" if isinstance(value, str) else "intValue"
                        attributes.append({"key": key, "value": {kind: str(value)}})
                spans.append({
                    "traceId": trace, "spanId": span, "name": rng.choice(["chat", "run", "it's", "a%b", "", "Über"]),
                    "parentSpanId": rng.choice(ids) if ids and rng.random() < 0.8 else
                    (f"{rng.getrandbits(63) + 1:016x}" if rng.random() < 0.1 else ""),
                    "kind": rng.randint(1, 5), "startTimeUnixNano": str(start),
                    "endTimeUnixNano": str(start + rng.choice([0, rng.randint(1, 10**10), rng.randint(1, 10**6)])),
                    "status": {"code": rng.randint(0, 2), "message": rng.choice(["", "", "rate limited", "context_length"])},
                    "attributes": attributes,
                })
                ids.append(span)
                made += 1
        service = [{"key": "service.name", "value": {"stringValue": f"svc-{rng.randint(0, 9)}"}}]
        resources.append({
            "resource": {"attributes": service if rng.random() < 0.9 else []},
            "scopeSpans": [{"scope": {"name": f"batch-{batch}"}, "spans": spans}]})
    return {"resourceSpans": resources}


class Writer:
    """Writes one query in both dialects: each expression is a pair (Lintel, DuckDB)."""

    RELATIONS = {
        "CHILD": "b.trace_id = a.trace_id AND b.parent_span_id = a.span_id",
        "PARENT": "b.trace_id = a.trace_id AND a.parent_span_id = b.span_id",
        "SIBLING": "b.trace_id = a.trace_id AND a.parent_span_id = b.parent_span_id AND a.span_id <> b.span_id",
        "DESCENDANT": "(a.trace_id, a.span_id, b.span_id) IN (SELECT trace_id, top, bottom FROM above)",
        "ANCESTOR": "(a.trace_id, b.span_id, a.span_id) IN (SELECT trace_id, top, bottom FROM above)",
    }

    def __init__(self, rng):
        self.rng, self.relation = rng, None

    def pick(self, *choices):
        return self.rng.choice(choices)

    def column(self, names):
        name = self.rng.choice(names)
        return self.pick("a.", "b.") + name if self.relation else name

    def number(self, depth=1):
        if depth == 0 or self.rng.random() < 0.5:
            name = self.column(NUMBERS)
            return name, name
        x, y = self.number(depth - 1), self.number(depth - 1)
        kind = self.rng.randint(0, 4)
        if kind == 0:
            return f"coalesce({x[0]}, 7)", f"coalesce({x[1]}, 7)"
        if kind == 1:
            return f"CASE WHEN {x[0]} > 5 THEN {y[0]} END", f"CASE WHEN {x[1]} > 5 THEN {y[1]} END"
        if kind == 2:
            return f"({x[0]} + {y[0]})", f"({x[1]} + {y[1]})"
        if kind == 3:
            return f"({x[0]} % 1000)", f"({x[1]} % 1000)"
        text = self.text(0)
        return f"length({text[0]})", f"length({text[1]})"

    def text(self, depth=1):
        if depth == 0 or self.rng.random() < 0.6:
            name = self.column(TEXTS)
            return name, name
        x, y = self.text(depth - 1), self.text(depth - 1)
        kind = self.rng.randint(0, 3)
        if kind == 0:
            return f"coalesce({x[0]}, 'none')", f"coalesce({x[1]}, 'none')"
        if kind == 1:
            return f"({x[0]} || '/' || {y[0]})", f"({x[1]} || '/' || {y[1]})"
        if kind == 2:
            return f"substring({x[0]}, 2, 3)", f"substring({x[1]}, 2, 3)"
        return f"lower({x[0]})", f"lower({x[1]})"

    def condition(self, depth=2):
        if depth and self.rng.random() < 0.5:
            x, y = self.condition(depth - 1), self.condition(depth - 1)
            word = self.pick("AND", "OR", "AND NOT")
            return f"({x[0]} {word} {y[0]})", f"({x[1]} {word} {y[1]})"
        compare = self.pick("=", "<>", "<", "<=", ">", ">=")
        kind = self.rng.randint(0, 8)
        if kind == 0:
            x, value = self.number(), self.pick(0, 5, 300, 10**6, 2 * 10**9)
            return f"{x[0]} {compare} {value}", f"{x[1]} {compare} {value}"
        if kind == 1:
            x, value = self.text(), self.pick("'chat'", "'gpt-4o'", "'org-1'", "''", "'svc-3'")
            return f"{x[0]} {compare} {value}", f"{x[1]} {compare} {value}"
        if kind == 2:
            x, pattern = self.text(0), self.pick("%a%", "svc-_", "%t", "gpt%", "", "Ü%")
            word = self.pick("LIKE", "NOT LIKE", "ILIKE")
            return f"{x[0]} {word} '{pattern}'", f"{x[1]} {word} '{pattern}'"
        if kind == 3:
            x, pattern = self.text(0), self.pick("^g.*o$", "[0-5]$", "a|b", "^$")
            return f"{x[0]} ~ '{pattern}'", f"regexp_matches({x[1]}, '{pattern}')"
        if kind == 4:
            name, word = self.column(TEXTS + NUMBERS + ["parent_span_id"]), self.pick("IS NULL", "IS NOT NULL")
            return f"{name} {word}", f"{name} {word}"
        if kind == 5:
            name, word = self.column(TEXTS), self.pick("IN", "NOT IN")
            values = self.pick("('chat', 'org-2')", "('gpt-4o', NULL)", "('x')")
            return f"{name} {word} {values}", f"{name} {word} {values}"
        if kind == 6:
            name, low = self.column(["start_time"]), START + self.rng.randint(0, 3600) * 10**9
            return (f"{name} BETWEEN {low} AND {low + 10**12}",) * 2
        if kind == 7:
            name, status = self.column(["status"]), self.pick("'error'", "'ok'")
            return f"{name} = {status}", f"{name} = {status}"
        name = self.column(["trace_id"])
        outer, self.relation = self.relation, None
        inner = self.condition(0)
        self.relation = outer
        return tuple(f"{name} IN (SELECT trace_id FROM spans WHERE {x})" for x in inner)

    def key(self):
        kind = self.rng.randint(0, 3)
        if kind == 0:
            name = self.column(["start_time"])
            return f"time_bucket(10m, {name})", f"({name} - {name} % 600000000000)"
        if kind == 1:
            return (self.column(IDS + ["status"]),) * 2
        return self.text()

    def aggregate(self):
        x, t = self.number(), self.text()
        rank = self.pick("0.1", "0.5", "0.95")
        call = self.pick(
            ("count(*)", "count(*)"), (f"count({t[0]})", f"count({t[1]})"),
            (f"count(DISTINCT {t[0]})", f"count(DISTINCT {t[1]})"), (f"sum({x[0]})", f"sum({x[1]})"),
            (f"avg({x[0]})", f"avg({x[1]})"), (f"min({x[0]})", f"min({x[1]})"), (f"max({t[0]})", f"max({t[1]})"),
            (f"stddev({x[0]})", f"stddev({x[1]})"),
            (f"quantile({x[0]}, {rank})", f"quantile_disc({x[1]}, {rank})"))
        if self.rng.random() < 0.25:
            held = self.condition(0)
            return tuple(f"{c} FILTER (WHERE {h})" for c, h in zip(call, held))
        return call

    def query(self):
        self.relation = self.pick(None, None, None, *self.RELATIONS) if self.rng.random() < 0.5 else None
        source = "spans", "spans"
        where = [self.condition() if self.rng.random() < 0.7 else ("true", "true")]
        prefix = ""
        if self.relation:
            source = f"spans AS a JOIN {self.relation} spans AS b", f"spans AS a JOIN spans AS b ON {self.RELATIONS[self.relation]}"
            if self.relation in ("DESCENDANT", "ANCESTOR"):
                prefix = (
                    "WITH RECURSIVE above(trace_id, top, bottom) AS (SELECT trace_id, parent_span_id, span_id FROM spans "
                    "WHERE parent_span_id IS NOT NULL UNION SELECT s.trace_id, s.parent_span_id, above.bottom FROM above "
                    "JOIN spans s ON s.trace_id = above.trace_id AND s.span_id = above.top WHERE s.parent_span_id IS NOT NULL) ")
        grouped = self.rng.random() < 0.6
        keys = [self.key() for _ in range(self.rng.randint(0, 2))] if grouped else []
        items = keys + [self.aggregate() if grouped else self.pick(self.number(), self.text(), self.key())
                        for _ in range(self.rng.randint(1, 3))]
        distinct = "DISTINCT " if not grouped and self.rng.random() < 0.3 else ""
        texts = []
        for side in (0, 1):
            select = ", ".join(f"{item[side]} AS c{n}" for n, item in enumerate(items))
            text = f"SELECT {distinct}{select} FROM {source[side]} WHERE {where[0][side]}"
            if keys:
                text += " GROUP BY " + ", ".join(str(n + 1) for n in range(len(keys)))
            texts.append(text)
        return texts[0], prefix + texts[1]


def normal(value):
    if value is None:
        return (0, "")
    if isinstance(value, str) and re.fullmatch(r"-?\d+", value):
        return (2, value)
    if isinstance(value, (int, float)):
        return (1, float(value))
    return (2, str(value))


def differ(mine, theirs):
    """The first difference between two answers without order."""
    if len(mine) != len(theirs):
        return f"{len(mine)} rows, DuckDB has {len(theirs)}"
    for left, right in zip(*(sorted([normal(v) for v in row] for row in rows) for rows in (mine, theirs))):
        for x, y in zip(left, right):
            if x[0] == y[0] == 1 and math.isclose(x[1], y[1], rel_tol=1e-9, abs_tol=1e-9):
                continue
            if x != y:
                return f"{left}, DuckDB has {right}"
    return None


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--linteld", required=True)
    options.add_argument("--queries", type=int, default=1000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--spans", type=int, default=3000)
    options = options.parse_args()
    store = Store(options.linteld, options.spans, random.Random(f"{options.seed}"))
    try:
        differences = run(store, options)
    finally:
        store.stop()
    sys.exit(1 if differences else 0)


def run(store, options):
    duck = duckdb.connect()
    rows = store.query(f"SELECT {', '.join(COLUMNS)} FROM spans")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        for row in rows:
            file.write(json.dumps(dict(zip(COLUMNS, row))) + "\n")
        file.flush()
        types = ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items())
        duck.execute(
            f"CREATE TABLE spans AS SELECT * FROM read_json('{file.name}', format='newline_delimited', columns={{{types}}})")
    print(f"{len(rows)} spans, seed {options.seed}")
    differences = 0
    for number in range(options.queries):
        mine, theirs = Writer(random.Random(f"{options.seed}/{number}")).query()
        repeat = f"tools/crosscheck --seed {options.seed} --queries {number + 1} --spans {options.spans}"
        try:
            difference = differ(store.query(mine), duck.execute(theirs).fetchall())
        except (RuntimeError, duckdb.Error) as error:
            difference = f"failed: {str(error)[:300]}"
        if difference:
            differences += 1
            print(f"\nquery {number}: {difference}\n  {mine}\n  {theirs}\n  repeat: {repeat}")
    print(f"{options.queries} queries, {differences} differences")
    return differences


if __name__ == "__main__":
    main()
