#!/usr/bin/env python3
"""Kills linteld (-9) at random moments of an ingest and checks what it acknowledged.

    kill.py --bin FOLDER [--kills 50] [--seed 1] [--under nothing|memory|full-disk|few-files]

Several connections send batches without a pause; at a random moment, in one cycle of five already while it recovers, the
process is killed and started again. A batch whose answer was lost is sent again, as a client's exporter would. At the end
of each cycle every acknowledged span must be there, exactly once, with its content; so must nothing that was never sent.
Of three starts one or so has too little memory for what the log holds: those rows go into parts while it recovers. The
spans say something, which is kept apart as content, and their parts move to a warm tier as soon as they can.

    memory      the kernel kills the process when it takes more than a control group allows (else: an address space limit)
    full-disk   the data lie on a small tmpfs that a file of random size fills and frees again; answers go on meanwhile
    few-files   the process may open 48 files, and idle connections hold many of them
"""
import argparse
import collections
import contextlib
import http.client
import itertools
import os
import random
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest  # noqa: E402
from server import Linteld  # noqa: E402

BATCH = 50
# A store is left for a new one after so many cycles, so that the checks stay short.
GENERATION = 100


# What each span says: the same beginning, then something of its batch. Both are pieces of content.
SAID = (
    '[{"role": "system", "content": "the instructions that every conversation begins with, which are kept once"}, '
    '{"role": "user", "content": "what was asked in batch ', ', which is long enough to be a piece of content of its own"}]')


