#!/usr/bin/env python3
"""Kills linteld (-9) at random moments of an ingest and checks what it acknowledged.

    kill.py --bin FOLDER [--kills 50] [--seed 1]

Several connections send batches without a pause; at a random moment the process is killed and started again. A batch whose
answer was lost is sent again, as a client's exporter would. At the end of each cycle every acknowledged span must be there,
exactly once, with its content; so must nothing that was never sent.
"""
import argparse
import http.client
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest  # noqa: E402
from server import Linteld  # noqa: E402


def batch(numbers):
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    scope.scope.name = "kill"
    for number in numbers:
        span = scope.spans.add()
        span.trace_id, span.span_id = (number // 7 + 1).to_bytes(16, "big"), (number + 1).to_bytes(8, "big")
        span.name, span.start_time_unix_nano, span.end_time_unix_nano = f"span {number}", 10**18 + number, 10**18 + 2 * number
        attribute = span.attributes.add()
        attribute.key, attribute.value.int_value = "number", number
    return request.SerializeToString()


class Sender(threading.Thread):
    """Sends numbered batches; keeps sending the one whose answer it has not seen."""

    def __init__(self, server, numbers, acknowledged, stop):
        super().__init__(daemon=True)
        self.server, self.numbers, self.acknowledged, self.stop_event = server, numbers, acknowledged, stop

    def run(self):
        link = None
        while not self.stop_event.is_set():
            first = next(self.numbers)
            body, numbers = batch(range(first, first + 50)), range(first, first + 50)
            while not self.stop_event.is_set():
                try:
                    link = link or http.client.HTTPConnection("127.0.0.1", self.server.otlp, timeout=10)
                    link.request("POST", "/v1/traces", body, {"content-type": "application/x-protobuf"})
                    answer = link.getresponse()
                    answer.read()
                    if answer.status == 200:
                        self.acknowledged.extend(numbers)
                        break
                except (OSError, http.client.HTTPException):
                    link = None
                time.sleep(0.02)


class Numbers:
    def __init__(self):
        self.lock, self.next_number = threading.Lock(), 0

    def __next__(self):
        with self.lock:
            self.next_number += 50
            return self.next_number - 50


def check(server, acknowledged):
    rows = server.query("SELECT attributes['number'] AS n, count(*) AS times, min(duration) AS low, max(duration) AS high, min(name) AS name FROM spans GROUP BY n")
    stored = {row[0]: row for row in rows}
    lost = [n for n in acknowledged if n not in stored]
    repeated = [n for n, row in stored.items() if row[1] != 1]
    damaged = [n for n, row in stored.items() if not (row[2] == row[3] == n and row[4] == f"span {n}")]
    return lost, repeated, damaged


def run(bin, kills, seed):
    """Returns (acknowledged, lost, repeated, damaged) over all cycles."""
    chance = random.Random(seed)
    numbers, acknowledged = Numbers(), []
    # Small memtables, so that kills fall into flushes and merges too.
    with Linteld(bin, "--write-memory", "8MiB") as server:
        lost, repeated, damaged = [], [], []
        for _ in range(kills):
            stop = threading.Event()
            senders = [Sender(server, numbers, acknowledged, stop) for _ in range(4)]
            for sender in senders:
                sender.start()
            time.sleep(chance.uniform(0.05, 0.6))
            server.stop(9)
            server.start()
            time.sleep(0.1)  # the senders repeat what was not answered
            stop.set()
            for sender in senders:
                sender.join(15)
            lost, repeated, damaged = check(server, list(acknowledged))
            if lost or repeated or damaged:
                break
        return len(acknowledged), lost, repeated, damaged


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    count, lost, repeated, damaged = run(options.bin, options.kills, options.seed)
    print(f"seed {options.seed}: {options.kills} kills, {count} spans acknowledged, {len(lost)} lost, {len(repeated)} stored twice, {len(damaged)} damaged")
    return 1 if lost or repeated or damaged else 0


if __name__ == "__main__":
    sys.exit(main())
