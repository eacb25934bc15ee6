"""A linteld of its own with random spans, and the same rows in DuckDB."""

import http.client, json, socket, subprocess, sys, tempfile, time

from spans import BATCHES, random_spans

# Columns of the spans table and their types in DuckDB; times, durations and money are integers in both.
COLUMNS = {
    "trace_id": "VARCHAR", "span_id": "VARCHAR", "parent_span_id": "VARCHAR", "name": "VARCHAR", "start_time": "BIGINT",
    "duration": "BIGINT", "end_time": "BIGINT", "kind": "kind", "status": "status", "status_message": "VARCHAR",
    "service_name": "VARCHAR", "org_id": "VARCHAR", "operation": "VARCHAR", "request_model": "VARCHAR",
    "session_id": "VARCHAR", "user_hash": "VARCHAR", "input_tokens": "BIGINT", "output_tokens": "BIGINT",
    "time_to_first_token": "BIGINT", "reported_cost": "BIGINT",
}
# Attributes: SpanQL's text and DuckDB's type. What is of several types has a column for each.
ATTRIBUTES = {
    "score": ("attributes['score']", "DOUBLE"), "retries": ("attributes['retries']", "BIGINT"),
    "cached": ("attributes['cached']", "BOOLEAN"), "route": ("attributes['http.route']", "VARCHAR"),
    "region": ("resource_attributes['cloud.region']", "VARCHAR"), "library": ("scope_attributes['flavor']", "VARCHAR"),
}
MIXED = {"mixed_text": "VARCHAR", "mixed_number": "DOUBLE", "mixed_integer": "BIGINT", "mixed_flag": "BOOLEAN"}
ENUMERATIONS = {
    "status": ("unset", "ok", "error"), "kind": ("unspecified", "internal", "server", "client", "producer", "consumer"),
}


class Store:
    def __init__(self, linteld, spans, rng):
        self.folder = tempfile.TemporaryDirectory()
        self.otlp, self.api = free_port(), free_port()
        # Groups that lie on disk however few they are take thirty times as long.
        settings = rng.choice([[], [], [], ["--query-cache", "64MiB"], ["--query-cache", "64MiB"], ["--spill-after", "1"]])
        self.process = subprocess.Popen(
            [linteld, "serve", "--data", self.folder.name + "/data", "--otlp-http", f"127.0.0.1:{self.otlp}",
             "--api", f"127.0.0.1:{self.api}", *settings],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if not self.process.stdout.readline():
            sys.exit("linteld did not start")
        self.link = http.client.HTTPConnection("127.0.0.1", self.api, timeout=60)
        # Some in parts, some in memory.
        for number in range(BATCHES):
            self.send(random_spans(rng, spans // BATCHES, number))
            if number in (1, 3):
                self.query("FLUSH")

    def send(self, body):
        link = http.client.HTTPConnection("127.0.0.1", self.otlp, timeout=60)
        link.request("POST", "/v1/traces", json.dumps(body), {"Content-Type": "application/json"})
        answer = link.getresponse()
        if answer.status != 200:
            sys.exit(f"the spans were refused: {answer.status} {answer.read()[:200]}")

    def query(self, text):
        self.link.request("POST", "/v1/query", json.dumps({"query": text}), {"Content-Type": "application/json"})
        answer = self.link.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(body.decode(errors="replace"))
        return json.loads(body)["rows"]

    def stop(self):
        self.link.close()
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
        self.folder.cleanup()

    def copy_to(self, duck):
        """Makes DuckDB's tables `spans` and `above` of what Lintel answers, and returns the number of rows."""
        for name, labels in ENUMERATIONS.items():
            duck.execute(f"CREATE TYPE {name} AS ENUM ({', '.join(repr(label) for label in labels)})")
        names = [*COLUMNS, *ATTRIBUTES]
        rows = self.query(f"SELECT {', '.join([*COLUMNS, *(a[0] for a in ATTRIBUTES.values())])}, attributes['mixed'] FROM spans")
        types = {**COLUMNS, **{name: kind for name, (_, kind) in ATTRIBUTES.items()}, **MIXED}
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            for *values, mixed in rows:
                row = dict(zip(names, values))
                kind = {str: "mixed_text", bool: "mixed_flag", int: "mixed_number", float: "mixed_number"}.get(type(mixed))
                if kind:
                    row[kind] = mixed
                if type(mixed) is int:
                    row["mixed_integer"] = mixed
                file.write(json.dumps(row) + "\n")
            file.flush()
            texts = ", ".join(f"'{name}': '{'VARCHAR' if name in ENUMERATIONS else kind}'" for name, kind in types.items())
            casts = ", ".join(f"{name}::{kind} AS {name}" for name, kind in types.items())
            duck.execute(
                f"CREATE TABLE spans AS SELECT {casts} FROM read_json('{file.name}', format='newline_delimited', columns={{{texts}}})")
        # What DESCENDANT and ANCESTOR mean.
        duck.execute(
            "CREATE TABLE above AS WITH RECURSIVE above(trace_id, top, bottom) AS (SELECT trace_id, parent_span_id, span_id FROM spans "
            "WHERE parent_span_id IS NOT NULL UNION SELECT s.trace_id, s.parent_span_id, above.bottom FROM above "
            "JOIN spans s ON s.trace_id = above.trace_id AND s.span_id = above.top WHERE s.parent_span_id IS NOT NULL) FROM above")
        return len(rows)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
