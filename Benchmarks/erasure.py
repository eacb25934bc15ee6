#!/usr/bin/env python3
"""Erases users of a copy of a store, and measures what that takes.

    Benchmarks/erasure.py --linteld .build/release/linteld --data STORE --work DIR --users USERS.txt [--count 1]
    .. --warm                                all of it is moved to a warm tier first
    .. --spanql .build/release/spanql        every value of every row of others is compared, which takes minutes

STORE is copied to DIR/store, which must not exist, and never touched. USERS.txt has a user id a line; the first --count
of them are erased in one statement. Prints the time until the answer, until a query shows none of them, and until the
receipt is there; what was written for it, against 20 times the users' share of all bytes or 64 MiB, whichever is more; what
is left of them in any file; and whether the rows of others are the same.
"""
import argparse, hashlib, http.client, json, os, shutil, subprocess, sys, time

BOUND_BYTES = 64 << 20
BOUND_SHARES = 20


class Server:
    def __init__(self, linteld, data, *flags):
        self.process = subprocess.Popen(
            [linteld, "serve", "--data", data, "--otlp-http", "127.0.0.1:0", "--api", "127.0.0.1:0", *flags],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        # "linteld: ready; OTLP on http://HOST:PORT/v1/traces, queries on http://HOST:PORT"
        ready = self.process.stdout.readline().rstrip()
        self.ingest = int(ready.split("/v1/traces")[0].rsplit(":", 1)[1])
        self.port = int(ready.rsplit(":", 1)[1])

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=900)
        connection.request(method, path, body)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            sys.exit(f"{method} {path}: {answer.status} {text.decode()}")
        return text

    def rows(self, query):
        return json.loads(self.ask("POST", "/v1/query", json.dumps({"query": query, "timeout_seconds": 120})))["rows"]

    def processor_seconds(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def written_bytes(self):
        for line in open(f"/proc/{self.process.pid}/io"):
            if line.startswith("write_bytes:"):
                return int(line.split()[1])

    def stop(self):
        self.process.terminate()
        self.process.wait()


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def files(*folders):
    return [os.path.join(folder, name) for top in folders for folder, _, names in os.walk(top) for name in names]


def holding(folders, patterns):
    found = []
    for path in files(*folders):
        content = open(path, "rb").read()
        found += [f"{path}: {name}" for name, pattern in patterns if pattern in content]
    return found


def every_row(spanql, data, chunk, windows):
    """A sum over the hashes of all rows that stay, whatever their order: columns and attributes; and their number."""
    def ask(query):
        return subprocess.run([spanql, "--data", data, "--format", "json", "-c", query], check=True, capture_output=True).stdout

    first, last = json.loads(ask("SELECT min(start_time), max(start_time) FROM spans"))["rows"][0]
    keys = [row[0] for row in json.loads(ask("SHOW ATTRIBUTES FROM spans"))["rows"]]
    columns = ", ".join(["*"] + ["attributes[" + quoted(key) + "]" for key in dict.fromkeys(keys)])
    edges = [first + (last + 1 - first) * number // windows for number in range(windows + 1)]
    total, count = 0, 0
    for low, high in zip(edges, edges[1:]):
        query = (f"SELECT {columns} FROM spans WHERE start_time >= {low} AND start_time < {high} "
                 f"AND (user_hash IS NULL OR user_hash NOT IN ({chunk}))")
        process = subprocess.Popen([spanql, "--data", data, "--format", "jsonlines", "-c", query], stdout=subprocess.PIPE)
        for line in process.stdout:
            total += int.from_bytes(hashlib.blake2b(line, digest_size=16).digest(), "big")
            count += 1
        if process.wait() != 0:
            sys.exit("spanql failed")
    return total % (1 << 128), count


def others(server, chunk, organizations):
    """Of the rows that stay: sums over all of them, and every column of those of some organisations."""
    not_theirs = f"(user_hash IS NULL OR user_hash NOT IN ({chunk}))"
    digest = hashlib.sha256()
    sums = server.rows(
        "SELECT org_id, count(*), sum(duration), sum(input_tokens), sum(output_tokens), sum(reported_cost), min(start_time), "
        f"max(start_time), approx_count_distinct(trace_id) FROM spans WHERE {not_theirs} GROUP BY org_id ORDER BY org_id")
    digest.update(json.dumps(sums).encode())
    for organization in organizations:
        # Ids make the order of rows complete.
        digest.update(json.dumps(server.rows(
            f"SELECT * FROM spans WHERE org_id = {quoted(organization)} AND {not_theirs} "
            "ORDER BY start_time, trace_id, span_id")).encode())
    return digest.hexdigest(), sum(row[1] for row in sums)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--linteld", "--data", "--work", "--users"):
        parser.add_argument(name, required=True)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--warm", action="store_true", help="all parts are moved to a warm tier first")
    parser.add_argument("--spanql", help="compares every value of every row")
    parser.add_argument("--windows", type=int, default=40, help="stretches of time in which that is done")
    parser.add_argument("--organizations", type=int, default=3, help="of so many small ones all columns are compared")
    options = parser.parse_args()
    users = [line.rstrip("\n") for line in open(options.users) if line.strip()][:options.count]
    data, warm = os.path.join(options.work, "store"), os.path.join(options.work, "warm")
    shutil.copytree(options.data, data)
    server = Server(options.linteld, data, *(["--warm", warm, "--warm-after", "1s"] if options.warm else []))
    try:
        while options.warm and any(row[1] == "hot" and row[2] for row in server.rows("SHOW TIERS")):
            time.sleep(1)
        theirs = ", ".join(f"hash_user({quoted(user)})" for user in users)
        all_before = every_row(options.spanql, data, theirs, options.windows) if options.spanql else None
        rows = server.rows(f"SELECT count(*) FROM spans WHERE user_hash IN ({theirs})")[0][0]
        total = server.rows("SELECT count(*) FROM spans")[0][0]
        hashes = [server.rows(f"SELECT hash_user({quoted(user)})")[0][0] for user in users]
        small = server.rows("SELECT org_id, count(*) AS n FROM spans WHERE org_id IS NOT NULL GROUP BY org_id "
                            f"HAVING count(*) > 100 ORDER BY n, org_id LIMIT {options.organizations}")
        chosen = [row[0] for row in small]
        before, _ = others(server, theirs, chosen)
        size = sum(os.path.getsize(path) for path in files(data, warm))
        print(f"{len(users)} users, {rows} of {total} rows ({rows / total:.4%}), {size / 1e6:.0f} MB in files")
        processor, written = server.processor_seconds(), server.written_bytes()
        start = time.monotonic()
        answer = json.loads(server.ask("POST", "/v1/erasures", json.dumps({"users": users})))
        answered = time.monotonic() - start
        left = server.rows(f"SELECT count(*) FROM spans WHERE user_hash IN ({theirs})")[0][0]
        invisible = time.monotonic() - start
        numbers = [row[0] for row in answer["rows"]]
        while True:
            states = {row[0]: row[3] for row in json.loads(server.ask("GET", "/v1/erasures"))["rows"]}
            if all(states[number] == "erased" for number in numbers):
                break
            time.sleep(0.1)
        gone = time.monotonic() - start
        processor, written = server.processor_seconds() - processor, server.written_bytes() - written
        receipt = server.ask("GET", f"/v1/erasures/{numbers[0]}/receipt")
        open(os.path.join(options.work, "receipt"), "wb").write(receipt)
        text = json.loads(receipt.split(b"\n")[0])
        parts = sum(part["bytes_written"] for part in text["parts"])
        content = sum(segment["bytes_written"] for segment in text["content"])
        share = rows / total * size
        bound = max(BOUND_SHARES * share, BOUND_BYTES)
        print(f"answered after {answered:.3f} s; {left} rows left in a query {invisible:.3f} s after the request")
        print(f"gone from files, verified and signed after {gone:.1f} s, {processor:.1f} s of processor time")
        print(f"{len(text['parts'])} parts written anew: {parts / 1e6:.1f} MB, {parts / max(share, 1):.0f} times the users' "
              f"share of {share / 1e6:.3f} MB; {content / 1e6:.1f} MB of content; {written / 1e6:.1f} MB written by the "
              f"process in all: {'within' if parts + content <= bound else 'MORE THAN'} {bound / 1e6:.1f} MB")
        print(f"verification: {text['verification']['result']}, {text['verification']['files']} files")
        after, count = others(server, theirs, chosen)
        print("rows of others: " + ("the same" if after == before else "DIFFERENT") + f", {count} of them")
        if all_before:
            all_after = every_row(options.spanql, data, theirs, options.windows)
            print("every value of every row of others: " + ("the same" if all_after == all_before else "DIFFERENT")
                  + f", {all_after[1]} rows")
    finally:
        server.stop()
    patterns = []
    for user, digits in zip(users, hashes):
        key = bytes.fromhex(digits)
        patterns += [("raw id", user.encode()), ("hash in hexadecimal", digits.encode()), ("hash", key),
                     ("hash, lowest byte first", key[::-1])]
    found = holding([data, warm], patterns[:400])
    print("a search of every file finds " + (", ".join(found) if found else "nothing of them"))
    check = subprocess.run([options.linteld, "verify-receipt", os.path.join(options.work, "receipt")], capture_output=True)
    print("receipt: " + (check.stdout.decode().split("\n")[0] or check.stderr.decode()))


if __name__ == "__main__":
    main()
