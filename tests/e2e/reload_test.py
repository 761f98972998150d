"""A running engine takes a changed stack: what routes match, new routes; or refuses it whole."""
import json
import signal

import harness

STACK = harness.LAKE + """\
sources:
  landing: { kind: watch, store: lake, bucket: inbox }
tables:
  events: { store: lake, location: tables/events, commit: { every: 100ms } }
routes:
  mark:
    from: landing
    match: { key: { prefix: a/ } }
    steps: [ { tag: { seen: "yes" } } ]
"""
LOAD = """\
  load:
    from: landing
    match: { key: { prefix: c/ } }
    steps: [ { table: events } ]
"""


class Reload(harness.LakeTest):
    def setUp(self):
        self.made = self.lake(STACK)
        self.made.put("inbox/a/first.json", '{"id":0}\n')
        self.engine = self.made.start_engine()
        self.addCleanup(self.end)
        self.done("mark", 1)

    def end(self):
        if self.engine.poll() is None:
            self.stopped()

    def stopped(self):
        code, _, err = harness.stop(self.engine)
        self.assertEqual(code, 0, err)
        return err

    def done(self, route, count):
        """So many and no more: events are taken in the order of the files."""
        harness.wait_until(lambda: (self.made.route(route) or {}).get("done") == count,
                           f"{count} tasks of {route}")

    def reload(self, stack, code=0):
        self.made.write("headrace.yaml", stack)
        return self.made.run("reload", "-o", "json", code=code)

    def test_events_go_by_the_rules_that_are_in_force_when_they_come(self):
        self.made.put("inbox/b/1.json", '{"id":1}\n')
        self.made.put("inbox/a/1.json", '{"id":1}\n')
        self.done("mark", 2)
        answer = json.loads(self.reload(STACK.replace("prefix: a/", "prefix: b/")).stdout)
        self.assertEqual(answer, {"routes": 1, "changed": ["mark"], "added": []})
        self.made.put("inbox/a/2.json", '{"id":2}\n')
        self.made.put("inbox/b/2.json", '{"id":2}\n')
        self.done("mark", 3)
        self.assertEqual(self.made.route("mark")["tasks"], 3)

    def test_a_new_route_works_at_once_and_the_next_engine_knows_it(self):
        answer = json.loads(self.reload(STACK + LOAD).stdout)
        self.assertEqual(answer, {"routes": 2, "changed": [], "added": ["load"]})
        self.made.put("inbox/c/1.json", '{"id":1}\n')
        self.done("load", 1)
        self.assertEqual(self.made.value("select count(*) from events"), 1)
        self.stopped()
        self.made.put("inbox/c/2.json", '{"id":2}\n')
        self.made.run("run", "--once")
        self.assertEqual(self.made.value("select count(*) from events"), 2)

    def test_other_values_of_a_file_that_a_route_names_are_taken(self):
        stack = STACK.replace("prefix: a/", "file: keys.txt")
        self.made.write("keys.txt", "one.json\n")
        self.reload(stack)
        self.made.write("keys.txt", "one.json\ntwo.json\n")
        answer = json.loads(self.reload(stack).stdout)
        self.assertEqual(answer["changed"], ["mark"])
        self.made.put("inbox/two.json", '{"id":1}\n')
        self.done("mark", 2)
        self.assertEqual(json.loads(self.reload(stack).stdout)["changed"], [])

    def test_a_hangup_signal_does_the_same(self):
        self.made.write("headrace.yaml", STACK + LOAD)
        self.engine.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: self.made.route("load") is not None, "the new route")
        self.made.put("inbox/c/1.json", '{"id":1}\n')
        self.done("load", 1)
        self.assertIn("stack file read again", self.stopped())

    def test_what_takes_a_restart_is_named_and_nothing_of_the_file_is_taken(self):
        changed = (STACK.replace("prefix: a/", "prefix: b/").replace("bucket: inbox", "bucket: new")
                   .replace('seen: "yes"', 'seen: "no"') + LOAD)
        refused = self.reload(changed, code=2)
        self.assertIn("routes.mark.steps", refused.stderr)
        self.assertIn("sources.landing.bucket", refused.stderr)
        self.assertIn("restart", refused.stderr)
        self.still_the_old_rules()

    def test_a_file_with_errors_is_refused_by_verb_and_engine(self):
        broken = STACK.replace("match: { key: { prefix: a/ } }", "match: { key: { glob: 'a?' } }")
        refused = self.reload(broken, code=2)
        self.assertIn("headrace.yaml:12", refused.stderr)
        # The engine reads the file itself, whatever the verb was given.
        self.made.write("good.yaml", STACK)
        refused = self.made.run("-f", "good.yaml", "reload", code=2)
        self.assertIn("goes on with what it has", refused.stderr)
        self.assertIn("headrace.yaml:12", refused.stderr)
        self.still_the_old_rules()

    def still_the_old_rules(self):
        self.made.write("headrace.yaml", STACK)
        self.made.put("inbox/b/x.json", '{"id":1}\n')
        self.made.put("inbox/a/x.json", '{"id":1}\n')
        self.done("mark", 2)
        self.assertEqual(self.made.route("mark")["tasks"], 2)
        self.assertIsNone(self.made.route("load"))

    def test_without_an_engine_it_says_so(self):
        self.stopped()
        self.assertIn("headrace run", self.made.run("reload", code=1).stderr)


if __name__ == "__main__":
    harness.main()
