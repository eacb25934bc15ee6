#!/usr/bin/env python3
"""Real clients against a real linteld: what was sent is what is stored, types included.

    run.py --bin FOLDER [--only NAME]     FOLDER holds linteld and spanql

Prints `ok NAME` or `FAILED NAME: why`, one line a case.
"""
import argparse
import collections
import glob
import gzip
import json
import os
import subprocess
import sys
import traceback
import zlib

import pexpect
import zstandard

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import canonical  # noqa: E402
import backup  # noqa: E402, F401
import damage  # noqa: E402, F401
import hostile  # noqa: E402, F401
import kill  # noqa: E402
import sdk_client  # noqa: E402
import security  # noqa: E402, F401
from cases import CASES, case, check  # noqa: E402
from server import Linteld  # noqa: E402

def check_same(sent, lines, allow_repeats=False):
    """Every sent span is in the export, equal in every field, as often as it was sent with different content."""
    want, got = collections.defaultdict(list), collections.defaultdict(list)
    for request in sent:
        for span in canonical.spans(request):
            want[span["id"]].append(span)
    for line in lines:
        request = canonical.from_json(line)
        check(not list(canonical.user_keys(request)), f"a raw user id came back: {line[:200]}")
        for span in canonical.spans(request):
            got[span["id"]].append(span)
    check(set(want) == set(got), f"{len(set(want) - set(got))} spans missing, {len(set(got) - set(want))} never sent")
    for key, spans in want.items():
        distinct = {json.dumps(s, sort_keys=True) for s in spans}
        back = [json.dumps(s, sort_keys=True) for s in got[key]]
        for span in distinct - set(back):
            check(False, f"span {key} differs:\n  sent {span[:1500]}\n  back {back[0][:1500]}")
        check(len(back) == len(distinct), f"span {key} is there {len(back)} times")


@case
def sdk_over_protobuf_and_json(bin):
    for wire in ("protobuf", "json"):
        for compression in ("none", "gzip", "deflate"):
            if wire == "json" and compression == "deflate":
                continue
            with Linteld(bin) as server:
                sent = sdk_client.drive(f"http://127.0.0.1:{server.otlp}/v1/traces", wire, compression)
                check_same(sent, server.export())
                check_same(sent, server.export(source="server"))


@case
def captured_bodies_come_back_equal(bin):
    with Linteld(bin) as server:
        sent = []
        for path in sorted(glob.glob(os.path.join(HERE, "fixtures", "*"))):
            body = open(path, "rb").read()
            encoding = {"gz": "gzip", "deflate": "deflate"}.get(path.rsplit(".", 1)[1], "")
            status, answer, _ = server.post(body, encoding=encoding or None)
            check(status == 200 and answer == b"", f"{os.path.basename(path)}: {status} {answer[:200]!r}")
            sent.append(canonical.decode(body, encoding))
        check(len(sent) >= 24, f"only {len(sent)} fixtures")
        check_same(sent, server.export())
        # ... also once they lie in parts on disk, read after a restart.
        check(server.stop() == 0, "linteld did not end cleanly")
        server.start()
        check_same(sent, server.export())


@case
def every_body_encoding(bin):
    pack = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": lambda b: zstandard.ZstdCompressor().compress(b)}
    bodies = [open(p, "rb").read() for p in sorted(glob.glob(os.path.join(HERE, "fixtures", "*.pb")))[:4]]
    with Linteld(bin) as server:
        sent = []
        for body, encoding in zip(bodies, [None, "gzip", "deflate", "zstd"]):
            request = canonical.decode(body)
            as_json = canonical.to_json(request)
            for content_type, raw in (("application/x-protobuf", body), ("application/json", as_json)):
                status, answer, headers = server.post(pack[encoding](raw) if encoding else raw, content_type, encoding)
                check(status == 200, f"{encoding} {content_type}: {status} {answer[:200]!r}")
                check(headers["content-type"].startswith(content_type), f"answered {headers['content-type']} to {content_type}")
            sent.append(request)
        # The same spans came twice, as protobuf and as JSON: stored once.
        check_same(sent, server.export())


@case
def acknowledged_spans_are_visible_at_once(bin):
    with Linteld(bin) as server:
        body = open(sorted(glob.glob(os.path.join(HERE, "fixtures", "sdk-none-*")))[0], "rb").read()
        spans = list(canonical.spans(canonical.decode(body)))
        check(server.post(body)[0] == 200, "refused")
        check(server.query("SELECT count(*) FROM spans") == [[len(spans)]], "not visible over the API")
        beside = server.spanql("-c", "SELECT count(*) AS n FROM spans", "--format", "csv")
        check(beside.stdout.split() == ["n", str(len(spans))], f"not visible to a second process: {beside.stdout!r} {beside.stderr!r}")


