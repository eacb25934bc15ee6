"""The shell on a terminal, and against servers that behave in every way."""
import glob
import json
import os
import stat
import subprocess
import tempfile

from fake_server import FakeServer
from server import Linteld
from terminal import Terminal

FIXTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures")


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def load(server):
    for path in sorted(glob.glob(os.path.join(FIXTURES, "*-none-*.pb"))):
        check(server.post(open(path, "rb").read())[0] == 200, f"{path} was refused")


def shell_on_a_terminal(bin):
    with Linteld(bin) as server, tempfile.TemporaryDirectory() as state:
        load(server)
        spans = server.query("SELECT count(*) FROM spans")[0][0]
        environment = {"XDG_STATE_HOME": state}
        with Terminal([os.path.join(bin, "spanql"), "--data", server.data], environment) as shell:
            shell.expect(f"{spans} spans from 20")
            shell.expect("Type .help")
            shell.expect("spanql> ")
            # A statement of three lines, with a comment; a box, since this is a terminal.
            shell.run("SELECT count(*) AS n -- a ; in a comment", "   ...> ")
            shell.run("FROM spans", "   ...> ")
            shell.run(";", "┌")
            shell.expect(f"│ {spans} │")
            shell.expect("1 row in ")
            shell.expect("spanql> ")
            # The up key brings it back on one line.
            shell.type("\x1b[A")
            shell.expect("SELECT count(*) AS n FROM spans;")
            shell.run("", f"│ {spans} │")
            shell.expect("spanql> ")
            # An error has a caret and the shell goes on.
            shell.run("SELECT nam FROM spans;", "       ^")
            shell.expect("did you mean name?")
            shell.expect("spanql> ")
            # Completion: a keyword, a column, an attribute key.
            shell.type("SEL\t")
            shell.expect("SELECT ")
            shell.type("response_mo\t")
            shell.expect("response_model ")
            shell.type(", attributes['http.respon\t")
            shell.expect("http.response.status_code']")
            # Ctrl-C forgets the line, also one begun before.
            shell.run(", 'half", "   ...> ")
            shell.type("\x03")
            shell.expect("^C")
            shell.expect("spanql> ")
            shell.run(".mode csv", "spanql> ")
            shell.run("SELECT 'zwölf 日本' AS t;", "t\r\nzwölf 日本\r\n")
            shell.expect("spanql> ")
            shell.run("SELECT count(*) AS found FROM spans WHERE user_hash = hash_user('user-7');", "found\r\n1")
            shell.expect("spanql> ")
            shell.run(".schema", "column,type,nullable,description")
            shell.expect("spanql> ")
            shell.run(".nonsense", ".help lists them")
            shell.expect("spanql> ")
            shell.type("\x04")
            check(shell.status() == 0, f"Ctrl-D ended with {shell.status()}")
        history = os.path.join(state, "lintel", "history")
        check(stat.S_IMODE(os.stat(history).st_mode) == 0o600, "the history can be read by others")
        lines = open(history).read().splitlines()
        check(lines[0] == "SELECT count(*) AS n FROM spans;", f"the history begins with {lines[0]!r}")
        check(not any("user-7" in line for line in lines), "a raw user id is in the history")
        # The next session remembers.
        with Terminal([os.path.join(bin, "spanql"), "--data", server.data], environment) as shell:
            shell.expect("spanql> ")
            shell.type("\x1b[A")
            shell.expect(".nonsense")
            shell.type("\x03")
            shell.run(".quit", "")
            check(shell.status() == 0, "no end after .quit")


def control_c_stops_the_query_and_not_the_shell(bin):
    with FakeServer("late") as late, tempfile.TemporaryDirectory() as state:
        command = [os.path.join(bin, "spanql"), "--server", late.url]
        with Terminal(command, {"XDG_STATE_HOME": state}) as shell:
            shell.expect("spanql> ")
            shell.type("SELECT 1;\r")
            shell.expect("running  1.", seconds=10)
            shell.type("\x03")
            shell.expect("cancelled")
            shell.expect("spanql> ")
            late.kind = "chunked"
            shell.run("SELECT 2;", "│ 42 │")
            shell.expect("spanql> ")
            shell.type("\x04")
            check(shell.status() == 0, "no end after Ctrl-D")
        late.kind = "late"
        # A script ends.
        with Terminal([*command, "-c", "SELECT 1", "-c", "SELECT 2"], {"XDG_STATE_HOME": state}) as shell:
            shell.expect("running  1.", seconds=10)
            shell.type("\x03")
            shell.expect("cancelled")
            check(shell.status() == 130, f"an interrupted script ended with {shell.status()}")


def servers_of_every_kind(bin):
    def run(server, *arguments):
        return subprocess.run(
            [os.path.join(bin, "spanql"), "--server", server.url, "--format", "csv", "-c", "SELECT 'ä\n\"' AS x", *arguments],
            capture_output=True, text=True, timeout=60)

    for kind in ("length", "chunked", "close"):
        with FakeServer(kind) as server:
            done = run(server)
            check((done.returncode, done.stdout, done.stderr) == (0, "n\n42\n", ""), f"{kind}: {done}")
            head, body = server.requests[0]
            check(head.startswith("POST /v1/query HTTP/1.1\r\n"), head)
            check(json.loads(body) == {"query": "SELECT 'ä\n\"' AS x"}, f"{body}")
    for kind, message in {
        "cut": "in the middle of its answer", "garbage": "is the port right?", "nothing": "in the middle of its answer",
        "no result": "is not a result", "busy": "503 Service Unavailable: ask again", "proxy": "502 Bad Gateway: <html>no upstream</html>",
        "wrong": "there is no column x at line 1, column 8\n",
    }.items():
        with FakeServer(kind) as server:
            done = run(server)
            check(done.returncode == 1 and done.stdout == "" and message in done.stderr, f"{kind}: {done}")
            check(kind != "wrong" or done.stderr.endswith("did you mean y?\n"), f"{kind}: {done}")
    with FakeServer("late") as server:
        # The server is asked to stop in time, and given a little longer to say so.
        done = run(server, "--timeout", "0.5")
        check(done.returncode == 1 and "sent nothing" in done.stderr, f"{done}")
        check(json.loads(server.requests[0][1])["timeout_seconds"] == 0.5, f"{server.requests}")


def both_sources_answer_alike(bin):
    with Linteld(bin) as server:
        load(server)
        query = "SELECT * FROM spans ORDER BY start_time, span_id"
        for format in ("table", "box", "csv", "tsv", "jsonlines", "markdown", "vertical"):
            answers = [server.spanql("--format", format, "-c", query, source=s) for s in ("data", "server")]
            check(all(a.returncode == 0 and a.stdout for a in answers), f"{format}: {answers}")
            check(answers[0].stdout == answers[1].stdout, f"{format} differs between --data and --server")


CASES = [shell_on_a_terminal, control_c_stops_the_query_and_not_the_shell, servers_of_every_kind, both_sources_answer_alike]
