"""kill -9 at random moments, twenty times in a row, under load: exact row counts afterwards."""
import os
import random

import harness

KILLS = 20
OBJECTS = 6000


class Crash(harness.LakeTest):
    def test_rows_are_exact_after_twenty_kills(self):
        lake = self.lake(harness.EVENTS_TO_TABLE.replace("every: 1s", "every: 100ms"))
        seed = int(os.environ.get("HEADRACE_SEED", random.SystemRandom().randrange(1 << 30)))
        print(f"seed {seed} (HEADRACE_SEED={seed} repeats it)")
        chance = random.Random(seed)
        rows = broken = 0
        for i in range(OBJECTS):
            lines = [f'{{"id":{i},"line":{n}}}' for n in range(chance.randrange(1, 5))]
            rows += len(lines)
            if i % 100 == 0:
                lines.append("broken")
                broken += 1
            lake.put(f"inbox/{i % 10}/{i}.jsonl", "\n".join(lines) + "\n")
        kills = cut_short = 0
        # Files that are older than the watch's settling time are taken at once.
        for path in (lake.folder / "buckets/inbox").rglob("*.jsonl"):
            os.utime(path, (1_700_000_000, 1_700_000_000))
        while kills < KILLS:
            lake.run_and_kill(chance, 0.02, 0.5)
            kills += 1
            tasks = lake.route("load")
            cut_short += tasks is not None and tasks["pending"] > 0
            lake.put(f"inbox/late/{kills}.jsonl", f'{{"id":-{kills},"line":0}}\n')
            rows += 1
        print(f"{cut_short} of {kills} kills hit an engine with tasks pending")
        self.assertGreater(cut_short, 0)
        lake.run("run", "--once")
        self.assertEqual(lake.value("select count(*) from events"), rows)
        self.assertEqual(lake.value("select count(*) from (select distinct id, line from events)"),
                         rows)
        self.assertEqual(len(lake.rows("dead", "ls", "--limit", "10000")), broken)
        counters = lake.route("load")
        self.assertEqual((counters["tasks"], counters["pending"]), (OBJECTS + KILLS, 0))
        both = harness.foreign_rows(lake.folder / "buckets/tables/events")
        if both is not None:
            self.assertEqual(len(both[0]), rows)
            self.assertEqual(both[0], both[1])

    def test_an_edit_cut_short_does_not_trigger_itself_after_the_restart(self):
        stack = """\
version: 1
name: edits
stores: { lake: { kind: file, path: ./buckets } }
sources: { in: { kind: watch, store: lake, bucket: inbox } }
routes:
  count:
    from: in
    steps: [ { edit: { set: { seen: true } } } ]
"""
        lake = self.lake(stack)
        chance = random.Random(7)
        for i in range(300):
            lake.put(f"inbox/{i}.json", f'{{"id":{i}}}\n')
        for _ in range(10):
            lake.run_and_kill(chance)
        lake.run("run", "--once")
        lake.run("run", "--once")
        counters = lake.route("count")
        self.assertEqual((counters["tasks"], counters["pending"], counters["dead"]), (300, 0, 0))
        for i in range(300):
            text = (lake.folder / f"buckets/inbox/{i}.json").read_text()
            self.assertEqual(text, f'{{"id":{i},"seen":true}}\n')


if __name__ == "__main__":
    harness.main()
