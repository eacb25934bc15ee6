"""Clients that mean no good, or know no better: others are served meanwhile, memory stays bounded, the end comes in time."""
import contextlib
import gzip
import http.client
import os
import resource
import socket
import threading
import time

import kill
from cases import case, check
from server import Linteld

HEAD = b"POST /v1/traces HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-protobuf\r\n"


def connect(port, patience=20, receive_buffer=None):
    link = socket.socket()
    if receive_buffer:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    link.settimeout(patience)
    link.connect(("127.0.0.1", port))
    return link


def memory(server):
    with open(f"/proc/{server.process.pid}/status") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmRSS"))


def status(link):
    """The status of the next answer; 0 where the connection ends instead."""
    text = b""
    with contextlib.suppress(OSError):
        while b"\r\n" not in text:
            piece = link.recv(4096)
            if not piece:
                break
            text += piece
    return int(text.split(b" ", 2)[1]) if text.startswith(b"HTTP/1.") else 0


class GoodClient(threading.Thread):
    """Sends batches and asks questions all the time; each must be answered, and none may take long."""

    def __init__(self, server, first=0):
        super().__init__(daemon=True)
        self.server, self.next, self.acknowledged, self.slowest, self.failures, self.over = server, first, [], 0.0, [], threading.Event()
        self.start()

    def run(self):
        while not self.over.is_set():
            numbers = range(self.next * kill.BATCH, (self.next + 1) * kill.BATCH)
            began = time.monotonic()
            try:
                answer = self.server.post(kill.batch(numbers))
                rows = self.server.query("SELECT count(*) FROM spans")
                self.slowest = max(self.slowest, time.monotonic() - began)
                if answer[0] != 200 or rows[0][0] < kill.BATCH:
                    self.failures.append(f"{answer[0]} {answer[1][:200]!r} {rows}")
                else:
                    self.acknowledged.append(self.next)
            except (OSError, http.client.HTTPException, AssertionError) as error:
                self.failures.append(repr(error))
            self.next += 1
            time.sleep(0.005)

    def finish(self, seconds=5):
        self.over.set()
        self.join(60)
        check(self.acknowledged and not self.failures, f"others were not served: {self.failures[:3]}")
        check(self.slowest < seconds, f"others waited {self.slowest:.1f} s")
        return self.acknowledged


@contextlib.contextmanager
def others_are_served(server, seconds=5):
    client = GoodClient(server)
    try:
        yield
    finally:
        client.over.set()
    client.finish(seconds)
    rows = server.query("SELECT count(*), count(DISTINCT span_id) FROM spans")
    check(rows[0][0] == rows[0][1] >= len(client.acknowledged) * kill.BATCH, f"{rows} of {len(client.acknowledged)} batches")


@case
def slow_and_half_clients_are_given_up(bin):
    with Linteld(bin, "--idle-timeout", "1.5", "--body-timeout", "1.5") as server:
        with others_are_served(server):
            began = time.monotonic()
            heads = [connect(server.otlp) for _ in range(50)]
            bodies = [connect(server.otlp) for _ in range(50)]
            for link in bodies:
                link.sendall(HEAD + b"Content-Length: 100000\r\n\r\n")
            # A byte now and then, of the head or of the body.
            while time.monotonic() - began < 3.5:
                for links, byte in ((heads, HEAD[:1]), (bodies, b"\n")):
                    for link in links:
                        with contextlib.suppress(OSError):
                            link.send(byte)
                time.sleep(0.2)
            check(all(status(link) in (0, 400) for link in heads), "a head that never ended was waited for")
            check(all(status(link) in (408, 0) for link in bodies), "a body that hardly came was waited for")
            # Closed for writing in the middle, with and without waiting for an answer.
            for text in (b"", b"POST", HEAD, HEAD + b"Content-Length: 9\r\n\r\nabc", HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab"):
                link = connect(server.otlp)
                link.sendall(text)
                link.shutdown(socket.SHUT_WR)
                check(status(link) in (0, 400), f"{text!r} was answered")
            whole = kill.batch(range(10**6, 10**6 + 5))
            link = connect(server.otlp)
            link.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(whole) + whole)
            link.shutdown(socket.SHUT_WR)
            check(status(link) == 200, "a client that has said all was not answered")
        check(server.stop() == 0, "linteld did not end cleanly")


