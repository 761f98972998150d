#!/usr/bin/env python3
"""plan, apply and destroy against servers of other makers: what is made, what is left alone, what
is left behind (nothing), also when killed in between."""
import json
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
import harness  # noqa: E402
from servers import server  # noqa: E402

CRASH_POINTS = ("setup.intended", "setup.made", "setup.removed", "setup.unmade")


def store_of(s):
    return (f'{{ kind: s3, endpoint: "{s.endpoint}", region: {s.region}, credentials: '
            f"{{ from: keys, access_key: {s.access_key}, secret_key: {s.secret_key} }} }}")


def queue_source(s, name, bucket, more=""):
    return (f'{{ kind: sqs, store: lake, bucket: {bucket}, queue: {name}, endpoint: "{s.endpoint}",'
            f" region: {s.region}, credentials: {{ from: keys, access_key: {s.access_key},"
            f" secret_key: {s.secret_key} }}{more} }}")


def stack_of(s, sources, setup="", name="demo"):
    text = f"version: 1\nname: {name}\nstores:\n  lake: {store_of(s)}\nsources:\n"
    text += "".join(f"  {source}: {value}\n" for source, value in sources.items())
    first = next(iter(sources))
    text += f"routes:\n  r: {{ from: {first}, steps: [ {{ tag: {{ seen: 'yes' }} }} ] }}\n"
    return text + (f"setup:\n{setup}" if setup else "")


class SetupTest(unittest.TestCase):
    def lake(self, stack):
        lake = harness.Lake(stack)
        self.addCleanup(lake.close)
        return lake

    def plan(self, lake, code=0):
        return json.loads(lake.run("plan", "-o", "json", code=code).stdout)

    def assert_settled(self, lake):
        plan = self.plan(lake)
        self.assertEqual(plan["changes"], [], plan)


