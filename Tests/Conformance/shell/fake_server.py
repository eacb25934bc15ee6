"""A query endpoint that answers as it is told: in any framing, late, or not at all."""
import socket
import threading

RESULT = b'{"columns":[{"name":"n","type":"int64"}],"rows":[\n[42]\n],"statistics":{"elapsed_ms":1.5,"rows_read":7,"bytes_read":9}}\n'
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


def chunks(body, size):
    pieces = [body[i:i + size] for i in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"


def problem(status, body):
    return b"HTTP/1.1 %s\r\ncontent-length: %d\r\n\r\n%s" % (status, len(body), body)


ANSWERS = {
    "length": HEAD + b"content-length: %d\r\n\r\n%s" % (len(RESULT), RESULT),
    "chunked": HEAD + b"transfer-encoding: chunked\r\n\r\n" + chunks(RESULT, 7),
    "close": HEAD + b"\r\n" + RESULT,
    "cut": HEAD + b"content-length: 1000\r\n\r\n" + RESULT,
    "garbage": b"220 mail.example.org ESMTP\r\n",
    "nothing": b"",
    "no result": HEAD + b"content-length: 2\r\n\r\n{]",
    "busy": problem(b"503 Service Unavailable", b'{"error":{"code":"service_unavailable","message":"ask again"}}'),
    "wrong": problem(b"400 Bad Request", b'{"error":{"code":"binding","message":"there is no column x","offset":7,"hint":"did you mean y?"}}'),
    "proxy": problem(b"502 Bad Gateway", b"<html>no upstream</html>"),
}


class FakeServer:
    """Answers each request with `ANSWERS[kind]`; the kind "late" holds the connection open and says nothing."""

    def __init__(self, kind):
        self.kind = kind
        self.requests = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def serve(self):
        while True:
            try:
                link, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(link,), daemon=True).start()

    def answer(self, link):
        with link:
            data = b""
            while b"\r\n\r\n" not in data:
                more = link.recv(65536)
                if not more:
                    return
                data += more
            head, body = data.split(b"\r\n\r\n", 1)
            length = int([h for h in head.split(b"\r\n") if h.lower().startswith(b"content-length:")][0].split(b":")[1])
            while len(body) < length:
                body += link.recv(65536)
            self.requests.append((head.decode(), body))
            if self.kind == "late":
                link.settimeout(60)
                link.recv(1)
                return
            try:
                link.sendall(ANSWERS[self.kind])
                link.shutdown(socket.SHUT_WR)
                link.recv(1)
            except OSError:
                pass
