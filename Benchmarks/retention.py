#!/usr/bin/env python3
"""Lets most rows of a copy of a store expire, and measures how soon they are gone and what that takes.

    Benchmarks/retention.py --linteld .build/release/linteld --data STORE --work DIR [--share 0.9]
    .. --fill        DIR is on a small file system, which is full meanwhile

STORE is copied to DIR/store, which must not exist, and never touched. A retention is set by which --share of the parts that
hold rows, the oldest, expire. Prints the time until the answer, until a query shows none of their rows, and until their files
are gone; the bytes freed, and those written for it; and whether the rows that stay are the same.
"""
import argparse, hashlib, json, os, shutil, sys, time
import http.client

from erasure import Server, files

SECOND = 1_000_000_000
# What the new rule and its line in the audit log need.
SLACK_BYTES = 64 << 10


def fill(folder):
    """Takes all room of a file system but for a little."""
    if os.statvfs(folder).f_blocks * os.statvfs(folder).f_frsize > 16 << 30:
        sys.exit("--fill wants --work on a file system of 16 GiB at most: it fills it")
    path = os.path.join(folder, "ballast")
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                pass
        file.truncate(max(0, os.path.getsize(path) - SLACK_BYTES))


def sent(server, ingest):
    """The status that a span gets."""
    now = time.time_ns()
    span = {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": f"{now & (1 << 63) - 1 | 1:016x}", "name": "after",
            "startTimeUnixNano": str(now), "endTimeUnixNano": str(now + 1)}
    connection = http.client.HTTPConnection("127.0.0.1", ingest, timeout=60)
    connection.request("POST", "/v1/traces", json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}),
                       {"Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def digest(server, since):
    rows = server.rows(
        "SELECT org_id, count(*), sum(duration), sum(input_tokens), sum(reported_cost), min(start_time), max(start_time) "
        f"FROM spans WHERE start_time >= {since} AND name <> 'after' GROUP BY org_id ORDER BY org_id")
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest(), sum(row[1] for row in rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--linteld", "--data", "--work"):
        parser.add_argument(name, required=True)
    parser.add_argument("--share", type=float, default=0.9, help="of the rows, as far as parts allow")
    parser.add_argument("--fill", action="store_true", help="fills the file system of --work")
    parser.add_argument("--margin", type=int, default=120, help="seconds of rows behind those that aren't compared: they expire meanwhile")
    options = parser.parse_args()
    data = os.path.join(options.work, "store")
    shutil.copytree(options.data, data)
    server = Server(options.linteld, data, "--scrub-rate", "0")
    try:
        total = server.rows("SELECT count(*) FROM spans")[0][0]
        shown = json.loads(server.ask("POST", "/v1/query", json.dumps({"query": "SHOW PARTS FROM spans"})))
        names = [column["name"] for column in shown["columns"]]
        parts = sorted((dict(zip(names, row)) for row in shown["rows"]), key=lambda part: part["max_time"])
        chosen, rows = [], 0
        for part in parts:
            if chosen and rows >= options.share * total:
                break
            chosen, rows = chosen + [part], rows + part["rows"]
        size = sum(os.path.getsize(path) for path in files(data))
        # The rows up to the whole second behind the last of them, wherever they are.
        cutoff = (chosen[-1]["max_time"] // SECOND + 2) * SECOND
        going = server.rows(f"SELECT count(*) FROM spans WHERE start_time < {cutoff}")[0][0]
        since = cutoff + options.margin * SECOND
        before, stay = digest(server, since)
        print(f"{total} rows in {len(parts)} parts, {size / 1e6:.0f} MB; to go: {going} rows ({going / total:.1%}), "
              f"of which {rows} in {len(chosen)} parts that expire whole")
        if options.fill:
            fill(options.work)
            print(f"room left: {os.statvfs(options.work).f_bavail * os.statvfs(options.work).f_frsize} bytes")
        written, processor = server.written_bytes(), server.processor_seconds()
        seconds = time.time_ns() // SECOND - cutoff // SECOND
        names = {part["part"].rsplit("/", 1)[1] for part in chosen}
        start = time.monotonic()
        server.rows(f"ALTER TABLE spans SET RETENTION {seconds}s")
        answered = time.monotonic() - start
        left = server.rows(f"SELECT count(*) FROM spans WHERE start_time < {cutoff}")[0][0]
        invisible = time.monotonic() - start
        while any(os.path.basename(path) in names for path in files(data)):
            if time.monotonic() - start > 300:
                sys.exit("the parts are still there after five minutes")
            time.sleep(0.005)
        gone = time.monotonic() - start
        freed = size - sum(os.path.getsize(path) for path in files(data))
        print(f"answered after {answered:.3f} s; {left} of their rows in a query {invisible:.3f} s after the statement")
        print(f"files of {len(chosen)} parts gone after {gone:.3f} s: {freed / 1e6:.1f} MB freed, "
              f"{(server.written_bytes() - written) / 1e6:.2f} MB written, {server.processor_seconds() - processor:.2f} s of "
              "processor time")
        if options.fill:
            print(f"a span that is sent now: {sent(server, server.ingest)}; "
                  f"problems: {server.rows('SHOW PROBLEMS')}")
        print("rows that stay: " + ("the same" if digest(server, since)[0] == before else "DIFFERENT") + f", {stay} of them")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
