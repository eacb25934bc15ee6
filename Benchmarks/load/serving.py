"""A linteld to be measured: starts it, asks it, sends it spans, reads its memory."""

import glob, http.client, json, os, subprocess, sys, threading, time, urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


class Server:
    """A linteld on DIR with default settings, but for `flags`."""

    def __init__(self, linteld, data, flags=()):
        self.process = subprocess.Popen(
            [linteld, "serve", "--data", data, "--otlp-http", "127.0.0.1:0", "--api", "127.0.0.1:0", *flags],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        if "queries on " not in line:
            sys.exit("linteld did not start")
        self.otlp = urllib.parse.urlsplit(line.split("OTLP on ")[1].split(",")[0].strip())
        self.api = urllib.parse.urlsplit(line.split("queries on ")[1].strip())

    def link(self, timeout=300):
        return Link(self.api, timeout)

    def memory(self):
        """VmHWM and VmRSS in MiB."""
        with open(f"/proc/{self.process.pid}/status") as file:
            found = dict(line.split(":", 1) for line in file)
        return tuple(int(found[name].split()[0]) / 1024 for name in ("VmHWM", "VmRSS"))

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Link:
    """A connection to the API that is kept."""

    def __init__(self, url, timeout=300):
        self.http = http.client.HTTPConnection(url.hostname, url.port, timeout=timeout)

    def request(self, text, seconds=None):
        """Status and body."""
        body = {"query": text} if seconds is None else {"query": text, "timeout_seconds": seconds}
        return self.exchange("POST", "/v1/query", json.dumps(body), {"Content-Type": "application/json"})

    def exchange(self, *request):
        """Status and body. The server closes connections that were idle for a while: then a new one takes over."""
        for last in (False, True):
            try:
                self.http.request(*request)
                answer = self.http.getresponse()
                return answer.status, answer.read()
            except (ConnectionError, http.client.BadStatusLine):
                self.http.close()
                if last:
                    raise

    def ask(self, text):
        status, body = self.request(text)
        if status != 200:
            sys.exit(f"{text}: {body[:300]!r}")
        return json.loads(body)["rows"]

    def gauge(self, name):
        text = self.exchange("GET", "/metrics")[1].decode()
        return next(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name + " "))


def queries(path, link):
    """Names and texts of a file of queries, its values filled in from the store."""
    found = json.load(open(path))
    found = found["queries"] if isinstance(found, dict) else found
    low, high = (int(x) for x in link.ask("SELECT min(start_time), max(start_time) FROM spans")[0])
    middle = (low + high) // 2

    def one(text):
        rows = link.ask(text)
        return rows[0][0] if rows else "none"

    values = {
        "lo": low, "hi": high, "mid": middle, "late": high - (high - low) // 100, "user": "user-1",
        "org": one("SELECT org_id, count(*) AS n FROM spans GROUP BY org_id ORDER BY n DESC LIMIT 1 OFFSET 3"),
        "app": one("SELECT app_id, count(*) AS n FROM spans GROUP BY app_id ORDER BY n DESC LIMIT 1 OFFSET 20"),
        "trace": one(f"SELECT trace_id FROM spans WHERE start_time >= {middle} LIMIT 1"),
        "response": one(
            "SELECT attributes['gen_ai.response.id'] FROM spans WHERE attributes['gen_ai.response.id'] IS NOT NULL"
            f" AND start_time >= {middle} LIMIT 1"),
    }
    return [(query["name"], query["spanql"].format(**values)) for query in found]


class Sender:
    """Sends OTLP bodies, over and over with new ids, at a rate."""

    def __init__(self, url, folder, rate, body_spans, connections=4):
        self.url, self.rate, self.body_spans = url, rate, body_spans
        files = sorted(glob.glob(os.path.join(folder, "*.pb")))
        if not files:
            sys.exit(f"there are no bodies (*.pb) in {folder}")
        self.files, self.lock, self.next = files, threading.Lock(), 0
        self.sent = self.refused = self.failed = 0
        self.stopping = False
        self.threads = [threading.Thread(target=self.work) for _ in range(connections)]

    def start(self):
        self.began = time.perf_counter()
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.stopping = True
        for thread in self.threads:
            thread.join()
        self.seconds = time.perf_counter() - self.began

    def work(self):
        link = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=120)
        while not self.stopping:
            with self.lock:
                number, self.next = self.next, self.next + 1
            if number >= len(self.files):
                return
            wait = self.began + number * self.body_spans / self.rate - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
            with open(self.files[number], "rb") as file:
                body = file.read()
            while not self.stopping:
                link.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
                answer = link.getresponse()
                answer.read()
                if answer.status not in (429, 503):
                    break
                with self.lock:
                    self.refused += 1
                time.sleep(0.05)
            with self.lock:
                self.sent += self.body_spans
                self.failed += answer.status != 200


def quantile(values, rank):
    values = sorted(values)
    return values[min(len(values) - 1, int(rank * len(values)))] if values else float("nan")
