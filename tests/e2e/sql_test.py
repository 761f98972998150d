"""SQL by the whole program: what FROM may name, where rows go, and what is refused."""
import gzip
import json
import os
import signal

import harness

STACK = harness.LAKE + """\
sources:
  landing: { kind: listing, store: lake, bucket: inbox }
tables:
  events: { store: lake, location: tables/events, partition_by: [day] }
datasets:
  people: { store: lake, bucket: people }
routes:
  load:
    from: landing
    steps: [ { table: events } ]
"""


class SqlTest(harness.LakeTest):
    def filled(self, stack=STACK):
        lake = self.lake(stack)
        for day in range(1, 5):
            lake.put(f"inbox/{day}.jsonl", "".join(
                json.dumps({"id": 10 * day + i, "who": i, "day": f"2026-01-0{day}"}) + "\n"
                for i in range(3)))
        lake.put("people/a.jsonl", '{"who":0,"name":"Ann"}\n{"who":1,"name":"Bo"}\n')
        lake.write("ages.csv", "name,age\nAnn,36\nBo,41\n")
        lake.run("run", "--once")
        return lake


class Reading(SqlTest):
    def test_tables_datasets_urls_and_paths_in_one_join(self):
        lake = self.filled()
        rows = lake.sql("""
            select e.id, p.name, a.age, u.who as again
            from events e join people p using (who) join 'ages.csv' a using (name)
            join 'lake://tables/events' u on u.id = e.id
            where e.day = '2026-01-02' order by e.id""")
        self.assertEqual(rows, [{"id": 20, "name": "Ann", "age": 36, "again": 0},
                                {"id": 21, "name": "Bo", "age": 41, "again": 1}])

    def test_explain_says_which_files_are_left(self):
        lake = self.filled()
        query = "select * from events where day = '2026-01-02'"
        for explain in ("explain", "explain analyze"):
            shown = lake.run("sql", f"{explain} {query}", "-o", "table").stdout
            self.assertRegex(shown, r"files read: events version 0: 1 of 4 files, .* of .*\n$")
        rows = {r["explain_key"]: r["explain_value"] for r in lake.sql("explain " + query)}
        self.assertIn("1 of 4 files", rows["files_read"])
        by_stats = lake.run("sql", "explain select * from events where id = 31", "-o", "table")
        self.assertIn("1 of 4 files", by_stats.stdout)
        everything = lake.run("sql", "explain " + query, "-o", "table", "--no-prune").stdout
        self.assertIn("4 of 4 files", everything)

    def test_names_of_any_spelling(self):
        lake = self.lake("""\
version: 1
name: lake
stores: { lake: { kind: file, path: ./buckets } }
datasets:
  UPPER: { store: lake, bucket: a }
  "it's": { store: lake, bucket: a }
  'say "hi"': { store: lake, bucket: a }
  größe: { store: lake, bucket: a }
  select: { store: lake, bucket: a }
""")
        lake.put("a/x y'z\".jsonl", '{"Größe":1,"a b":2,"it\'s":3,"q\\"q":4,"Äpfel":5}\n')
        for name in ("UPPER", "upper", '"UPPER"', '"it\'s"', '"say ""hi"""', "größe",
                     '"select"', "'lake://a/x y''z\".jsonl'"):
            row, = lake.sql(f'select "Größe", "a b", "it\'s", "q""q", "Äpfel" from {name}')
            self.assertEqual(list(row.values()), [1, 2, 3, 4, 5], name)

    def test_without_a_stack_names_are_explained(self):
        lake = self.lake()
        os.remove(lake.folder / "headrace.yaml")
        self.assertEqual(lake.value("select 1"), 1)
        done = lake.run("sql", "from people", code=1)
        self.assertIn("people", done.stderr)
        done = lake.run("-f", "none.yaml", "sql", "select 1", code=2)
        self.assertIn("no stack file none.yaml", done.stderr)

    def test_a_store_without_credentials_says_where_it_looked(self):
        lake = self.lake()
        # The port answers nobody; without credentials it is not even asked.
        env = {"HOME": str(lake.folder), "AWS_EC2_METADATA_DISABLED": "true",
               "AWS_ACCESS_KEY_ID": "", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
        err = lake.run("sql", "from 's3://raw/in/'", code=1, env=env).stderr
        self.assertIn("no credentials; looked at the environment", err)

    def test_errors_have_a_caret(self):
        lake = self.filled()
        for sql, what in (("select nme from people", "nme"), ("selct 1", "selct"),
                          ("select count(x from people", "from")):
            err = lake.run("sql", sql, code=1).stderr
            self.assertIn(what, err)
            self.assertIn("LINE 1:", err)
            self.assertIn("^", err)
        err = lake.run("sql", "from peple", code=1).stderr
        self.assertIn("people", err)


class Writing(SqlTest):
    def test_rows_go_into_objects_and_files_by_their_ending(self):
        lake = self.filled()
        for name in ("o.parquet", "o.csv", "o.csv.gz", "o.tsv", "o.json", "o.jsonl", "o.ndjson.zst",
                     "deep/it's ü.jsonl.gz"):
            for target in (f"lake://out/{name}", f"out/{name}"):
                done = lake.run("sql", "select id, name from events join people using (who) "
                                       "order by id", "--to", target)
                self.assertEqual(done.stdout, "")
                self.assertIn("8 rows", done.stderr)
                quoted = target.replace("'", "''")
                self.assertEqual(lake.sql(f"select count(*) n, min(id) low, max(name) high "
                                          f"from '{quoted}'"), [{"n": 8, "low": 10, "high": "Bo"}])
        text = gzip.decompress((lake.folder / "out/o.csv.gz").read_bytes()).decode()
        self.assertEqual(text.splitlines()[:2], ["id,name", "10,Ann"])
        self.assertIsInstance(json.loads((lake.folder / "out/o.json").read_text()), list)

    def test_what_is_there_stays_unless_forced(self):
        lake = self.filled()
        lake.run("sql", "select 1 as a", "--to", "lake://out/a.csv")
        err = lake.run("sql", "select 2 as a", "--to", "lake://out/a.csv", code=1).stderr
        self.assertIn("lake://out/a.csv is there already; say --force", err)
        self.assertEqual(lake.value("from 'lake://out/a.csv'"), 1)
        lake.run("sql", "select 2 as a", "--to", "lake://out/a.csv", "--force")
        self.assertEqual(lake.value("from 'lake://out/a.csv'"), 2)
        lake.run("sql", "select 1/0 as a from nowhere", "--to", "lake://out/b.csv", code=1)
        self.assertFalse((lake.folder / "buckets/out/b.csv").exists())
        err = lake.run("sql", "select 1", "--to", "lake://out/b.xlsx", code=1).stderr
        self.assertIn(".parquet", err)
        lake.run("sql", "select 1 as a", "--to", "lake://out/b.dat", "--to-format", "csv")
        self.assertEqual((lake.folder / "buckets/out/b.dat").read_text(), "a\n1\n")

    def test_a_pivot_is_put_there_too(self):
        lake = self.lake(STACK)
        lake.write("a.csv", "kind,day,n\na,mo,1\na,tu,2\nb,mo,3\n")
        pivot = "pivot 'a.csv' on day using sum(n) group by kind order by kind"
        expected = [{"kind": "a", "mo": 1, "tu": 2}, {"kind": "b", "mo": 3, "tu": None}]
        self.assertEqual(lake.sql(pivot), expected)
        done = lake.run("sql", pivot, "--to", "out.parquet")
        self.assertIn("2 rows", done.stderr)
        self.assertEqual(lake.sql("from 'out.parquet' order by kind"), expected)
        lake.run("sql", "--write", f"copy ({pivot}) to 'copy.parquet'")
        self.assertEqual(lake.sql("from 'copy.parquet' order by kind"), expected)

    def test_sql_only_reads_unless_told(self):
        lake = self.filled()
        for sql in ("copy (select 1 as a) to 'x.csv'", "copy people to 'x.csv'",
                    "explain analyze copy (select 1 as a) to 'x.csv'", "export database 'x.csv'",
                    "attach 'x.csv' as x", "prepare p as copy (select 1) to 'x.csv'",
                    "copy (select 1 as a) to 'lake://out/x.csv'"):
            err = lake.run("sql", sql, code=1).stderr
            self.assertIn("--write", err)
            self.assertFalse((lake.folder / "x.csv").exists(), sql)
        self.assertFalse((lake.folder / "buckets/out").exists())
        lake.run("sql", "copy (select 1 as a) to 'x.csv'", "--write")
        self.assertEqual((lake.folder / "x.csv").read_text(), "a\n1\n")
        lake.run("sql", "copy (select 1 as a) to 'lake://out/x.csv'", "--write")
        self.assertEqual((lake.folder / "buckets/out/x.csv").read_text(), "a\n1\n")
        err = lake.run("sql", "copy (select 1 as a) to 'lake://out/y' (format csv, partition_by a)",
                       "--write", code=1).stderr
        self.assertTrue("one object" in err or "partition" in err.lower(), err)

    def test_tables_are_not_changed_by_sql(self):
        lake = self.filled()
        for sql in ("insert into events select * from events", "delete from events",
                    "update people set name = 'x'", "drop table events",
                    "alter table events add column x integer", "truncate events"):
            err = lake.run("sql", sql, "--write", code=1).stderr
            self.assertIn("SQL reads tables", err, sql)
        self.assertEqual(lake.value("select count(*) from events"), 12)
        self.assertEqual(lake.sql("create temp table t as from people; insert into t values "
                                  "(7, 'Cy'); select count(*) as n from t")[-1], {"n": 3})


class Limits(SqlTest):
    BIG = ("select count(*) as n from (select distinct range, repeat('x', 100) || range "
           "from range(3000000))")
    SPILLS = ("select count(*) as n from (select hash(range) as h, hash(range + 1)::varchar || "
              "range as t from range(2000000) order by t offset 10) where length(t) > 0")

    def test_a_query_that_needs_more_memory_fails_and_says_what_helps(self):
        lake = self.lake()
        err = lake.run("sql", self.BIG, "--memory", "64MiB", "--temp-size", "1MiB", code=1).stderr
        self.assertIn("--memory", err)
        self.assertNotIn("temp_directory", err)
        # Within one process, the next statement runs.
        done = lake.run("sql", "--memory", "64MiB", stdin="select 40 + 2 as sum")
        self.assertIn("42", done.stdout)

    def test_what_does_not_fit_is_spilled_and_cleaned_up(self):
        lake = self.lake("sql: { memory: 64MiB, threads: 1, temp: ./spill }\n" + STACK)
        self.assertEqual(lake.value(self.SPILLS), 1999990)
        self.assertEqual(list((lake.folder / "spill").glob("**/*")), [])
        lake = self.lake("sql: { memory: 64MiB, threads: 1, temp_size: 1MiB }\n" + STACK)
        self.assertIn("--temp-size", lake.run("sql", self.SPILLS, code=1).stderr)
        self.assertEqual(lake.value("select 1"), 1)

    def test_signals_stop_a_query_that_never_ends(self):
        lake = self.lake()
        endless = ("select count(*) from range(100000000000) a, range(1000000) b "
                   "where hash(a.range) = 1")
        for sent in (signal.SIGINT, signal.SIGTERM):
            query = lake.start("sql", "select 1 as ready;" + endless)
            self.assertEqual(query.stdout.read(12), '{"ready":1}\n')
            self.assertEqual(harness.stop(query, sent), (130, "", "headrace: stopped\n"))


class Broken(SqlTest):
    def test_a_corrupt_parquet_file_is_named(self):
        lake = self.filled()
        broken, = (lake.folder / "buckets/tables/events/day=2026-01-02").glob("*.parquet")
        whole = broken.read_bytes()
        broken.write_bytes(whole[:40])
        self.assertIn(broken.name, lake.run("sql", "select sum(id) from events", code=1).stderr)
        # What does not need it answers.
        self.assertEqual(lake.value("select count(*) from events where day = '2026-01-01'"), 3)
        middle = bytearray(whole)
        middle[4:60] = b"\xff" * 56
        broken.write_bytes(middle)
        self.assertIn(broken.name, lake.run("sql", "select * from events", code=1).stderr)

    def test_a_missing_file_is_named(self):
        lake = self.filled()
        gone, = (lake.folder / "buckets/tables/events/day=2026-01-03").glob("*.parquet")
        gone.unlink()
        self.assertIn(gone.name, lake.run("sql", "select sum(id) from events", code=1).stderr)

    def test_values_of_another_type_are_told_with_file_and_line(self):
        lake = self.filled()
        lake.put("people/b.jsonl", '{"who":1}\n' * 30000 + '{"who":"x"}\n')
        err = lake.run("sql", "select count(who) from people", code=1).stderr
        self.assertIn("b.jsonl", err)
        self.assertIn("30001", err)
        self.assertIn("headrace dataset crawl", err)
        self.assertNotIn("auto_detect", err)


if __name__ == "__main__":
    harness.main()
