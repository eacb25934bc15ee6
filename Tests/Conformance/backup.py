"""Backups of a linteld that is sent spans all the time, and what is had back from them."""
import glob
import itertools
import os
import subprocess
import threading
import time

import damage
import kill
from cases import case, check
from server import Linteld


def linteld(bin, *arguments, status=0):
    """Runs one of linteld's commands; what it said."""
    done = subprocess.run([os.path.join(bin, "linteld"), *arguments], capture_output=True, text=True, timeout=120)
    check(done.returncode == status, f"{arguments}: {done}")
    return done.stdout + done.stderr


def restored(bin, server, backup, name, *flags):
    """A linteld of what was restored, not started yet."""
    other = Linteld(bin)
    other.data = os.path.join(server.folder.name, name)
    linteld(bin, "restore", "--from", backup, "--data", other.data, *flags)
    return other


@case
def backups_of_a_busy_server_come_back(bin):
    with Linteld(bin, "--write-memory", "6MiB") as server:
        tally, numbers, stop = kill.Tally(), itertools.count(), threading.Event()
        senders = [kill.Sender(server, numbers, tally, stop, "z" * 200) for _ in range(4)]
        for sender in senders:
            sender.start()
        backups, made = os.path.join(server.folder.name, "backups"), []
        for number in range(1, 5):
            time.sleep(0.4)
            before = list(tally.acknowledged)
            said = linteld(bin, "backup", "--data", server.data, "--to", backups, "--keep", "3")
            check(f"backup {number}:" in said, said)
            made.append((os.path.join(backups, f"{number:012}"), before))
        stop.set()
        for sender in senders:
            sender.join()
        # A kill leaves the end of the log as it was.
        server.stop(9)
        before = list(tally.acknowledged)
        linteld(bin, "backup", "--data", server.data, "--to", backups, "--keep", "3")
        made.append((os.path.join(backups, f"{5:012}"), before))
        check(sorted(os.listdir(backups)) == [f"{n:012}" for n in (3, 4, 5)] + ["lock"], f"{os.listdir(backups)}")
        check(linteld(bin, "backup", "--list", backups).count("backup ") == 3, "the list")
        for path, before in made[2:]:
            linteld(bin, "backup", "--verify", path)
            with restored(bin, server, path, "restored-" + os.path.basename(path)) as other:
                lost, repeated, damaged = kill.check(other, before)
                check(before and not lost and not repeated and not damaged, f"{path}: {len(before)} {lost} {repeated} {damaged}")
                check(all(row[2] is None for row in other.query("CHECK")), "what was restored is damaged")


@case
def whoever_was_erased_stays_so_after_a_restore(bin):
    with Linteld(bin) as server:
        span = '{"traceId":"%032x","spanId":"%016x","name":"s","startTimeUnixNano":"1","attributes":[{"key":"user.id","value":{"stringValue":"%s"}}]}'
        spans = ",".join(span % (n + 1, n + 1, "u-4711" if n % 3 == 0 else "other") for n in range(30))
        body = '{"resourceSpans":[{"scopeSpans":[{"spans":[%s]}]}]}' % spans
        check(server.post(body.encode(), "application/json")[0] == 200, "refused")
        backups, count = os.path.join(server.folder.name, "backups"), "SELECT count(*) FROM spans"
        linteld(bin, "backup", "--data", server.data, "--to", backups)
        server.query("ERASE USER 'u-4711'")
        check(server.query(count) == [[20]], "not erased")
        server.stop()
        with restored(bin, server, backups, "unknowing") as other:
            check(other.query(count) == [[30]], "the backup is from before")
        with restored(bin, server, backups, "knowing", "--erasure", server.data) as other:
            check(other.query(count) == [[20]], "whoever was erased is back")


@case
def damaged_backups_are_told(bin):
    with Linteld(bin) as server:
        paths = damage.parts(server, 2)
        server.stop()
        backups, target = os.path.join(server.folder.name, "backups"), os.path.join(server.folder.name, "restored")
        linteld(bin, "backup", "--data", server.data, "--to", backups)
        # The backup shares the file with the store.
        damage.flip(paths[1])
        name = os.path.basename(paths[1])
        check(name in linteld(bin, "backup", "--verify", backups, status=1), "not named")
        check(name in linteld(bin, "restore", "--from", backups, "--data", target, status=1), "not named")
        said = linteld(bin, "backup", "--data", server.data, "--to", backups, "--full", "--keep", "1", status=1)
        check(name in said and len(glob.glob(backups + "/*/backup.listing")) == 2, said)
        first = os.path.join(backups, f"{1:012}")
        said = linteld(bin, "restore", "--from", first, "--data", target, "--take-damaged")
        check(name in said, said)
        check("isn't empty" in linteld(bin, "restore", "--from", first, "--data", target, status=1), "restored into a store")
        for flags in (["backup"], ["backup", "--data", "x"], ["backup", "--list", "x", "--verify", "y"], ["restore", "--data", "x"],
                      ["backup", "--data", "x", "--to", "y", "--keep", "0"]):
            linteld(bin, *flags, status=64)
