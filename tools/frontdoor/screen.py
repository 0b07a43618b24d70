"""What the front door writes: sentences, and one line of progress that is overwritten."""
import shutil
import sys
import time

TERMINAL = sys.stdout.isatty()


def say(text):
    print(text, flush=True)


def fail(text):
    print(f"pinstrap: {text}", file=sys.stderr, flush=True)
    sys.exit(1)


def clock(seconds):
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


class Progress:
    """One line: `what … state`.  Without a terminal, a line at the start, every half minute, and at the end."""

    def __init__(self, what):
        self.what, self.began, self.shown = what, time.monotonic(), 0.0
        self.quiet = True  # nothing shown yet

    def elapsed(self):
        return clock(time.monotonic() - self.began)

    def show(self, state):
        now = time.monotonic()
        if TERMINAL:
            if now - self.shown < 0.05 and not self.quiet:
                return
            width = shutil.get_terminal_size().columns - 1
            sys.stdout.write("\r\033[K" + f"{self.what} {state}  {self.elapsed()}"[:width])
        elif self.quiet or now - self.shown > 30:
            sys.stdout.write(f"{self.what} {state}  {self.elapsed()}\n")
        else:
            return
        sys.stdout.flush()
        self.shown, self.quiet = now, False

    def clear(self):
        if TERMINAL and not self.quiet:
            sys.stdout.write("\r\033[K")
            sys.stdout.flush()
            self.quiet = True

    def done(self, state="done"):
        self.clear()
        say(f"{self.what} {state}  {self.elapsed()}")
