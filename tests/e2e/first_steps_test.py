"""What a newcomer does first, in a fresh folder."""
import json
import os

import harness


class FirstSteps(harness.LakeTest):
    def test_the_readme_can_be_followed(self):
        self.follow_readme("In two minutes")

    def test_init_validate_run_and_sql(self):
        lake = self.lake()
        os.remove(lake.folder / "headrace.yaml")
        lake.run("init")
        lake.run("validate")
        lake.put("inbox/events/a.jsonl", '{"id":1,"name":"one"}\n{"id":2,"name":"two"}\n')
        lake.put("inbox/events/b.jsonl", '{"id":3,"name":"three","extra":true}\n')
        lake.run("run", "--once")
        self.assertEqual(lake.sql("select * from events order by id"), [
            {"id": 1, "name": "one", "extra": None},
            {"id": 2, "name": "two", "extra": None},
            {"id": 3, "name": "three", "extra": True}])
        table, = lake.rows("table", "ls")
        self.assertEqual((table["table"], table["rows"]), ("events", 3))

    def test_a_second_run_takes_only_what_is_new(self):
        lake = self.lake()
        lake.put("inbox/a.jsonl", '{"id":1}\n')
        lake.run("run", "--once")
        lake.run("run", "--once")
        lake.put("inbox/b.jsonl", '{"id":2}\n')
        lake.run("run", "--once")
        self.assertEqual([r["id"] for r in lake.sql("select id from events order by 1")], [1, 2])

    def test_time_travel_by_version(self):
        lake = self.lake()
        lake.put("inbox/a.jsonl", '{"id":1}\n')
        lake.run("run", "--once")
        lake.put("inbox/b.jsonl", '{"id":2}\n')
        lake.run("run", "--once")
        self.assertEqual(lake.value("select count(*) from events"), 2)
        self.assertEqual(lake.value("select count(*) from events at (version => 0)"), 1)
        versions = [row["version"] for row in lake.rows("table", "history", "events")]
        self.assertEqual(versions, [1, 0])

    def test_init_does_not_overwrite(self):
        lake = self.lake()
        done = lake.run("init", code=2)
        self.assertIn("is there already", done.stderr)

    def test_a_verb_that_there_is_not(self):
        lake = self.lake()
        self.assertIn("there is no `headrace frob`; `headrace --help`",
                      lake.run("frob", code=2).stderr)
        self.assertIn("did you mean `status`?", lake.run("statsu", "-q", code=2).stderr)
        self.assertIn("no `headrace pattern lnit`; did you mean `lint`?",
                      lake.run("pattern", "lnit", "x.json", code=2).stderr)
        self.assertIn("A subcommand is required; `headrace pattern --help`",
                      lake.run("pattern", code=2).stderr)
        self.assertIn("--frob; `headrace run --help`", lake.run("run", "--frob", code=2).stderr)

    def test_the_doctor_finds_nothing_wrong_with_a_new_stack(self):
        findings = self.lake().rows("doctor")
        self.assertEqual({f["about"] for f in findings}, {"ledger", "store lake", "setup"})
        self.assertEqual([f for f in findings if not f["good"]], [])

    def test_the_doctor_says_where_the_state_can_not_be_written(self):
        lake = self.lake("state: ./taken/state\n" + harness.EVENTS_TO_TABLE)
        lake.write("taken", "a file where a folder should be")
        ledger, *_ = lake.rows("doctor", code=1)
        self.assertFalse(ledger["good"])
        self.assertIn("taken can't be written to", ledger["says"])
        self.assertIn("let the user", ledger["fix"])

    def test_sql_without_a_stack_over_files_and_tables(self):
        lake = self.lake()
        lake.put("inbox/a.jsonl", '{"id":1}\n{"id":2}\n')
        lake.run("run", "--once")
        os.remove(lake.folder / "headrace.yaml")
        lake.write("people.csv", "name,age\nAda,36\nAlan,41\n")
        lake.write("more.jsonl", '{"name":"Grace","age":85}\n')
        self.assertEqual(lake.value("select sum(age) from 'people.csv'"), 77)
        self.assertEqual(lake.value("select age from 'more.jsonl'"), 85)
        url = f"file://{lake.folder}/buckets/tables/events"
        self.assertEqual(lake.value(f"select count(*) from '{url}'"), 2)

    def test_output_formats(self):
        lake = self.lake()
        query = "select 1 as a, 'x,y' as b, null as c"
        self.assertEqual(lake.run("sql", query, "-o", "csv").stdout, 'a,b,c\n1,"x,y",\n')
        self.assertEqual(json.loads(lake.run("sql", query, "-o", "json").stdout),
                         [{"a": 1, "b": "x,y", "c": None}])
        self.assertIn("x,y", lake.run("sql", query, "-o", "table").stdout)

    def test_convert_between_formats(self):
        lake = self.lake()
        lake.write("a.jsonl", '{"id":1,"tags":["x"]}\n{"id":2,"tags":[]}\n')
        lake.run("convert", "a.jsonl", "a.parquet")
        self.assertEqual(lake.sql("select id, len(tags) as n from 'a.parquet' order by id"),
                         [{"id": 1, "n": 1}, {"id": 2, "n": 0}])
        lake.run("convert", "a.parquet", "b.jsonl")
        lines = (lake.folder / "b.jsonl").read_text().splitlines()
        self.assertEqual([json.loads(line) for line in lines],
                         [{"id": 1, "tags": ["x"]}, {"id": 2, "tags": []}])
        lake.run("convert", "a.jsonl", "a.parquet", code=2)

    def test_objects_by_verbs(self):
        lake = self.lake()
        lake.run("cp", "-", "lake://inbox/deep/a.txt", stdin="hello\n")
        self.assertEqual(lake.run("cat", "lake://inbox/deep/a.txt").stdout, "hello\n")
        lake.run("tags", "lake://inbox/deep/a.txt", "--set", "colour=blue")
        lake.run("cp", "lake://inbox/deep/a.txt", "lake://other/b.txt")
        stat, = lake.rows("stat", "lake://other/b.txt")
        self.assertEqual((stat["size"], stat["tags"]), (6, {"colour": "blue"}))
        lake.run("mv", "lake://other/b.txt", "lake://other/c.txt")
        self.assertEqual([r["name"] for r in lake.rows("ls", "-r", "lake://other/")], ["c.txt"])
        lake.run("rm", "lake://other/b.txt", code=1)
        lake.run("rm", "-r", "lake://other/", code=2)
        lake.run("rm", "-r", "lake://other/", "--yes")
        self.assertEqual(lake.rows("ls", "-r", "lake://other/"), [])

    def test_pattern_test_prints_true_and_false(self):
        lake = self.lake()
        lake.write("p.json", '{"a":[{"numeric":[">",5]}]}')
        done = lake.run("pattern", "test", "p.json", stdin='{"a":6}\n{"a":5}\n')
        self.assertEqual(done.stdout, "true\nfalse\n")

    def test_version_and_completion(self):
        lake = self.lake()
        self.assertRegex(lake.run("version").stdout, r"^headrace \d+\.\d+\.\d+\n$")
        for shell in ("bash", "zsh", "fish"):
            self.assertIn("headrace", lake.run("completion", shell).stdout)


if __name__ == "__main__":
    harness.main()
