"""Documents that must be true to the program."""
import json
import subprocess

import harness


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

    def test_every_verb_has_help(self):
        text = self.lake().run("--help").stdout
        for verb in ("init run validate config test sql convert table dead task status event "
                     "pattern ls cat cp mv rm tags stat version completion").split():
            self.assertIn(f"\n  {verb} ", text)
            self.assertIn("Usage", self.lake().run(verb, "--help").stdout)


if __name__ == "__main__":
    harness.main()
