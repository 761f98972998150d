"""Filters on rows, families of tables that rows feed, and SQL over single objects."""
import gzip
import json
import signal

import harness

HEAD = harness.LAKE + """\
sources:
  landing: { kind: watch, store: lake, bucket: inbox }
"""
RETRY = "    retry: { attempts: 5, backoff: { base: 10ms, cap: 50ms } }\n"


class RowFilter(harness.LakeTest):
    def test_only_wanted_rows_are_loaded_and_the_others_are_no_dead_letters(self):
        lake = self.lake(HEAD + """\
tables:
  pushes: { store: lake, location: tables/pushes, commit: { every: 100ms } }
routes:
  load:
    from: landing
    steps:
      - table: { into: pushes, rows: { type: [{ prefix: push }], n: [{ numeric: [">", 1] }] } }
""")
        lake.put("inbox/a.jsonl", "".join(
            json.dumps(row) + "\n" for row in (
                {"type": "push", "n": 1}, {"type": "push", "n": 2}, {"type": "push_tag", "n": 3},
                {"type": "star", "n": 9}, {"type": "star", "only_here": 1})) + "broken\n")
        said = lake.run("run", "--once", "--log-format", "json").stderr.splitlines()
        left_out = [int(json.loads(line)["rows"]) for line in said if "rows left out" in line]
        self.assertEqual(left_out, [3])
        self.assertEqual(lake.sql("select type, n from pushes order by n"),
                         [{"type": "push", "n": 2}, {"type": "push_tag", "n": 3}])
        columns = [c["column_name"] for c in lake.sql("describe select * from pushes")]
        self.assertNotIn("only_here", columns)
        letter, = lake.rows("dead", "ls")
        self.assertIn("line 6", letter["error"])


class Families(harness.LakeTest):
    STACK = HEAD + """\
tables:
  "events_{type}":
    { store: lake, location: "tables/{type}", limit: 50, commit: { every: 100ms } ONLY }
routes:
  load:
    from: landing
    steps: [ { table: "events_{type}" } ]
""" + RETRY

    def fill(self, lake, objects=40):
        expected = {}
        for i in range(objects):
            rows = [{"type": f"t{(i + n) % 4}", "id": i, "n": n} for n in range(1 + i % 5)]
            for row in rows:
                table = "events_" + row["type"]
                expected[table] = expected.get(table, 0) + 1
            lake.put(f"inbox/{i}.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        return expected

    def check(self, lake, expected):
        tables = {t["table"]: t["rows"] for t in lake.rows("table", "ls")}
        self.assertEqual(tables, expected)
        for table, rows in expected.items():
            self.assertEqual(lake.value(f"select count(distinct (id, n)) from {table}"), rows)
        both = harness.foreign_rows(lake.folder / "buckets/tables/t1")
        if both is not None:
            self.assertEqual(both[0], both[1])
            self.assertEqual(len(both[0]), expected["events_t1"])

    def test_an_object_feeds_the_tables_of_its_rows(self):
        lake = self.lake(self.STACK.replace("ONLY", ""))
        expected = self.fill(lake)
        lake.run("validate")
        lake.run("run", "--once")
        self.check(lake, expected)

    def test_each_crash_point(self):
        for point in ("sink.prepared", "sink.planned", "tables.committed:1", "tables.committed:3",
                      "sink.committed"):
            with self.subTest(point):
                lake = self.lake(self.STACK.replace("ONLY", ""))
                expected = self.fill(lake)
                died = lake.run("run", "--once", env={"HEADRACE_CRASH_AT": point}, code=None)
                self.assertEqual(died.returncode, -signal.SIGKILL, died.stderr[-2000:])
                lake.run("run", "--once")
                self.check(lake, expected)
                self.assertEqual(lake.route("load")["pending"], 0)

    def test_types_that_are_not_listed_are_skipped(self):
        lake = self.lake(self.STACK.replace("ONLY", ", only: [t1], only_file: types.txt"))
        lake.write("types.txt", "t3\nt9\n")
        expected = self.fill(lake)
        lake.run("run", "--once")
        self.check(lake, {t: n for t, n in expected.items() if t in ("events_t1", "events_t3")})
        self.assertEqual(lake.rows("dead", "ls"), [])

    def test_a_typo_in_a_field_is_warned_of(self):
        lake = self.lake(self.STACK.replace("ONLY", "").replace(
            "bucket: inbox }", 'bucket: inbox, key: "{tpye}/{name}" }'))
        self.assertIn("did you mean `tpye`", lake.run("validate").stderr)


class Sql(harness.LakeTest):
    def test_a_query_over_each_object_into_objects_and_a_table(self):
        lake = self.lake(HEAD + """\
tables:
  sums: { store: lake, location: tables/sums, commit: { every: 100ms } }
routes:
  to-objects:
    from: landing
    steps:
      - sql:
          query: "select a, count(*) as n from input group by a order by a"
          to: "lake://out/{stem}.csv"
      - sql: { query: "from input where n > 1", to: "lake://out/{stem}.parquet" }
  to-a-table:
    from: landing
    steps: [ { sql: { query: "select a, sum(n) as total from input group by a", into: sums } } ]
""")
        lake.put("inbox/one.jsonl", '{"a":"x","n":1}\n{"a":"y","n":2}\n{"a":"x","n":3}\nbroken\n')
        lake.put("inbox/two.jsonl.gz", gzip.compress(b'{"a":"x","n":10}\n{"a":"z","n":20}\n'))
        lake.run("validate")
        lake.run("run", "--once")
        lake.run("run", "--once")
        self.assertEqual((lake.folder / "buckets/out/one.csv").read_text(), "a,n\nx,2\ny,1\n")
        self.assertEqual(lake.value("select sum(n) from 'lake://out/one.parquet'"), 5)
        self.assertEqual(lake.sql("select a, sum(total) as t from sums group by a order by a"),
                         [{"a": "x", "t": 14}, {"a": "y", "t": 2}, {"a": "z", "t": 20}])
        # Each step that reads the object tells its bad line.
        self.assertEqual({r["route"] for r in lake.rows("dead", "ls")},
                         {"to-objects", "to-a-table"})
        left = [f for f in (lake.folder / "state/work").rglob("*") if f.is_file()]
        self.assertEqual(left, [])

    def test_bad_sql_is_found_before_anything_runs(self):
        lake = self.lake(HEAD + """\
routes:
  r:
    from: landing
    steps: [ { sql: { query: "selec a from input", to: "out/{stem}.csv" } } ]
""")
        said = lake.run("validate", code=2).stderr
        self.assertIn('syntax error at or near "selec"', said)
        self.assertIn("headrace.yaml:10:", said)


if __name__ == "__main__":
    harness.main()
