#!/usr/bin/env python3
"""Random requests signed by us and by botocore must carry the same signature."""
import base64
import datetime
import hashlib
import json
import os
import pathlib
import random
import subprocess
import sys
import urllib.parse
from unittest import mock

import interop

SERVERS_PYTHON = interop.ROOT / "third_party/servers/moto/bin/python3"
ROUNDS = 400

try:
    import botocore.auth
    import botocore.awsrequest
    import botocore.credentials
    from botocore.auth import get_current_datetime  # noqa: F401  Old ones have no such.
except ImportError:
    if not SERVERS_PYTHON.exists() or pathlib.Path(sys.executable) == SERVERS_PYTHON:
        interop.skip("no botocore: `tools/servers install moto` brings one")
    os.execv(SERVERS_PYTHON, [SERVERS_PYTHON, *sys.argv])

LETTERS = "abcXYZ019-._~ /+%&=#?:@!$'()*,;é漢\U0001f600\"<>\\^`{|}"
chance = random.Random(20260131)


def some_text(longest, letters=LETTERS):
    return "".join(chance.choice(letters) for _ in range(chance.randint(0, longest)))


def some_request(service, repeat=True):
    """What a caller has before it signs. The path and the query are encoded as they are sent."""
    path = "/" + some_text(30)
    query = [(some_text(6) or "k", some_text(8)) for _ in range(chance.randint(0, 4))]
    if not repeat:
        query = list(dict(query).items())
    parts = []
    for name, value in query:
        name = urllib.parse.quote(name, safe="-_.~")
        bare = value == "" and chance.random() < 0.5
        parts.append(name if bare else name + "=" + urllib.parse.quote(value, safe="-_.~"))
    host = chance.choice(["bucket.s3.amazonaws.com", "127.0.0.1:9000", "queue.example.com"])
    headers = {"User-Agent": "x", "X-Amz-Meta-Note": "  two   words\t"}
    for name in ("Range", "Content-Type", "If-Match", "x-amz-tagging"):
        if chance.random() < 0.4:
            headers[name] = some_text(12, "ab =/\"*") or "-"
    url = chance.choice(["http", "https"]) + "://" + host + urllib.parse.quote(path, safe="/-_.~")
    if parts:
        url += "?" + "&".join(parts)
    return {
        "method": chance.choice(["GET", "PUT", "POST", "DELETE", "HEAD"]),
        "url": url,
        "headers": headers,
        "service": service,
        "region": chance.choice(["us-east-1", "eu-central-1"]),
        "access_key": "AKIDEXAMPLE",
        "secret_key": chance.choice(["secret", "wJalrXUtn/K7MDENG+bPxRfiCYEXAMPLEKEY", "s" * 90]),
        "token": chance.choice(["", "token/+=="]),
        "time": chance.choice(["2026-01-31T23:59:59Z", "2024-02-29T00:00:00Z"]),
    }


def theirs(line, signer, **arguments):
    """botocore's signature of the same request at the same moment."""
    credentials = botocore.credentials.Credentials(line["access_key"], line["secret_key"],
                                                   line["token"] or None)
    request = botocore.awsrequest.AWSRequest(line["method"], line["url"], dict(line["headers"]),
                                             data=line.get("body", ""))
    now = datetime.datetime.fromisoformat(line["time"][:-1])
    auth = signer(credentials, line["service"], line["region"], **arguments)
    with mock.patch("botocore.auth.get_current_datetime", lambda *_, **__: now):
        auth.add_auth(request)
    return request


def signature(text):
    return text.strip().rsplit("ignature=", 1)[1]


def header_case():
    service = chance.choice(["s3", "sqs", "sts"])
    line = some_request(service)
    line["body"] = some_text(20)
    line["payload_hash"] = hashlib.sha256(line["body"].encode()).hexdigest()
    s3 = service == "s3"
    signer = botocore.auth.S3SigV4Auth if s3 else botocore.auth.SigV4Auth
    if s3:
        # botocore leaves bodies unhashed on TLS; the header makes it take ours.
        line["headers"]["X-Amz-Content-SHA256"] = line["payload_hash"]
    with mock.patch.object(botocore.auth.SigV4Auth, "payload", lambda *_: line["payload_hash"]):
        expected = theirs(line, signer).headers["Authorization"]
    return line, signature(expected)


def query_case():
    # botocore keeps one value of each name when it presigns.
    line = some_request("s3", repeat=False)
    line["headers"] = {"x-amz-meta-a": "1"} if chance.random() < 0.5 else {}
    line["expires"] = chance.randint(1, 604800)
    expected = theirs(line, botocore.auth.S3SigV4QueryAuth, expires=line["expires"]).url
    return line, signature(expected)


def policy_case():
    line = some_request("s3")
    policy = base64.b64encode(json.dumps({"conditions": [some_text(40)]}).encode()).decode()
    line["policy"] = policy
    credentials = botocore.credentials.Credentials(line["access_key"], line["secret_key"])
    auth = botocore.auth.S3SigV4PostAuth(credentials, "s3", line["region"])
    request = mock.Mock(context={"timestamp": line["time"].replace("-", "").replace(":", "")})
    return line, auth.signature(policy, request)


def main():
    cases = [chance.choice([header_case, query_case, policy_case])() for _ in range(ROUNDS)]
    lines = "".join(json.dumps(line) + "\n" for line, _ in cases)
    ours = subprocess.run([os.environ["SIGNING_TOOL"]], input=lines, capture_output=True, text=True,
                          check=True).stdout.splitlines()
    assert len(ours) == len(cases), (len(ours), len(cases))
    wrong = 0
    for (line, expected), answer in zip(cases, ours):
        got = answer if "policy" in line else signature(answer)
        if got != expected:
            wrong += 1
            print(f"not as botocore {botocore.__version__} signs it: {json.dumps(line)}")
    print(f"{len(cases)} requests, {wrong} signed differently")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
