"""A server that runs: its folder, its ports, its processes, and the record that finds it again.

The record is DIR/server.json, and a copy of it among the running ones under third_party/. It is
written before the first process starts and after each, so that nothing is ever started that `stop`
does not know of.
"""
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import ssl
import subprocess
import tempfile
import time

import processes

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
INSTALLED = ROOT / "third_party" / "servers"
RUNNING = INSTALLED / ".running"

ACCESS_KEY, SECRET_KEY, REGION = "testadmin", "testsecret1", "us-east-1"


class Unavailable(Exception):
    """The server can't be had on this machine. The message is one line that says why."""


class Failed(Exception):
    """The server is here, and did not do what was asked. The message shows its last words."""


class PortTaken(Failed):
    """A process ended before it listened: most likely another one took its port."""


class Run:
    """One server in one folder. A folder that ran this server before gives its ports and data
    again, which is how a restart is made."""

    def __init__(self, name, folder=None, options=None):
        self.name = name
        self.options = options
        self.made_folder = folder is None
        self.dir = pathlib.Path(folder or tempfile.mkdtemp(prefix=f"headrace-{name}-")).resolve()
        self.dir.mkdir(parents=True, exist_ok=True)
        self.ports, self.processes, self.facts = {}, [], {}
        self.log_starts = {}
        self.is_restart = False
        with contextlib.suppress(OSError, ValueError):
            earlier = json.loads((self.dir / "server.json").read_text())
            if any(map(processes.is_alive, earlier["processes"])):
                raise Failed(f"{name} already runs in {self.dir}")
            if earlier["name"] == name and earlier["facts"]:  # It was ready once.
                self.ports, self.is_restart = earlier["ports"], True

    def pick_ports(self, names):
        """New ports, unless this is a restart: clients of a restarted server know the old ones."""
        if not self.is_restart:
            self.ports = {name: processes.free_port() for name in names}

    def start(self, name, argv, env=None):
        """Starts a process in a session of its own; what it says goes to DIR/NAME.log."""
        self.save()
        log_path = self.dir / f"{name}.log"
        with open(log_path, "ab") as log:
            self.log_starts[name] = log.tell()
            child = subprocess.Popen(list(map(str, argv)), cwd=self.dir, stdin=subprocess.DEVNULL,
                                     stdout=log, stderr=log, start_new_session=True,
                                     env={**os.environ, **(env or {})})
        process = {"name": name, "pid": child.pid, "born": processes.born(child.pid)}
        self.processes.append(process)
        self.save()
        return process

    def command(self, argv, env=None):
        """Runs a command of the server's set-up to its end and gives its output."""
        done = subprocess.run(list(map(str, argv)), cwd=self.dir, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120,
                              env={**os.environ, **(env or {})})
        if done.returncode != 0:
            raise Failed(f"{argv[0]} exited with {done.returncode}: "
                         f"{(done.stderr or done.stdout).strip()[-2000:]}")
        return done.stdout

    def wait_until(self, process, port, condition=lambda: True, seconds=90):
        """Waits until the process itself listens on the port and `condition()` holds; the limit is
        generous, a machine that builds meanwhile is slow."""
        limit = time.monotonic() + seconds
        while True:
            if not processes.is_alive(process):
                raise PortTaken(f"{process['name']} ended: {self.last_words(process['name'])}")
            if processes.listens(process["pid"], port) and condition():
                return
            if time.monotonic() > limit:
                raise Failed(f"{process['name']} is not ready after {seconds} s: "
                             f"{self.last_words(process['name'])}")
            time.sleep(0.03)

    def answers(self, port, path, secure=False):
        """A condition for wait_until: a GET is answered with anything below 500."""
        def ask():
            connection = http.client.HTTPSConnection(
                "127.0.0.1", port, timeout=5, context=ssl._create_unverified_context()) \
                if secure else http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            try:
                connection.request("GET", path)
                return connection.getresponse().status < 500
            except (OSError, http.client.HTTPException):
                return False
            finally:
                connection.close()
        return ask

    def words(self, name):
        """What the process said since it was started."""
        with contextlib.suppress(OSError):
            return (self.dir / f"{name}.log").read_bytes()[self.log_starts.get(name, 0):]
        return b""

    def last_words(self, name):
        return self.words(name).decode(errors="replace").strip()[-2000:] or "it said nothing"

    def abandon(self):
        """Ends what was started, last first, before another try or an error."""
        for process in reversed(self.processes):
            processes.end(process)
        self.processes = []

    def record(self):
        return {"name": self.name, "dir": str(self.dir), "made_folder": self.made_folder,
                "ports": self.ports, "processes": self.processes, "facts": self.facts}

    def save(self):
        for path in (self.dir / "server.json", record_path(self.name, self.dir)):
            path.parent.mkdir(parents=True, exist_ok=True)
            aside = path.with_name(path.name + f".{os.getpid()}.part")
            aside.write_text(json.dumps(self.record(), indent=1) + "\n")
            aside.replace(path)


def record_path(name, folder):
    """One record for each folder; its name says which, so that two starts never share one."""
    return RUNNING / (f"{name}{folder}".replace("/", "%") + ".json")


def running(name=None):
    """The records of all servers that were started and not stopped."""
    found = []
    for path in sorted(RUNNING.glob("*.json")):
        with contextlib.suppress(OSError, ValueError):
            record = json.loads(path.read_text())
            if name in (None, record["name"]):
                found.append(record)
    return found


def has_ended(record):
    """Whether one of its processes ended without being asked; a server that is just being started
    has none yet."""
    return not all(map(processes.is_alive, record["processes"]))


def stop(record):
    """Ends the processes of the record and no other, last started first. Removes the folder if
    `start` made it; a folder that was given stays, and can be started again."""
    for process in reversed(record["processes"]):
        processes.end(process)
    folder = pathlib.Path(record["dir"])
    if record["made_folder"]:
        shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):
        record_path(record["name"], folder).unlink()
