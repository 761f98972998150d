"""Datasets: raw objects under a prefix as tables of SQL, their columns kept by crawls."""
import json
import threading

import harness

STACK = """\
version: 1
name: lake
stores: { lake: { kind: file, path: ./buckets } }
datasets:
  people: { store: lake, bucket: mydataset, prefix: dataset/ }
  clicks: { store: lake, bucket: web, format: ndjson, columns: { id: VARCHAR } }
"""


class Datasets(harness.LakeTest):
    def filled(self):
        lake = self.lake(STACK)
        lake.put("mydataset/dataset/a.json", '{"id":1,"name":"Ann"}\n')
        lake.put("mydataset/dataset/b.json", '{"id":2,"name":"Bo"}\n')
        lake.put("web/dt=2026-01-01/x.log", '{"id":7,"who":1}\n')
        lake.put("web/dt=2026-01-02/x.log", '{"id":"8","who":2}\n')
        return lake

    def test_crawl_show_and_changes(self):
        lake = self.filled()
        before = {row["dataset"]: row for row in lake.rows("dataset", "ls")}
        self.assertEqual(before["people"]["place"], "lake://mydataset/dataset/")
        self.assertIsNone(before["people"]["crawled"])
        crawled = {row["dataset"]: row for row in lake.rows("dataset", "crawl")}
        self.assertEqual(crawled["people"]["objects_read"], 2)
        self.assertEqual(crawled["clicks"]["columns"], 3)
        self.assertEqual(crawled["people"]["changes"],
                         "new column id (BIGINT), new column name (VARCHAR)")
        after = {row["dataset"]: row for row in lake.rows("dataset", "ls")}
        self.assertEqual((after["people"]["objects"], after["people"]["format"]), (2, "json"))
        lake.put("mydataset/dataset/c.json", '{"id":2.5,"name":"Cy","age":3}\n')
        shown = lake.rows("dataset", "show", "people")
        self.assertEqual([(r["column"], r["type"], r["drift"]) for r in shown],
                         [("id", "DOUBLE", "was BIGINT"), ("name", "VARCHAR", ""),
                          ("age", "BIGINT", "new")])
        clicks = lake.rows("dataset", "show", "clicks")
        self.assertEqual([(r["column"], r["type"], r["from"]) for r in clicks],
                         [("id", "VARCHAR", "stack"), ("who", "BIGINT", "objects"),
                          ("dt", "DATE", "folders")])
        done = lake.run("sql", "select sum(age) as n from people")
        self.assertEqual(json.loads(done.stdout), {"n": 3})
        self.assertIn("new column age (BIGINT)", done.stderr)
        again, = lake.rows("dataset", "crawl", "people")
        self.assertEqual((again["objects"], again["objects_read"]), (3, 1))
        self.assertEqual(lake.run("sql", "select sum(age) as n from people").stderr, "")
        changes = lake.rows("dataset", "changes", "people")
        self.assertEqual([(c["column"], c["was"], c["now"]) for c in changes[2:]],
                         [("id", "BIGINT", "DOUBLE"), ("age", None, "BIGINT")])

    def test_only_the_folders_asked_for_are_opened(self):
        lake = self.filled()
        for _ in range(2):
            done = lake.run("sql", "--files", "select id, dt from clicks where dt = '2026-01-02'")
            self.assertEqual(json.loads(done.stdout), {"id": "8", "dt": "2026-01-02"})
            self.assertIn("clicks: 1 of 2 files", done.stderr)
            lake.run("dataset", "crawl")

    def test_answers_are_whole_while_objects_are_rewritten_in_place(self):
        lake = self.lake(STACK)
        rows = 500

        def write(i, note):
            lake.put(f"mydataset/dataset/{i}.json", "".join(
                json.dumps({"id": 1000 * i + n, "note": note}) + "\n" for n in range(rows)))

        for i in range(6):
            write(i, "x" * 50)
        lake.run("dataset", "crawl", "people")
        over = threading.Event()

        def rewrite():
            turn = 0
            while not over.is_set():
                turn += 1
                write(turn % 6, "" if turn % 2 else "y" * (turn % 200))

        writer = threading.Thread(target=rewrite)
        writer.start()
        try:
            for asked in range(12):
                answer, = lake.sql("select count(*) n, count(distinct id) d, sum(id) s from people")
                self.assertEqual(answer, {"n": 6 * rows, "d": 6 * rows,
                                          "s": sum(1000 * i + n for i in range(6)
                                                   for n in range(rows))}, asked)
                if asked == 6:
                    lake.run("dataset", "crawl", "people")
        finally:
            over.set()
            writer.join()

    def test_what_is_kept_may_be_lost_or_broken(self):
        lake = self.filled()
        lake.run("dataset", "crawl")
        kept = lake.folder / "state/datasets/people.json"
        self.assertEqual(json.loads(kept.read_text())["version"], 1)
        kept.write_text(kept.read_text()[:50])
        for verb in (("sql", "from people"), ("dataset", "crawl", "people")):
            err = lake.run(*verb, code=1).stderr
            self.assertIn("people.json", err)
            self.assertIn("headrace dataset crawl people --anew", err)
        lake.run("dataset", "crawl", "people", "--anew")
        self.assertEqual(lake.value("select count(*) from people"), 2)
        kept.unlink()
        self.assertEqual(lake.value("select count(*) from people"), 2)

    def test_a_dataset_that_moved_is_not_read_by_its_old_columns(self):
        lake = self.filled()
        lake.run("dataset", "crawl")
        lake.put("other/a.csv", "city\nOslo\n")
        lake.write("headrace.yaml", STACK.replace("bucket: mydataset, prefix: dataset/",
                                                  "bucket: other"))
        self.assertEqual(lake.sql("from people"), [{"city": "Oslo"}])

    def test_names_that_are_none(self):
        lake = self.filled()
        err = lake.run("dataset", "crawl", "peple", code=2).stderr
        self.assertIn("clicks, people", err)
        err = lake.run("sql", "from peple", code=1).stderr
        self.assertIn("people", err)


if __name__ == "__main__":
    harness.main()
