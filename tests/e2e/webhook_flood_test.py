"""More posts than the program can take, larger ones than it should, and ones that are no events:
what it answered 2xx it keeps, the rest it refuses in words, and its memory stays within bounds."""
import collections
import datetime
import http.client
import json
import os
import re
import threading

import harness

TOKEN = "a shared secret"
STACK = harness.LAKE + """\
sources:
  posts:
    { kind: webhook, listen: "127.0.0.1:0", path: /events, token: "${env:HOOK}", store: lake,
      pending: 256 }
  large:
    { kind: webhook, listen: "127.0.0.1:0", path: /large, token: "${env:HOOK}", store: lake,
      body: 12MiB }
routes:
  later: { from: posts, after: 12h, steps: [ { tag: { seen: "yes" } } ] }
  larger: { from: large, after: 12h, steps: [ { tag: { seen: "yes" } } ] }
"""
CLIENTS = 48
PER_POST = 40  # Events; so seven posts at a time are more than `pending`.
MEMORY_MIB = 400
NOW = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def message(first, count=PER_POST, padding=0):
    return json.dumps({"padding": "x" * padding, "Records": [
        {"eventVersion": "2.1", "eventSource": "minio:s3", "eventTime": NOW,
         "eventName": "s3:ObjectCreated:Put", "s3": {"bucket": {"name": "inbox"}, "object": {
             "key": f"n{first + i}", "size": 9, "sequencer": "17F5A0"}}} for i in range(count)]})


class Flood:
    """Clients that post events with ever new names as fast as they are answered."""

    def __init__(self, address):
        self.address = address
        self.statuses, self.answered, self.bad = collections.Counter(), set(), []
        self.lock, self.done = threading.Lock(), threading.Event()
        self.numbers = iter(range(0, 1_000_000_000, PER_POST))
        self.threads = [threading.Thread(target=self.post) for _ in range(CLIENTS)]

    def post(self):
        connection = http.client.HTTPConnection(self.address, timeout=60)
        sent = {"Authorization": "Bearer " + TOKEN}
        try:
            while not self.done.is_set():
                with self.lock:
                    first = next(self.numbers)
                connection.request("POST", "/events", message(first), sent)
                answer = connection.getresponse()
                answer.read()
                with self.lock:
                    self.statuses[answer.status] += 1
                    if answer.status == 200:
                        self.answered.update(f"n{first + i}" for i in range(PER_POST))
                    elif answer.status != 429 or not answer.getheader("Retry-After"):
                        self.bad.append((answer.status, answer.getheaders()))
        except (OSError, http.client.HTTPException):
            pass  # Killed.
        finally:
            connection.close()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        for thread in self.threads:
            thread.join()


class WebhookFlood(harness.LakeTest):
    def start(self, lake):
        (lake.folder / "state/control.sock").unlink(missing_ok=True)  # Of one that was killed.
        os.environ["HOOK"] = TOKEN
        engine = lake.start_engine()
        self.addCleanup(lambda: engine.poll() is None and engine.kill())
        return engine, {s["source"]: s["listen"] for s in lake.status()["sources"]}

    def memory_mib(self, engine):
        """The most it ever had."""
        with open(f"/proc/{engine.pid}/status") as status:
            return int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1]) / 1024

    def kept(self, lake, route):
        return {t["object"].removeprefix("lake://inbox/")
                for t in lake.rows("task", "ls", "--route", route, "--limit", "10000000")}

    def test_what_was_answered_in_a_flood_survives_kill_9_and_the_rest_was_told_to_wait(self):
        lake = self.lake(STACK)
        engine, doors = self.start(lake)
        with Flood(doors["posts"]) as flood:
            harness.wait_until(lambda: flood.statuses[429] >= 20 and flood.statuses[200] >= 200,
                               "answers of both kinds")
            memory = self.memory_mib(engine)
            engine.kill()
            engine.wait()
        self.assertEqual(flood.bad, [])
        self.assertLess(memory, MEMORY_MIB)
        missing = flood.answered - self.kept(lake, "later")
        self.assertEqual(missing, set(), f"{len(missing)} of {len(flood.answered)} are lost")
        # Whoever was told to wait is taken when it comes again.
        engine, doors = self.start(lake)
        connection = http.client.HTTPConnection(doors["posts"], timeout=60)
        connection.request("POST", "/events", message(10**9), {"Authorization": "Bearer " + TOKEN})
        self.assertEqual(connection.getresponse().status, 200)
        connection.close()

    def test_large_posts_beside_each_other_are_kept_or_refused_within_bounds(self):
        lake = self.lake(STACK)
        engine, doors = self.start(lake)
        ten_megabytes = "x" * (10 << 20)
        bodies = {"no JSON": ten_megabytes, "padded": message(0, padding=10 << 20),
                  "too large": "x" * (13 << 20), "token": ten_megabytes, "event": message(1, 1)}
        statuses, lock = collections.defaultdict(collections.Counter), threading.Lock()

        def post(kind):
            connection = http.client.HTTPConnection(doors["large"], timeout=120)
            token = "wrong" if kind == "token" else TOKEN
            try:
                connection.request("POST", "/large", bodies[kind],
                                   {"Authorization": "Bearer " + token})
                status = connection.getresponse().status
            except OSError:  # Refused and closed before all of it was sent.
                status = "closed"
            finally:
                connection.close()
            with lock:
                statuses[kind][status] += 1

        posts = [threading.Thread(target=post, args=(kind,)) for kind in bodies for _ in range(12)]
        for thread in posts:
            thread.start()
        for thread in posts:
            thread.join()
        self.assertLess(self.memory_mib(engine), MEMORY_MIB)
        # 503: as many bodies as there may be are in memory already.
        busy = {503, "closed"}
        for kind, allowed in (("no JSON", {200} | busy), ("padded", {200} | busy),
                              ("too large", {413} | busy), ("token", {401} | busy),
                              ("event", {200} | busy)):
            self.assertLessEqual(set(statuses[kind]), allowed, kind)
        self.assertNotIn(200, statuses["token"] | statuses["too large"])
        self.assertGreater(statuses["no JSON"][200], 0)
        self.assertGreater(statuses["padded"][200] + statuses["event"][200], 0)
        letters = lake.rows("dead", "ls")
        self.assertEqual(len(letters), statuses["no JSON"][200])
        self.assertEqual({letter["route"] for letter in letters}, {"source:large"})
        code, _, err = harness.stop(engine)
        self.assertEqual(code, 0, err)
        self.assertNotIn(TOKEN, err)
        kept = {f"n{i}" for i in range(PER_POST)} if statuses["padded"][200] else {"n1"}
        self.assertEqual(self.kept(lake, "larger"), kept)


if __name__ == "__main__":
    harness.main()
