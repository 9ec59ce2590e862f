"""Dagster's daemon as a child that does not outlive its parent: two daemons over one folder would start every run twice."""

import os
import signal
import sys
import threading
import time


def main() -> None:
    """Run the daemon with the arguments that follow the parent's process id."""
    parent = int(sys.argv.pop(1))
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    from pipelines.private_dagster import run_daemon  # noqa: PLC0415  (the thread watches while this is imported)

    run_daemon([*sys.argv[1:], "--log-level", "warning"])


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1.0)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(10.0)
    os._exit(1)


if __name__ == "__main__":
    main()
