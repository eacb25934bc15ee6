#!/usr/bin/env python3
"""Asks ClickHouse (chdb, in process), DuckDB and a linteld the same questions of the same spans, and prints a table.

    compare.py --data DIR [--api http://127.0.0.1:4320] [--linteld PATH] [--runs 5] [--keep]

DIR is a store that lintel-bench load made (or any other whose spans the questions suit): without --api, a linteld is started
on it. The peers get their copy of the columns from Lintel itself, through CSV, into DIR.peers; --keep uses the one of last
time. Times are the best of the runs after a warm-up, Lintel's over HTTP. Needs what requirements.txt names.
"""

import argparse, csv, http.client, json, math, os, platform, shutil, signal, subprocess, sys, time, urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
# SpanQL, ClickHouse's and DuckDB's types; ids travel as hex.
COLUMNS = [
    ("trace_id", "FixedString(16)", "BLOB"), ("span_id", "FixedString(8)", "BLOB"), ("parent_span_id", "FixedString(8)", "BLOB"),
    ("start_time", "Int64", "BIGINT"), ("duration", "Int64", "BIGINT"), ("name", "LowCardinality(String)", "VARCHAR"),
    ("operation", "LowCardinality(String)", "VARCHAR"), ("status", "UInt8", "UTINYINT"), ("service_name", "LowCardinality(String)", "VARCHAR"),
    ("org_id", "LowCardinality(String)", "VARCHAR"), ("app_id", "LowCardinality(String)", "VARCHAR"), ("session_id", "String", "VARCHAR"),
    ("request_model", "LowCardinality(String)", "VARCHAR"), ("input_tokens", "UInt32", "UINTEGER"), ("output_tokens", "UInt32", "UINTEGER"),
    ("reported_cost", "Int64", "BIGINT"),
]
STATUS = "CASE status WHEN 'unset' THEN 0 WHEN 'ok' THEN 1 ELSE 2 END AS status"


