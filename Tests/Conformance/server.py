"""A linteld of its own for a test, and the ways to talk to it."""
import http.client
import json
import os
import socket
import ssl
import subprocess
import tempfile
import time


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Linteld:
    """Starts linteld on free ports; `with Linteld(bin) as server: ...` stops it and removes its data.

    `token` goes along with every request; with `authority`, a file of certificates, all is asked over TLS.
    """

    def __init__(self, bin, *flags, token=None, authority=None):
        self.bin, self.flags, self.process = bin, flags, None
        self.token, self.authority = token, authority
        self.folder = tempfile.TemporaryDirectory(prefix="lintel-test-")
        self.data = os.path.join(self.folder.name, "store")
        self.otlp, self.api = free_port(), free_port()
        self.log = os.path.join(self.folder.name, "linteld.log")
        # Called in the new process: limits to be set.
        self.before_start = None

    def launch(self):
        """Starts the process without waiting for it."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [os.path.join(self.bin, "linteld"), "serve", "--data", self.data, "--otlp-http", f"127.0.0.1:{self.otlp}",
                 "--api", f"127.0.0.1:{self.api}", *self.flags], stderr=log, stdout=log, preexec_fn=self.before_start)

    def start(self):
        self.launch()
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if self.get("/health")[0] == 200:
                    return self
            except OSError:
                pass
            time.sleep(0.01)
        raise RuntimeError("linteld did not start: " + open(self.log).read()[-2000:])

    def stop(self, signal_number=15):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal_number)
            self.process.wait(120)
        return self.process.returncode

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            self.folder.cleanup()

    @property
    def scheme(self):
        return "https" if self.authority else "http"

    def connection(self, port):
        if not self.authority:
            return http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        return http.client.HTTPSConnection("127.0.0.1", port, timeout=300, context=ssl.create_default_context(cafile=self.authority))

    def request(self, port, method, path, body=b"", headers={}):
        link = self.connection(port)
        if self.token:
            headers = {"authorization": f"Bearer {self.token}", **headers}
        try:
            link.request(method, path, body, headers)
            answer = link.getresponse()
            return answer.status, answer.read(), answer.headers
        finally:
            link.close()

    def get(self, path):
        return self.request(self.api, "GET", path)

    def post(self, body, content_type="application/x-protobuf", encoding=None, path="/v1/traces"):
        headers = {"content-type": content_type, **({"content-encoding": encoding} if encoding else {})}
        return self.request(self.otlp, "POST", path, body, headers)

    def query(self, text):
        """Rows of an answer over the query port."""
        status, body, _ = self.request(self.api, "POST", "/v1/query", json.dumps({"query": text}).encode(), {"content-type": "application/json"})
        if status != 200:
            raise AssertionError(f"{text}: {status} {body[:300]!r}")
        return json.loads(body)["rows"]

    def spanql(self, *arguments, source="data", **kwargs):
        """Runs the shell on the data directory (beside the server) or against the server."""
        where = ["--data", self.data] if source == "data" else ["--server", f"{self.scheme}://127.0.0.1:{self.api}"]
        if self.authority and source == "server":
            where += ["--ca-file", self.authority]
        environment = {**os.environ, **({"LINTEL_TOKEN": self.token} if self.token else {})}
        return subprocess.run([os.path.join(self.bin, "spanql"), *where, *arguments], capture_output=True, text=True, timeout=120, env=environment, **kwargs)

    def export(self, source="data", where=""):
        """Everything the store holds, as lines of OTLP JSON."""
        path = os.path.join(self.folder.name, f"export-{time.monotonic_ns()}.jsonl")
        done = self.spanql("-c", f"EXPORT spans {where} TO '{path}'", source=source)
        if done.returncode:
            raise AssertionError(done.stderr)
        with open(path) as file:
            return [line for line in file if line.strip()]
