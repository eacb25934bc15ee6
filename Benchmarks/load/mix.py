#!/usr/bin/env python3
"""Asks a running linteld a mix of queries from several connections: first on a quiet store, then while spans come in.

    mix.py --data DIR --bodies DIR [--queries FILE] [--rate 50000] [--seconds 30] [--connections 3] [--optimize]

--data is a store that may be written (it grows); --bodies holds OTLP bodies (*.pb) that aren't in it yet, as `lintel-bench
generate --otlp` writes them. Queries are those of Benchmarks/peers, or of FILE in the same form. Prints for each query p50
and p99 in both phases, their ratio, and for the mix as a whole; the spans a second that were taken; the server's peak
memory. --optimize runs OPTIMIZE in the same process between loading and asking, so that the peak covers all three.
"""

import argparse, itertools, os, random, threading, time

from serving import ROOT, Sender, Server, quantile, queries


def phase(server, mix, connections, seconds):
    """Seconds that each query took, by name."""
    took, lock = {name: [] for name, _ in mix}, threading.Lock()
    end = time.perf_counter() + seconds

    def work(seed):
        link, order = server.link(), random.Random(seed)
        while time.perf_counter() < end:
            name, text = order.choice(mix)
            began = time.perf_counter()
            link.ask(text)
            with lock:
                took[name].append(time.perf_counter() - began)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True)
    p.add_argument("--bodies", required=True)
    p.add_argument("--queries", default=os.path.join(ROOT, "Benchmarks/peers/queries.json"))
    p.add_argument("--linteld", default=os.path.join(ROOT, ".build/release/linteld"))
    p.add_argument("--rate", type=int, default=50_000, help="spans a second")
    p.add_argument("--body-spans", type=int, default=500)
    p.add_argument("--seconds", type=float, default=30)
    p.add_argument("--connections", type=int, default=3)
    p.add_argument("--optimize", action="store_true")
    p.add_argument("--flag", action="append", default=[], help="for linteld, as in --flag=--cache=256MiB")
    a = p.parse_args()
    flags = list(itertools.chain.from_iterable(flag.split("=", 1) for flag in a.flag))
    server = Server(a.linteld, a.data, flags)
    try:
        link = server.link()
        if a.optimize:
            link.ask("OPTIMIZE spans")
            print("after OPTIMIZE: VmHWM %.0f MiB, VmRSS %.0f MiB" % server.memory())
        mix = queries(a.queries, link)
        for _, text in mix:
            link.ask(text)
        quiet = phase(server, mix, a.connections, a.seconds)
        print("after the quiet phase: VmHWM %.0f MiB, VmRSS %.0f MiB" % server.memory())
        sender = Sender(server.otlp, a.bodies, a.rate, a.body_spans)
        sender.start()
        busy = phase(server, mix, a.connections, a.seconds)
        sender.stop()
        print(f"{'query':28s} {'quiet p50':>10s} {'p99':>9s} {'busy p50':>10s} {'p99':>9s}   p99 ratio   (ms)")
        for name, _ in mix:
            print_row(name, quiet[name], busy[name])
        print_row("the mix", *(list(itertools.chain.from_iterable(x.values())) for x in (quiet, busy)))
        print(f"{sender.sent / sender.seconds:,.0f} spans/s taken, {sender.refused} refusals, {sender.failed} failed")
        print("at the end: VmHWM %.0f MiB, VmRSS %.0f MiB" % server.memory())
    finally:
        server.stop()


def print_row(name, quiet, busy):
    ms = [quantile(x, rank) * 1e3 for x in (quiet, busy) for rank in (0.5, 0.99)]
    print(f"{name:28s} {ms[0]:10.2f} {ms[1]:9.2f} {ms[2]:10.2f} {ms[3]:9.2f}   {ms[3] / ms[1]:9.2f}   ({len(quiet)}, {len(busy)})")


if __name__ == "__main__":
    main()
