"""Objects of every form into one table, by one route; types that the stack gives; `convert`."""
import bz2
import json
import lzma
import subprocess

import harness

FIXED = harness.EVENTS_TO_TABLE.replace(
    "location: tables/events,",
    'location: tables/events, schema: fixed, columns: { n: long, who: "struct<name:string>" },')


class Forms(harness.LakeTest):
    def test_lines_arrays_documents_and_csv_packed_or_not(self):
        lake = self.lake()
        lake.put("inbox/lines.jsonl", '{"n":1,"t":"lines"}\n')
        lake.put("inbox/array.json", '[{"n":2,"t":"array"},\n {"n":3,"t":"array"}]')
        lake.put("inbox/document.json", '{\n  "n": 4,\n  "t": "document"\n}\n')
        lake.put("inbox/semicolons.csv", 'n;t\n5;"a;b"\n')
        lake.put("inbox/tabs.tsv", "n\tt\n6\ttabs\n")
        lake.put("inbox/packed.csv.bz2", bz2.compress(b"n,t\n7,bzip2\n"))
        lake.put("inbox/no-ending", lzma.compress(b'{"n":8,"t":"xz"}\n'))
        lake.run("run", "--once")
        self.assertEqual(
            [(row["n"], row["t"]) for row in lake.sql("select n, t from events order by n")],
            [(1, "lines"), (2, "array"), (3, "array"), (4, "document"), (5, "a;b"), (6, "tabs"),
             (7, "bzip2"), (8, "xz")])
        self.assertEqual(lake.rows("dead", "ls"), [])

    def test_parquet_and_orc(self):
        if not harness.VENV_PYTHON.exists():
            self.skipTest("no pyarrow to write ORC with: tools/python-env has not run")
        lake = self.lake()
        make = """
import datetime, sys
import pyarrow as pa, pyarrow.orc, pyarrow.parquet
def table(n): return pa.table({
    "n": [n], "day": [datetime.date(2026, 1, n)], "amount": [n / 2],
    "at": pa.array([datetime.datetime(2026, 1, n)], pa.timestamp("ns"))})
pa.orc.write_table(table(1), sys.argv[1] + "/inventory.orc")
pa.parquet.write_table(table(2), sys.argv[1] + "/rows.parquet")
"""
        inbox = lake.folder / "buckets/inbox"
        inbox.mkdir(parents=True)
        subprocess.run([str(harness.VENV_PYTHON), "-c", make, str(inbox)], check=True)
        lake.run("run", "--once")
        self.assertEqual(lake.sql('select n, day::varchar as day, amount, "at"::varchar as moment '
                                  "from events order by n"),
                         [{"n": 1, "day": "2026-01-01", "amount": 0.5,
                           "moment": "2026-01-01 00:00:00+00"},
                          {"n": 2, "day": "2026-01-02", "amount": 1.0,
                           "moment": "2026-01-02 00:00:00+00"}])
        lake.run("convert", "buckets/inbox/inventory.orc", "out.jsonl")
        self.assertEqual(json.loads((lake.folder / "out.jsonl").read_text())["day"], "2026-01-01")
        lake.run("convert", "buckets/inbox/inventory.orc", "out.parquet")
        self.assertEqual(lake.value("select amount from 'out.parquet'"), 0.5)

    def test_a_broken_csv_names_the_line(self):
        lake = self.lake()
        lake.put("inbox/a.csv", b'n,t\n1,"x\ny"\n2,\xff\n3,z\n')
        lake.run("run", "--once", code=None)
        self.assertEqual(lake.value("select count(*) from events"), 2)
        dead, = lake.rows("dead", "ls")
        self.assertIn("line 4", json.dumps(dead))

    def test_convert_takes_arrays_and_packed_files(self):
        lake = self.lake()
        lake.write("a.json", '[{"id":"71c18690-ee42-490b-b1bb-54d8d101b5b9","n":1}]')
        lake.write("b.jsonl", bz2.compress(b'{"n":2}\n'))
        lake.run("convert", "a.json", "a.parquet", "--threads", "3")
        self.assertEqual(lake.sql("select typeof(id) as kind, id::varchar as id from 'a.parquet'"),
                         [{"kind": "UUID", "id": "71c18690-ee42-490b-b1bb-54d8d101b5b9"}])
        lake.run("convert", "b.jsonl", "b.parquet")
        self.assertEqual(lake.value("select n from 'b.parquet'"), 2)
        lake.write("none.jsonl", "")
        self.assertIn("no rows", lake.run("convert", "none.jsonl", "c.parquet", code=1).stderr)
        self.assertEqual([file.name for file in lake.folder.glob("*c.p*")], [])

    def test_convert_holds_as_much_as_it_may_and_gives_the_same_rows(self):
        lake = self.lake()
        lake.write("a.jsonl", "".join(
            json.dumps({"n": n, "t": f"{n * 7919 % 10007:05}" * 9, "l": [n, None]}) + "\n"
            for n in range(40_000)))
        row_groups = {}
        for name, options in (("plain", ()), ("small", ("--memory", "1MiB", "--threads", "1")),
                              ("helped", ("--memory", "1MiB", "--threads", "4"))):
            lake.run("convert", "a.jsonl", f"{name}.parquet", *options)
            self.assertEqual(
                lake.sql(f"select count(*) as there, count(distinct n) as numbers from "
                         f"(select n, t, l from '{name}.parquet' intersect "
                         "select n, t, l from 'a.jsonl')"),
                [{"there": 40_000, "numbers": 40_000}])
            row_groups[name] = lake.value(
                f"select count(distinct row_group_id) from parquet_metadata('{name}.parquet')")
        self.assertEqual(row_groups["plain"], 1)
        self.assertGreater(row_groups["small"], 1)
        self.assertGreater(row_groups["helped"], 1)

    def test_convert_refuses_sizes_and_counts_that_are_none(self):
        lake = self.lake()
        lake.write("a.jsonl", '{"n":1}\n')
        for option, value, said in (("--memory", "lots", "lots is no size like 128MiB"),
                                    ("--memory", "0", "0 is no size like 128MiB"),
                                    ("--threads", "0", "--threads: Value 0 not in range 1 to 256"),
                                    ("--threads", "many", "--threads"),
                                    ("--codec", "lzma", "--codec: lzma not in {zstd,snappy,none}")):
            failed = lake.run("convert", "a.jsonl", "b.parquet", option, value, code=2)
            self.assertIn(said, failed.stderr)
            self.assertFalse((lake.folder / "b.parquet").exists())


