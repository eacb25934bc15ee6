#!/usr/bin/env python3
"""A thousand clients with small queries at one time, on a running linteld.

    crowd.py --data DIR [--clients 1000] [--rounds 5]

Each client keeps a connection of its own and asks again as soon as it has its answer, so often. Prints how many were
answered, and how; queries a second, latencies, and the server's peak memory.
"""

import argparse, asyncio, collections, json, os, time

from serving import ROOT, Server, quantile


async def client(host, port, texts, rounds, took, statuses):
    reader, writer = await asyncio.open_connection(host, port)
    for text in texts[:rounds]:
        body = json.dumps({"query": text}).encode()
        while True:
            began = time.perf_counter()
            writer.write(
                b"POST /v1/query HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = next(int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("content-length"))
            await reader.readexactly(length)
            status = int(head.split()[1])
            statuses[status] += 1
            if status != 503:
                break
            await asyncio.sleep(0.2)
        took.append(time.perf_counter() - began)
    writer.close()


async def crowd(server, clients, rounds):
    link = server.link()
    traces = [row[0] for row in link.ask(f"SELECT trace_id FROM spans LIMIT {clients}")]
    apps = [row[0] for row in link.ask("SELECT app_id FROM spans GROUP BY app_id")]
    took, statuses = [], collections.Counter()
    tasks = []
    for number in range(clients):
        texts = [
            f"SELECT count(*) AS n, sum(duration) AS d FROM spans WHERE trace_id = '{traces[(number + n) % len(traces)]}'" if n % 2 == 0
            else f"SELECT name, count(*) AS n FROM spans WHERE app_id = '{apps[(number + n) % len(apps)]}' GROUP BY name ORDER BY n DESC LIMIT 5"
            for n in range(rounds)]
        tasks.append(client(server.api.hostname, server.api.port, texts, rounds, took, statuses))
    began = time.perf_counter()
    await asyncio.gather(*tasks)
    return took, statuses, time.perf_counter() - began


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True)
    p.add_argument("--linteld", default=os.path.join(ROOT, ".build/release/linteld"))
    p.add_argument("--clients", type=int, default=1000)
    p.add_argument("--rounds", type=int, default=5)
    a = p.parse_args()
    server = Server(a.linteld, a.data)
    try:
        took, statuses, seconds = asyncio.run(crowd(server, a.clients, a.rounds))
        print(f"{a.clients} clients, {len(took)} queries answered of {a.clients * a.rounds}; statuses {dict(statuses)}")
        print(f"{len(took) / seconds:,.0f} queries/s; p50 {quantile(took, 0.5) * 1e3:.0f} ms, p99 {quantile(took, 0.99) * 1e3:.0f} ms, max {max(took) * 1e3:.0f} ms")
        print("VmHWM %.0f MiB, VmRSS %.0f MiB" % server.memory())
    finally:
        server.stop()


if __name__ == "__main__":
    main()
