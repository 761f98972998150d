"""Stacks on the stores and queues of a running server, for tests: the pieces as Python values, and
the examples of this repository with only their places exchanged."""
import json
import time

import harness
from servers import ROOT, clients

EXAMPLES = ROOT / "examples"


def credentials(s):
    """Of a server, out of the environment that `environment(s)` gives: no secret in the file."""
    return {"from": "keys", "access_key": "${env:LAKE_KEY}", "secret_key": "${env:LAKE_SECRET}"}


def environment(s):
    return {"LAKE_KEY": s.access_key, "LAKE_SECRET": s.secret_key}


def store(s, **more):
    return {"kind": "s3", "endpoint": s.endpoint, "region": s.region,
            "credentials": credentials(s), **more}


def lake(s):
    """How a stack's text begins whose store is the server's: harness.LAKE is one of folders."""
    return f"version: 1\nname: lake\nstores:\n  lake: {json.dumps(store(s, create_buckets=True))}\n"


def aws_environment(s):
    """What AWS's own tools and libraries read: the place and the keys."""
    return {"AWS_ENDPOINT_URL": s.endpoint, "AWS_REGION": s.region,
            "AWS_ACCESS_KEY_ID": s.access_key, "AWS_SECRET_ACCESS_KEY": s.secret_key}


def queue(s, name, **more):
    """A source of kind sqs. `more`: store, bucket, key, prefix."""
    return {"kind": "sqs", "queue": name, "endpoint": s.endpoint, "region": s.region,
            "credentials": credentials(s), **more}


def webhook(path, **more):
    return {"kind": "webhook", "listen": "127.0.0.1:0", "path": path, **more}


def listen_address(lake, source):
    """Where a running engine's webhook listens: it chose the port itself."""
    found = []

    def look():
        found[:] = [s.get("listen") for s in lake.status()["sources"] if s["source"] == source]
        return bool(found and found[0])
    harness.wait_until(look, f"the door of {source}")
    return found[0]


def example(name):
    """An example's stack file as a value."""
    return clients("yaml").safe_load((EXAMPLES / name / "headrace.yaml").read_text())


def copy_fixtures(name, lake):
    """What the tests inside of an example's stack name; the stack is refused without."""
    for fixture in (EXAMPLES / name / "fixtures").iterdir():
        lake.write("fixtures/" + fixture.name, fixture.read_bytes())


def moved(stack, stores, sources, setup=None):
    """The same stack in other places: `stores` and `sources` have to have the names that the stack
    already uses, and nothing else of it changes. A source keeps its bucket, prefix and key."""
    assert set(stores) == set(stack["stores"]), "a store changes its place and no name"
    assert set(sources) == set(stack["sources"]), "a source changes its kind and no name"
    kept = {name: {k: v for k, v in source.items() if k in ("store", "bucket", "prefix", "key")}
            for name, source in stack["sources"].items()}
    out = {**stack, "stores": stores,
           "sources": {name: {**source, **kept[name]} for name, source in sources.items()}}
    if setup:
        out["setup"] = setup
    return out


def text(stack):
    """JSON is YAML."""
    return json.dumps(stack, indent=1) + "\n"


def in_the_first_half_of_a_second():
    """Some stores list whole seconds. What must be announced and listed as of the same one is best
    done before its end is near."""
    while time.time() % 1 > 0.5:
        time.sleep(0.01)


def size_of(s3, bucket):
    """(objects, bytes) in a bucket, as another client counts them, without what is ours."""
    found = [o for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
             for o in page.get("Contents", []) if not o["Key"].startswith(".headrace/")]
    return len(found), sum(o["Size"] for o in found)


def waiting(sqs, name):
    """(visible, in flight) in a queue."""
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return (int(counts["ApproximateNumberOfMessages"]),
            int(counts["ApproximateNumberOfMessagesNotVisible"]))
