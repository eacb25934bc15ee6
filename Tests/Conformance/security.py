"""Tokens and TLS with real clients, and a search of everything that linteld says for what must stay secret."""
import base64
import glob
import gzip
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import time
import unittest.mock

import canonical
import sdk_client
from cases import case, check
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from server import Linteld

INGEST, QUERY, ADMIN = "ingest-token-5b1f0c2a", "query-token-77e0d9c4", "admin-token-e3aa90d1"


def make_authority(folder, name, *hosts):
    """A certificate that vouches for itself, and its key: the paths of both."""
    certificate, key = os.path.join(folder, f"{name}.pem"), os.path.join(folder, f"{name}.key")
    names = ",".join(hosts)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={name}",
         "-addext", f"subjectAltName={names}", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    os.chmod(key, 0o600)
    return certificate, key


def write_tokens(path, text, mode=0o600):
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)


def secured(bin, *flags, **options):
    """A linteld that is not started yet, with a token for each scope."""
    server = Linteld(bin, *flags, **options)
    server.tokens = os.path.join(server.folder.name, "tokens")
    write_tokens(server.tokens, f"# for the tests\ningest {INGEST}\nquery {QUERY}\nadmin {ADMIN}\n")
    server.flags += ("--token-file", server.tokens)
    return server


def bearer(token):
    return {"authorization": f"Bearer {token}"}


@case
def tokens_open_what_they_are_for(bin):
    with secured(bin, token=QUERY) as server:
        url = f"http://127.0.0.1:{server.otlp}/v1/traces"
        sent = sdk_client.drive(url, "protobuf", "gzip", headers=bearer(INGEST))
        spans = sum(len(list(canonical.spans(request))) for request in sent)
        check(spans > 0 and server.query("SELECT count(*) FROM spans") == [[spans]], f"of the SDK's {spans} spans some are not there")
        for token, status in (("", 401), (QUERY, 403), (ADMIN, 403)):
            answer = server.request(server.otlp, "POST", "/v1/traces", b"", {**bearer(token), "content-type": "application/x-protobuf"})
            check(answer[0] == status, f"an exporter with {token!r}: {answer[0]}")
        for path, method in (("/v1/query", "POST"), ("/v1/export", "POST"), ("/metrics", "GET")):
            for token, status in (("", 401), (INGEST, 403), ("unknown-token-00", 401)):
                answer = server.request(server.api, method, path, b"SELECT 1", bearer(token))
                check(answer[0] == status and answer[2]["www-authenticate"], f"{path} with {token!r}: {answer[0]} {answer[1]!r}")
        check(server.request(server.api, "GET", "/health", headers=bearer(""))[0] == 200, "health wants a token")

        good = server.spanql("--format", "csv", "-c", "SELECT count(*) AS n FROM spans", source="server")
        check(good.stdout.split() == ["n", str(spans)], f"{good}")
        check(len(server.export(source="server")) > 0, "nothing exported")
        refused = server.spanql("-c", "CHECK", source="server")
        check(refused.returncode == 1 and "admin" in refused.stderr, f"{refused}")
        server.token = None
        nobody = server.spanql("-c", "SELECT 1", source="server")
        check(nobody.returncode == 1 and "token" in nobody.stderr, f"{nobody}")
        path = os.path.join(server.folder.name, "mine")
        write_tokens(path, ADMIN + "\n")
        check(server.spanql("--token-file", path, "-c", "CHECK", "-c", "OPTIMIZE TABLE spans", source="server").returncode == 0, "refused")
        os.chmod(path, 0o644)
        public = server.spanql("--token-file", path, "-c", "SELECT 1", source="server")
        check(public.returncode == 2 and "chmod" in public.stderr and ADMIN not in public.stderr, f"{public}")

        # New tokens without a restart; a file that can't be used changes nothing.
        server.token = QUERY
        for text, mode, known, unknown in (
                ("query the-next-token-01\n", 0o600, "the-next-token-01", QUERY), ("query nonsense", 0o600, "the-next-token-01", QUERY),
                ("query another-token-01\n", 0o644, "the-next-token-01", "another-token-01")):
            write_tokens(server.tokens, text, mode)
            lines = open(server.log).read().count("SIGHUP")
            server.process.send_signal(signal.SIGHUP)
            end = time.monotonic() + 10
            while open(server.log).read().count("SIGHUP") == lines and time.monotonic() < end:
                time.sleep(0.01)
            for token, status in ((known, 200), (unknown, 401)):
                answer = server.request(server.api, "POST", "/v1/query", b"SELECT 1", bearer(token))
                check(answer[0] == status, f"after {text!r}: {answer[0]} for {token}")


