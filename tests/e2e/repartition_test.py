"""Rows of many objects sorted into few: each in exactly one object, also when the process dies."""
import json
import os
import random
import signal
import subprocess

import harness

STACK = harness.LAKE + """\
sources:
  landing: { kind: watch, store: lake, bucket: raw, key: "in/{date}/{name}.jsonl" }
routes:
  sort:
    from: landing
    steps:
      - repartition:
          to: "lake://TARGET/by_type/{type}/dt={date}/{uuid}.jsonl.zst"
          every: 100ms
          memory: 1MiB
    retry: { attempts: 5, backoff: { base: 10ms, cap: 50ms } }
"""

# Runs in the venv: all rows under a folder of .jsonl.zst files, as two foreign readers see them.
READ_BOTH = """\
import glob, json, sys
import duckdb, pyarrow
files = sorted(glob.glob(sys.argv[1] + "/**/*.jsonl.zst", recursive=True))
lines = []
for name in files:
    with pyarrow.CompressedInputStream(pyarrow.OSFile(name), "zstd") as packed:
        lines += packed.read().decode().splitlines()
duck = duckdb.execute("select count(*), count(distinct (id, line)) from read_ndjson_auto(?)",
                      [files]).fetchone()
print(json.dumps({"lines": lines, "duckdb": duck, "files": len(files)}))
"""


def old(path):
    """A file that is older than the watch's settling time is taken at once."""
    os.utime(path, (1_700_000_000, 1_700_000_000))


class Repartition(harness.LakeTest):
    def lake_with(self, objects, target="out", seed=1):
        lake = self.lake(STACK.replace("TARGET", target))
        chance = random.Random(seed)
        self.expected, self.broken = [], 0
        for i in range(objects):
            lines = [json.dumps({"type": f"t{chance.randrange(9)}", "id": i, "line": n})
                     for n in range(chance.randrange(1, 5))]
            self.expected += lines
            if i % 50 == 0:
                lines.append("broken")
                self.broken += 1
            old(lake.put(f"raw/in/2026-01-0{i % 3 + 1}/{i}.jsonl", "\n".join(lines) + "\n"))
        return lake

    def check(self, lake, target="out"):
        if not harness.VENV_PYTHON.exists():
            self.skipTest("no foreign readers: tools/python-env has not run")
        done = subprocess.run([str(harness.VENV_PYTHON), "-c", READ_BOTH,
                               str(lake.folder / "buckets" / target / "by_type")],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        seen = json.loads(done.stdout)
        self.assertEqual(sorted(seen["lines"]), sorted(self.expected))
        self.assertEqual(seen["duckdb"], [len(self.expected), len(self.expected)])
        self.assertEqual(len(lake.rows("dead", "ls", "--limit", "10000")), self.broken)
        work = lake.folder / "state/work"
        self.assertEqual([f.name for f in work.rglob("*") if f.is_file()], [])
        return seen["files"]

    def test_few_objects_by_type_and_day(self):
        lake = self.lake_with(400)
        lake.run("validate")
        lake.run("run", "--once")
        # Nine types on three days, in each batch.
        self.assertLess(self.check(lake), 150)

    def test_each_crash_point(self):
        for point in ("sink.prepared", "sink.planned", "repartition.put:1", "repartition.put:5",
                      "sink.committed"):
            with self.subTest(point):
                lake = self.lake_with(60, seed=point)
                died = lake.run("run", "--once", env={"HEADRACE_CRASH_AT": point}, code=None)
                self.assertEqual(died.returncode, -signal.SIGKILL, died.stderr[-2000:])
                lake.run("run", "--once")
                self.check(lake)
                self.assertEqual(lake.route("sort")["pending"], 0)

    def test_kills_at_any_moment(self):
        lake = self.lake_with(1500, seed=7)
        chance = random.Random(7)
        for _ in range(8):
            lake.run_and_kill(chance)
        lake.run("run", "--once")
        self.check(lake)

    def test_its_own_objects_are_not_taken_up(self):
        # The source looks at the whole bucket, and so at what the route makes.
        lake = self.lake_with(30, target="raw")
        lake.write("headrace.yaml", STACK.replace("TARGET", "raw")
                   .replace(', key: "in/{date}/{name}.jsonl"', "").replace("dt={date}/", ""))
        for _ in range(3):
            lake.run("run", "--once")
        self.check(lake, target="raw")


if __name__ == "__main__":
    harness.main()
