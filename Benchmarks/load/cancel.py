#!/usr/bin/env python3
"""How long a heavy query goes on after it was told to stop, through a running linteld.

    cancel.py --data DIR [--points 25] [--only TEXT]

Each query runs to its end once; then it is stopped at so many points of that time: by its time limit (the answer's lateness is
the delay), and by a client that closes its connection (until the server counts no query any more). Prints the worst and the
90th percentile of both in milliseconds. The bar is 50.
"""

import argparse, json, os, socket, time

from serving import ROOT, Server, quantile

HEAVY = [
    ("group by trace", "SELECT trace_id, count(*) AS n, sum(duration) AS d FROM spans GROUP BY trace_id ORDER BY d DESC LIMIT 10"),
    ("group by span", "SELECT span_id, count(*) AS n, max(duration) AS d FROM spans GROUP BY span_id ORDER BY d DESC LIMIT 10"),
    ("group by text", "SELECT session_id, name, count(*) AS n FROM spans GROUP BY session_id, name ORDER BY n DESC LIMIT 10"),
    ("order by, no limit", "SELECT duration FROM spans ORDER BY duration"),
    ("order by text", "SELECT span_id FROM spans ORDER BY name, session_id, duration DESC LIMIT 2000000"),
    ("join child", "SELECT count(*) AS n, sum(b.duration) AS d FROM spans AS a JOIN CHILD spans AS b WHERE a.duration >= 0"),
    ("join sibling", "SELECT count(*) AS n FROM spans AS a JOIN SIBLING spans AS b WHERE a.duration >= 0"),
    ("join descendant", "SELECT count(*) AS n FROM spans AS a JOIN DESCENDANT spans AS b WHERE a.operation = 'invoke_agent'"),
    ("count distinct", "SELECT count(DISTINCT span_id) AS n, count(DISTINCT session_id) AS s FROM spans"),
    ("count distinct by name", "SELECT name, count(DISTINCT span_id) AS n FROM spans GROUP BY name"),
    ("exact quantiles", "SELECT quantile_exact(duration, 0.5) AS a, quantile_exact(duration, 0.99) AS b FROM spans"),
    ("histogram", "SELECT histogram(duration, 50) AS h FROM spans"),
    ("top k", "SELECT top_k(span_id, 5) AS t FROM spans"),
    ("distinct", "SELECT DISTINCT trace_id, name FROM spans ORDER BY name LIMIT 10"),
    ("semi-join", "SELECT count(*) AS n FROM spans WHERE trace_id IN (SELECT trace_id FROM spans WHERE duration > 1ms)"),
    ("regular expression", "SELECT count(*) AS n FROM spans WHERE session_id ~ '(a|b|c)+[0-9]*[def]$'"),
    ("every row", "SELECT trace_id, span_id, name, duration, start_time FROM spans LIMIT 4000000"),
]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True)
    p.add_argument("--linteld", default=os.path.join(ROOT, ".build/release/linteld"))
    p.add_argument("--points", type=int, default=25)
    p.add_argument("--only", default="")
    a = p.parse_args()
    server = Server(a.linteld, a.data, ["--query-memory", "4GiB", "--max-answer", "1GiB"])
    worst = 0
    try:
        link = server.link()
        print(f"{'query':26s} {'whole':>9s}   {'by limit: p90':>14s} {'worst':>8s}   {'by closing: p90':>15s} {'worst':>8s}   (ms)")
        for name, text in HEAVY:
            if a.only not in name:
                continue
            took = whole(server, text)
            late, closed = [], []
            for point in range(a.points):
                moment = took * (point + 0.5) / a.points
                late += by_limit(link, text, moment)
                closed += by_closing(server, link, text, moment)
            worst = max([worst, *late, *closed])
            print(
                f"{name:26s} {took * 1e3:9.1f}   {quantile(late, 0.9) * 1e3:14.1f} {max(late, default=0) * 1e3:8.1f}"
                f"   {quantile(closed, 0.9) * 1e3:15.1f} {max(closed, default=0) * 1e3:8.1f}", flush=True)
    finally:
        print("VmHWM %.0f MiB" % server.memory()[0])
        server.stop()
    print(f"worst: {worst * 1e3:.1f} ms")


def send(server, text):
    link = socket.create_connection((server.api.hostname, server.api.port))
    body = json.dumps({"query": text}).encode()
    link.sendall(
        b"POST /v1/query HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    return link


def whole(server, text):
    """Seconds until the first byte of the answer: the query itself, and the first piece of its text."""
    best = float("inf")
    for _ in range(2):
        began = time.perf_counter()
        link = send(server, text)
        if not link.recv(64).startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"{text}: no answer")
        best = min(best, time.perf_counter() - began)
        link.close()
    return best


def by_limit(link, text, moment):
    began = time.perf_counter()
    status, _ = link.request(text, moment)
    return [time.perf_counter() - began - moment] if status == 504 else []


def by_closing(server, link, text, moment):
    query = send(server, text)
    time.sleep(moment)
    if link.gauge("lintel_queries_in_flight") == 0:
        query.close()
        return []
    query.close()
    began = time.perf_counter()
    while link.gauge("lintel_queries_in_flight") > 0:
        pass
    return [time.perf_counter() - began]


if __name__ == "__main__":
    main()