@case
def files_and_ports_that_are_too_open_are_refused(bin):
    for text, mode in (("ingest 0123456789abcdef\n", 0o644), ("ingest\n", 0o600), ("", 0o600)):
        server = secured(bin)
        write_tokens(server.tokens, text, mode)
        server.launch()
        said = open(server.log).read() if server.process.wait(20) == 1 else ""
        check(server.tokens in said and "0123456789" not in said, f"{text!r} with mode {mode:o}: {said!r}")
    for flags, status in ((["--api", "0.0.0.0:0"], 64), (["--otlp-http", ":0"], 64), (["--tls-key", "x"], 64)):
        done = subprocess.run([os.path.join(bin, "linteld"), "serve", "--data", "/nowhere/at/all", *flags], capture_output=True, timeout=20)
        check(done.returncode == status, f"{flags}: {done}")


@case
def tls_on_both_ports(bin):
    server = secured(bin, token=QUERY)
    folder = server.folder.name
    certificate, key = make_authority(folder, "server", "IP:127.0.0.1", "DNS:localhost")
    stranger, _ = make_authority(folder, "stranger", "IP:127.0.0.1")
    server.authority = certificate
    server.flags += ("--tls-certificate", certificate, "--tls-key", key)
    with server:
        # Where these are set, they win over what the exporter is told.
        with unittest.mock.patch.dict(os.environ):
            for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
                os.environ.pop(name, None)
            sent = sdk_client.drive(
                f"https://127.0.0.1:{server.otlp}/v1/traces", "protobuf", "gzip", headers=bearer(INGEST), certificate_file=certificate)
        spans = sum(len(list(canonical.spans(request))) for request in sent)
        check(spans > 0 and server.query("SELECT count(*) FROM spans") == [[spans]], f"of the SDK's {spans} spans some are not there")
        lines = server.export(source="server")
        check(sum(len(list(canonical.spans(canonical.from_json(line)))) for line in lines) == spans, "the export is not whole")
        wide = server.spanql("--format", "jsonlines", "-c", "SELECT * FROM spans", source="server")
        check(wide.returncode == 0 and len(wide.stdout.splitlines()) == spans, f"{wide.returncode} {wide.stderr}")

        def ask(host, *flags):
            return subprocess.run(
                [os.path.join(bin, "spanql"), "--server", f"https://{host}:{server.api}", *flags, "-c", "SELECT 40 + 2 AS answer"],
                capture_output=True, text=True, timeout=30, env={**os.environ, "LINTEL_TOKEN": QUERY})

        check("42" in ask("localhost", "--ca-file", certificate).stdout, "by name")
        for host, flags in (("127.0.0.1", []), ("127.0.0.1", ["--ca-file", stranger])):
            done = ask(host, *flags)
            check(done.returncode == 1 and done.stdout == "" and "TLS" in done.stderr, f"{host} {flags}: {done}")
        plain = subprocess.run([os.path.join(bin, "spanql"), "--server", f"http://127.0.0.1:{server.api}", "-c", "SELECT 1"], capture_output=True, timeout=30)
        check(plain.returncode == 1, f"plain HTTP was answered: {plain}")
        old = ssl.create_default_context(cafile=certificate)
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        try:
            with old.wrap_socket(socket.create_connection(("127.0.0.1", server.api)), server_hostname="localhost"):
                check(False, "TLS 1.1 is spoken")
        except (ssl.SSLError, OSError):
            pass
        # A new certificate without a restart.
        again, again_key = make_authority(folder, "again", "IP:127.0.0.1")
        for source, target in ((again, certificate), (again_key, key)):
            os.replace(source, target)
        server.process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        check(server.query("SELECT 1") == [[1]], "the new certificate is not shown")
        elsewhere = ask("localhost", "--ca-file", certificate)
        check(elsewhere.returncode == 1 and "TLS" in elsewhere.stderr, f"a certificate for another name was believed: {elsewhere}")
        check(server.stop() == 0, "linteld did not end cleanly")


