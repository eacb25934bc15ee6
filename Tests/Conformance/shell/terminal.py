"""A terminal to run the shell in: types, waits for text, knows the exit status."""
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import time

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>78]|[\x07\x0f]")


class Terminal:
    def __init__(self, arguments, environment, columns=120, lines=40):
        self.main, other = os.openpty()
        fcntl.ioctl(self.main, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

        def take_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            arguments, stdin=other, stdout=other, stderr=other, close_fds=True, preexec_fn=take_terminal,
            env={"PATH": os.environ["PATH"], "TERM": "xterm", "LANG": "C.UTF-8", **environment})
        os.close(other)
        self.text = ""
        self.seen = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        os.close(self.main)

    def read(self, seconds):
        """Takes what comes within a while; says whether something did."""
        if not select.select([self.main], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.main, 65536)
        except OSError:
            return False
        self.text += ESCAPES.sub("", data.decode("utf-8", "replace"))
        return bool(data)

    def type(self, text):
        os.write(self.main, text.encode())

    def expect(self, text, seconds=20):
        """Waits for text that comes after what was expected before; returns what stood before it."""
        end = time.monotonic() + seconds
        while True:
            at = self.text.find(text, self.seen)
            if at >= 0:
                before = self.text[self.seen:at]
                self.seen = at + len(text)
                return before
            if time.monotonic() > end or not self.read(min(0.2, max(0, end - time.monotonic()))) and self.process.poll() is not None:
                raise AssertionError(f"{text!r} did not come; the terminal shows {self.text[self.seen:][-1500:]!r}")

    def run(self, line, expected, seconds=20):
        self.type(line + "\r")
        return self.expect(expected, seconds)

    def status(self, seconds=20):
        end = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < end:
            self.read(0.05)
        return self.process.poll()
