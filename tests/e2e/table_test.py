"""The verbs of `headrace table`, as a user sees them."""
import json
import os
import time

import harness


def age(path, days):
    """Makes a file look that old."""
    then = time.time() - days * 86_400
    os.utime(path, (then, then))


class TableVerbsTest(harness.LakeTest):
    def loaded(self):
        lake = self.lake()
        lake.put("inbox/a.jsonl", '{"id":1}\n{"id":2}\n')
        lake.run("run", "--once")
        return lake, lake.folder / "buckets/tables/events"

    def test_a_table_is_made_without_rows_and_then_loaded(self):
        lake = self.lake()
        lake.run("table", "create", "events", "-c", "id:long", "-c", "tags:array<string>",
                 "-p", "delta.checkpointInterval=3", "--description", "what happened")
        shown = lake.run("table", "show", "events", "-o", "json")
        self.assertEqual([(row["column"], row["type"]) for row in json.loads(shown.stdout)],
                         [("id", "long"), ("tags", "array<string>")])
        self.assertIn("delta.checkpointInterval = 3", shown.stderr)
        again = lake.run("table", "create", "events", "-c", "id:long", code=None)
        self.assertEqual(again.returncode, 1)
        self.assertIn("there is a table already, at version 0", again.stderr)
        lake.put("inbox/a.jsonl", '{"id":1,"tags":["a"]}\n')
        lake.run("run", "--once")
        self.assertEqual(lake.sql("select * from events"), [{"id": 1, "tags": ["a"]}])
        first = lake.rows("table", "history", "events")[-1]
        self.assertEqual(first["operation"], "CREATE TABLE")

    def test_wrong_columns_and_properties_are_told(self):
        lake = self.lake()
        for arguments, code, says in (
                (["-c", "id"], 2, "expected name:type"),
                (["-c", "id:number"], 2, "'number' is no type; types are boolean,"),
                (["-c", "id:long", "-p", "delta.enableDeletionVectors=true"], 1,
                 "no property delta.enableDeletionVectors"),
                (["-c", "id:long", "--partition-by", "day"], 1, "no column day")):
            done = lake.run("table", "create", "events", *arguments, code=None)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(says, done.stderr)
        self.assertFalse((lake.folder / "buckets/tables/events/_delta_log").exists())

    def test_properties_come_from_the_stack_and_are_changed_by_a_verb(self):
        lake = self.lake(harness.EVENTS_TO_TABLE.replace(
            "tables/events,", "tables/events, properties: { delta.appendOnly: true, owner: me },"))
        lake.put("inbox/1.jsonl", '{"id":1}\n')
        lake.run("run", "--once")
        def shown():
            return [line for line in lake.run("table", "show", "events").stderr.splitlines()
                    if " = " in line]
        self.assertEqual(shown(), ["delta.appendOnly = true", "owner = me"])
        delete = ("table", "delete", "events", "--where", "id = 1", "--yes")
        self.assertIn("delta.appendOnly is true", lake.run(*delete, code=1).stderr)
        done = lake.run("table", "unset", "events", "delta.appendOnly", "owner")
        self.assertIn("changed in version 1", done.stderr)
        done = lake.run("table", "set", "events", "delta.targetFileSize=1MiB", "owner=you")
        self.assertEqual(shown(), ["delta.targetFileSize = 1MiB", "owner = you"])
        again = lake.run("table", "set", "events", "owner=you")
        self.assertIn("nothing to change at version 2", again.stderr)
        self.assertEqual([row["operation"] for row in lake.rows("table", "history", "events")],
                         ["SET TBLPROPERTIES", "UNSET TBLPROPERTIES", "WRITE"])
        lake.run(*delete)
        for words, code, said in ((("owner",), 2, "expected name=value"),
                                  (("delta.nothing=1",), 1, "no property delta.nothing"),
                                  (("delta.appendOnly=maybe",), 1, "takes true or false")):
            self.assertIn(said, lake.run("table", "set", "events", *words, code=code).stderr)
        both = harness.foreign_rows(lake.folder / "buckets/tables/events")
        self.assertIn(both, (None, ([], [])))
        wrong = self.lake(harness.EVENTS_TO_TABLE.replace(
            "tables/events,", "tables/events, properties: { delta.apendOnly: true },"))
        self.assertIn("no property delta.apendOnly", wrong.run("validate", code=2).stderr)

    def test_vacuum_tells_first_and_removes_when_asked(self):
        lake, folder = self.loaded()
        lake.put("tables/events/orphan.parquet", "x")
        self.assertEqual(lake.rows("table", "vacuum", "events"), [])
        age(folder / "orphan.parquet", 8)
        told = lake.run("table", "vacuum", "events", "-o", "json")
        self.assertEqual([row["path"] for row in json.loads(told.stdout)], ["orphan.parquet"])
        self.assertIn("would remove 1 files", told.stderr)
        self.assertIn("--yes to do it", told.stderr)
        self.assertTrue((folder / "orphan.parquet").exists())
        short = lake.run("table", "vacuum", "events", "--retain", "1h", "--yes", code=None)
        self.assertEqual(short.returncode, 1)
        self.assertIn("less than the table's 7d", short.stderr)
        lake.run("table", "vacuum", "events", "--yes")
        self.assertFalse((folder / "orphan.parquet").exists())
        self.assertEqual(lake.value("select count(*) from events"), 2)

    def test_drop_needs_a_yes(self):
        lake, folder = self.loaded()
        lake.put("tables/events/notes.txt", "mine")
        refused = lake.run("table", "drop", "events", code=None)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("cannot be undone: say --yes", refused.stderr)
        lake.run("table", "drop", "events", "--dry-run")
        self.assertEqual(lake.value("select count(*) from events"), 2)
        done = lake.run("table", "drop", "events", "--yes")
        self.assertIn("1 other objects stay there, such as notes.txt", done.stderr)
        self.assertEqual(sorted(path.name for path in folder.rglob("*") if path.is_file()),
                         ["notes.txt"])
        gone = lake.run("table", "drop", "events", "--yes", code=None)
        self.assertEqual(gone.returncode, 1)

    def test_a_checkpoint_on_request(self):
        lake, folder = self.loaded()
        self.assertIn("version 0", lake.run("table", "checkpoint", "events").stderr)
        self.assertTrue((folder / f"_delta_log/{0:020}.checkpoint.parquet").exists())


if __name__ == "__main__":
    harness.main()