# MARK: What must stay secret

USER, PROMPT = "zz-user-4711@example", "zz-the-confidential-prompt"


def telling_request(spans=3):
    """Spans full of what must not get out."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    scope = resource.scope_spans.add()
    for number in range(spans):
        span = scope.spans.add()
        span.trace_id, span.span_id = (number + 1).to_bytes(16, "big"), (number + 1).to_bytes(8, "big")
        span.name, span.start_time_unix_nano, span.end_time_unix_nano = "chat", 10**18 + number, 10**18 + number + 5
        for key in ("user.id", "enduser.id", "langfuse.user.id"):
            attribute = span.attributes.add()
            attribute.key, attribute.value.string_value = key, USER
        for key in ("gen_ai.input.messages", "gen_ai.prompt", "input.value", "gen_ai.output.messages", "gen_ai.completion"):
            attribute = span.attributes.add()
            attribute.key, attribute.value.string_value = key, f"{PROMPT} of {USER}"
    return request


def broken_bodies():
    """Requests that can't be taken, or not whole: content type, encoding, body."""
    whole = telling_request().SerializeToString()
    text = canonical.to_json(telling_request()).decode()
    proto, json_type = "application/x-protobuf", "application/json"
    for end in range(1, len(whole), 97):
        yield proto, None, whole[:end]
    for place in range(0, len(whole), 41):
        yield proto, None, whole[:place] + b"\xff" + whole[place + 1:]
    for end in range(1, len(text), 211):
        yield json_type, None, text[:end].encode()
    for pattern, other in (
            (r'"name": ?"chat"', f'"name":{{"x":"{PROMPT}"}}'), (r'"traceId": ?"[^"]*"', f'"traceId":"{USER}"'),
            (r'"startTimeUnixNano": ?"[^"]*"', f'"startTimeUnixNano":"{PROMPT}"'), (r'"stringValue"', '"intValue"'),
            (r'"stringValue"', f'"{PROMPT}"'), (r'"spans"', f'"{USER}"'), (r'"kind"', f'"kind":"{PROMPT}","x"'), (r"chat", "\\ud800")):
        yield json_type, None, re.sub(pattern, lambda _: other, text, count=1).encode()
    yield json_type, None, text.replace("chat", "ch\xe4t").encode("latin-1")
    yield proto, "gzip", gzip.compress(whole)[:-9]
    yield proto, "zstd", whole
    yield f"text/{PROMPT}", None, whole
    yield proto, f"{PROMPT}", whole


QUERIES = [
    f"SELECT count(*) FROM spans WHERE user_hash = hash_user('{USER}') AND nothing_of_the_kind = 1",
    f"SELECT CAST('{USER}' AS int64)", f"SELECT '{PROMPT}' + 1", f"SELECT 1 FROM spans WHERE name ~ '({PROMPT}'",
    f"SELECT 1 FROM spans WHERE trace_id = '{USER}'", f"SELECT 1 FROM spans WHERE start_time > '{PROMPT}'", f"SELECT '{PROMPT}",
    "SELECT CAST(attributes['gen_ai.prompt'] AS int64) FROM spans", "SELECT sum(CAST(attributes['input.value'] AS int64)) FROM spans",
    "SELECT max(attributes['gen_ai.prompt']) + 1 FROM spans", "SELECT sum(start_time * 9000000000) FROM spans",
]


