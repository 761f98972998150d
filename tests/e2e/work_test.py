"""The engine at work: schedules, in-place edits, dead letters, the control socket."""
import json
import pathlib
import signal

import harness

EXAMPLES = harness.ROOT / "examples"


def example(test, name):
    lake = test.lake((EXAMPLES / name / "headrace.yaml").read_text())
    for fixture in (EXAMPLES / name / "fixtures").iterdir():
        lake.write("fixtures/" + fixture.name, fixture.read_bytes())
    return lake


class Examples(harness.LakeTest):
    def test_their_own_tests_pass(self):
        for name in ("scheduled-updates", "event-lake"):
            done = example(self, name).run("test")
            self.assertIn(" 0 failed", done.stdout)

    def test_scheduled_update_blanks_tags_and_does_not_trigger_itself(self):
        lake = example(self, "scheduled-updates")
        before = {}
        for i in range(50):
            key = f"mydataset/dataset/m{i}.json"
            before[key] = f'{{"Title": "M{i}",  "Director":"D","n":1e{i % 9}}}\r\n' * 3
            lake.put(key, before[key])
        engine = lake.start_engine(env={"BLANK_AFTER": "200ms"})
        try:
            harness.wait_until(lambda: (lake.route("blank-director") or {}).get("done", 0) >= 50,
                               "50 tasks done")
            # Give a self-made event every chance: another object must pass through behind it.
            lake.put("mydataset/dataset/last.json", '{"Director":"L"}\n')
            harness.wait_until(lambda: lake.route("blank-director")["done"] >= 51, "the last task")
            counters = lake.route("blank-director")
        finally:
            code, _, err = harness.stop(engine)
        self.assertEqual(code, 0, err)
        self.assertEqual((counters["tasks"], counters["dead"], counters["retried"]), (51, 0, 0))
        for key, text in before.items():
            now = (lake.folder / "buckets" / key).read_bytes().decode()
            self.assertEqual(now, text.replace('"Director":"D"', '"Director":""'))
            tags = {r["name"]: r["value"] for r in lake.rows("tags", "lake://" + key)}
            self.assertEqual(tags, {"processed": "true"})
        self.assertEqual(lake.value("select count(*) from movies where Director <> ''"), 0)

    def test_event_lake_gives_each_object_to_its_types_table(self):
        lake = example(self, "event-lake")
        expected = {}
        for i in range(300):
            kind = f"kind{i % 7}"
            expected[kind] = expected.get(kind, 0) + 2
            lake.put(f"raw/{kind}/2026-01-0{1 + i % 3}/{i}.json", f'{{"i":{i}}}\n{{"i":-{i}}}\n')
        lake.run("run", "--once")
        tables = {t["table"]: t["rows"] for t in lake.rows("table", "ls")}
        self.assertEqual(tables, {"events_" + k: n for k, n in expected.items()})
        rows = lake.sql("select date, count(*) as n from events_kind0 group by date order by date")
        self.assertEqual(sum(r["n"] for r in rows), expected["kind0"])
        files = (lake.folder / "buckets/lake/by_type").glob("*/*/*.jsonl.zst")
        self.assertEqual({f.parent.parent.name for f in files}, set(expected))
        raw = lake.value("select count(*) from 'lake://lake/by_type/'")
        self.assertEqual(raw, sum(expected.values()))
        both = harness.foreign_rows(lake.folder / "buckets/lake/events/kind0")
        if both is None:
            self.skipTest("no foreign readers: tools/python-env has not run")
        self.assertEqual(both[0], both[1])
        self.assertEqual(len(both[0]), expected["kind0"])


class Chains(harness.LakeTest):
    def test_a_table_after_an_edit_loads_the_edited_object_once(self):
        lake = self.lake(harness.EVENTS_TO_TABLE.replace(
            "steps: [ { table: events } ]",
            "steps: [ { edit: { set: { email: null } } }, { table: events } ]"))
        lake.put("inbox/a.jsonl", '{"id":1,"email":"a@example.org"}\n')
        lake.run("run", "--once")
        lake.run("run", "--once")
        self.assertEqual(lake.sql("select id, count(*) as n from events group by id"),
                         [{"id": 1, "n": 1}])
        text = (lake.folder / "buckets/inbox/a.jsonl").read_text()
        self.assertEqual(text, '{"id":1,"email":null}\n')


