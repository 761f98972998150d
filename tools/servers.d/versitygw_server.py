"""versitygw over a folder: a light S3 that takes conditions, checksums and POST policies as AWS
does. Built from its Go module: minutes, once.

Its events go to one place for all buckets (`--webhook` or `--kafka`, whose topic must exist).
"""
import os

import installing
import running


class VersityGw(installing.BuiltByGo):
    name = "versitygw"
    what = "S3 over a folder, events to one place"
    ports = ("http",)
    options = ("webhook", "kafka")

    def launch(self, run):
        port = run.ports["http"]
        for name in ("data", "versions"):
            (run.dir / name).mkdir(exist_ok=True)
        try:
            os.setxattr(run.dir / "data", "user.headrace", b"1")
        except OSError:
            raise running.Unavailable(
                f"versitygw needs extended attributes, which {run.dir.parent} has not") from None
        events = []
        if run.options.webhook:
            events += ["--event-webhook-url", run.options.webhook]
        if run.options.kafka:
            broker, _, topic = run.options.kafka.rpartition("/")
            events += ["--event-kafka-url", broker, "--event-kafka-topic", topic]
        server = run.start("versitygw", [
            running.INSTALLED / self.name / "versitygw", "--port", f"127.0.0.1:{port}",
            "--region", running.REGION, "--health", "/health", "--quiet", *events,
            "posix", "--versioning-dir", run.dir / "versions", run.dir / "data"],
            {"ROOT_ACCESS_KEY": running.ACCESS_KEY, "ROOT_SECRET_KEY": running.SECRET_KEY,
             **run.options.env})
        run.wait_until(server, port, run.answers(port, "/health"))
        return {"endpoint": f"http://127.0.0.1:{port}"}
