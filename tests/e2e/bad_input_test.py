"""Wrong stacks, wrong bytes, full disks: a clear error, nothing lost, the rest goes on."""
import gzip
import json
import os
import shutil
import subprocess

import harness

GOOD = harness.EVENTS_TO_TABLE


class Stacks(harness.LakeTest):
    def refused(self, stack, *said, env=None):
        done = self.lake(stack).run("validate", code=2, env=env)
        for text in said:
            self.assertIn(text, done.stderr)
        return done.stderr

    def test_broken_yaml_has_a_position_and_a_caret(self):
        err = self.refused("version: 1\nname: [a\n", "headrace.yaml:", "error:")
        self.assertRegex(err, r"\n +\^\n")

    def test_unknown_keys_get_a_suggestion(self):
        self.refused(GOOD.replace("steps:", "step:"), "unknown key `step`", "did you mean `steps`?")

    def test_wrong_types(self):
        self.refused(GOOD.replace("attempts: 3", "attempts: many"), "attempts: many", "error:")

    def test_unset_variables(self):
        self.refused(GOOD.replace("./buckets", "${env:HEADRACE_NO_SUCH}"), "HEADRACE_NO_SUCH")

    def test_unknown_names(self):
        self.refused(GOOD.replace("from: landing", "from: lading"), "no source is named `lading`",
                     "did you mean `landing`?")

    def test_a_bad_pattern_says_where(self):
        self.refused(GOOD.replace("    steps:", "    match: { pattern: { a: [] } }\n    steps:"),
                     "headrace.yaml:")

    def test_routes_that_feed_each_other_are_warned_of(self):
        stack = GOOD.split("tables:")[0] + """\
routes:
  a: { from: landing, steps: [ { copy: { to: "x/{filename}" } } ] }
"""
        done = self.lake(stack).run("validate")
        self.assertIn("warning: routes may feed each other without end: a -> a", done.stderr)

    def test_no_stack_file(self):
        lake = self.lake()
        os.remove(lake.folder / "headrace.yaml")
        self.assertIn("headrace init", lake.run("run", code=2).stderr)

    def test_secrets_are_not_shown(self):
        lake = self.lake(GOOD.replace("name: lake\n", 'name: "${file:secret.txt}"\n', 1))
        lake.write("secret.txt", "hunter2\n")
        shown = lake.run("config", "show").stdout
        self.assertNotIn("hunter2", shown)
        self.assertIn("***", shown)

    def test_schema_is_json(self):
        schema = json.loads(self.lake().run("config", "schema").stdout)
        self.assertIn("routes", json.dumps(schema))