class DeadLetters(harness.LakeTest):
    def test_a_broken_line_is_kept_and_costs_only_itself(self):
        lake = self.lake()
        lake.put("inbox/a.jsonl", '{"id":1}\n{"id":2,\n{"id":3}\n')
        lake.run("run", "--once")
        self.assertEqual([r["id"] for r in lake.sql("select id from events order by id")], [1, 3])
        letter, = lake.rows("dead", "ls")
        self.assertEqual((letter["route"], letter["kind"]), ("load", "corrupt"))
        self.assertIn("line 2", letter["error"])
        shown = json.loads(lake.run("dead", "show", str(letter["id"]), "-o", "ndjson").stdout)
        self.assertEqual(shown["event"]["detail"]["line"], {"number": 2, "text": '{"id":2,'})

    def test_redrive_brings_only_the_line_and_drop_needs_yes(self):
        lake = self.lake()
        lake.put("inbox/a.jsonl", '{"id":1}\nnope\n')
        lake.run("run", "--once")
        lake.run("dead", "redrive", "--route", "load")
        self.assertEqual(lake.rows("dead", "ls"), [])
        lake.run("run", "--once")
        self.assertEqual(lake.value("select count(*) from events"), 1)
        self.assertEqual(len(lake.rows("dead", "ls")), 1)
        lake.run("dead", "drop", "--route", "load", code=2)
        self.assertEqual(len(lake.rows("dead", "ls")), 1)
        lake.run("dead", "drop", "--route", "load", "--yes")
        self.assertEqual(lake.rows("dead", "ls"), [])

    def test_filters_by_key_and_kind(self):
        lake = self.lake()
        lake.put("inbox/a/1.jsonl", "x\n")
        lake.put("inbox/b/2.jsonl", "y\n")
        lake.run("run", "--once")
        self.assertEqual(len(lake.rows("dead", "ls")), 2)
        one, = lake.rows("dead", "ls", "--key", "inbox/a/*")
        self.assertIn("a/1.jsonl", one["object"])
        self.assertEqual(lake.rows("dead", "ls", "--kind", "transient"), [])
        done = lake.run("dead", "redrive", "--key", "inbox/b/*", "--all", "--dry-run")
        self.assertIn("would have redriven 1", done.stderr)


class Tasks(harness.LakeTest):
    def test_scheduled_tasks_are_listed_cancelled_and_run_now(self):
        stack = (EXAMPLES / "scheduled-updates" / "headrace.yaml").read_text()
        lake = self.lake(stack.split("tests:")[0])
        for i in range(3):
            lake.put(f"mydataset/dataset/{i}.json", '{"Director":"x"}\n')
        lake.run("run", "--once")
        tasks = lake.rows("task", "ls")
        self.assertEqual([t["state"] for t in tasks], ["scheduled"] * 3)
        lake.run("task", "cancel", tasks[0]["id"])
        lake.run("task", "run-now", tasks[1]["id"])
        self.assertEqual(len(lake.rows("task", "ls")), 2)
        lake.run("run", "--once")
        self.assertEqual(lake.route("blank-director")["done"], 1)
        self.assertEqual(len(lake.rows("task", "ls")), 1)


class Engines(harness.LakeTest):
    def test_the_second_engine_on_a_state_folder_refuses(self):
        lake = self.lake()
        engine = lake.start_engine()
        try:
            done = lake.run("run", code=1)
            self.assertIn(str(engine.pid), done.stderr)
            self.assertIn("state folder", done.stderr)
        finally:
            harness.stop(engine)

    def test_verbs_work_beside_a_running_engine(self):
        lake = self.lake()
        engine = lake.start_engine()
        try:
            lake.put("inbox/a.jsonl", '{"id":1}\nbroken\n')
            harness.wait_until(lambda: (lake.route("load") or {}).get("done", 0) == 1, "the task")
            self.assertTrue(lake.status()["running"])
            self.assertEqual(len(lake.rows("dead", "ls")), 1)
            self.assertEqual(lake.value("select count(*) from events"), 1)
        finally:
            code, _, err = harness.stop(engine, signal.SIGINT)
        self.assertEqual(code, 0, err)
        self.assertFalse((lake.folder / "state/control.sock").exists())

    def test_event_match_says_why_not(self):
        stack = harness.EVENTS_TO_TABLE.replace(
            "    steps:", "    match: { key: { suffix: .json } }\n    steps:")
        lake = self.lake(stack)
        event = {"version": "0", "id": "1", "detail-type": "Object Created", "source": "aws.s3",
                 "time": "2026-01-31T09:00:00Z",
                 "detail": {"bucket": {"name": "inbox"}, "object": {"key": "a.csv", "size": 1},
                            "store": "lake", "origin": "landing", "producer": "test"}}
        told, = lake.rows("event", "match", stdin=json.dumps(event) + "\n")
        self.assertEqual((told["route"], told["takes"]), ("load", False))
        self.assertIn("key", told["field"])


if __name__ == "__main__":
    harness.main()