@case
def columns_are_filled_from_conventions(bin):
    with Linteld(bin) as server:
        for path in sorted(glob.glob(os.path.join(HERE, "fixtures", "*-none-*"))):
            check(server.post(open(path, "rb").read())[0] == 200, path)
        rows = server.query("SELECT scope_name, count(*) AS n, count(request_model) AS models, sum(input_tokens) AS tokens FROM spans WHERE operation = 'chat' GROUP BY scope_name ORDER BY scope_name")
        check(len(rows) >= 4, f"chat spans of {len(rows)} libraries: {rows}")
        for name, n, models, tokens in rows:
            # The one call that the provider refused may name no model.
            check(n > 1 and models >= n - 1 and tokens > 0, f"{name}: {n} chat spans, {models} with a model, {tokens} tokens")
        check(server.query("SELECT DISTINCT org_id, service_name, environment FROM spans") == [["acme", "support-bot", "test"]], "resource columns")


@case
def user_ids_are_hashed_and_found(bin):
    with Linteld(bin) as server:
        check(server.post(open(os.path.join(HERE, "fixtures", "sdk-none-001.pb"), "rb").read())[0] == 200, "refused")
        check(server.query("SELECT count(*) FROM spans WHERE user_hash = hash_user('user-7')") == [[1]], "the user's span is not found")
        check(server.stop() == 0, "linteld did not end cleanly")
        found = subprocess.run(["grep", "-rlaF", "user-7", server.data], capture_output=True, text=True).stdout
        check(found == "", f"the raw user id is on disk in {found}")


@case
def kills_lose_nothing_acknowledged(bin):
    kills = int(os.environ.get("LINTEL_KILLS", "5"))
    count, lost, repeated, damaged = kill.run(bin, kills, seed=kills)
    check(count > 0, "nothing was acknowledged")
    check(not lost and not repeated and not damaged, f"of batches of {kill.BATCH} {len(lost)} lost, {len(repeated)} stored twice, {len(damaged)} damaged")


@case
def shell_formats_and_statuses(bin):
    with Linteld(bin) as server:
        check(server.post(open(os.path.join(HERE, "fixtures", "sdk-none-001.pb"), "rb").read())[0] == 200, "refused")
        for source in ("data", "server"):
            for format in ("table", "box", "csv", "tsv", "json", "jsonlines", "markdown", "vertical"):
                done = server.spanql("--format", format, "-c", "SELECT name, kind, duration FROM spans ORDER BY name", source=source)
                check(done.returncode == 0 and "POST /chat" in done.stdout and done.stderr == "", f"{source} {format}: {done}")
            answer = json.loads(server.spanql("--format", "json", "-c", "SELECT count(*) AS n FROM spans", source=source).stdout)
            check(answer["columns"] == [{"name": "n", "type": "int64"}] and answer["rows"] == [[2]], f"{answer}")
            check({"elapsed_ms", "rows_read", "bytes_read"} <= set(answer["statistics"]), f"{answer}")
            bad = server.spanql("-c", "SELECT nam FROM spans", source=source)
            check(bad.returncode == 1 and bad.stdout == "" and "name" in bad.stderr and "^" in bad.stderr, f"{source}: {bad}")
        check(server.spanql("--no-such-flag").returncode == 2, "usage errors exit with 2")
        piped = server.spanql("--format", "csv", input="SELECT count(*) AS n FROM spans; SELECT 1 AS one;")
        check(piped.stdout.split() == ["n", "2", "one", "1"], f"{piped}")


@case
def ctrl_c_stops_the_query_and_not_the_shell(bin):
    with Linteld(bin) as server:
        check(server.post(kill.batch(range(30_000)))[0] == 200, "refused")
        # Ten kilobytes a row through a regular expression: minutes, were it not stopped.
        script = os.path.join(server.folder.name, "long.sql")
        with open(script, "w") as file:
            file.write(f"SELECT count(*) FROM spans WHERE concat({', '.join(['name'] * 1000)}) ~ '((s|p|a|n|[0-9 ])*(a|1)(b|2)){{9}}z';")
        environment = {**os.environ, "HOME": server.folder.name, "TERM": "xterm"}
        for where in (["--data", server.data], ["--server", f"http://127.0.0.1:{server.api}"]):
            shell = pexpect.spawn(os.path.join(bin, "spanql"), where, env=environment, dimensions=(40, 120), timeout=20, encoding="utf-8")
            shell.expect_exact("spanql> ")
            shell.sendline(f".read {script}")
            shell.expect("running|rows")
            shell.sendintr()
            shell.expect_exact("cancelled")
            shell.sendline("SELECT 40 + 2 AS answer;")
            shell.expect("42")
            shell.sendline(".quit")
            shell.expect(pexpect.EOF)
            shell.close()
            check(shell.exitstatus == 0, f"the shell ended with {shell.exitstatus}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--only")
    options = parser.parse_args()
    failed = 0
    for function in CASES:
        if options.only and options.only not in function.__name__:
            continue
        try:
            function(options.bin)
            print("ok", function.__name__, flush=True)
        except Exception as error:
            failed += 1
            why = str(error) if isinstance(error, AssertionError) else traceback.format_exc()
            print(f"FAILED {function.__name__}: {why}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