class Lintel:
    def __init__(self, options):
        self.process = None
        address = options.api
        if not address:
            self.process = subprocess.Popen(
                [options.linteld, "serve", "--data", options.data, "--otlp-http", "127.0.0.1:0", "--api", "127.0.0.1:0"],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            line = self.process.stdout.readline()
            if "queries on " not in line:
                sys.exit("linteld did not start")
            address = line.split("queries on ")[1].strip()
        url = urllib.parse.urlsplit(address)
        self.link = http.client.HTTPConnection(url.hostname, url.port, timeout=300)

    def ask(self, text):
        for attempt in (1, 2):
            try:
                self.link.request("POST", "/v1/query", json.dumps({"query": text}), {"Content-Type": "application/json"})
                answer = self.link.getresponse()
                break
            except (BrokenPipeError, http.client.RemoteDisconnected, ConnectionResetError):
                # Closed while it was idle, as while the peers load.
                self.link.close()
                if attempt == 2:
                    raise
        body = answer.read()
        if answer.status != 200:
            sys.exit(f"{text}: {body[:300]!r}")
        return json.loads(body)["rows"]

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()


def export(lintel, path):
    """All spans as CSV, a slice of time after the other."""
    names = ", ".join(STATUS if name == "status" else name for name, _, _ in COLUMNS)
    first, last, count = (int(x) for x in lintel.ask("SELECT min(start_time), max(start_time), count(*) FROM spans")[0])
    slices = count // 200_000 + 1
    with open(path, "w", newline="") as file:
        rows = csv.writer(file)
        for number in range(slices):
            low, high = (first + (last + 1 - first) * n // slices for n in (number, number + 1))
            rows.writerows(lintel.ask(f"SELECT {names} FROM spans WHERE start_time >= {low} AND start_time < {high}"))
    return first, last, count


def clickhouse(folder, path, keep):
    from chdb import session
    store = session.Session(os.path.join(folder, "clickhouse"))
    if not keep:
        store.query("CREATE DATABASE IF NOT EXISTS peer ENGINE = Atomic")
        store.query(
            "CREATE TABLE peer.spans (" + ", ".join(f"{name} {kind}" for name, kind, _ in COLUMNS)
            + ", INDEX by_trace trace_id TYPE bloom_filter(0.01) GRANULARITY 1) ENGINE = MergeTree ORDER BY (org_id, app_id, start_time)")
        source = ", ".join(f"{name} {'String' if 'id' == name[-2:] and 'Fixed' in kind else kind}" for name, kind, _ in COLUMNS)
        select = ", ".join(f"unhex({name})" if "Fixed" in kind else name for name, kind, _ in COLUMNS)
        store.query(f"INSERT INTO peer.spans SELECT {select} FROM file('{path}', CSV, '{source}')")
        store.query("OPTIMIZE TABLE peer.spans FINAL")
    store.query("SET use_query_condition_cache = 0")
    version = str(store.query("SELECT version()", "TSV")).strip()
    return version, lambda text: json.loads(str(store.query(text.replace("JOIN spans", "JOIN peer.spans").replace("FROM spans", "FROM peer.spans"), "JSONCompact")))["data"]


def duckdb_peer(folder, path, keep):
    import duckdb
    db = duckdb.connect(os.path.join(folder, "duck.db"))
    if not keep:
        types = ", ".join(f"'{name}': '{'VARCHAR' if kind == 'BLOB' else kind}'" for name, _, kind in COLUMNS)
        # As in ClickHouse, what isn't there is empty text or 0.
        select = ", ".join(
            f"unhex(coalesce({name}, '')) AS {name}" if kind == "BLOB" else f"coalesce({name}, {repr('') if kind == 'VARCHAR' else 0}) AS {name}"
            for name, _, kind in COLUMNS)
        db.execute(f"CREATE TABLE spans AS SELECT {select} FROM read_csv('{path}', header=false, columns={{{types}}})")
        db.execute("CHECKPOINT")
    return duckdb.__version__, lambda text: db.execute(text).fetchall()


def best(runs, ask):
    took = []
    for _ in range(runs + 1):
        began = time.perf_counter()
        answer = ask()
        took.append(time.perf_counter() - began)
    return min(took[1:]) * 1e3, answer


def agree(query, mine, peer):
    """Whether two answers are the same, text and missing values apart where only numbers are compared."""
    peer = [[y for x in row for y in (x if isinstance(x, list) else [x])] for row in peer]
    if len(mine) != len(peer):
        return False
    tolerance = 0.02 if query.get("approximate") else 1e-9
    for left, right in zip(mine, peer):
        for n in query.get("compare", range(len(left))):
            x, y = left[n] or 0, right[n] or 0
            try:
                if not math.isclose(float(x), float(y), rel_tol=tolerance, abs_tol=tolerance):
                    return False
            except ValueError:
                if (x or "") != (y or ""):
                    return False
    return True


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", required=True)
    options.add_argument("--api", help="of a linteld that runs on DIR")
    options.add_argument("--linteld", default=os.path.join(ROOT, ".build/release/linteld"))
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--keep", action="store_true")
    options = options.parse_args()
    folder = options.data.rstrip("/") + ".peers"
    # Its linteld ends with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    lintel = Lintel(options)
    try:
        compare(options, lintel, folder)
    finally:
        lintel.stop()


def compare(options, lintel, folder):
    if not options.keep:
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
    path = os.path.join(folder, "spans.csv")
    if options.keep:
        first, last, count = (int(x) for x in lintel.ask("SELECT min(start_time), max(start_time), count(*) FROM spans")[0])
    else:
        first, last, count = export(lintel, path)
    ch_version, ch = clickhouse(folder, path, options.keep)
    duck_version, duck = duckdb_peer(folder, path, options.keep)
    if os.path.exists(path):
        os.remove(path)
    values = {
        "app": lintel.ask("SELECT app_id, count(*) AS n FROM spans GROUP BY app_id ORDER BY n DESC LIMIT 1 OFFSET 20")[0][0],
        "trace": lintel.ask(f"SELECT trace_id FROM spans WHERE start_time >= {(first + last) // 2} LIMIT 1")[0][0],
        "late": last - (last - first) // 100,
    }
    print(f"{count} spans, {os.cpu_count()} cores ({processor()}), ClickHouse {ch_version} (chdb), DuckDB {duck_version}\n")
    print("| query | Lintel ms | ClickHouse ms | DuckDB ms | better peer / Lintel |\n|---|---|---|---|---|")
    logs, odd = [], []
    for query in json.load(open(os.path.join(HERE, "queries.json"))):
        text = query["spanql"].format(**values)
        mine, answer = best(options.runs, lambda: lintel.ask(text))
        theirs = []
        for name, ask in (("clickhouse", ch), ("duckdb", duck)):
            sql = query.get(name, query.get("sql", "")).format(**values)
            ms, rows = best(options.runs, lambda: ask(sql))
            theirs.append(ms)
            if "exact" not in query and not agree(query, answer, rows):
                odd.append(f"{query['name']} ({name})")
        # The peers' own estimates may be further off than ours may be.
        if "exact" in query and not agree(query, answer, duck(query["exact"])):
            odd.append(query["name"])
        ratio = min(theirs) / mine
        logs.append(math.log(ratio))
        print(f"| {query['name']} | {mine:.2f} | {theirs[0]:.2f} | {theirs[1]:.2f} | {ratio:.2f} |", flush=True)
    print(f"\nGeometric mean: {math.exp(sum(logs) / len(logs)):.2f}. Answers that differ: {', '.join(odd) or 'none'}.")


def processor():
    with open("/proc/cpuinfo") as file:
        return next((line.split(":")[1].strip() for line in file if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
