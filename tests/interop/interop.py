"""What the scripts here share: the Python with foreign readers, table_tool, and rows that can be
compared whoever read them."""
import contextlib
import datetime
import decimal
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PYTHON = ROOT / "third_party/python/bin/python3"
DELTA_EXTENSION = ROOT / "third_party/deps/duckdb/extensions/delta.duckdb_extension"
SKIPPED = 77


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def enter_environment():
    """Goes on in the Python that has the readers, made first if need be."""
    made = subprocess.run([ROOT / "tools/python-env"], capture_output=True, text=True)
    if made.returncode != 0:
        skip("no foreign readers: " + (made.stderr.strip().splitlines() or ["?"])[-1])
    if pathlib.Path(sys.prefix) != PYTHON.parent.parent:
        os.execv(PYTHON, [PYTHON, *sys.argv])


class ToolError(Exception):
    pass


class Tool:
    """table_tool on the file store in one folder."""

    def __init__(self, root):
        self.root = str(root)

    def call(self, verb, location, *arguments, stdin=""):
        done = subprocess.run([os.environ["TABLE_TOOL"], verb, self.root, location, *arguments],
                              input=stdin, capture_output=True, text=True)
        if done.returncode != 0:
            raise ToolError(done.stderr.strip())
        return [json.loads(line) for line in done.stdout.splitlines()]

    def snapshot(self, location, when=""):
        return self.call("snapshot", location, str(when))[0]

    def append(self, location, requests):
        lines = "".join(json.dumps(request) + "\n" for request in requests)
        return self.call("append", location, stdin=lines)


def plain(value):
    """A value whose equality does not depend on which library read it."""
    if isinstance(value, datetime.datetime):
        if value.tzinfo is not None:
            value = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        return value.isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return str(value.normalize() + 0)
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else repr(value)
    if isinstance(value, bytes):
        return "bytes:" + value.hex()
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return value


def rows_of(table, maps=()):
    """Rows of an Arrow table in an order of their own, as text."""
    rows = []
    for row in table.to_pylist():
        for name in maps:
            if row.get(name) is not None:
                row[name] = sorted(row[name])
        rows.append(json.dumps({key: plain(value) for key, value in row.items()}, sort_keys=True))
    return sorted(rows)


@contextlib.contextmanager
def work_folder():
    with tempfile.TemporaryDirectory(prefix="headrace-interop-") as folder:
        yield pathlib.Path(folder)
