"""A batch whose table refuses it waits and is told of; all else goes on, also a reload."""
import json
import signal

import harness

STACK = harness.LAKE + """\
sources:
  landing: { kind: watch, store: lake, bucket: inbox }
tables:
  "events_{type}": { store: lake, location: "tables/{type}", commit: { every: 100ms } }
routes:
  load:
    from: landing
    steps: [ { table: "events_{type}" } ]
  mark:
    from: landing
    steps: [ { tag: { seen: "yes" } } ]
"""
LATE = """\
  late:
    from: landing
    steps: [ { copy: { bucket: copies, to: "{filename}" } } ]
"""


class Waiting(harness.LakeTest):
    def protocol(self, lake, version, **protocol):
        """What an administrator does to table b, as a version of its own."""
        lake.put(f"tables/b/_delta_log/{version:020}.json",
                 json.dumps({"protocol": {"minReaderVersion": 1, **protocol}}) + "\n")

    def put(self, lake, number):
        lake.put(f"inbox/{number}.jsonl",
                 "".join(f'{{"type":"{t}","id":{number}}}\n' for t in "ab"))

    def test_a_family_of_which_one_table_has_its_rows_and_one_refuses(self):
        lake = self.lake(STACK)
        self.put(lake, 1)
        lake.run("run", "--once")
        self.put(lake, 2)
        died = lake.run("run", "--once", env={"HEADRACE_CRASH_AT": "sink.planned"}, code=None)
        self.assertEqual(died.returncode, -signal.SIGKILL, died.stderr[-2000:])
        self.protocol(lake, 1, minWriterVersion=7, writerFeatures=["rowTracking"])

        engine = lake.start_engine()
        try:
            harness.wait_until(lambda: lake.status()["waiting"], "the batch that waits")
            waiting, = lake.status()["waiting"]
            self.assertEqual((waiting["route"], waiting["what"]),
                             ("load", "batch for events_{type}"))
            for words in ("1 of 2 tables", "table events_b", "rowTracking", "until it takes them"):
                self.assertIn(words, waiting["error"])

            lake.write("headrace.yaml", STACK + LATE)
            answer = json.loads(lake.run("reload", "-o", "json").stdout)
            self.assertEqual(answer, {"routes": 3, "changed": [], "added": ["late"]})
            self.put(lake, 3)
            harness.wait_until(lambda: lake.route("mark")["done"] == 3, "the other route")
            harness.wait_until(lambda: lake.route("late")["done"] == 1, "the new route")
            self.assertEqual(lake.route("load")["pending"], 2)
            self.assertEqual(lake.value("select count(*) from events_b"), 1)

            self.protocol(lake, 2, minWriterVersion=2)
            harness.wait_until(lambda: lake.route("load")["done"] == 3, "the batches")
            self.assertEqual(lake.status()["waiting"], [])
        finally:
            code, _, err = harness.stop(engine)
        self.assertEqual(code, 0, err)
        self.assertEqual(err.count("waiting to try again"), 1, "said once, not at every try")
        for table in ("events_a", "events_b"):
            self.assertEqual(lake.sql(f"select id from {table} order by id"),
                             [{"id": 1}, {"id": 2}, {"id": 3}])


if __name__ == "__main__":
    harness.main()
