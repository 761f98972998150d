#!/usr/bin/env python3
"""`event decode` on what real servers send: the same changes of one object, told by each, are the
same events but for the producer and what it leaves out."""
import datetime
import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import harness  # noqa: E402
from servers import server  # noqa: E402
from servers_test import KEY, Inbox  # noqa: E402

KINDS = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class EventsTest(harness.LakeTest):
    def change(self, s3, notify):
        """A PUT and its deletion, announced as `notify` set it up."""
        s3.create_bucket(Bucket="bucket-1")
        if notify is not None:
            s3.put_bucket_notification_configuration(Bucket="bucket-1",
                                                     NotificationConfiguration=notify)
        s3.put_object(Bucket="bucket-1", Key=KEY, Body=b"hello")
        s3.delete_object(Bucket="bucket-1", Key=KEY)

    def posted(self, inbox):
        """What a webhook got, until both changes are there."""
        bodies = []
        while not any("ObjectRemoved" in json.dumps(body) for body in bodies) or \
                not any("ObjectCreated:Put" in json.dumps(body) for body in bodies):
            bodies.append(inbox.bodies.get(timeout=60))
        return bodies

    def check(self, bodies, producer, ordered=True):
        text = "".join(json.dumps(body) + "\n" for body in bodies)
        done = self.lake().run("event", "decode", "-", stdin=text)
        events = [json.loads(line) for line in done.stdout.splitlines()]
        created, = [e for e in events if e["detail-type"] == "Object Created"]
        deleted, = [e for e in events if e["detail-type"] == "Object Deleted"]
        for event in created, deleted:
            self.assertEqual(event["detail"]["producer"], producer)
            self.assertEqual(event["detail"]["bucket"]["name"], "bucket-1")
            self.assertLess(abs(time.time() - seconds(event["time"])), 600)
        sequencers = [e["detail"]["object"].pop("sequencer", "") for e in (created, deleted)]
        self.assertEqual(created["detail"]["object"],
                         {"key": KEY, "size": 5, "etag": "5d41402abc4b2a76b9719d911017c592"})
        self.assertEqual(deleted["detail"]["object"], {"key": KEY})
        if ordered:
            self.assertLess(sequencers[0], sequencers[1])
        else:
            self.assertEqual(sequencers, ["", ""])

    def test_moto_by_queue_and_by_rule(self):
        with server("moto") as s:
            sqs, events = s.client("sqs"), s.client("events")
            arn = f"arn:aws:sqs:{s.region}:{s.account}:"
            urls = [sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("records", "rules")]
            events.put_rule(Name="objects", EventPattern=json.dumps({"source": ["aws.s3"]}))
            events.put_targets(Rule="objects", Targets=[{"Id": "1", "Arn": arn + "rules"}])
            self.change(s.client("s3"), {
                "EventBridgeConfiguration": {},
                "QueueConfigurations": [{"QueueArn": arn + "records", "Events": KINDS}]})
            for url, producer in zip(urls, ("moto", "eventbridge")):
                messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
                self.check([json.loads(m["Body"]) for m in messages], producer, ordered=False)

    def test_radosgw(self):
        with server("radosgw") as s, Inbox() as inbox:
            topic = s.client("sns", signature_version="s3").create_topic(
                Name="events", Attributes={"push-endpoint": inbox.url})["TopicArn"]
            self.change(s.client("s3"), {"TopicConfigurations": [
                {"Id": "n1", "TopicArn": topic, "Events": KINDS}]})
            self.check(self.posted(inbox), "ceph")

    def test_minio(self):
        with Inbox() as inbox, server("minio", "--webhook", inbox.url) as s:
            self.change(s.client("s3"), {"QueueConfigurations": [
                {"QueueArn": s.webhook_arn, "Events": KINDS}]})
            self.check(self.posted(inbox), "minio")

    def test_versitygw(self):
        with Inbox() as inbox, server("versitygw", "--webhook", inbox.url) as s:
            self.change(s.client("s3"), None)
            self.check(self.posted(inbox), "versitygw")


if __name__ == "__main__":
    harness.main()