def batch(numbers, filler="", is_talking=False):
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    scope.scope.name = "kill"
    for number in numbers:
        span = scope.spans.add()
        span.trace_id, span.span_id = (number // 7 + 1).to_bytes(16, "big"), (number + 1).to_bytes(8, "big")
        span.name, span.start_time_unix_nano, span.end_time_unix_nano = f"span {number}", 10**18 + number, 10**18 + 2 * number
        for key, value in (("number", number), ("batch", number // BATCH)):
            attribute = span.attributes.add()
            attribute.key, attribute.value.int_value = key, value
        if is_talking:
            attribute = span.attributes.add()
            attribute.key, attribute.value.string_value = "gen_ai.input.messages", str(number // BATCH).join(SAID)
        if filler:
            attribute = span.attributes.add()
            attribute.key, attribute.value.string_value = "filler", f"{number} {filler}"
    return request.SerializeToString()


class Sender(threading.Thread):
    """Sends numbered batches; keeps sending the one whose answer it has not seen."""

    def __init__(self, server, numbers, tally, stop, filler):
        super().__init__(daemon=True)
        self.server, self.numbers, self.tally, self.stop_event, self.filler = server, numbers, tally, stop, filler

    def run(self):
        link = None
        while not self.stop_event.is_set():
            number = next(self.numbers)
            body = batch(range(number * BATCH, (number + 1) * BATCH), self.filler, is_talking=True)
            while not self.stop_event.is_set():
                try:
                    link = link or http.client.HTTPConnection("127.0.0.1", self.server.otlp, timeout=10)
                    link.request("POST", "/v1/traces", body, {"content-type": "application/x-protobuf"})
                    answer = link.getresponse()
                    answer.read()
                    self.tally.statuses[answer.status] += 1
                    if answer.status == 200:
                        self.tally.acknowledged.append(number)
                        break
                except (OSError, http.client.HTTPException):
                    link = None
                time.sleep(0.01)


class Tally:
    """Of one store: the acknowledged batches' numbers, and how often each status was answered."""

    def __init__(self):
        self.acknowledged, self.statuses = [], collections.Counter()


def check(server, acknowledged):
    """Batches that are not whole, batches with a repeated span, batches with a span of another content."""
    rows = server.query(
        "SELECT attributes['batch'] AS b, count(*) AS n, count(DISTINCT span_id) AS ids, sum(attributes['number']) AS sum, "
        "sum(duration) AS time, count(DISTINCT name) AS names, min(attributes['number']) AS low, max(attributes['number']) AS high, "
        "count(*) FILTER (WHERE attributes['gen_ai.input.messages'] = "
        f"'{SAID[0]}' || CAST(attributes['batch'] AS string) || '{SAID[1]}') AS said FROM spans GROUP BY b")
    stored = {row[0]: row[1:] for row in rows}
    lost = [n for n in acknowledged if stored.get(n, (0, 0))[1] < BATCH]
    repeated = [n for n, row in stored.items() if row[0] != row[1]]
    damaged = [
        n for n, (count, ids, total, duration, names, low, high, said) in stored.items()
        if total != duration or names != ids or low < n * BATCH or high >= (n + 1) * BATCH or said != count
        or (ids == BATCH and total != sum(range(n * BATCH, (n + 1) * BATCH)))
    ]
    return lost, repeated, damaged


# MARK: What the process suffers beside being killed


class Nothing:
    flags, filler, settle = ["--write-memory", "8MiB"], "", 0.05

    def __init__(self, chance):
        self.chance = chance

    def server(self, bin):
        server = Linteld(bin)
        self.place(server, server.folder.name)
        return server

    def place(self, server, folder):
        """Where its data lie, and where old parts go: those of spans from long ago, as all of these are."""
        server.data = os.path.join(folder, "store")
        self.tiers = ["--warm", os.path.join(folder, "warm"), "--warm-after", "1s", "--move-rate", "1GiB"]
        server.flags = [*self.flags, *self.tiers]

    def flags_of_next_start(self):
        return [*(self.flags if self.chance.random() < 0.7 else ["--write-memory", "512KiB"]), *self.tiers]

    def during(self, server):
        """While the senders send, before the kill; now and then until parts move, which begins after ten seconds."""
        time.sleep(self.chance.uniform(9.8, 11.5) if self.chance.random() < 0.03 else self.chance.uniform(0.02, 0.35))

    def after(self, server):
        """The process is dead."""

    def started(self, server):
        """It runs again, before it is asked anything."""

    def close(self):
        pass


class Memory(Nothing):
    flags, filler = ["--write-memory", "64MiB", "--cache", "4MiB"], "x" * 2000
    group = "/sys/fs/cgroup/memory/lintel-crashtest"

    def server(self, bin):
        server = super().server(bin)
        try:
            os.makedirs(self.group, exist_ok=True)
            server.before_start = lambda: self._write("cgroup.procs", os.getpid())
        except OSError:
            server.before_start = lambda: resource.setrlimit(resource.RLIMIT_AS, (600 << 20, 600 << 20))
        return server

    def flags_of_next_start(self):
        return [*self.flags, *self.tiers]

    def _write(self, name, value):
        with open(f"{self.group}/{name}", "w") as file:
            file.write(str(value))

    def during(self, server):
        end = time.monotonic() + self.chance.uniform(0.1, 1.5)
        if os.path.isdir(self.group):
            with open(f"{self.group}/memory.usage_in_bytes") as file:
                self._write("memory.limit_in_bytes", int(file.read()) + self.chance.randrange(4 << 20, 32 << 20))
        while time.monotonic() < end and server.process.poll() is None:
            time.sleep(0.01)

    def after(self, server):
        # Whoever starts it again gives it more: the log that it takes up needs the memory that it was killed for.
        if os.path.isdir(self.group):
            self._write("memory.limit_in_bytes", -1)

    def close(self):
        if os.path.isdir(self.group):
            os.rmdir(self.group)


class FullDisk(Nothing):
    size = 24 << 20
    flags, filler = ["--write-memory", "4MiB"], "y" * 400

    def server(self, bin):
        server = super().server(bin)
        self.mount = tempfile.mkdtemp(prefix="lintel-disk-")
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.size}", "tmpfs", self.mount], check=True)
        self.place(server, self.mount)
        return server

    def during(self, server):
        filler = os.path.join(self.mount, "filler")
        free = os.statvfs(self.mount)
        room = int(free.f_bavail * free.f_frsize - self.chance.uniform(0, 1 << 20))
        with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
            file.write(bytes(max(0, room)))
        end = time.monotonic() + self.chance.uniform(0.05, 0.6)
        while time.monotonic() < end:
            server.query("SELECT count(*) FROM spans")
        if self.chance.random() < 0.5:
            # It is killed and started again on the full disk.
            return
        os.remove(filler)
        if self.chance.random() < 0.5:
            # It recovers by itself, in most cases before it is killed.
            time.sleep(self.chance.uniform(0.05, 0.3))

    def after(self, server):
        used, filler = os.statvfs(self.mount), os.path.join(self.mount, "filler")
        filled = os.path.getsize(filler) if os.path.exists(filler) else 0
        self.nearly_full = used.f_bavail * used.f_frsize + filled < self.size // 2

    def started(self, server):
        filler = os.path.join(self.mount, "filler")
        if os.path.exists(filler):
            server.query("SELECT count(*) FROM spans")
            os.remove(filler)

    def close(self):
        subprocess.run(["umount", "-l", self.mount], check=False)
        os.rmdir(self.mount)


class FewFiles(Nothing):
    def server(self, bin):
        server = super().server(bin)
        server.before_start = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48))
        return server

    def during(self, server):
        idle = []
        try:
            for _ in range(self.chance.randrange(60)):
                idle.append(socket.create_connection(("127.0.0.1", server.otlp), timeout=1))
        except OSError:
            pass
        super().during(server)
        for link in idle:
            link.close()


CONDITIONS = {"nothing": Nothing, "memory": Memory, "full-disk": FullDisk, "few-files": FewFiles}


# MARK: Cycles


def generation(bin, kills, chance, condition, totals):
    """One store's life of so many kills. Returns what is wrong at the first cycle where something is."""
    tally, numbers = Tally(), itertools.count()
    server = condition.server(bin)
    try:
        with server:
            for cycle in range(kills):
                stop = threading.Event()
                senders = [Sender(server, numbers, tally, stop, condition.filler) for _ in range(4)]
                for sender in senders:
                    sender.start()
                condition.during(server)
                totals["ended by themselves"] += server.process.poll() is not None
                server.stop(9)
                condition.after(server)
                if chance.random() < 0.2:
                    server.flags = condition.flags_of_next_start()
                    server.launch()
                    time.sleep(chance.uniform(0, 0.06))
                    server.stop(9)
                    totals["killed while recovering"] += 1
                server.flags = condition.flags_of_next_start()
                server.start()
                condition.started(server)
                time.sleep(condition.settle)  # the senders repeat what was not answered
                stop.set()
                for sender in senders:
                    sender.join(15)
                if server.process.poll() is not None:
                    server.start()
                wrong = check(server, list(tally.acknowledged))
                totals["cycles"] += 1
                totals["checks with warm parts"] += any(row[1] == "warm" and row[2] for row in server.query("SHOW TIERS"))
                if any(wrong):
                    return wrong
                if getattr(condition, "nearly_full", False):
                    break
    finally:
        condition.close()
        totals["spans acknowledged"] += len(tally.acknowledged) * BATCH
        for status, count in tally.statuses.items():
            totals[f"answers with {status}"] += count
    return [], [], []


def run(bin, kills, seed, under="nothing", progress=False):
    """Returns (acknowledged, lost, repeated, damaged) over all cycles; the last three are numbers of batches."""
    chance, totals = random.Random(seed), collections.Counter()
    while totals["cycles"] < kills:
        condition = CONDITIONS[under](chance)
        lost, repeated, damaged = generation(bin, min(GENERATION, kills - totals["cycles"]), chance, condition, totals)
        if progress:
            print(", ".join(f"{value} {name}" for name, value in totals.items()), flush=True)
        if lost or repeated or damaged:
            break
    return totals["spans acknowledged"], lost, repeated, damaged


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--under", choices=CONDITIONS, default="nothing")
    options = parser.parse_args()
    count, lost, repeated, damaged = run(options.bin, options.kills, options.seed, options.under, progress=True)
    print(
        f"seed {options.seed}, under {options.under}: {options.kills} kills, {count} spans acknowledged; of batches of {BATCH} "
        f"{len(lost)} lost, {len(repeated)} stored twice, {len(damaged)} damaged")
    return 1 if lost or repeated or damaged else 0


if __name__ == "__main__":
    sys.exit(main())
