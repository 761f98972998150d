#!/usr/bin/env python3
"""The examples on real servers: moto tells by SQS, radosgw by a webhook. Their stacks are the files
in examples/ with other `stores` and `sources` (and `setup`); what they do must be what they do in a
folder. From `apply` on an empty server to `destroy`, after which it is empty again."""
import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import harness  # noqa: E402
import stacks  # noqa: E402
from servers import server  # noqa: E402

KINDS = ("issues", "push", "star", "fork", "release")


def payloads():
    """Objects of several event types on two days, and a broken line among them."""
    out = {}
    for i in range(40):
        kind, day = KINDS[i % len(KINDS)], f"2026-01-{1 + i % 2:02}"
        lines = [{"id": f"{i}-{n}", "action": "created", "nested": {"n": i, "tags": ["a", None]},
                  kind: f"only {kind} has this"} for n in range(3)]
        out[f"{kind}/{day}/{i} a+b.json"] = "".join(json.dumps(line) + "\n" for line in lines)
    folder = stacks.EXAMPLES / "event-lake/fixtures"
    for name in ("stars.json", "broken.json"):
        out[f"star/2026-01-31/{name}"] = (folder / name).read_text()
    return out


def movies():
    """JSON lines with spellings that an edit has to leave alone."""
    out = {f"dataset/m{i}.json": f'{{"Title": "M{i}",  "Director":"D","n":1e{i}}}\r\n' * 3
           for i in range(12)}
    out["dataset/a b+c%é.json"] = '{"Director":"odd key"}\n'
    return out


class OnServer:
    """An example on a server: apply, run, destroy."""

    def __init__(self, test, name, s, told_by):
        self.test, self.s, self.told_by = test, s, told_by
        self.env = {**stacks.environment(s), "HOOK": "a shared secret", "BLANK_AFTER": "200ms"}
        self.s3 = s.client("s3")
        self.sqs = s.client("sqs") if told_by == "sqs" else None
        self.sns = s.client("sns", **({"signature_version": "s3"} if told_by == "webhook" else {}))
        stack = stacks.example(name)
        self.source, = stack["sources"]
        self.bucket = stack["sources"][self.source]["bucket"]
        self.original = stack
        self.lake = test.lake(self.text())
        stacks.copy_fixtures(name, self.lake)
        self.engine = None

    def text(self, address="127.0.0.1:9"):
        if self.told_by == "sqs":
            source, setup = stacks.queue(self.s, self.source), None
        else:
            source = stacks.webhook("/events", token="${env:HOOK}")
            setup = {"sources": {self.source: {"push_to": f"http://{address}/events"}}}
        stores = {name: stacks.store(self.s) for name in self.original["stores"]}
        return stacks.text(stacks.moved(self.original, stores, {self.source: source}, setup))

    def start(self):
        """A webhook chooses its port at the start, and `apply` has to know it; so the engine of a
        webhook runs first, and that of a queue, which has to be there, after it."""
        if self.told_by == "webhook":
            self.run_engine()
            self.lake.write("headrace.yaml",
                            self.text(stacks.listen_address(self.lake, self.source)))
        self.verb("apply", "--yes")
        self.verb("plan", "--exit-code")
        if self.told_by == "sqs":
            self.run_engine()

    def run_engine(self):
        os.environ.update(self.env)  # For all verbs that read the stack beside the engine.
        self.engine = self.lake.start_engine()
        self.test.addCleanup(lambda: self.engine.poll() is None and self.engine.kill())

    def stop(self):
        code, _, err = harness.stop(self.engine)
        self.test.assertEqual(code, 0, err)
        self.test.assertNotIn(self.s.secret_key, err)
        self.test.assertNotIn(self.env["HOOK"], err)

    def verb(self, *args, **options):
        return self.lake.run(*args, env=self.env, **options)

    def rows(self, *args):
        return self.lake.rows(*args, env=self.env)

    def put(self, objects):
        for key, body in objects.items():
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=body.encode())

    def in_source(self):
        status = self.lake.status()
        return next(s for s in status["sources"] if s["source"] == self.source)

    def settled(self, route, done):
        """All tasks are done, and nothing more is on its way here."""
        def look():
            counters = self.lake.route(route)
            return counters and counters["done"] + counters["dead"] >= done and \
                counters["pending"] == 0
        harness.wait_until(look, f"{done} tasks of {route}", seconds=120)
        if self.told_by == "sqs":
            harness.wait_until(lambda: stacks.waiting(self.sqs, self.source) == (0, 0),
                               "an empty queue")

    def destroy(self):
        """Refused while there are objects, and then complete."""
        buckets = [b["Name"] for b in self.s3.list_buckets()["Buckets"]]
        refused = self.verb("destroy", "--yes", code=1).stderr
        for bucket in buckets:
            count, size = stacks.size_of(self.s3, bucket)
            self.test.assertIn(f"bucket lake://{bucket} holds {count} objects, {size} bytes\n",
                               refused)
        self.test.assertEqual([b["Name"] for b in self.s3.list_buckets()["Buckets"]], buckets)
        self.verb("destroy", "--yes", "--delete-objects")
        self.test.assertEqual(self.s3.list_buckets()["Buckets"], [])
        self.test.assertEqual(self.sns.list_topics()["Topics"], [])
        if self.sqs:
            self.test.assertEqual(self.sqs.list_queues().get("QueueUrls", []), [])
        self.test.assertIn("nothing to change", self.verb("destroy", "--yes").stdout)


