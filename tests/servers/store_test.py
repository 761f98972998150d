#!/usr/bin/env python3
"""The s3 store does what every store promises, on real servers: its conformance suite and the
tests of what S3 has beyond it, in the store room's own test program."""
import os
import pathlib
import re
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import harness  # noqa: E402
from servers import on_each  # noqa: E402

PROGRAM = os.environ.get("HEADRACE_STORE_TEST", "build/dev/src/store/headrace_store_test")


def run_suite(running):
    environment = {**os.environ,
                   "HEADRACE_TEST_S3": running.name,
                   "HEADRACE_TEST_S3_ENDPOINT": running.endpoint,
                   "HEADRACE_TEST_S3_ACCESS_KEY": running.access_key,
                   "HEADRACE_TEST_S3_SECRET_KEY": running.secret_key,
                   "HEADRACE_TEST_S3_REGION": running.region}
    started = time.monotonic()
    done = subprocess.run([PROGRAM, "--gtest_filter=*/S3:*/S3Faulty:S3ServerTest.*",
                           "--gtest_brief=1"],
                          env=environment, capture_output=True, text=True, timeout=800)
    print(done.stdout[-20000:], flush=True)
    # Brief as it is, the program gives no count of skipped tests where there are none.
    counts = dict(re.findall(r"^\[  (PASSED|SKIPPED) +\] (\d+) tests?\.", done.stdout, re.M))
    print(f"{running.name}: {counts.get('PASSED', 0)} passed, {counts.get('SKIPPED', 0)} skipped, "
          f"{time.monotonic() - started:.1f} s", flush=True)
    if done.returncode != 0:
        raise AssertionError(f"{running.name}: {done.stdout[-20000:]}\n{done.stderr[-5000:]}")


@on_each("moto", "radosgw", "minio", "versitygw")
class StoreTest(unittest.TestCase):
    def check(self, running):
        run_suite(running)


if __name__ == "__main__":
    harness.main()
