#!/usr/bin/env python3
"""Loads published traces into Lintel and ClickHouse (chdb), and prints what each takes.

    compare.py --traces DIR --bin DIR [--only TEXT] [--work DIR] [--port 14318]

DIR holds files as sources.py knows them, also in subfolders; --bin holds linteld and spanql. Of Lintel all files of the
data directory count, after OPTIMIZE and a clean stop: parts, manifest, write-ahead log, secret. Of ClickHouse only the
bytes of the active parts do, after OPTIMIZE FINAL. Ends with 1 unless Lintel is smaller on each trace. Needs: chdb, zstd.
"""
import argparse, http.client, multiprocessing, os, shutil, socket, subprocess, sys, tempfile, time
import clickhouse, sources
from spans import otlp_bodies


def bytes_of_files(directory):
    return sum(os.path.getsize(os.path.join(root, name)) for root, _, names in os.walk(directory) for name in names)


def wait_for(port, server):
    for _ in range(200):
        try: return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError: time.sleep(0.05)
        if server.poll() is not None: raise SystemExit("linteld ended, see its log")
    raise SystemExit("linteld doesn't listen")


def lintel(spans, directory, binaries, port):
    """Bytes of the store, and of its parts alone."""
    shutil.rmtree(directory, ignore_errors=True)
    with open(directory + ".log", "w") as log:
        server = subprocess.Popen([f"{binaries}/linteld", "serve", "--data", directory, "--otlp-http", f"127.0.0.1:{port}",
                                   "--api", f"127.0.0.1:{port + 1}"], stdout=log, stderr=log)
        try:
            wait_for(port + 1, server)
            link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            for body in otlp_bodies(spans):
                link.request("POST", "/v1/traces", body, {"Content-Type": "application/json"})
                answer = link.getresponse()
                text = answer.read()
                if answer.status != 200 or b"rejected" in text: raise SystemExit(f"linteld answered {answer.status}: {text[:300]}")
            ask = lambda query: subprocess.run([f"{binaries}/spanql", "--server", f"http://127.0.0.1:{port + 1}", "--format", "csv", "-c", query],
                                               check=True, capture_output=True, text=True).stdout.split()
            ask("OPTIMIZE TABLE spans")
            count = int(ask("SELECT count(*) AS n FROM spans")[1])
        finally:
            server.terminate()
            server.wait()
    return count, bytes_of_files(directory), bytes_of_files(f"{directory}/hot")


def in_process(spans, directory, pipe): pipe.send(clickhouse.load(spans, directory))


def peer(spans, directory):
    """In a process of its own: chdb has one store a process."""
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=in_process, args=(spans, directory, theirs))
    child.start()
    child.join()
    if child.exitcode != 0: raise SystemExit("ClickHouse could not be loaded")
    return ours.recv()


def files(directory):
    for root, _, names in sorted(os.walk(directory)):
        yield from (os.path.join(root, name) for name in sorted(names) if sources.reader(name))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--traces", required=True); p.add_argument("--bin", required=True); p.add_argument("--only", default="")
    p.add_argument("--work"); p.add_argument("--port", type=int, default=14318)
    a = p.parse_args()
    work = a.work or tempfile.mkdtemp(prefix="lintel-traces-")
    os.makedirs(work, exist_ok=True)
    print(f"{'trace':44} {'spans':>7} {'Lintel B':>10} {'parts':>10} {'ClickHouse B':>13} {'ratio':>6}  its order")
    larger = []
    for path in files(a.traces):
        file = os.path.basename(path)
        name = file.removesuffix(".zst")
        if a.only not in name: continue
        spans = sources.reader(file)(path, name.rsplit(".", 1)[0])
        stored, size, parts = lintel(spans, f"{work}/{name}-lintel", a.bin, a.port)
        theirs, order = peer(spans, f"{work}/{name}-clickhouse")
        # Spans equal in every field count once: the retry window takes them for a repeated export.
        note = "" if stored == len(spans) else f"  ({stored} spans stored)"
        print(f"{name:44} {len(spans):7} {size:10} {parts:10} {theirs:13} {size / theirs:6.3f}  {order}{note}", flush=True)
        if size >= theirs: larger.append(name)
    if not a.work: shutil.rmtree(work)
    print(f"Lintel is larger on: {', '.join(larger)}" if larger else "Lintel is smaller on each trace")
    sys.exit(1 if larger else 0)


if __name__ == "__main__":
    main()
