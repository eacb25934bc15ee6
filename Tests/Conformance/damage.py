"""Damage on the disk is found, told everywhere, and left out: by CHECK wherever it is asked, and in the background."""
import glob
import json
import os
import time

import kill
from cases import case, check
from server import Linteld


def flip(path):
    """Flips a bit in the middle of a file."""
    with open(path, "r+b") as file:
        file.seek(os.path.getsize(path) // 2)
        byte = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([byte ^ 4]))


def parts(server, count):
    """Makes so many parts, two days apart so that none is merged with another; their paths."""
    for number in range(count):
        first = number * 2 * 86_400 * 10**9
        check(server.post(kill.batch(range(first, first + 1000)))[0] == 200, "refused")
        server.query("FLUSH")
    found = sorted(glob.glob(os.path.join(server.data, "hot", "*.part")))
    check(len(found) == count, f"{len(found)} parts")
    return found


@case
def check_tells_damage_wherever_it_is_asked(bin):
    with Linteld(bin, "--scrub-rate", "0") as server:
        paths = parts(server, 3)
        for source in ("data", "server"):
            done = server.spanql("--format", "json", "-c", "CHECK", source=source)
            rows = json.loads(done.stdout)["rows"]
            check(done.returncode == 0 and len(rows) >= 5 and all(row[2] is None for row in rows), f"{source}: {done}")
            check({os.path.relpath(path, server.data) for path in paths} <= {row[0] for row in rows}, f"{source}: {rows}")
        flip(paths[1])
        name = os.path.relpath(paths[1], server.data)
        for source in ("data", "server"):
            done = server.spanql("--format", "json", "-c", "CHECK", "-c", "SHOW PROBLEMS", source=source)
            check(done.returncode == 0, f"{source}: {done}")
            answers = [json.loads(text) for text in done.stdout.replace("}\n{", "}\0{").split("\0")]
            damaged = [row for row in answers[0]["rows"] if row[2] is not None]
            check(len(damaged) == 1 and damaged[0][0] == name and "damaged" in damaged[0][2], f"{source}: {damaged}")
            check([row[:2] for row in answers[1]["rows"]] == [["corrupt", name]], f"{source}: {answers[1]}")
        # What --server has found is out of the answers from now on, and told.
        check(server.query("SELECT count(*) FROM spans") == [[2000]], "the damaged part still answers")
        left = [row for row in server.query("CHECK") if row[2] is not None]
        check(len(left) == 1 and left[0][0] == name and "left out" in left[0][2], f"{left}")
        check(json.loads(server.get("/health")[1]) == {"status": "degraded", "problems": 1}, f"{server.get('/health')}")
        check(b"lintel_store_problems 1\n" in server.get("/metrics")[1], "the metrics say nothing")
        end = time.monotonic() + 5
        while name not in open(server.log).read() and time.monotonic() < end:
            time.sleep(0.05)
        check(name in open(server.log).read(), "the log says nothing")


@case
def damage_is_found_in_the_background(bin):
    with Linteld(bin, "--scrub-rate", "64MiB") as server:
        paths = parts(server, 3)
        flip(paths[2])
        end = time.monotonic() + 30
        while json.loads(server.get("/health")[1])["status"] == "ok" and time.monotonic() < end:
            time.sleep(0.1)
        name = os.path.relpath(paths[2], server.data)
        check([row[:2] for row in server.query("SHOW PROBLEMS")] == [["corrupt", name]], f"{server.query('SHOW PROBLEMS')}")
        check(server.query("SELECT count(*) FROM spans") == [[2000]], "the damaged part still answers")
        check(b"lintel_scrubs_total 1\n" in server.get("/metrics")[1], "the pass is not counted")
        check(server.stop() == 0, "linteld did not end cleanly")
        server.start()
        check(server.query("SELECT count(*) FROM spans") == [[2000]], "the damaged part answers again")
