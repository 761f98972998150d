#!/usr/bin/env python3
"""Notifications of real servers through real queues and brokers, until they are rows."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import harness  # noqa: E402
from servers import clients, server  # noqa: E402

STACK = """\
version: 1
name: lake
stores:
  files: {{ kind: file, path: ./buckets }}
{store}sources:
  raw: {{ {source}, store: {of}, bucket: inbox, key: "in/{{name}}.json" }}
tables:
  events: {{ store: files, location: tables/events, commit: {{ every: 200ms }} }}
routes:
  load: {{ from: raw, steps: [ {{ table: events }} ] }}
"""
S3 = """\
  s3: {{ kind: s3, endpoint: "{endpoint}", region: {region}, credentials:
         {{ from: keys, access_key: {access}, secret_key: {secret} }} }}
"""
SQS = ('kind: sqs, queue: {queue}, endpoint: "{endpoint}", region: {region}, credentials: '
       '{{ from: keys, access_key: {access}, secret_key: {secret} }}')
KEYS = ["in/plain.json", "in/a b+c%20&é.json"]


def record(key):
    return {"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1",
            "eventTime": "2026-11-22T14:01:58.959Z", "eventName": "ObjectCreated:Put",
            "userIdentity": {"principalId": "p"},
            "s3": {"s3SchemaVersion": "1.0", "bucket": {"name": "inbox"},
                   "object": {"key": key, "size": 9, "sequencer": "17F5A0"}}}


class SourcesTest(harness.LakeTest):
    def sqs_lake(self, running, queue="events", on_s3=False):
        named = dict(queue=queue, endpoint=running.endpoint, region=running.region,
                     access=running.access_key, secret=running.secret_key)
        return self.lake(STACK.format(source=SQS.format(**named),
                                      store=S3.format(**named) if on_s3 else "",
                                      of="s3" if on_s3 else "files"))

    def names(self, lake):
        return sorted(r["name"] for r in lake.sql("select name from events"))

    def waiting(self, sqs, url):
        counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return (int(counts["ApproximateNumberOfMessages"]),
                int(counts["ApproximateNumberOfMessagesNotVisible"]))

    def test_notifications_of_a_bucket_become_rows_once(self):
        with server("moto") as s:
            s3, sqs = s.client("s3"), s.client("sqs")
            url = sqs.create_queue(QueueName="events")["QueueUrl"]
            s3.create_bucket(Bucket="inbox")
            s3.put_bucket_notification_configuration(
                Bucket="inbox", NotificationConfiguration={"QueueConfigurations": [
                    {"QueueArn": f"arn:aws:sqs:{s.region}:{s.account}:events",
                     "Events": ["s3:ObjectCreated:*"]}]})
            lake = self.sqs_lake(s, on_s3=True)
            for key in [*KEYS, "in/other.txt"]:
                s3.put_object(Bucket="inbox", Key=key, Body=json.dumps({"name": key}) + "\n")
            sqs.send_message(QueueUrl=url, MessageBody="no event")
            lake.run("run", "--once")
            self.assertEqual(self.names(lake), sorted(KEYS))
            self.assertEqual(self.waiting(sqs, url), (0, 0))
            letter, = lake.rows("dead", "ls")
            self.assertEqual(letter["route"], "source:raw")
            lake.run("run", "--once")
            self.assertEqual(self.names(lake), sorted(KEYS))

    def test_a_queue_is_emptied_while_the_engine_runs_and_messages_are_given_back(self):
        with server("elasticmq") as s:
            sqs = s.client("sqs")
            url = sqs.create_queue(QueueName="events",
                                   Attributes={"VisibilityTimeout": "30"})["QueueUrl"]
            lake = self.sqs_lake(s, url)
            engine = lake.start_engine()
            try:
                for i in range(30):
                    lake.put(f"inbox/in/{i}.json", f'{{"name":"{i}"}}\n')
                    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(
                        {"Records": [record(f"in/{i}.json"), record(f"out/{i}.json")]}))
                harness.wait_until(lambda: self.waiting(sqs, url) == (0, 0), "an empty queue")
            finally:
                code, _, err = harness.stop(engine)
            self.assertEqual(code, 0, err)
            lake.run("run", "--once")  # What was taken in and not done when it was stopped.
            self.assertEqual(len(self.names(lake)), 30)

    def test_kafka_survives_a_restart_of_its_broker(self):
        with server("kafka") as s:
            kafka = clients("confluent_kafka")
            lake = self.lake(STACK.format(
                store="", of="files",
                source=f'kind: kafka, brokers: [ "{s.endpoint}" ], topics: [ s3 ]'))

            def put(names):
                producer = kafka.Producer({"bootstrap.servers": s.endpoint})
                for name in names:
                    lake.put(f"inbox/in/{name}.json", f'{{"name":"{name}"}}\n')
                    producer.produce("s3", json.dumps({"Records": [record(f"in/{name}.json")]}))
                self.assertEqual(producer.flush(60), 0)

            put(["a", "b"])
            lake.run("run", "--once")
            self.assertEqual(self.names(lake), ["a", "b"])
            engine = lake.start_engine()
            try:
                put(["c"])
                harness.wait_until(lambda: (lake.route("load") or {}).get("done", 0) == 3, "c")
                s.stop()
                s.start()
                put(["d"])
                harness.wait_until(lambda: lake.route("load")["done"] == 4, "d")
            finally:
                code, _, err = harness.stop(engine)
            self.assertEqual(code, 0, err)
            lake.run("run", "--once")
            self.assertEqual(self.names(lake), ["a", "b", "c", "d"])


if __name__ == "__main__":
    harness.main()
