#!/usr/bin/env python3
"""The life of a table on a real S3 store: loaded, joined, changed, followed, cleaned up; read, and
appended to, by deltalake in between."""
import json
import pathlib
import subprocess
import sys
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import harness  # noqa: E402
import stacks  # noqa: E402
from servers import on_each  # noqa: E402

STACK = """\
sources:
  landing: { kind: listing, store: lake, bucket: inbox, every: 1s }
tables:
  people:
    store: lake
    location: tables/people
    partition_by: [country]
    properties: { delta.deletedFileRetentionDuration: interval 0 days }
    commit: { every: 20ms }
routes:
  load:
    from: landing
    steps: [ { table: { into: people, on_overwrite: replace, on_delete: remove } } ]
    retry: { attempts: 20, backoff: { base: 10ms, cap: 50ms } }
"""
# Reads the table, and adds a row if one is given.
DELTALAKE = """\
import json, os, sys
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
options = {"aws_conditional_put": "etag"}
table = DeltaTable("s3://tables/people", storage_options=options)
if len(sys.argv) > 1:
    rows = pa.Table.from_pylist([json.loads(sys.argv[1])])
    write_deltalake(table, rows, mode="append", schema_mode="merge")
rows = table.to_pyarrow_table().select(["id", "name", "country"]).to_pylist()
print(json.dumps(sorted(rows, key=lambda row: row["id"])), flush=True)
os._exit(0)  # A thread of deltalake's may still run, which ends the interpreter with an abort.
"""


def person(number, name=None):
    return {"id": number, "name": name or f"n{number}", "country": "NO" if number % 2 else "SE"}


@on_each("moto", "versitygw")
class TableOnS3(harness.LakeTest):
    maxDiff = None

    def check(self, running):
        self.keys = {**stacks.environment(running), **stacks.aws_environment(running),
                     "AWS_ALLOW_HTTP": "true"}
        self.people = self.lake(stacks.lake(running) + STACK)
        self.load()
        self.change()
        self.others()
        self.clean_up()

    def sees(self, *expected):
        rows = self.people.rows("sql", "select id, name, country from people order by id",
                                env=self.keys)
        self.assertEqual(rows, list(expected))
        self.by_deltalake(*expected)

    def by_deltalake(self, *expected, adds=None):
        """Skipped where it is not installed."""
        if not harness.VENV_PYTHON.exists():
            return False
        add = [json.dumps(adds)] if adds else []
        done = subprocess.run([str(harness.VENV_PYTHON), "-c", DELTALAKE, *add], env=self.keys,
                              capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        self.assertEqual(json.loads(done.stdout), list(expected))
        return True

    def put(self, key, *rows):
        text = "".join(json.dumps(row) + "\n" for row in rows)
        self.people.run("cp", "-", f"lake://inbox/{key}", stdin=text, env=self.keys)

    def event(self, key):
        """What a store announces of a deletion; a listing cannot see one."""
        return json.dumps({
            "version": "0", "id": str(uuid.uuid4()), "detail-type": "Object Deleted",
            "source": "aws.s3", "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "detail": {"bucket": {"name": "inbox"}, "object": {"key": key}, "store": "lake",
                       "origin": "landing"}}) + "\n"

    def load(self):
        """Objects that come, are edited in place, and go."""
        lake = self.people
        self.put("0.jsonl", person(0))
        engine = lake.start_engine(env=self.keys)
        try:
            def wait_for(*ids):
                def there():
                    done = lake.run("sql", "select id from people order by id", "-o", "ndjson",
                                    code=None, env=self.keys)
                    return [json.loads(line)["id"] for line in done.stdout.splitlines()
                            ] == list(ids)
                harness.wait_until(there, f"the rows {ids}", seconds=60)
            wait_for(0)
            for i in range(1, 4):
                self.put(f"{i}.jsonl", person(i), person(i + 10))
            wait_for(0, 1, 2, 3, 11, 12, 13)
            self.put("3.jsonl", person(3, "edited"))
            wait_for(0, 1, 2, 3, 11, 12)
            lake.run("rm", "lake://inbox/0.jsonl", env=self.keys)
            lake.run("event", "send", "-", stdin=self.event("0.jsonl"), env=self.keys)
            wait_for(1, 2, 3, 11, 12)
        finally:
            code, _, err = harness.stop(engine)
        self.assertEqual(code, 0, err)
        self.sees(person(1), person(2), person(3, "edited"), person(11), person(12))

    def sizes(self, *args):
        before, after = self.people.rows("table", *args, env=self.keys)
        return before["files"], after["files"], before["rows"], after["rows"]

    def change(self):
        files, joined, *rows = self.sizes("optimize", "people")
        self.assertGreater(files, joined)
        self.assertEqual((joined, rows), (2, [5, 5]))
        self.assertEqual(self.sizes("delete", "people", "--where", "id = 2", "--yes"),
                         (2, 2, 5, 4))
        self.assertEqual(self.sizes("update", "people", "--set", "name=upper(name)", "--where",
                                    "country = 'NO'"), (2, 2, 4, 4))
        self.sees(person(1, "N1"), person(3, "EDITED"), person(11, "N11"), person(12))

    def others(self):
        expected = [person(1, "N1"), person(3, "EDITED"), person(11, "N11"), person(12)]
        if self.by_deltalake(*expected, person(20), adds=person(20)):
            self.sees(*expected, person(20))
            self.assertEqual(self.sizes("delete", "people", "--where", "id = 20", "--yes")[2:],
                             (5, 4))
        self.sees(*expected)

    def clean_up(self):
        lake = self.people
        lake.run("table", "set", "people", "delta.checkpointInterval=3", env=self.keys)
        operations = [row["operation"] for row in lake.rows("table", "history", "people",
                                                            env=self.keys)]
        self.assertEqual(operations[0], "SET TBLPROPERTIES")
        for operation in ("OPTIMIZE", "DELETE", "UPDATE", "WRITE"):
            self.assertIn(operation, operations)
        listed = lake.rows("ls", "-r", "lake://tables/people/", env=self.keys)
        time.sleep(1.1)  # The store tells times by the second.
        gone = lake.rows("table", "vacuum", "people", "--yes", env=self.keys)
        self.assertGreater(len(gone), 5)
        left = lake.rows("ls", "-r", "lake://tables/people/", env=self.keys)
        self.assertEqual(len(left), len(listed) - len(gone))
        self.sees(person(1, "N1"), person(3, "EDITED"), person(11, "N11"), person(12))
        lake.run("table", "checkpoint", "people", env=self.keys)
        self.sees(person(1, "N1"), person(3, "EDITED"), person(11, "N11"), person(12))
        lake.run("table", "drop", "people", "--yes", env=self.keys)
        self.assertEqual(lake.rows("ls", "-r", "lake://tables/people/", env=self.keys), [])


if __name__ == "__main__":
    harness.main()
