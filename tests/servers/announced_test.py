#!/usr/bin/env python3
"""What several ways tell of the same objects: a topic's queue and its HTTP subscriber, EventBridge,
two webhooks, and a listing as the safety net. Whoever tells first, each object is one event, one
task and one row for the route that takes all of them."""
import json
import os
import pathlib
import sys
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import harness  # noqa: E402
import stacks  # noqa: E402
from servers import server  # noqa: E402

CREATED = ["s3:ObjectCreated:*"]
NAMES = [f"in/{i}.json" for i in range(12)] + ["in/a b+c%20&é.json"]


class AnnouncedTest(harness.LakeTest):
    def stack(self, s, sources):
        """One route takes every source; another one takes the last alone."""
        sources = {name: {**source, "store": "lake", "bucket": "inbox", "prefix": "in/"}
                   for name, source in sources.items()}
        copy = {"copy": {"bucket": "tables", "to": "copies/{filename}"}}
        return stacks.text({
            "version": 1, "name": "lake", "stores": {"lake": stacks.store(s)}, "sources": sources,
            "tables": {"events": {"store": "lake", "location": "tables/events",
                                  "commit": {"every": "200ms"}}},
            "routes": {"load": {"from": list(sources), "steps": [{"table": "events"}]},
                       "copy": {"from": list(sources)[-1], "steps": [copy]}}})

    def engine(self, s, sources):
        os.environ.update(stacks.environment(s))  # For the verbs beside the engine, too.
        lake = self.lake(self.stack(s, sources))
        engine = lake.start_engine()
        self.addCleanup(lambda: engine.poll() is None and engine.kill())
        return lake, engine

    def put(self, s3):
        """Announced and listed as of the same second, on stores that list whole ones."""
        for name in NAMES:
            stacks.in_the_first_half_of_a_second()
            s3.put_object(Bucket="inbox", Key=name, Body=json.dumps({"name": name}) + "\n")

    def check(self, lake, engine, heard_by):
        """`heard_by`: the sources that must each have heard of every object."""
        def heard(source):
            status = next(x for x in lake.status()["sources"] if x["source"] == source)
            return status["tasks"] + status["duplicates"]
        for source in heard_by:
            # The last one's events go to both routes.
            most = len(NAMES) * (2 if source == heard_by[-1] else 1)
            harness.wait_until(lambda source=source, most=most: heard(source) >= most, source)
        for route in ("load", "copy"):
            self.assertEqual(lake.route(route)["tasks"], len(NAMES), route)
        code, _, err = harness.stop(engine)
        self.assertEqual(code, 0, err)
        lake.run("run", "--once")  # What was taken in and not yet committed.
        rows = [r["name"] for r in lake.sql("select name from events")]
        self.assertEqual(sorted(rows), sorted(NAMES))

    def topic(self, s, *queues):
        """A topic of moto that gets the bucket's events and gives them to the queues."""
        s3, sns, sqs = s.client("s3"), s.client("sns"), s.client("sqs")
        s3.create_bucket(Bucket="inbox")
        s3.create_bucket(Bucket="tables")
        arn = sns.create_topic(Name="fan")["TopicArn"]
        for queue in queues:
            sqs.create_queue(QueueName=queue)
            sns.subscribe(TopicArn=arn, Protocol="sqs",
                          Endpoint=f"arn:aws:sqs:{s.region}:{s.account}:{queue}")
        s3.put_bucket_notification_configuration(
            Bucket="inbox", NotificationConfiguration={"TopicConfigurations": [
                {"TopicArn": arn, "Events": CREATED}]})
        return arn

    def test_a_queue_a_webhook_and_a_listing_on_moto(self):
        with server("moto") as s:
            topic = self.topic(s, "events")
            lake, engine = self.engine(s, {
                "queue": stacks.queue(s, "events"),
                "hook": stacks.webhook("/events", sns_endpoint=s.endpoint),
                "sweep": {"kind": "listing", "every": "1s"}})
            url = f"http://{stacks.listen_address(lake, 'hook')}/events"
            s.client("sns").subscribe(TopicArn=topic, Protocol="http", Endpoint=url)
            self.confirm(s, topic, url)
            self.put(s.client("s3"))
            self.check(lake, engine, ["queue", "hook", "sweep"])

    def confirm(self, s, topic, url):
        """moto delivers to HTTP subscribers without asking them first, so SNS's request to confirm
        is ours; what the source does then is answered by moto."""
        asked = {"Type": "SubscriptionConfirmation", "MessageId": "1", "TopicArn": topic,
                 "Message": "You have chosen to subscribe", "Timestamp": "2026-11-22T14:01:58.959Z",
                 "Token": "t", "SubscribeURL": f"{s.endpoint}/?Action=ConfirmSubscription"
                 f"&Version=2010-03-31&TopicArn={topic}&Token=t"}
        request = urllib.request.Request(
            url, json.dumps(asked).encode(), {"x-amz-sns-message-type": asked["Type"],
                                              "Content-Type": "text/plain; charset=UTF-8"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            self.assertEqual((answer.status, answer.read()), (200, b"confirmed\n"))

    def test_eventbridge_by_a_queue_and_a_listing_on_moto(self):
        """moto's EventBridge calls API destinations without the event, so a queue is its way."""
        with server("moto") as s:
            s3, sqs, events = s.client("s3"), s.client("sqs"), s.client("events")
            sqs.create_queue(QueueName="events")
            for bucket in ("inbox", "tables"):
                s3.create_bucket(Bucket=bucket)
            events.put_rule(Name="objects", EventPattern=json.dumps({"source": ["aws.s3"]}))
            events.put_targets(Rule="objects", Targets=[
                {"Id": "1", "Arn": f"arn:aws:sqs:{s.region}:{s.account}:events"}])
            s3.put_bucket_notification_configuration(
                Bucket="inbox", NotificationConfiguration={"EventBridgeConfiguration": {}})
            lake, engine = self.engine(s, {"queue": stacks.queue(s, "events"),
                                           "sweep": {"kind": "listing", "every": "1s"}})
            self.put(s3)
            self.check(lake, engine, ["queue", "sweep"])

    def test_two_webhooks_and_a_listing_on_radosgw(self):
        with server("radosgw") as s:
            s3, sns = s.client("s3"), s.client("sns", signature_version="s3")
            for bucket in ("inbox", "tables"):
                s3.create_bucket(Bucket=bucket)
            lake, engine = self.engine(s, {
                "one": stacks.webhook("/one"), "two": stacks.webhook("/two"),
                "sweep": {"kind": "listing", "every": "1s"}})
            rules = [{"Id": name, "Events": CREATED, "TopicArn": sns.create_topic(
                Name=name, Attributes={"push-endpoint": "http://" + stacks.listen_address(
                    lake, name) + "/" + name})["TopicArn"]} for name in ("one", "two")]
            s3.put_bucket_notification_configuration(
                Bucket="inbox", NotificationConfiguration={"TopicConfigurations": rules})
            self.put(s3)
            self.check(lake, engine, ["one", "two", "sweep"])


if __name__ == "__main__":
    harness.main()
