"""What the whole-program tests share: a lake in a fresh folder, the program, foreign readers.

A test file ends with `harness.main()`, which prints "N passed, N failed, N skipped" last.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get("HEADRACE", str(ROOT / "build" / "headrace"))
VENV_PYTHON = ROOT / "third_party" / "python" / "bin" / "python3"

# How a stack begins: a store of folders.
LAKE = """\
version: 1
name: lake
stores:
  lake: { kind: file, path: ./buckets }
"""
EVENTS_TO_TABLE = LAKE + """\
sources:
  landing: { kind: watch, store: lake, bucket: inbox }
tables:
  events: { store: lake, location: tables/events, commit: { every: 1s } }
routes:
  load:
    from: landing
    steps: [ { table: events } ]
    retry: { attempts: 3, backoff: { base: 10ms, cap: 50ms } }
"""


class Lake:
    """A stack in a folder of its own."""

    def __init__(self, stack=EVENTS_TO_TABLE, folder=None):
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="headrace-test-"))
        self.write("headrace.yaml", stack)

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def write(self, path, content):
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_name("." + target.name + ".part")
        if isinstance(content, str):
            content = content.encode()
        aside.write_bytes(content)
        os.rename(aside, target)
        return target

    def put(self, key, content):
        return self.write("buckets/" + key, content)

    def start(self, *args, env=None, **options):
        return subprocess.Popen([PROGRAM, *args], cwd=self.folder, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env={**os.environ, **(env or {})}, **options)

    def start_engine(self, *args, **options):
        """`run` in the background, once its control socket is there: a verb asked earlier would
        open the ledger itself and stand in the engine's way."""
        socket = self.folder / "state/control.sock"
        socket.unlink(missing_ok=True)  # One that was killed leaves it behind.
        engine = self.start("run", *args, **options)
        wait_until(lambda: socket.exists() or engine.poll() is not None, "the engine")
        return engine

    def run_and_kill(self, chance, least=0.05, most=0.4):
        """`run`, killed at some moment: which one it is, is chance, and nothing relies on it."""
        engine = self.start("run")
        time.sleep(chance.uniform(least, most))
        return stop(engine, signal.SIGKILL)

    def run(self, *args, code=0, env=None, stdin=None, timeout=300):
        """Runs a verb to its end and checks its exit code; gives the finished process."""
        done = subprocess.run([PROGRAM, *args], cwd=self.folder, input=stdin, text=True,
                              stdin=subprocess.DEVNULL if stdin is None else None,
                              capture_output=True, env={**os.environ, **(env or {})},
                              timeout=timeout)
        if code is not None and done.returncode != code:
            raise AssertionError(f"headrace {' '.join(args)}: exit {done.returncode}, expected "
                                 f"{code}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        return done

    def rows(self, *args, **options):
        """The rows a verb prints, as dicts."""
        out = self.run(*args, "-o", "ndjson", **options).stdout
        return [json.loads(line) for line in out.splitlines()]

    def sql(self, text):
        return self.rows("sql", text)

    def value(self, text):
        row, = self.sql(text)
        value, = row.values()
        return value

    def status(self):
        return json.loads(self.run("status", "-o", "ndjson").stdout)

    def route(self, name):
        found = [r for r in self.status()["routes"] if r["route"] == name]
        return found[0] if found else None


def wait_until(condition, what, seconds=60):
    """Polls until `condition()` is true; a generous limit, only there so that a hang ends."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("still waiting: " + what)
        time.sleep(0.02)


def stop(process, sig=signal.SIGTERM):
    process.send_signal(sig)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def foreign_rows(table_folder, columns="count(*) as n"):
    """Reads a table with two readers we did not write, PyPI deltalake and DuckDB's delta extension;
    returns (rows by deltalake, rows by duckdb), or None if they are not installed."""
    if not VENV_PYTHON.exists():
        return None
    script = ROOT / "tests" / "e2e" / "foreign_readers.py"
    done = subprocess.run([str(VENV_PYTHON), str(script), str(table_folder)],
                          capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise AssertionError("foreign readers: " + done.stderr[-3000:])
    both = json.loads(done.stdout)
    return both["deltalake"], both["duckdb"]


class LakeTest(unittest.TestCase):
    """A test with a lake that is removed afterwards."""

    def lake(self, *args, **options):
        lake = Lake(*args, **options)
        self.addCleanup(lake.close)
        return lake

    def follow_readme(self, heading, env=None):
        """In a fresh folder, command by command as it stands there: each works and says what is
        shown. How large files come out is no promise; `env` stands in for what is exported."""
        lake = self.lake()
        os.remove(lake.folder / "headrace.yaml")
        (lake.folder / "bin").mkdir()
        (lake.folder / "bin/headrace").symlink_to(PROGRAM)
        env = {**os.environ, "PATH": f"{lake.folder}/bin:{os.environ['PATH']}", **(env or {})}
        commands = readme_walk(heading)
        self.assertGreater(len(commands), 5)
        for command, shown in commands:
            if command.startswith("export "):
                continue
            done = subprocess.run(["bash", "-c", command], cwd=lake.folder, env=env, text=True,
                                  capture_output=True, timeout=120, stdin=subprocess.DEVNULL)
            self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}{done.stderr}")
            said, shown = (re.sub(r"\d+ bytes", "N bytes", text)
                           for text in (done.stdout + done.stderr, shown))
            for line in filter(None, shown.splitlines()):
                self.assertIn(line, said, command)


def readme_walk(heading):
    """The commands under a heading of the README, each with what is shown of its output."""
    text = (ROOT / "README.md").read_text()
    block, = re.findall(rf"## {heading}\n.*?```console\n(.*?)```", text, re.S)
    return [part.partition("\n")[::2] for part in re.split(r"^\$ ", block, flags=re.M)[1:]]


def main():
    result = unittest.TextTestRunner(verbosity=2, stream=sys.stdout).run(
        unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"]))
    for test, why in result.skipped:
        print(f"skipped: {test.id()}: {why}")
    failed = len(result.failures) + len(result.errors)
    passed = result.testsRun - failed - len(result.skipped)
    print(f"{passed} passed, {failed} failed, {len(result.skipped)} skipped")
    sys.exit(1 if failed else 0)