@case
def nothing_secret_is_ever_said(bin):
    """Greps whatever a run from the first request to damage and repair wrote or answered, but for the answers to good queries."""
    said = []

    def note(answer, request=""):
        status, body, headers = answer
        if status != 200:
            # What the asker's own text said may come back to the asker, and to nobody else.
            said.append((f"{request[:80]!r} answered with {status}", b"" if any(w in request for w in (USER, PROMPT)) else body + str(headers).encode()))
        return status

    server = secured(bin, "--log-level", "trace", "--write-memory", "1MiB")
    with server:
        post = lambda body, type="application/x-protobuf", encoding=None: server.request(  # noqa: E731
            server.otlp, "POST", "/v1/traces", body, {**bearer(INGEST), "content-type": type, **({"content-encoding": encoding} if encoding else {})})
        ask = lambda text, token=ADMIN: server.request(server.api, "POST", "/v1/query", text.encode(), bearer(token))  # noqa: E731
        check(note(post(telling_request(500).SerializeToString())) == 200, "refused")
        refusals = 0
        for type, encoding, body in broken_bodies():
            answer = post(body, type, encoding)
            refusals += note(answer) != 200
            said.append((f"the answer to a broken body of {len(body)} bytes", answer[1]))
        check(refusals > 40, f"only {refusals} requests were refused")
        for text in QUERIES:
            note(ask(text), text)
            for token in ("", INGEST, "wrong-token-0000"):
                note(ask(text, token))
        note(server.request(server.otlp, "POST", f"/{PROMPT}?user={USER}", b"", {**bearer(INGEST), "x-scope-orgid": PROMPT * 20}))
        note(server.request(server.otlp, "POST", "/v1/traces", b"", {**bearer(INGEST), "content-type": "application/json", "x-scope-orgid": PROMPT * 20}))
        check(note(ask("FLUSH")) == 200, "FLUSH was refused")
        server.process.send_signal(signal.SIGHUP)
        # Killed and started again, with damage in a part and in the log.
        check(note(post(telling_request(7).SerializeToString())) == 200, "refused")
        server.stop(9)
        for path in sorted(glob.glob(os.path.join(server.data, "hot", "*.part")))[:1] + sorted(glob.glob(os.path.join(server.data, "wal", "*", "*.log")))[:1]:
            with open(path, "r+b") as file:
                file.seek(os.path.getsize(path) // 2)
                bytes = file.read(8)
                file.seek(-len(bytes), 1)
                file.write(bytes[::-1])
                if bytes == bytes[::-1]:
                    raise AssertionError("nothing was damaged")
        server.start()
        for text in ("CHECK", "SELECT count(*), max(attributes['gen_ai.prompt']) FROM spans", *QUERIES):
            note(ask(text), text)
        for text in ("CHECK", "SHOW PROBLEMS"):
            found = ask(text)
            check(found[0] == 200 and b"damaged" in found[1], f"{text}: the damage is not told: {found[1][:500]}")
            said.append((text, found[1]))
        for path in ("/metrics", "/health"):
            said.append((path, server.request(server.api, "GET", path, headers=bearer(QUERY))[1]))
        check(server.stop() == 0, "linteld did not end cleanly")
        said.append(("the log", open(server.log, "rb").read()))
        secret = open(os.path.join(server.data, "secret"), "rb").read()[:32]
        hidden = {
            "a token": [t.encode() for t in (INGEST, QUERY, ADMIN)], "a user id": [USER.encode()], "a prompt": [PROMPT.encode()],
            "the secret": [secret, secret.hex().encode(), base64.b64encode(secret).rstrip(b"="), secret[:8].hex().encode()]}
        check(len(said[-1][1]) > 500, "the log is empty")
        for where, text in said:
            for what, forms in hidden.items():
                for form in forms:
                    place = text.lower().find(form.lower())
                    check(place < 0, f"{what} is in {where}: ..{text[max(0, place - 120):place + 120]!r}")
