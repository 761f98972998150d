"""Tables kept in good order from the command line and by a running stack; what comes of it is read
by others too."""
import json
import os
import subprocess

import harness

OTHERS = """\
import sys
from deltalake import DeltaTable
table = DeltaTable(sys.argv[1])
table.delete("id = 4")
table.optimize.compact()
table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
"""


class Upkeep(harness.LakeTest):
    def filled(self, files=4):
        lake = self.lake(harness.EVENTS_TO_TABLE.replace("every: 1s", "every: 10ms"))
        for i in range(files):
            path = lake.put(f"inbox/{i}.jsonl", f'{{"id":{i},"name":"n{i}","s":{{"x":{i}}}}}\n')
            os.utime(path, (1_700_000_000, 1_700_000_000))
            lake.run("run", "--once")
        return lake

    def check_others(self, lake, ids):
        self.assertEqual([row["id"] for row in lake.sql("select id from events order by id")], ids)
        both = harness.foreign_rows(lake.folder / "buckets/tables/events")
        if both is not None:
            self.assertEqual(sorted(json.loads(row)["id"] for row in both[0]), ids)
            self.assertEqual(both[0], both[1])

    def sizes(self, lake, *args):
        """What a verb says of the table before and after."""
        before, after = lake.rows("table", *args)
        return before["files"], after["files"], before["rows"], after["rows"]

    def test_verbs(self):
        lake = self.filled()
        self.assertEqual(self.sizes(lake, "optimize", "events", "--dry-run"), (4, 4, 4, 4))
        self.assertEqual(self.sizes(lake, "optimize", "events"), (4, 1, 4, 4))
        self.check_others(lake, [0, 1, 2, 3])
        said = lake.run("table", "delete", "events", "--where", "id = 2", code=2).stderr
        self.assertIn("1 rows of events would be deleted; say --yes", said)
        self.assertEqual(self.sizes(lake, "delete", "events", "--where", "id = 2", "--yes"),
                         (1, 1, 4, 3))
        self.assertEqual(self.sizes(lake, "update", "events", "--set", "name=upper(name)", "--set",
                                    "s={'x': s.x + 10}", "--where", "id > 0"), (1, 1, 3, 3))
        self.check_others(lake, [0, 1, 3])
        self.assertEqual(lake.sql("select name, s from events order by id"),
                         [{"name": "n0", "s": {"x": 0}}, {"name": "N1", "s": {"x": 11}},
                          {"name": "N3", "s": {"x": 13}}])
        operations = [row["operation"] for row in lake.rows("table", "history", "events")]
        self.assertEqual(operations[:3], ["UPDATE", "DELETE", "OPTIMIZE"])
        self.assertEqual(lake.value("select count(*) from events at (version => 3)"), 4)

    def test_wrong_use_is_told(self):
        lake = self.filled(1)
        for args, said in {
                ("update", "events", "--set", "name", "--where", "true"): "column=expression",
                ("optimize", "events", "--target", "big"): "is no size",
        }.items():
            self.assertIn(said, lake.run("table", *args, code=2).stderr)
        for args, said in {
                ("delete", "events", "--where", "idd = 1", "--yes"): '"idd"',
                ("optimize", "events", "--where", "id = 1"): "partition columns",
                ("update", "events", "--set", "nme='x'", "--where", "true"): "no column is named",
        }.items():
            self.assertIn(said, lake.run("table", *args, code=1).stderr)
        self.check_others(lake, [0])

    def test_a_running_stack_joins_small_files(self):
        lake = self.lake(harness.EVENTS_TO_TABLE.replace(
            "commit: { every: 1s }", "commit: { every: 1ms }, optimize: { small_files: 5 }"))
        engine = lake.start_engine()
        try:
            def landed(i):
                lake.put(f"inbox/{i}.jsonl", f'{{"id":{i}}}\n')
                harness.wait_until(lambda: (lake.route("load") or {}).get("done", 0) > i, "a load")
            for i in range(7):
                landed(i)
            harness.wait_until(
                lambda: any(row["operation"] == "OPTIMIZE"
                            for row in lake.rows("table", "history", "events")), "files joined")
            landed(7)
        finally:
            code, _, err = harness.stop(engine)
        self.assertEqual(code, 0, err)
        self.check_others(lake, list(range(8)))

    def test_deltalake_works_on_our_table_and_we_go_on(self):
        if not harness.VENV_PYTHON.exists():
            self.skipTest("no foreign readers")
        lake = self.filled(6)
        table = lake.folder / "buckets/tables/events"
        done = subprocess.run([str(harness.VENV_PYTHON), "-c", OTHERS, str(table)],
                              capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        self.check_others(lake, [0, 1, 2, 3, 5])
        lake.put("inbox/7.jsonl", '{"id":7,"more":true}\n')
        lake.run("run", "--once")
        self.assertEqual(self.sizes(lake, "optimize", "events")[1:], (1, 6, 6))
        self.check_others(lake, [0, 1, 2, 3, 5, 7])


if __name__ == "__main__":
    harness.main()
