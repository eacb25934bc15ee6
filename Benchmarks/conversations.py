#!/usr/bin/env python3
"""Stores conversations, and measures what their content takes: room, time to take it, to search it and to read it back.

    Benchmarks/conversations.py --linteld .build/release/linteld --bodies DIR --work DIR [--duckdb]

--bodies has OTLP requests (*.pb) whose spans carry gen_ai.input.messages and gen_ai.output.messages as texts. Every span's
are compared to what was sent, byte for byte. With --duckdb the same texts are searched by DuckDB, from its own file.
Needs: opentelemetry-proto, for --duckdb duckdb and pyarrow.
"""
import argparse, glob, http.client, json, os, re, sys, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "load"))
from serving import Server

WORDS = ["refund", "staren", "assistant\", \"parts\"", "zzzzz", "tool%17"]


def sent(paths):
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
    texts = {}
    for path in paths:
        request = trace_service_pb2.ExportTraceServiceRequest()
        request.ParseFromString(open(path, "rb").read())
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    values = {a.key: a.value.string_value for a in span.attributes}
                    texts[span.span_id.hex()] = (values.get("gen_ai.input.messages"), values.get("gen_ai.output.messages"))
    return texts


def post(server, paths, connections):
    bodies = [open(path, "rb").read() for path in paths]
    turn, lock = iter(bodies), threading.Lock()

    def send():
        link = http.client.HTTPConnection(server.otlp.hostname, server.otlp.port, timeout=600)
        while True:
            with lock:
                body = next(turn, None)
            if body is None:
                return
            while True:
                link.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
                answer = link.getresponse()
                answer.read()
                if answer.status == 200:
                    break
                if answer.status not in (429, 503):
                    sys.exit(f"a body was answered with {answer.status}")
                time.sleep(0.05)

    threads = [threading.Thread(target=send) for _ in range(connections)]
    began = time.time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.time() - began
    total = sum(map(len, bodies))
    print(f"taken: {total / 1e6:.0f} MB in {seconds:.2f} s, {total / 1e6 / seconds:.0f} MB/s over {connections} connections")


def size(folder):
    return sum(os.path.getsize(os.path.join(f, n)) for f, _, names in os.walk(folder) for n in names)


def timed(body, runs=5):
    times = []
    for _ in range(runs):
        began = time.time()
        answer = body()
        times.append(time.time() - began)
    return answer, sorted(times)[len(times) // 2], times[0]


def look_up(link):
    """Messages by their digests: each one that a sample of spans says, among them and not found elsewhere."""
    said = link.ask("SELECT input_digests, input, org_id FROM spans WHERE input_digests IS NOT NULL ORDER BY span_id LIMIT 400")
    times, found, wrong = [], 0, 0
    for digests, text, org in said:
        digests = json.loads(digests) if isinstance(digests, str) else digests
        digest = digests[len(digests) // 2]
        place = f"'{digest}'" + (f", '{org}'" if org is not None else "")
        began = time.perf_counter()
        message = link.ask(f"SELECT content({place})")[0][0]
        times.append(time.perf_counter() - began)
        found += message is not None
        wrong += message is None or message not in text
        wrong += link.ask(f"SELECT content('{digest}', 'somebody else')")[0][0] is not None
    times.sort()
    print(f"by digest: {found} of {len(said)} messages, {wrong} wrong; median {times[len(times) // 2] * 1e3:.2f} ms, "
          f"95 % {times[len(times) * 95 // 100] * 1e3:.2f} ms, slowest {times[-1] * 1e3:.2f} ms, over HTTP")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--linteld", required=True)
    parser.add_argument("--bodies", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--duckdb", action="store_true")
    given = parser.parse_args()
    paths = sorted(glob.glob(os.path.join(given.bodies, "*.pb")))
    data = os.path.join(given.work, "store")
    if os.path.exists(data):
        sys.exit(f"{data} is there already")
    server = Server(given.linteld, data)
    link = server.link(3600)
    post(server, paths, given.connections)
    began = time.time()
    link.ask("OPTIMIZE TABLE spans")
    print(f"merged in {time.time() - began:.1f} s")
    print(f"memory: peak {server.memory()[0]:.0f} MiB")
    for folder in ("content", "hot", ""):
        print(f"{folder or 'whole store'}: {size(os.path.join(data, folder)) / 1e6:.2f} MB")
    texts = sent(paths)
    spans = link.ask("SELECT count(*) FROM spans")[0][0]
    wrong, seen = 0, 0
    low, high = link.ask("SELECT min(start_time), max(start_time) FROM spans")[0]
    steps, began = 40, time.time()
    bounds = [int(low) + (int(high) - int(low) + 1) * i // steps for i in range(steps)] + [int(high) + 1]
    for first, last in zip(bounds, bounds[1:]):
        for span, said, answered in link.ask(
            f"SELECT span_id, input, output FROM spans WHERE start_time >= {first} AND start_time < {last}"
        ):
            seen += 1
            wrong += texts[span] != (said, answered)
    print(f"read back: {seen} of {spans} spans ({len(texts)} sent) in {time.time() - began:.1f} s, {wrong} wrong")
    own = {}
    for word in WORDS:
        query = f"SELECT count(*) FROM spans WHERE input LIKE '%{word}%'"
        answer, median, first = timed(lambda: link.ask(query)[0][0])
        pattern = re.compile(".*".join(map(re.escape, word.split("%"))), re.DOTALL)
        expected = sum(bool(pattern.search(said or "")) for said, _ in texts.values())
        own[word] = median
        print(f"input LIKE '%{word}%': {answer} ({'right' if answer == expected else f'WRONG, {expected}'}), "
              f"{median * 1e3:.1f} ms, first {first * 1e3:.1f} ms")
    look_up(link)
    server.stop()
    print(f"closed: {size(data) / 1e6:.2f} MB")
    if given.duckdb:
        import duckdb, pyarrow
        file = os.path.join(given.work, "texts.duckdb")
        spans = pyarrow.table({"input": [said for said, _ in texts.values()], "output": [out for _, out in texts.values()]})
        base = duckdb.connect(file)
        base.execute("CREATE TABLE said AS SELECT * FROM spans")
        base.execute("CHECKPOINT")
        for word in WORDS:
            query = f"SELECT count(*) FROM said WHERE input LIKE '%{word}%'"
            answer, median, first = timed(lambda: base.execute(query).fetchone()[0])
            print(f"duckdb '%{word}%': {answer}, {median * 1e3:.1f} ms, first {first * 1e3:.1f} ms: {median / own[word]:.1f} x Lintel's")


if __name__ == "__main__":
    main()
