"""Processes and ports: who listens where, is it still the one we started, end it and it alone."""
import contextlib
import os
import pathlib
import signal
import socket
import time


def free_port():
    """A loopback port nobody uses now. Someone may take it before the server binds it; whoever
    starts a server tries again with another one then."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def born(pid):
    """When the process was started, in clock ticks since boot, or None if it has ended. Together
    with the pid it names one process for good: a pid alone is given out again."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def is_alive(process):
    """`process` is a dict with `pid` and `born`."""
    return process["born"] is not None and born(process["pid"]) == process["born"]


def listens(pid, port):
    """Whether the process itself listens on the port: another server that was quicker to take the
    port must not pass for it."""
    sockets = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = pathlib.Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, rows):
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                sockets.add(f"socket:[{fields[9]}]")
    folder = f"/proc/{pid}/fd"
    try:
        for name in os.listdir(folder):
            try:
                if os.readlink(f"{folder}/{name}") in sockets:
                    return True
            except OSError:
                continue  # Closed meanwhile.
    except OSError:
        pass
    return False


def end(process, seconds=20):
    """SIGTERM, and SIGKILL to what is still there after `seconds`."""
    for sign, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, 10)):
        if not is_alive(process):
            break
        with contextlib.suppress(ProcessLookupError):
            os.kill(process["pid"], sign)
        limit = time.monotonic() + patience
        while is_alive(process) and time.monotonic() < limit:
            time.sleep(0.02)
    with contextlib.suppress(ChildProcessError):  # What an earlier call started, init reaps.
        os.waitpid(process["pid"], os.WNOHANG)