class Objects(harness.LakeTest):
    """Whatever lands, good lines become rows, the rest is accounted for."""

    def load(self, content, name="a.jsonl"):
        lake = self.lake()
        lake.put("inbox/" + name, content)
        lake.put("inbox/good.jsonl", '{"id":1}\n')
        lake.run("run", "--once", "-q")
        return lake, lake.rows("dead", "ls")

    def test_empty_files_make_no_rows_and_no_dead_letters(self):
        lake, dead = self.load("")
        self.assertEqual(dead, [])
        self.assertEqual(lake.value("select count(*) from events"), 1)

    def test_invalid_utf8(self):
        lake, dead = self.load(b'{"id":2,"s":"\xff"}\n{"id":3}\n')
        self.assertEqual(len(dead), 1)
        self.assertEqual(lake.value("select count(*) from events"), 2)

    def test_deep_nesting_is_a_bad_line(self):
        lake, dead = self.load('{"a":' * 10000 + "1" + "}" * 10000 + '\n{"id":2}\n')
        self.assertEqual(len(dead), 1)
        self.assertEqual(lake.value("select count(*) from events"), 2)

    def test_a_hundred_megabyte_line(self):
        lake, dead = self.load('{"id":2,"s":"' + "x" * (100 << 20) + '"}\n{"id":3}\n')
        self.assertEqual(dead, [])
        self.assertEqual(lake.value("select max(length(s)) from events"), 100 << 20)

    def test_numbers_beyond_64_bits_are_exact_somewhere(self):
        big = "123456789012345678901234567890"
        lake, dead = self.load(f'{{"id":2,"n":1}}\n{{"id":3,"n":{big}}}\n')
        self.assertEqual(dead, [])
        rows = json.dumps(lake.sql("select * from events"))
        self.assertIn(big, rows)

    def test_duplicate_keys_and_keys_that_differ_in_case(self):
        lake, dead = self.load('{"id":2,"id":3}\n{"Id":4}\n')
        self.assertEqual(dead, [])
        self.assertEqual(lake.value("select count(*) from events"), 3)

    def test_truncated_gzip_is_one_dead_letter_and_no_rows(self):
        data = gzip.compress(b'{"id":2}\n' * 100000)
        lake, dead = self.load(data[:len(data) // 2], "a.jsonl.gz")
        self.assertEqual([d["kind"] for d in dead], ["corrupt"])
        self.assertEqual(lake.value("select count(*) from events"), 1)

    def test_gzip_is_known_by_its_bytes(self):
        lake, dead = self.load(gzip.compress(b'{"id":2}\n'), "a.jsonl")
        self.assertEqual(dead, [])
        self.assertEqual(lake.value("select count(*) from events"), 2)

    def test_a_zip_bomb_is_stopped(self):
        bomb = gzip.compress(b" " * (1 << 30), 9)
        lake, dead = self.load(bomb, "bomb.gz")
        self.assertEqual(len(dead), 1)
        self.assertEqual(lake.value("select count(*) from events"), 1)

    def test_too_many_columns(self):
        wide = json.dumps({f"c{i}": i for i in range(20000)})
        lake, dead = self.load(wide + "\n")
        self.assertEqual(lake.value("select count(*) from events where id = 1"), 1)
        self.assertEqual([letter["kind"] for letter in dead], ["invalid"])
        self.assertIn("the limit is 10000", dead[0]["error"])

    def test_a_single_document_over_many_lines(self):
        lake, dead = self.load(json.dumps({"id": 2, "deep": {"a": [1, 2]}}, indent=2) + "\n")
        self.assertEqual(dead, [])
        self.assertEqual(lake.value("select count(*) from events"), 2)


class Places(harness.LakeTest):
    def test_a_location_that_holds_something_else(self):
        lake = self.lake()
        lake.put("tables/events/readme.txt", "not a table\n")
        lake.put("inbox/a.jsonl", '{"id":1}\n')
        lake.run("run", "--once")
        letter, = lake.rows("dead", "ls")
        self.assertEqual(letter["kind"], "invalid")
        self.assertEqual((lake.folder / "buckets/tables/events/readme.txt").read_text(),
                         "not a table\n")
        os.remove(lake.folder / "buckets/tables/events/readme.txt")
        lake.run("dead", "redrive", "--all")
        lake.run("run", "--once")
        self.assertEqual(lake.value("select count(*) from events"), 1)

    def test_a_table_of_a_protocol_we_cannot_write_names_the_feature(self):
        lake = self.lake()
        schema = json.dumps({"type": "struct", "fields": [
            {"name": "id", "type": "long", "nullable": True, "metadata": {}}]})
        actions = [
            {"protocol": {"minReaderVersion": 1, "minWriterVersion": 7,
                          "writerFeatures": ["rowTracking"]}},
            {"metaData": {"id": "x", "format": {"provider": "parquet", "options": {}},
                          "schemaString": schema, "partitionColumns": [], "configuration": {}}}]
        lake.put("tables/events/_delta_log/00000000000000000000.json",
                 "".join(json.dumps(action) + "\n" for action in actions))
        lake.put("inbox/a.jsonl", '{"id":1}\n')
        lake.run("run", "--once")
        letter, = lake.rows("dead", "ls")
        self.assertIn("rowTracking", letter["error"])

    def test_a_state_folder_that_cannot_be_made(self):
        lake = self.lake(GOOD.replace("name: lake", "name: lake\nstate: ./file/state", 1))
        lake.write("file", "in the way\n")
        done = lake.run("run", "--once", code=1)
        self.assertIn("file/state", done.stderr)

    def test_a_full_disk_loses_nothing(self):
        lake = self.lake()
        disk = lake.folder / "disk"
        disk.mkdir()
        if os.geteuid() != 0 or subprocess.run(
                ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(disk)],
                capture_output=True).returncode != 0:
            self.skipTest("needs root to mount a small disk")
        self.addCleanup(subprocess.run, ["umount", str(disk)], capture_output=True)
        (disk / "buckets").mkdir()
        lake.write("headrace.yaml", GOOD.replace("./buckets", "./disk/buckets")
                   .replace("attempts: 3", "attempts: 1"))
        (disk / "buckets/inbox").mkdir()
        for i in range(20):
            (disk / f"buckets/inbox/{i}.jsonl").write_text(f'{{"id":{i}}}\n')
        filler = disk / "filler"
        file = os.open(filler, os.O_WRONLY | os.O_CREAT)
        try:
            while os.write(file, b"x" * 65536) > 0:
                pass
        except OSError:
            pass
        os.close(file)
        engine = lake.start_engine("--log-format", "json")
        try:
            harness.wait_until(lambda: lake.status()["waiting"], "a first failure")
            waiting, = lake.status()["waiting"]
            self.assertEqual((waiting["route"], waiting["what"]), ("load", "route"))
            self.assertIn("No space left on device", waiting["error"])
            self.assertIn("load: waiting since", lake.run("status", "-o", "table").stderr)
            filler.unlink()
            harness.wait_until(lambda: lake.route("load")["done"] == 20, "all done")
        finally:
            _, _, err = harness.stop(engine)
        self.assertEqual(err.count("route pauses"), err.count("route goes on"))
        self.assertIn("No space left on device", err)
        self.assertEqual((lake.route("load")["dead"], lake.status().get("waiting", [])), (0, []))
        self.assertEqual(lake.value("select count(*) from events"), 20)


if __name__ == "__main__":
    harness.main()
