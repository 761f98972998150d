#!/usr/bin/env python3
"""Every server that tools/servers knows does what the tests lean on: objects go in and out, and
the events it can send arrive. What is not installed is skipped, and says so."""
import http.server
import json
import pathlib
import queue
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import harness  # noqa: E402
from servers import clients, server  # noqa: E402

KEY = "dir/red flower+a@b é.txt"


class Inbox:
    """A webhook: the JSON bodies posted to it, in order of arrival."""

    def __enter__(self):
        bodies = self.bodies = queue.Queue()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if body:
                    bodies.put(json.loads(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_POST = do_PUT = do_GET = do_HEAD = answer

            def log_message(self, *_):
                pass

        self.listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.listener.server_port}/events"
        threading.Thread(target=self.listener.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown()
        self.listener.server_close()

    def next_record(self):
        """The next body that carries records (servers also send test events): its first one."""
        while True:
            body = self.bodies.get(timeout=60)
            if body.get("Records"):
                return body["Records"][0]


class ServersTest(unittest.TestCase):
    maxDiff = None

    def put_and_get(self, s3, bucket="bucket-1"):
        s3.put_object(Bucket=bucket, Key=KEY, Body=b"hello", Metadata={"m": "1"})
        answer = s3.get_object(Bucket=bucket, Key=KEY)
        self.assertEqual(answer["Body"].read(), b"hello")
        self.assertEqual(answer["Metadata"], {"m": "1"})
        listed = s3.list_objects_v2(Bucket=bucket)["Contents"]
        self.assertEqual([item["Key"] for item in listed], [KEY])

    def refuses_a_wrong_secret(self, s):
        from botocore.exceptions import ClientError
        secret, s.secret_key = s.secret_key, "wrong" + s.secret_key
        with self.assertRaises(ClientError) as refused:
            s.client("s3").list_buckets()
        s.secret_key = secret
        self.assertEqual(refused.exception.response["Error"]["Code"], "SignatureDoesNotMatch")

    def check_record(self, record, key):
        """What all dialects agree on, but for how they write the key."""
        self.assertRegex(record["eventName"], "^(s3:)?ObjectCreated:Put$")
        self.assertEqual(record["s3"]["bucket"]["name"], "bucket-1")
        self.assertEqual(record["s3"]["object"]["key"], key)
        self.assertEqual(record["s3"]["object"]["size"], 5)

    def receive(self, sqs, queue_url):
        """The bodies of the next messages of a queue, taken off it."""
        answer = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=20)
        for message in answer.get("Messages", []):
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]

    def first_message(self, broker, topic):
        """The JSON of the first message of a topic."""
        consumer = clients("confluent_kafka").Consumer({
            "bootstrap.servers": broker.endpoint, "group.id": "test",
            "auto.offset.reset": "earliest"})
        consumer.subscribe([topic])
        message = consumer.poll(60)
        while message is not None and message.error():  # The topic is still to be made.
            message = consumer.poll(60)
        consumer.close()
        self.assertIsNotNone(message, "no message within a minute")
        return json.loads(message.value())

    def test_moto_stores_objects_and_sends_their_events_to_its_queue(self):
        with server("moto") as s:
            s3, sqs = s.client("s3"), s.client("sqs")
            url = sqs.create_queue(QueueName="events")["QueueUrl"]
            arn = f"arn:aws:sqs:{s.region}:{s.account}:events"
            s3.create_bucket(Bucket="bucket-1")
            s3.put_bucket_notification_configuration(
                Bucket="bucket-1", NotificationConfiguration={"QueueConfigurations": [
                    {"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]})
            test_event, = self.receive(sqs, url)
            self.assertEqual(test_event["Event"], "s3:TestEvent")
            self.put_and_get(s3)
            event, = self.receive(sqs, url)
            self.check_record(event["Records"][0], "dir%2Fred+flower%2Ba%40b+%C3%A9.txt")

    def test_moto_has_topics_roles_and_rules(self):
        with server("moto") as s, Inbox() as inbox:
            role = s.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")
            given = s.client("sts").assume_role(RoleArn=role["Role"]["Arn"], RoleSessionName="test")
            self.assertTrue(given["Credentials"]["SessionToken"])
            sqs = s.client("sqs")
            url = sqs.create_queue(QueueName="by-rule")["QueueUrl"]
            events = s.client("events")
            # Without the kind, moto sends "Object Tags Added" too, for each PUT, with the same id.
            events.put_rule(Name="objects", EventPattern=json.dumps(
                {"source": ["aws.s3"], "detail-type": ["Object Created"]}))
            events.put_targets(Rule="objects", Targets=[
                {"Id": "1", "Arn": f"arn:aws:sqs:{s.region}:{s.account}:by-rule"}])
            topic = s.client("sns").create_topic(Name="events")["TopicArn"]
            s.client("sns").subscribe(TopicArn=topic, Protocol="http", Endpoint=inbox.url)
            s3 = s.client("s3")
            s3.create_bucket(Bucket="bucket-1")
            s3.put_bucket_notification_configuration(
                Bucket="bucket-1", NotificationConfiguration={
                    "EventBridgeConfiguration": {},
                    "TopicConfigurations": [
                        {"TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}]})
            s3.put_object(Bucket="bucket-1", Key="a", Body=b"hello")
            event, = self.receive(sqs, url)
            self.assertEqual(event["detail"]["object"]["key"], "a")
            message = inbox.bodies.get(timeout=60)
            while "Records" not in message.get("Message", ""):
                message = inbox.bodies.get(timeout=60)
            self.check_record(json.loads(message["Message"])["Records"][0], "a")

    def test_radosgw_stores_objects_and_posts_their_events(self):
        with server("radosgw") as s, Inbox() as inbox:
            topic = s.client("sns", signature_version="s3").create_topic(
                Name="events", Attributes={"push-endpoint": inbox.url})["TopicArn"]
            s3 = s.client("s3")
            s3.create_bucket(Bucket="bucket-1")
            s3.put_bucket_notification_configuration(
                Bucket="bucket-1", NotificationConfiguration={"TopicConfigurations": [
                    {"Id": "n1", "TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}]})
            self.put_and_get(s3)
            record = inbox.next_record()
            self.assertEqual(record["eventSource"], "ceph:s3")
            self.check_record(record, KEY)
            self.refuses_a_wrong_secret(s)

    def test_elasticmq_keeps_messages_and_gives_them_once_while_they_are_hidden(self):
        with server("elasticmq") as s:
            sqs = s.client("sqs")
            url = sqs.create_queue(QueueName="events")["QueueUrl"]
            sqs.send_message(QueueUrl=url, MessageBody='{"n": 1}')
            self.assertEqual(self.receive(sqs, url), [{"n": 1}])
            empty = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=0)
            self.assertEqual(empty.get("Messages", []), [])

    def test_kafka_keeps_its_messages_and_its_port_over_a_restart(self):
        with server("kafka") as s:
            kafka = clients("confluent_kafka")
            producer = kafka.Producer({"bootstrap.servers": s.endpoint})
            producer.produce("events", b'{"n": 1}')
            self.assertEqual(producer.flush(60), 0)
            del producer
            before = s.endpoint
            s.stop()
            s.start()
            self.assertEqual(s.endpoint, before)
            self.assertEqual(self.first_message(s, "events"), {"n": 1})

    def test_minio_stores_objects_and_posts_and_publishes_their_events(self):
        with server("kafka") as broker, Inbox() as inbox, \
                server("minio", "--webhook", inbox.url, "--kafka", broker.endpoint + "/s3") as s:
            s3 = s.client("s3")
            s3.create_bucket(Bucket="bucket-1")
            s3.put_bucket_notification_configuration(
                Bucket="bucket-1", NotificationConfiguration={"QueueConfigurations": [
                    {"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}
                    for arn in (s.webhook_arn, s.kafka_arn)]})
            self.put_and_get(s3)
            key = "dir%2Fred+flower%2Ba%40b+%C3%A9.txt"
            self.check_record(inbox.next_record(), key)
            self.check_record(self.first_message(broker, "s3")["Records"][0], key)
            self.refuses_a_wrong_secret(s)

    def test_versitygw_stores_objects_and_posts_their_events(self):
        with Inbox() as inbox, server("versitygw", "--webhook", inbox.url) as s:
            s3 = s.client("s3")
            s3.create_bucket(Bucket="bucket-1")
            self.put_and_get(s3)
            self.check_record(inbox.next_record(), KEY)
            self.refuses_a_wrong_secret(s)


if __name__ == "__main__":
    harness.main()