class ExamplesTest(harness.LakeTest):
    maxDiff = None

    def in_folder(self, name, objects):
        """The example as it is, on a folder, run to its end."""
        lake = self.lake((stacks.EXAMPLES / name / "headrace.yaml").read_text())
        stacks.copy_fixtures(name, lake)
        for key, body in objects.items():
            lake.put(key, body)
        lake.run("run", "--once", env={"BLANK_AFTER": "0s"})
        return lake

    def tables(self, rows_of):
        """Every table's rows, whatever came first: rows in an own order, columns by name."""
        names = sorted(t["table"] for t in rows_of("table", "ls"))
        return {name: sorted(json.dumps(row, sort_keys=True)
                             for row in rows_of("sql", f'select * from "{name}"'))
                for name in names}

    def event_lake(self, s, told_by):
        objects = payloads()
        on = OnServer(self, "event-lake", s, told_by)
        on.start()
        on.put(objects)
        on.put({"loose.json": '{"of":"no type"}', "star/2026-01-31/note.txt": "no JSON"})
        for route in ("structured", "raw-by-type"):
            on.settled(route, len(objects))
        harness.wait_until(lambda: on.in_source()["not_taken"]["other_key"] > 0, "loose.json")
        counters = on.lake.route("structured")
        self.assertEqual(sum(on.lake.value(f"select count(*) from events_{k}") for k in KINDS),
                         40 * 3 + 3, "SQL answers while the engine runs")
        on.stop()
        folder = self.in_folder("event-lake", {"raw/" + k: v for k, v in objects.items()})
        # A broken line counts as a task of its own: its dead letter.
        self.assertEqual(counters, {**folder.route("structured"), "retried": 0})
        expected = self.tables(folder.rows)
        self.assertEqual(len(expected), len(KINDS))
        self.assertEqual(self.tables(on.rows), expected)
        letters, as_in_folder = (sorted((letter["route"], letter["error"])
                                        for letter in rows_of("dead", "ls"))
                                 for rows_of in (on.rows, folder.rows))
        self.assertEqual(letters, as_in_folder)
        self.assertEqual([route for route, _ in letters], ["raw-by-type", "structured"])
        on.destroy()

    def scheduled_updates(self, s, told_by):
        objects = movies()
        on = OnServer(self, "scheduled-updates", s, told_by)
        on.start()
        on.put({**objects, "dataset/empty.json": ""})
        on.settled("blank-director", len(objects))
        self.assertEqual(on.lake.value("select count(*) from movies where Director <> ''"), 0)
        # What its own writes announced came before this object, which must be the only new task.
        on.put({"dataset/last.json": '{"Director":"L"}\n'})
        on.settled("blank-director", len(objects) + 1)
        counters = on.lake.route("blank-director")
        self.assertEqual((counters["tasks"], counters["dead"], counters["retried"]),
                         (len(objects) + 1, 0, 0))
        on.stop()
        folder = self.in_folder("scheduled-updates",
                                {"mydataset/" + k: v for k, v in objects.items()})
        for key in objects:
            body = on.s3.get_object(Bucket="mydataset", Key=key)["Body"].read()
            self.assertEqual(body, (folder.folder / "buckets/mydataset" / key).read_bytes())
            tags = on.s3.get_object_tagging(Bucket="mydataset", Key=key)["TagSet"]
            self.assertEqual(tags, [{"Key": "processed", "Value": "true"}])
        titles = "select Title, count(*) as n from movies group by all order by Title"
        there = "select Title, count(*) as n from movies where Director = '' and Title is not " \
                "null group by all order by Title"
        self.assertEqual([r for r in on.rows("sql", there)],
                         [r for r in folder.sql(titles) if r["Title"] is not None])
        on.destroy()

    def test_event_lake_on_moto_by_queue(self):
        with server("moto") as s:
            self.event_lake(s, "sqs")

    def test_event_lake_on_radosgw_by_webhook(self):
        with server("radosgw") as s:
            self.event_lake(s, "webhook")

    def test_scheduled_updates_on_moto_by_queue(self):
        with server("moto") as s:
            self.scheduled_updates(s, "sqs")

    def test_scheduled_updates_on_radosgw_by_webhook(self):
        with server("radosgw") as s:
            self.scheduled_updates(s, "webhook")


if __name__ == "__main__":
    harness.main()