class MotoTest(SetupTest):
    def setUp(self):
        started = server("moto")
        self.s = started.__enter__()
        self.addCleanup(started.__exit__)
        self.s3, self.sqs, self.sns = (self.s.client(n) for n in ("s3", "sqs", "sns"))

    def all_there(self):
        """Everything on the server, as one list of names."""
        return sorted([b["Name"] for b in self.s3.list_buckets()["Buckets"]] +
                      self.sqs.list_queues().get("QueueUrls", []) +
                      [t["TopicArn"] for t in self.sns.list_topics()["Topics"]] +
                      [one["SubscriptionArn"] for one in
                       self.sns.list_subscriptions()["Subscriptions"]])

    def queue_stack(self, **options):
        return stack_of(self.s, {"landing": queue_source(
            self.s, "landing", "inbox", ', prefix: in/, key: "in/{name}.json"')}, **options)

    def bodies(self, queue):
        url = self.sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        messages = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        return [m["Body"] for m in messages.get("Messages", [])]

    def test_a_queue_gets_the_events_of_its_bucket_and_destroy_leaves_nothing(self):
        lake = self.lake(self.queue_stack())
        planned = lake.run("plan").stdout
        self.assertIn("+ bucket lake://inbox\n", planned)
        self.assertIn("4 to add, 0 to change, 0 to remove.", planned)
        self.assertEqual(self.all_there(), [], "plan changes nothing")
        lake.run("apply", "--yes")
        self.assert_settled(lake)
        for key in ("in/a.json", "in/a.csv", "out/a.json"):
            self.s3.put_object(Bucket="inbox", Key=key, Body=b"x")
        told = [b for b in self.bodies("landing") if "TestEvent" not in b]
        self.assertEqual([json.loads(b)["Records"][0]["s3"]["object"]["key"] for b in told],
                         ["in%2Fa.json"])
        refused = lake.run("destroy", "--yes", code=1)
        self.assertIn("bucket lake://inbox holds 3 objects, 3 bytes", refused.stderr)
        self.assertIn("nothing was removed", refused.stderr)
        self.assertEqual(len(self.all_there()), 2)
        lake.run("destroy", "--yes", "--delete-objects")
        self.assertEqual(self.all_there(), [])
        self.assertIn("nothing to change", lake.run("destroy", "--yes").stdout)

    def test_plan_says_by_its_exit_code_whether_there_is_something_to_do(self):
        lake = self.lake(self.queue_stack())
        lake.run("plan", "--exit-code", code=2)
        refused = lake.run("apply", code=2)
        self.assertIn("Nobody is there to ask: say --yes", refused.stderr)
        self.assertEqual(self.all_there(), [])
        lake.run("apply", "--yes")
        lake.run("plan", "--exit-code", code=0)
        lake.write("headrace.yaml", self.queue_stack().replace(self.s.endpoint,
                                                               "http://127.0.0.1:1"))
        lake.run("plan", "--exit-code", code=1)

    def test_a_topic_between_store_and_queue(self):
        lake = self.lake(self.queue_stack(setup="  sources: { landing: { topic: fan } }\n"))
        lake.run("apply", "--yes")
        self.assert_settled(lake)
        self.s3.put_object(Bucket="inbox", Key="in/a.json", Body=b"x")
        told = [json.loads(json.loads(b)["Message"]) for b in self.bodies("landing")]
        self.assertIn("in%2Fa.json", json.dumps(told))
        lake.run("destroy", "--yes", "--delete-objects")
        self.assertEqual(self.all_there(), [])

    def test_settings_of_queues_and_buckets_are_made_and_changed(self):
        setup = ("  buckets: [ { store: lake, name: inbox, versioning: true } ]\n"
                 "  sources: { landing: { visibility: %s, keep: 4d, dead_letters: "
                 "{ queue: landing-dead, receives: 3 } } }\n")
        lake = self.lake(self.queue_stack(setup=setup % "60s"))
        lake.run("apply", "--yes")
        self.assert_settled(lake)
        url = self.sqs.get_queue_url(QueueName="landing")["QueueUrl"]

        def attributes():
            return self.sqs.get_queue_attributes(QueueUrl=url,
                                                 AttributeNames=["All"])["Attributes"]
        self.assertEqual(attributes()["VisibilityTimeout"], "60")
        self.assertEqual(attributes()["MessageRetentionPeriod"], "345600")
        self.assertIn("landing-dead", attributes()["RedrivePolicy"])
        self.assertEqual(self.s3.get_bucket_versioning(Bucket="inbox")["Status"], "Enabled")
        lake.write("headrace.yaml", self.queue_stack(setup=setup % "90s"))
        self.assertIn("~ queue landing: visibility 1m -> 90s", lake.run("plan").stdout)
        lake.run("apply", "--yes")
        self.assertEqual(attributes()["VisibilityTimeout"], "90")
        for _ in range(2):
            self.s3.put_object(Bucket="inbox", Key="a", Body=b"twelve bytes")
        self.s3.delete_object(Bucket="inbox", Key="a")
        refused = lake.run("destroy", "--yes", code=1).stderr
        self.assertIn("holds 0 objects, 3 older versions and delete markers, 24 bytes", refused)
        lake.run("destroy", "--yes", "--delete-objects")
        self.assertEqual(self.all_there(), [])

    def test_what_others_have_there_stays(self):
        self.s3.create_bucket(Bucket="inbox")
        for name in ("landing", "theirs"):
            self.sqs.create_queue(QueueName=name)
        url = self.sqs.get_queue_url(QueueName="landing")["QueueUrl"]
        theirs = {"Version": "2012-10-17", "Statement": [
            {"Sid": "theirs", "Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage",
             "Resource": "arn:aws:sqs:us-east-1:123456789012:landing"}]}
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(theirs)})
        rule = {"Id": "theirs", "QueueArn": "arn:aws:sqs:us-east-1:123456789012:theirs",
                "Events": ["s3:ObjectCreated:*"],
                "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "logs/"}]}}}
        self.s3.put_bucket_notification_configuration(
            Bucket="inbox", NotificationConfiguration={"QueueConfigurations": [rule]})
        lake = self.lake(self.queue_stack())
        self.assertEqual([c["kind"] for c in self.plan(lake)["changes"]],
                         ["permission", "notification"])
        lake.run("apply", "--yes")
        lake.run("destroy", "--yes")
        self.assertEqual(len(self.all_there()), 3)
        now = self.s3.get_bucket_notification_configuration(Bucket="inbox")
        self.assertEqual([r["Id"] for r in now["QueueConfigurations"]], ["theirs"])
        policy = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
        self.assertEqual(json.loads(policy["Attributes"]["Policy"]), theirs)
        self.assertNotIn("Contents", self.s3.list_objects_v2(Bucket="inbox"))

    def test_an_overlapping_rule_of_somebody_else_is_named(self):
        self.s3.create_bucket(Bucket="inbox")
        self.sqs.create_queue(QueueName="theirs")
        rule = {"Id": "theirs", "QueueArn": "arn:aws:sqs:us-east-1:123456789012:theirs",
                "Events": ["s3:ObjectCreated:Put"]}
        self.s3.put_bucket_notification_configuration(
            Bucket="inbox", NotificationConfiguration={"QueueConfigurations": [rule]})
        lake = self.lake(self.queue_stack())
        refused = lake.run("apply", "--yes", code=1)
        self.assertIn("the notification `theirs` of somebody else", refused.stderr)
        self.assertEqual(len(self.all_there()), 2)

    def test_a_source_that_is_gone_from_the_stack_is_removed_and_its_bucket_stays(self):
        both = {name: queue_source(self.s, name, name) for name in ("one", "two")}
        lake = self.lake(stack_of(self.s, both))
        lake.run("apply", "--yes")
        lake.write("headrace.yaml", stack_of(self.s, {"one": both["one"]}))
        plan = self.plan(lake)
        self.assertEqual([(c["action"], c["kind"]) for c in plan["changes"]],
                         [("remove", "notification"), ("remove", "permission"),
                          ("remove", "queue")])
        self.assertIn("bucket lake://two was made by apply", plan["notes"][0])
        lake.run("apply", "--yes")
        self.assert_settled(lake)
        lake.run("destroy", "--yes")
        self.assertEqual(self.all_there(), [])

    def test_killed_at_any_point_apply_and_destroy_are_finished_by_the_next(self):
        for verb, points in (("apply", CRASH_POINTS[:2]), ("destroy", CRASH_POINTS[2:])):
            for point in points:
                for count in range(1, 9):
                    with self.subTest(point=point, count=count):
                        if self.killed_and_finished(verb, f"{point}:{count}"):
                            break
                else:
                    self.fail(f"{point} never ended")

    def killed_and_finished(self, verb, point):
        """True if the point was not reached any more."""
        lake = self.lake(self.queue_stack(
            setup="  sources: { landing: { topic: fan } }\n"))
        if verb == "destroy":
            lake.run("apply", "--yes")
        done = lake.run(verb, "--yes", code=None, env={"HEADRACE_CRASH_AT": point})
        if verb == "apply" and done.returncode != 0:
            lake.run("apply", "--yes")
            self.assert_settled(lake)
        lake.run("destroy", "--yes")
        self.assertEqual(self.all_there(), [])
        return done.returncode == 0


class RadosgwTest(SetupTest):
    def test_a_topic_of_the_store_pushes_to_the_source(self):
        with server("radosgw") as s:
            s3 = s.client("s3")
            sns = s.client("sns", signature_version="s3")
            source = ("{ kind: webhook, store: lake, bucket: inbox, prefix: in/, path: /events, "
                      "token: geheim }")
            lake = self.lake(stack_of(
                s, {"hook": source},
                '  sources: { hook: { push_to: "http://127.0.0.1:9/events" } }\n'))
            planned = lake.run("plan").stdout
            self.assertIn("push_to http://127.0.0.1:9/events?***", planned)
            self.assertNotIn("geheim", planned)
            lake.run("apply", "--yes")
            self.assert_settled(lake)
            rules = s3.get_bucket_notification_configuration(Bucket="inbox")
            self.assertEqual([r["Id"] for r in rules["TopicConfigurations"]],
                             ["headrace-demo-hook"])
            state = s3.get_object(Bucket="inbox", Key=".headrace/demo/setup.json")["Body"].read()
            self.assertNotIn(b"geheim", state)
            topic = sns.create_topic(Name="theirs", Attributes={
                "push-endpoint": "http://127.0.0.1:9/"})["TopicArn"]
            theirs = {"Id": "theirs", "TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}
            s3.put_bucket_notification_configuration(
                Bucket="inbox", NotificationConfiguration={"TopicConfigurations": [theirs]})
            lake.write("headrace.yaml", stack_of(s, {"hook": source}))
            plan = self.plan(lake)
            self.assertIn("does not say how store lake reaches it", plan["notes"][0])
            self.assertEqual([c["kind"] for c in plan["changes"]], ["notification", "topic"])
            lake.run("apply", "--yes")
            rules = s3.get_bucket_notification_configuration(Bucket="inbox")
            self.assertEqual([r["Id"] for r in rules["TopicConfigurations"]], ["theirs"])
            lake.run("destroy", "--yes")
            self.assertEqual(s3.list_buckets()["Buckets"], [])
            self.assertEqual([t["TopicArn"] for t in sns.list_topics()["Topics"]], [topic])


class MinioTest(SetupTest):
    def test_a_rule_to_the_target_that_the_operator_named(self):
        with server("minio", "--webhook", "http://127.0.0.1:9/") as s:
            s3 = s.client("s3")
            source = "{ kind: webhook, store: lake, bucket: inbox, path: /events }"
            setup = '  sources: { hook: { arn: "arn:minio:sqs::H1:webhook" } }\n'
            lake = self.lake(stack_of(s, {"hook": source}, setup))
            lake.run("apply", "--yes")
            self.assert_settled(lake)
            rules = s3.get_bucket_notification_configuration(Bucket="inbox")
            self.assertEqual(rules["QueueConfigurations"][0]["Id"], "headrace-demo-hook")
            s3.put_object(Bucket="inbox", Key="a", Body=b"x")
            lake.run("destroy", "--yes", "--delete-objects")
            self.assertEqual(s3.list_buckets()["Buckets"], [])


if __name__ == "__main__":
    harness.main()
