"""`event decode`: producers' messages as events."""
import json

import harness


def aws(key="a.json", version="2.1", name="ObjectCreated:Put"):
    return {"Records": [{
        "eventVersion": version, "eventSource": "aws:s3", "awsRegion": "eu-central-1",
        "eventTime": "2026-11-22T14:01:58.000Z", "eventName": name,
        "userIdentity": {"principalId": "AWS:EXAMPLE"},
        "s3": {"bucket": {"name": "bucket1"},
               "object": {"key": key, "size": 5, "eTag": "5d41402abc4b2a76b9719d911017c592",
                          "sequencer": "006B02F5D6396ABA38"}}}]}


def ceph(key="a b.json"):
    message = aws(key)
    message["Records"][0] |= {"eventSource": "ceph:s3"}
    message["Records"][0]["s3"]["object"]["sequencer"] = "D6F5026B38BA6A39"
    return message


TEST_EVENT = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "bucket1"}


class EventDecode(harness.LakeTest):
    def decode(self, lake, *args, **options):
        done = lake.run("event", "decode", *args, **options)
        return [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    def test_files_of_one_message_and_of_one_a_line(self):
        lake = self.lake()
        lake.write("one.json", json.dumps(aws("dir/a+b%2Bc.json"), indent=2))
        lake.write("many.ndjson", json.dumps(aws()) + "\n\n" + json.dumps(ceph()) + "\r\n")
        events, talk = self.decode(lake, "one.json", "many.ndjson")
        self.assertEqual([e["detail"]["object"]["key"] for e in events],
                         ["dir/a b+c.json", "a.json", "a b.json"])
        self.assertEqual([e["detail"]["producer"] for e in events], ["aws", "aws", "ceph"])
        self.assertEqual({e["detail"]["object"]["sequencer"] for e in events},
                         {"6B02F5D6396ABA38"})
        self.assertEqual(talk, "one.json: 1 events: 1 aws\nmany.ndjson: 2 events: 1 aws, 1 ceph\n")

    def test_what_it_prints_it_reads(self):
        lake = self.lake()
        events, _ = self.decode(lake, "-", stdin=json.dumps(aws()))
        again, talk = self.decode(lake, "-", stdin=json.dumps(events[0]))
        self.assertEqual(again, events)
        self.assertEqual(talk, "stdin: 1 events: 1 headrace\n")

    def test_what_is_no_event_does_not_hide_the_rest(self):
        lake = self.lake()
        records = aws()["Records"] + aws(version="3.0")["Records"] + aws("b.json")["Records"]
        lake.write("m.ndjson", "\n".join([
            json.dumps({"Records": records}), "no json", json.dumps({"foo": 1}),
            json.dumps(aws("c.json"))]))
        events, talk = self.decode(lake, "m.ndjson", code=3)
        self.assertEqual([e["detail"]["object"]["key"] for e in events],
                         ["a.json", "b.json", "c.json"])
        self.assertIn("m.ndjson:1: record 1: no event: eventVersion is not 2.x: 3.0\n", talk)
        self.assertIn("m.ndjson:2: no event: the message is not JSON", talk)
        self.assertIn("m.ndjson:3: no event: the message is of no known dialect; it has foo\n",
                      talk)
        self.assertIn("m.ndjson: 3 events: 3 aws\n", talk)

    def test_a_test_event_is_no_event_and_no_mistake(self):
        events, talk = self.decode(self.lake(), "-", stdin=json.dumps(TEST_EVENT))
        self.assertEqual(events, [])
        self.assertIn("s3:TestEvent of bucket bucket1", talk)

    def test_large_files_are_read_by_line(self):
        lake = self.lake()
        line = json.dumps(aws()) + "\n"
        lake.write("large.ndjson", line * 3000 + "x" * (3 << 20) + "\n" + line)
        events, talk = self.decode(lake, "large.ndjson", code=3)
        self.assertEqual(len(events), 3001)
        self.assertIn("large.ndjson:3001: no event: the line is larger than 1048576 bytes\n", talk)

    def test_a_file_that_is_not_there(self):
        done = self.lake().run("event", "decode", "missing.json", code=1)
        self.assertIn("missing.json", done.stderr)


if __name__ == "__main__":
    harness.main()
