#!/usr/bin/env python3
"""Erases users of a copy of a store, and measures what that takes.

    Benchmarks/erasure.py --linteld .build/release/linteld --data STORE --work DIR --users USERS.txt [--count 1]

STORE is copied to DIR/store, which must not exist, and never touched. USERS.txt has a user id a line; the first --count
of them are erased in one statement. Prints the time until the answer, until a query shows none of them, and until the
receipt is there; what was written for it; what is left of them in any file; and whether the rows of others are the same.
"""
import argparse, hashlib, http.client, json, os, shutil, subprocess, sys, time


class Server:
    def __init__(self, linteld, data):
        self.process = subprocess.Popen(
            [linteld, "serve", "--data", data, "--otlp-http", "127.0.0.1:0", "--api", "127.0.0.1:0"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.port = int(self.process.stdout.readline().rstrip().rsplit(":", 1)[1])

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


def files(data):
    return [os.path.join(folder, name) for folder, _, names in os.walk(data) for name in names]


def holding(data, patterns):
    found = []
    for path in files(data):
        content = open(path, "rb").read()
        found += [f"{os.path.relpath(path, data)}: {name}" for name, pattern in patterns if pattern in content]
    return found


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
    parser.add_argument("--organizations", type=int, default=3, help="of so many small ones all columns are compared")
    options = parser.parse_args()
    users = [line.rstrip("\n") for line in open(options.users) if line.strip()][:options.count]
    data = os.path.join(options.work, "store")
    shutil.copytree(options.data, data)
    server = Server(options.linteld, data)
    try:
        theirs = ", ".join(f"hash_user({quoted(user)})" for user in users)
        rows = server.rows(f"SELECT count(*) FROM spans WHERE user_hash IN ({theirs})")[0][0]
        total = server.rows("SELECT count(*) FROM spans")[0][0]
        hashes = [server.rows(f"SELECT hash_user({quoted(user)})")[0][0] for user in users]
        small = server.rows("SELECT org_id, count(*) AS n FROM spans WHERE org_id IS NOT NULL GROUP BY org_id "
                            f"HAVING count(*) > 100 ORDER BY n, org_id LIMIT {options.organizations}")
        chosen = [row[0] for row in small]
        before, _ = others(server, theirs, chosen)
        size = sum(os.path.getsize(path) for path in files(data))
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
        share = rows / total * size
        print(f"answered after {answered:.3f} s; {left} rows left in a query {invisible:.3f} s after the request")
        print(f"gone from files, verified and signed after {gone:.1f} s, {processor:.1f} s of processor time")
        print(f"{len(text['parts'])} parts written anew: {parts / 1e6:.1f} MB, {parts / max(share, 1):.0f} times the users' "
              f"share of {share / 1e6:.3f} MB; {written / 1e6:.1f} MB written by the process in all")
        print(f"verification: {text['verification']['result']}, {text['verification']['files']} files")
        after, count = others(server, theirs, chosen)
        print("rows of others: " + ("the same" if after == before else "DIFFERENT") + f", {count} of them")
    finally:
        server.stop()
    patterns = []
    for user, digits in zip(users, hashes):
        key = bytes.fromhex(digits)
        patterns += [("raw id", user.encode()), ("hash in hexadecimal", digits.encode()), ("hash", key),
                     ("hash, lowest byte first", key[::-1])]
    found = holding(data, patterns) if len(users) <= 10 else holding(data, patterns[:40])
    print("a search of every file finds " + (", ".join(found) if found else "nothing of them"))
    check = subprocess.run([options.linteld, "verify-receipt", os.path.join(options.work, "receipt")], capture_output=True)
    print("receipt: " + (check.stdout.decode().split("\n")[0] or check.stderr.decode()))


main()
