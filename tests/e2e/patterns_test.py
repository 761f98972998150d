"""`pattern` and `event match`; and every example of docs/patterns.md."""
import json
import re

import harness


def examples():
    """(line, pattern, [(expected, event)]) for each pair of blocks in the document."""
    text = (harness.ROOT / "docs/patterns.md").read_text()
    blocks = re.compile(r"```pattern\n(.*?)\n```\n```events\n(.*?)\n```", re.S)
    for found in blocks.finditer(text):
        events = [line.split(maxsplit=1) for line in found[2].splitlines()]
        yield text[:found.start()].count("\n") + 1, found[1], events


STACK = """\
version: 1
name: lake
stores: { lake: { kind: file, path: ./buckets } }
sources:
  a: { kind: watch, store: lake, bucket: a }
  b: { kind: watch, store: lake, bucket: b }
tables: { t: { store: lake, location: tables/t } }
routes:
  all: { from: a, match: { key: { prefix: in/ } }, steps: [ { table: t } ] }
  some: { from: a, match: { key: { prefix: in/x } }, steps: [ { table: t } ] }
  other: { from: b, match: { key: { prefix: in/x } }, steps: [ { table: t } ] }
  wrong: { from: b, match: { pattern: { account: ["1"] } }, steps: [ { table: t } ] }
"""


class Patterns(harness.LakeTest):
    def test_the_document_tells_the_truth(self):
        lake = self.lake()
        count = 0
        for line, pattern, events in examples():
            lake.write("p.json", pattern)
            lake.write("e.ndjson", "\n".join(event for _, event in events))
            got = lake.run("-q", "pattern", "test", "p.json", "e.ndjson").stdout.split()
            expected = [{"yes": "true", "no": "false"}[word] for word, _ in events]
            self.assertEqual(got, expected, f"docs/patterns.md:{line}")
            count += len(events)
        self.assertGreater(count, 60)

    def test_a_refusal_is_explained_down_to_the_condition(self):
        lake = self.lake()
        lake.write("p.json", '{"a":["x"],"b":[{"numeric":[">",5]}]}')
        lake.write("e.ndjson", '{"a":"x","b":9}\n{"a":"X","b":9}\n{"a":"x","b":"9"}\n{"a":"x"}\n')
        done = lake.run("pattern", "test", "p.json", "e.ndjson")
        self.assertEqual(done.stdout.split(), ["true", "false", "false", "false"])
        self.assertEqual(done.stderr.splitlines(), [
            '2: a: it is "X" (it differs in case alone), which does not fit; wanted: is "x"',
            '3: b: it is "9" (it is a string; the pattern wants a number), which does not fit; '
            'wanted: is above 5',
            '4: b: the event has no value there; wanted: is above 5'])
        rows = [json.loads(line) for line in
                lake.run("pattern", "test", "--why", "p.json", "e.ndjson").stdout.splitlines()]
        self.assertEqual([row["takes"] for row in rows], [True, False, False, False])
        self.assertEqual(rows[1]["field"], "a")

    def test_many_refusals_are_counted(self):
        lake = self.lake()
        lake.write("p.json", '{"a":["x"]}')
        done = lake.run("pattern", "test", "p.json", "-", stdin='{"a":1}\n' * 25)
        self.assertIn("and 5 more are refused", done.stderr)

    def test_a_line_that_is_no_event_does_not_hide_the_rest(self):
        lake = self.lake()
        lake.write("p.json", '{"a":["x"]}')
        done = lake.run("pattern", "test", "p.json", "-", stdin='{"a":"x"}\n\n{"a":\n{"a":"x"}\n',
                        code=3)
        self.assertEqual(done.stdout.split(), ["true", "true"])
        self.assertIn("3: no event", done.stderr)  # By the line of the input.

    def test_a_bad_pattern_is_wrong_usage(self):
        lake = self.lake()
        lake.write("p.json", '{"a":"x"}')
        done = lake.run("pattern", "test", "p.json", "-", stdin="", code=2)
        self.assertIn("p.json: pattern: field a", done.stderr)
        self.assertNotIn("convert", done.stderr)
        lake.write("p.json", '{"key":{"suffix":".json"}}')
        done = lake.run("pattern", "test", "p.json", "-", stdin="", code=2)
        self.assertIn("pattern convert --from match", done.stderr)

    def test_lint_of_patterns_and_of_the_stack(self):
        lake = self.lake(STACK)
        lake.write("p.ndjson", '\n{"a":[{"wildcard":"*x*"}]}\n{"id":["x"]}\n')
        found = [json.loads(line) for line in
                 lake.run("pattern", "lint", "--any", "p.ndjson").stdout.splitlines()]
        self.assertEqual([(f["rule"], f["kind"]) for f in found], [("p.ndjson:2", "costly")])
        found = [json.loads(line) for line in
                 lake.run("pattern", "lint", "--strict", code=1).stdout.splitlines()]
        self.assertEqual({(f["rule"], f["kind"]) for f in found},
                         {("some", "shadowed"), ("wrong", "never")})

    def test_convert_makes_patterns_of_filters(self):
        lake = self.lake()
        lake.write("sns.json", '{"store":["example"],"price":[{"numeric":[">=",100]}]}')
        made = lake.run("pattern", "convert", "--from", "sns", "--under", "meta", "sns.json").stdout
        self.assertEqual(json.loads(made)["meta"]["store"], ["example"])
        lake.write("s3.json", json.dumps({"QueueConfigurations": [{
            "Id": "i", "QueueArn": "arn:q", "Events": ["s3:ObjectCreated:Put"],
            "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "in/"}]}}}]}))
        done = lake.run("pattern", "convert", "--from", "s3", "s3.json")
        self.assertEqual(json.loads(done.stdout),
                         {"detail-type": ["Object Created"],
                          "detail": {"object": {"key": [{"prefix": "in/"}]}}})
        self.assertIn("i arn:q", done.stderr)
        self.assertIn("cannot be told", done.stderr)
        made = lake.run("pattern", "convert", "--from", "match", "-",
                        stdin='{"key":{"suffix":".json"}}').stdout
        self.assertIn(".json", made)
        lake.run("pattern", "convert", "--from", "sns", "-", stdin="[]", code=2)
        made = lake.run("pattern", "convert", "--from", "sns", "--scope", "MessageBody", "-",
                        stdin='{"a":{"b":["x"]}}').stdout
        self.assertEqual(json.loads(made), {"a": {"b": ["x"]}})


if __name__ == "__main__":
    harness.main()