class FixedSchema(harness.LakeTest):
    def test_lines_that_do_not_fit_are_dead_letters_with_object_line_and_reason(self):
        lake = self.lake(FIXED)
        lake.put("inbox/a.jsonl",
                 '{"n":1,"who":{"name":"ada"}}\n{"n":"x"}\n{"n":2,"new":1}\n{"n":3}\n')
        lake.run("run", "--once", code=None)
        self.assertEqual(lake.sql("select n, who from events order by n"),
                         [{"n": 1, "who": {"name": "ada"}}, {"n": 3, "who": None}])
        dead = sorted(json.dumps(row) for row in lake.rows("dead", "ls"))
        self.assertEqual(len(dead), 2)
        text = "\n".join(dead)
        for said in ("a.jsonl", "line 2", "column n is long, which cannot take this value",
                     "line 3", "the table has no column new"):
            self.assertIn(said, text)

    def test_wrong_types_are_refused_with_their_place(self):
        for stack, said in ((FIXED.replace("n: long", "n: lang"), "is no type"),
                            (FIXED.replace("columns: {", "limit: 7 } #"),
                             "schema: fixed needs columns")):
            done = self.lake(stack).run("validate", code=2)
            self.assertIn("headrace.yaml:", done.stderr)
            self.assertIn(said, done.stderr)

    def test_a_table_of_other_types_is_not_written_to(self):
        lake = self.lake(FIXED)
        lake.put("inbox/a.jsonl", '{"n":1}\n')
        lake.run("run", "--once")
        lake.write("headrace.yaml", FIXED.replace("n: long", "n: string"))
        lake.put("inbox/b.jsonl", '{"n":"x"}\n')
        lake.run("run", "--once", code=None)
        self.assertEqual(lake.value("select count(*) from events"), 1)


if __name__ == "__main__":
    harness.main()