@case
def wrong_lengths_floods_and_pipelines(bin):
    with Linteld(bin) as server:
        before = memory(server)
        with others_are_served(server):
            body = kill.batch(range(10**6, 10**6 + 5))
            for length in (len(body) - 1, len(body) + 1, 0, 10**12, -1, 2**64):
                link = connect(server.otlp)
                link.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % length + body)
                link.shutdown(socket.SHUT_WR)
                check(status(link) in (0, 200, 400, 413), f"a length of {length}")
            for piece in (b"zz\r\n", b"ffffffffffffffff\r\n", b"-5\r\n", b"5\r\nabcdefgh\r\n0\r\n\r\n", b"5;" + b"x" * 100_000 + b"\r\n"):
                link = connect(server.otlp)
                with contextlib.suppress(OSError):
                    link.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + piece)
                link.shutdown(socket.SHUT_WR)
                check(status(link) in (0, 400), f"a chunk of {piece[:20]!r}")
            # Heads without an end: many lines, one long line, one long name, a path without an end.
            for flood in (b"X-%d: y\r\n" * 1, b"a" * 1024, b"GET /" + b"a" * 1024):
                link, sent = connect(server.otlp), 0
                with contextlib.suppress(OSError):
                    link.sendall(HEAD)
                    for number in range(20_000):
                        link.sendall(flood % number if b"%d" in flood else flood)
                        sent += len(flood)
                link.settimeout(10)
                check(status(link) in (0, 400, 431), "a head without an end was taken")
            # Requests without a pause, and nobody who reads the answers.
            pipelines = [connect(server.otlp, patience=0.5, receive_buffer=4096) for _ in range(20)]
            for link in pipelines:
                with contextlib.suppress(OSError):
                    for _ in range(200):
                        link.sendall((HEAD + b"Content-Length: 2\r\n\r\n\xff\xff") * 1000)
            # Compressed bodies that are cut, that go on for ever, and that are none.
            packed = gzip.compress(os.urandom(1 << 20))
            bomb = gzip.compress(bytes(200 << 20), 9)
            for data, allowed in ((packed[:-5], {400}), (packed[: len(packed) // 2], {400}), (packed[:5], {400}), (b"", {400}), (bomb, {413, 429}), (bomb[:-9], {413, 429})):
                answer = server.post(data, encoding="gzip")
                check(answer[0] in allowed, f"{len(data)} bytes of gzip: {answer[0]}")
        grown = memory(server) - before
        check(grown < 400 << 20, f"memory grew by {grown >> 20} MiB")
        check(server.stop() == 0, "linteld did not end cleanly")


@case
def ten_thousand_idle_connections(bin):
    wanted = 10_000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted + 500:
        print(f"SKIPPED ten_thousand_idle_connections: ulimit -Hn is {hard}", flush=True)
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted + 500), hard))
    # All of them are kept where there is room for them; with the usual limit the newer ones take the place of the older.
    room = hard == resource.RLIM_INFINITY or hard > 2 * (wanted + 500) + 300
    for flags, kept in ((["--max-connections", "11000"], wanted if room else 0), ([], 0)):
        with Linteld(bin, *flags) as server:
            server.post(kill.batch(range(5)))
            before = memory(server)
            links = []
            try:
                with others_are_served(server):
                    for _ in range(wanted):
                        links.append(connect(server.otlp))
                    time.sleep(1)
                grown = memory(server) - before
                check(grown < 300 << 20, f"{wanted} idle connections took {grown >> 20} MiB")
                if kept:
                    for link in links[:: wanted // 50]:
                        link.sendall(b"GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n")
                        check(status(link) == 404, "an idle connection was closed")
                began = time.monotonic()
                check(server.stop() == 0, "linteld did not end cleanly")
                check(time.monotonic() - began < 10, f"the end took {time.monotonic() - began:.1f} s")
            finally:
                for link in links:
                    link.close()


@case
def answers_that_nobody_reads(bin):
    with Linteld(bin, "--max-answer", "32MiB", "--max-queries", "4") as server:
        for first in range(0, 60_000, 20_000):
            check(server.post(kill.batch(range(first, first + 20_000)))[0] == 200, "refused")
        text = b"SELECT * FROM spans"
        question = b"POST /v1/query HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text)
        export = b"EXPORT spans"
        question_export = b"POST /v1/export HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s" % (len(export), export)
        before = memory(server)
        links = []
        for number in range(60):
            link = connect(server.api, receive_buffer=4096)
            link.sendall(question_export if number % 3 == 2 else question)
            links.append(link)
        # Queries may have to wait for a place; spans are taken all the time.
        end, peak = time.monotonic() + 4, 0
        number = 10**6
        while time.monotonic() < end:
            check(server.post(kill.batch(range(number, number + 5)))[0] == 200, "spans were refused")
            check(server.get("/health")[0] == 200, "no health")
            number += 5
            peak = max(peak, memory(server) - before)
        check(peak < 600 << 20, f"memory grew by {peak >> 20} MiB")
        for link in links:
            link.close()
        end = time.monotonic() + 30
        while time.monotonic() < end:
            with contextlib.suppress(AssertionError):
                if server.query("SELECT count(*) FROM spans")[0][0] >= 60_000:
                    break
        else:
            check(False, "no queries after they had gone")
        check(server.stop() == 0, "linteld did not end cleanly")


@case
def the_end_comes_in_time(bin):
    """SIGTERM among all of them: requests under way are finished, the log is synced, and it takes no longer than 10 s."""
    with Linteld(bin) as server:
        check(server.post(kill.batch(range(20_000)))[0] == 200, "refused")
        links = [connect(server.otlp) for _ in range(300)]
        for number, link in enumerate(links):
            link.sendall([b"", b"POST", HEAD + b"Content-Length: 100000\r\n\r\nab", (HEAD + b"Content-Length: 0\r\n\r\n") * 50][number % 4])
        for _ in range(10):
            link = connect(server.api, receive_buffer=4096)
            text = b"EXPORT spans"
            link.sendall(b"POST /v1/export HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))
            links.append(link)
        body = kill.batch(range(10**6, 10**6 + 50))
        under_way = [connect(server.otlp) for _ in range(5)]
        for number, link in enumerate(under_way):
            link.sendall(HEAD + b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(body))
            # A head that the server hasn't read yet is no request under way.
            check(link.recv(64) == b"HTTP/1.1 100 Continue\r\n\r\n", "no way for a body")
            link.sendall(body[:100])
        time.sleep(0.5)
        began = time.monotonic()
        server.process.terminate()
        time.sleep(1)
        for link in under_way:
            link.sendall(body[100:])
        check([status(link) for link in under_way] == [200] * 5, "a request under way was not finished")
        check(server.process.wait(20) == 0, "linteld did not end cleanly")
        taken = time.monotonic() - began
        check(taken < 10, f"the end took {taken:.1f} s")
        for link in links:
            link.close()
        server.start()
        check(server.query("SELECT count(*) FROM spans") == [[20_050]], "what was acknowledged at the end is not there")
