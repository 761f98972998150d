"""MinIO: S3 as AWS does it, with notifications per bucket. Built from its Go module: minutes, once.

`--webhook` and `--kafka` name targets; start prints their ARNs, for
PutBucketNotificationConfiguration. It starts even if a target is down, and sends later.
"""
import installing
import running


class MinIo(installing.BuiltByGo):
    name = "minio"
    what = "S3 with webhook and Kafka events"
    ports = ("http",)
    options = ("webhook", "kafka")

    def launch(self, run):
        port = run.ports["http"]
        facts = {"endpoint": f"http://127.0.0.1:{port}"}
        env = {"MINIO_ROOT_USER": running.ACCESS_KEY, "MINIO_ROOT_PASSWORD": running.SECRET_KEY,
               "MINIO_SITE_REGION": running.REGION, "MINIO_BROWSER": "off", "MINIO_UPDATE": "off",
               # What it writes at home otherwise.
               "HOME": str(run.dir)}
        if run.options.webhook:
            env |= {"MINIO_NOTIFY_WEBHOOK_ENABLE_H1": "on",
                    "MINIO_NOTIFY_WEBHOOK_ENDPOINT_H1": run.options.webhook}
            facts["webhook_arn"] = f"arn:minio:sqs:{running.REGION}:H1:webhook"
        if run.options.kafka:
            broker, _, topic = run.options.kafka.rpartition("/")
            env |= {"MINIO_NOTIFY_KAFKA_ENABLE_K1": "on", "MINIO_NOTIFY_KAFKA_BROKERS_K1": broker,
                    "MINIO_NOTIFY_KAFKA_TOPIC_K1": topic}
            facts["kafka_arn"] = f"arn:minio:sqs:{running.REGION}:K1:kafka"
        program = running.INSTALLED / self.name / "minio"
        server = run.start("minio", [program, "server", "--address", f"127.0.0.1:{port}",
                                     run.dir / "data"], {**env, **run.options.env})
        # Its S3 opens a moment later than its port; until then it answers 503.
        run.wait_until(server, port, run.answers(port, "/minio/health/live"))
        run.wait_until(server, port, run.answers(port, "/"))
        return facts
