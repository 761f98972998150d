"""Documents that must be true to the program."""
import json
import os
import re
import shlex
import subprocess
import time

import harness

PEOPLE = harness.LAKE + """\
%s
"""


class Docs(harness.LakeTest):
    def test_the_reference_is_what_the_program_prints(self):
        shown = self.lake().run("config", "reference").stdout
        kept = (harness.ROOT / "docs/reference/stack.md").read_text()
        self.assertEqual(shown, kept, "mend: build/headrace config reference > that file")

    def test_the_examples_fit_the_published_schema(self):
        if not harness.VENV_PYTHON.exists():
            self.skipTest("no foreign readers: tools/python-env has not run")
        schema = self.lake().run("config", "schema").stdout
        for name in ("scheduled-updates", "event-lake"):
            stack = harness.ROOT / "examples" / name / "headrace.yaml"
            check = ("import fastjsonschema, json, sys, yaml; "
                     "fastjsonschema.compile(json.load(sys.stdin))"
                     "(yaml.safe_load(open(sys.argv[1])))")
            done = subprocess.run([str(harness.VENV_PYTHON), "-c", check, str(stack)],
                                  input=schema, text=True, capture_output=True)
            self.assertEqual(done.returncode, 0, done.stderr[-2000:])

    def test_the_guide_to_sql_can_be_followed(self):
        guide = (harness.ROOT / "docs/sql.md").read_text()
        lake = self.people_table()
        statements = re.findall(r"```sql\n(.*?)```", guide, re.S)
        self.assertGreater(len(statements), 0)
        for block in statements:
            lake.run("sql", block)
        lake = self.lake(PEOPLE % "datasets:\n  people: { store: lake, bucket: mydataset }")
        lake.put("mydataset/a.jsonl", '{"id":1,"country":"NO"}\n')
        lake.write("a/b.jsonl", '{"id":1}\n')
        commands = [line for block in re.findall(r"```sh\n(.*?)```", guide, re.S)
                    for line in block.splitlines() if line.startswith("headrace ")]
        self.assertGreater(len(commands), 5)
        for command in commands:
            lake.run(*shlex.split(command, comments=True)[1:])
        self.assertEqual(lake.sql("from 'lake://reports/n.parquet'"), [{"country": "NO", "n": 1}])
        for stack in re.findall(r"```yaml\n(.*?)```", guide, re.S):
            lake.write("headrace.yaml", PEOPLE % stack)
            lake.run("validate")

    def people_table(self):
        """A table of 13 versions, two days old."""
        lake = self.lake(PEOPLE % "tables:\n  people: { store: lake, location: b/people }")
        lake.run("sql", "select 1::bigint as id, 'NO' as country", "--to",
                 "lake://b/people/f.parquet")
        field = '{"name":"%s","type":"%s","nullable":true,"metadata":{}}'
        schema = '{"type":"struct","fields":[%s,%s]}' % (field % ("id", "long"),
                                                        field % ("country", "string"))
        first = [{"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}},
                 {"metaData": {"id": "x", "format": {"provider": "parquet", "options": {}},
                               "schemaString": schema, "partitionColumns": [],
                               "configuration": {}}},
                 {"add": {"path": "f.parquet", "partitionValues": {}, "size": 500,
                          "modificationTime": 1, "dataChange": True}}]
        old = time.time() - 2 * 86400
        for version in range(13):
            actions = first if version == 0 else [{"commitInfo": {"operation": "WRITE"}}]
            log = lake.put(f"b/people/_delta_log/{version:020}.json",
                           "".join(json.dumps(action) + "\n" for action in actions))
            os.utime(log, (old + version, old + version))
        return lake

    def test_every_verb_has_help(self):
        text = self.lake().run("--help").stdout
        for verb in ("init run validate config test sql dataset convert table dead task status "
                     "event pattern ls cat cp mv rm tags stat version completion").split():
            self.assertIn(f"\n  {verb} ", text)
            self.assertIn("Usage", self.lake().run(verb, "--help").stdout)


if __name__ == "__main__":
    harness.main()
