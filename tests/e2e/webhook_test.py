"""Events by HTTP: who may post, what is answered when, and that nothing answered is ever lost."""
import http.client
import json
import os
import random
import threading
import time

import harness

STACK = harness.LAKE + """\
sources:
  posts:
    { kind: webhook, listen: "127.0.0.1:0", path: /events, token: "${env:HOOK}", store: lake,
      prefix: in/ }
  others: { kind: webhook, listen: "127.0.0.1:0", path: /others, store: lake, body: 2KiB }
tables:
  events: { store: lake, location: tables/events, commit: { every: 200ms } }
routes:
  load: { from: posts, steps: [ { table: events } ] }
  load-others: { from: others, steps: [ { table: events } ] }
"""
ENV = {"HOOK": "a shared secret"}


def message(*keys, bucket="inbox"):
    """What MinIO posts, but without etags, which would be another store's here."""
    records = [{"eventVersion": "2.0", "eventSource": "minio:s3", "awsRegion": "",
                "eventTime": "2026-11-22T14:01:58.959Z", "eventName": "s3:ObjectCreated:Put",
                "s3": {"s3SchemaVersion": "1.0", "bucket": {"name": bucket},
                       "object": {"key": key.replace("/", "%2F"), "size": 9,
                                  "sequencer": "17F5A0"}}} for key in keys]
    return json.dumps({"EventName": "s3:ObjectCreated:Put", "Key": f"{bucket}/{keys[0]}",
                       "Records": records})


class Door:
    """A client of one engine's webhooks."""

    def __init__(self, lake):
        source = next(s for s in lake.status()["sources"] if s["source"] == "posts")
        self.address = source["listen"]

    def post(self, body, path="/events", method="POST", **headers):
        connection = http.client.HTTPConnection(self.address, timeout=60)
        try:
            sent = {"Authorization": "Bearer " + ENV["HOOK"], **headers}
            connection.request(method, path, body, sent)
            return connection.getresponse().status
        finally:
            connection.close()


class Webhook(harness.LakeTest):
    def engine(self, lake):
        (lake.folder / "state/control.sock").unlink(missing_ok=True)  # Of one that was killed.
        engine = lake.start_engine()
        self.addCleanup(lambda: engine.poll() is None and engine.kill())
        return engine, Door(lake)

    def lake(self):
        os.environ.update(ENV)  # For the verbs that read the stack beside the engine.
        return super().lake(STACK)

    def test_events_become_rows_and_the_rest_is_answered_by_what_it_is(self):
        lake = self.lake()
        for name in ("a+b", "c"):
            lake.put(f"inbox/in/{name}", f'{{"name":"{name}"}}\n')
        engine, door = self.engine(lake)
        self.assertEqual(door.post(message("in/a%2Bb", "in/c")), 200)
        self.assertEqual(door.post(message("in/c", "in/a%2Bb")), 200)  # Delivered twice.
        self.assertEqual(door.post(message("elsewhere/d")), 200)
        self.assertEqual(door.post("no event"), 200)
        self.assertEqual(door.post(message("in/c"), Authorization="Bearer wrong"), 401)
        self.assertEqual(door.post("x" * 2049, path="/others"), 413)
        self.assertEqual(door.post(message("in/c"), path="/nobody"), 404)
        self.assertEqual(door.post("", method="GET"), 405)
        harness.wait_until(lambda: lake.route("load")["done"] == 2, "two tasks")
        source = next(s for s in lake.status()["sources"] if s["source"] == "posts")
        self.assertEqual(source["not_taken"]["other_key"], 1)
        self.assertEqual((source["undecodable"], source["unauthorised"]), (1, 1))
        letter, = lake.rows("dead", "ls")
        self.assertEqual(letter["route"], "source:posts")
        code, _, err = harness.stop(engine)
        self.assertEqual(code, 0, err)
        self.assertNotIn(ENV["HOOK"], err)
        self.assertEqual(sorted(r["name"] for r in lake.sql("select name from events")),
                         ["a+b", "c"])

    def test_what_was_answered_survives_kill_9(self):
        lake = self.lake()
        answered = []
        numbers = iter(range(1_000_000))
        seed = random.randrange(1 << 30)
        chance = random.Random(seed)
        for _ in range(5):
            engine, door = self.engine(lake)
            stop = threading.Event()

            def produce():
                while not stop.is_set():
                    n = next(numbers)
                    lake.put(f"inbox/in/{n}", f'{{"n":{n}}}\n')
                    try:
                        if door.post(message(f"in/{n}")) == 200:
                            answered.append(n)
                    except (OSError, http.client.HTTPException):
                        return  # Killed.

            producers = [threading.Thread(target=produce) for _ in range(4)]
            for producer in producers:
                producer.start()
            before = len(answered)
            harness.wait_until(lambda: len(answered) >= before + 40, "some answers")
            time.sleep(chance.random() / 50)  # Kills at different moments; none is waited for.
            engine.kill()
            engine.wait()
            stop.set()
            for producer in producers:
                producer.join()
        lake.run("run", "--once")
        rows = {r["n"] for r in lake.sql("select n from events")}
        self.assertEqual(set(answered) - rows, set(), f"seed {seed}")
        self.assertEqual(lake.value("select count(*) from events"), len(rows))

    def test_an_address_that_others_reach_needs_a_secret(self):
        lake = self.lake()
        lake.write("headrace.yaml", STACK.replace('"127.0.0.1:0", path: /others',
                                                  '"0.0.0.0:0", path: /others'))
        done = lake.run("validate", code=2)
        self.assertIn("needs `token` or `hmac`", done.stderr + done.stdout)


if __name__ == "__main__":
    harness.main()
