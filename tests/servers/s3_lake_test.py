#!/usr/bin/env python3
"""A lake on a real S3 store: the verbs for objects through s3:// URLs and through a stack's store,
and a stack that loads a table and edits objects there, read back by SQL."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import harness  # noqa: E402
import stacks  # noqa: E402
from servers import on_each  # noqa: E402

STACK = """\
sources:
  landing: { kind: listing, store: lake, bucket: inbox, prefix: in/ }
tables:
  people: { store: lake, location: tables/people, partition_by: [country] }
datasets:
  raw: { store: lake, bucket: raw, prefix: in/ }
routes:
  blank:
    from: landing
    match: { key: { prefix: in/edited } }
    steps:
      - edit: { set: { note: "" } }
      - tag: { processed: "true" }
  load:
    from: landing
    match: { key: { prefix: in/loaded } }
    steps: [ { table: people } ]
"""
LINES = [{"name": "Ann", "country": "NO", "note": "x"},
         {"name": "Bo", "country": "SE", "note": "y"}]


@on_each("moto", "minio", "versitygw", "radosgw")
class S3LakeTest(harness.LakeTest):
    maxDiff = None

    def check(self, running):
        keys = stacks.environment(running) | stacks.aws_environment(running)
        lake = self.lake(stacks.lake(running) + STACK)
        content = "".join(json.dumps(line) + "\n" for line in LINES)
        for name in ("edited", "loaded 1", "loaded 2"):
            lake.run("cp", "-", f"lake://inbox/in/{name} a+b.json", stdin=content, env=keys)
        self.verbs(lake, keys, content)
        self.stack(lake, keys)
        self.sql(lake, keys)

    def verbs(self, lake, keys, content):
        """By s3:// URLs, with all that AWS tools take from the environment."""
        listed = lake.rows("ls", "-r", "s3://inbox/", env=keys)
        self.assertEqual(len(listed), 3)
        key = "s3://inbox/in/edited a+b.json"
        self.assertEqual(lake.run("cat", key, env=keys).stdout, content)
        lake.run("cp", key, "s3://inbox/copies/", env=keys)
        lake.run("mv", "s3://inbox/copies/edited a+b.json", "s3://inbox/moved/m.json", env=keys)
        lake.run("tags", "s3://inbox/moved/m.json", "--set", "a=1", env=keys)
        self.assertIn('"a"', lake.run("tags", "s3://inbox/moved/m.json", "-o", "json",
                                      env=keys).stdout)
        self.assertIn(str(len(content)), lake.run("stat", "s3://inbox/moved/m.json", "-o", "json",
                                                  env=keys).stdout)
        lake.run("rm", "-r", "--yes", "s3://inbox/moved/", env=keys)
        self.assertEqual(lake.rows("ls", "-r", "s3://inbox/moved/", env=keys), [])
        missing = lake.run("cat", "s3://inbox/never", code=1, env=keys)
        self.assertIn("inbox/never", missing.stderr)
        nowhere = lake.run("cp", "-", "s3://nowhere/key", stdin="x", code=1, env=keys)
        self.assertIn("create_buckets", nowhere.stderr)

    def stack(self, lake, keys):
        lake.run("run", "--once", env=keys)
        rows = lake.rows("sql", "select country, count(*) as n from people group by 1 order by 1",
                         env=keys)
        self.assertEqual(rows, [{"country": "NO", "n": 2}, {"country": "SE", "n": 2}])
        edited = lake.run("cat", "lake://inbox/in/edited a+b.json", env=keys).stdout
        self.assertEqual([json.loads(line)["note"] for line in edited.splitlines()], ["", ""])
        self.assertIn("processed", lake.run("tags", "lake://inbox/in/edited a+b.json", "-o", "json",
                                            env=keys).stdout)
        # Its own writes are no work for it.
        lake.run("run", "--once", env=keys)
        again = lake.rows("sql", "select count(*) as n from people", env=keys)
        self.assertEqual(again, [{"n": 4}])

    def sql(self, lake, keys):
        """Joins over tables, datasets, URLs and local files, and results put into the store."""
        lake.run("cp", "-", "lake://raw/in/day=2026-01-01/a b.json",
                 stdin='{"name":"Ann","age":36}\n', env=keys)
        lake.run("cp", "-", "lake://raw/in/day=2026-01-02/b.json",
                 stdin='{"name":"Bo","age":41}\n', env=keys)
        lake.write("cities.csv", "name,city\nAnn,Oslo\nBo,Lund\n")
        ask = ("select distinct p.name, r.age, c.city, r.day from people p join raw r using (name) "
               "join 'cities.csv' c using (name) join 's3://raw/in/*/*.json' u using (name) "
               "order by 1")
        expected = [{"name": "Ann", "age": 36, "city": "Oslo", "day": "2026-01-01"},
                    {"name": "Bo", "age": 41, "city": "Lund", "day": "2026-01-02"}]
        self.assertEqual(lake.rows("sql", ask, env=keys), expected)
        done = lake.run("sql", ask, "--to", "lake://reports/ages.parquet", env=keys)
        self.assertIn("2 rows to lake://reports/ages.parquet", done.stderr)
        self.assertEqual(lake.rows("sql", "from 's3://reports/ages.parquet' order by 1", env=keys),
                         expected)
        lake.run("sql", ask, "--to", "lake://reports/ages.parquet", code=1, env=keys)
        one = lake.run("sql", "explain select * from raw where day = '2026-01-02'", "-o", "table",
                       env=keys).stdout
        self.assertIn("files read: raw: 1 of 2 files", one)
        pruned = lake.run("sql", "explain select * from people where country = 'NO'", "-o", "table",
                          env=keys).stdout
        self.assertRegex(pruned, "files read: people version [0-9]+: 1 of 2 files")
        # An object that is rewritten is read anew, a broken one is named as it is called there.
        lake.run("dataset", "crawl", "raw", env=keys)
        lake.run("cp", "-", "lake://raw/in/day=2026-01-02/b.json",
                 stdin='{"name":"Bo","age":42,"new":true}\n', env=keys)
        self.assertEqual(lake.rows("sql", "select age, new from raw where name = 'Bo'", env=keys),
                         [{"age": 42, "new": True}])
        lake.run("cp", "-", "lake://raw/in/day=2026-01-02/b.json", stdin='{"name":"Bo"\n{\n',
                 env=keys)
        broken = lake.run("sql", "from raw", code=1, env=keys)
        self.assertIn("raw/in/day=2026-01-02/b.json", broken.stderr)
        self.assertNotIn("cache/objects", broken.stderr)


if __name__ == "__main__":
    harness.main()
