"""Real servers for tests: `with server("moto") as s:` starts one with tools/servers, gives what it
printed as attributes (s.endpoint, s.access_key, s.secret_key, s.region, ...), and stops it.

A server that can't be had raises unittest.SkipTest with the reason, so that the test says
"skipped: why". A server that is here and does not start is a failure.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import types
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
COMMAND = ROOT / "tools" / "servers"
UNAVAILABLE = 77


class Server(types.SimpleNamespace):
    """A running server. `stop` and `start` in between make a restart: same ports, same data."""

    def stop(self):
        subprocess.run([COMMAND, "stop", self.name, "--dir", self.dir], check=True)

    def start(self):
        # The watch on our own process ends the server even if this test is killed.
        done = subprocess.run([COMMAND, "start", self.name, "--dir", self.dir, "--while-pid",
                               str(os.getpid()), *self.options], capture_output=True, text=True,
                              timeout=600)
        if done.returncode == UNAVAILABLE:
            raise unittest.SkipTest(done.stderr.strip().removeprefix("servers: "))
        if done.returncode != 0:
            raise AssertionError(done.stderr.strip())
        self.__dict__.update(json.loads(done.stdout))

    def client(self, service, **options):
        """A boto3 client of this server; `options` go to botocore's Config."""
        boto3 = clients("boto3")
        from botocore.config import Config
        return boto3.client(service, endpoint_url=self.endpoint, region_name=self.region,
                            aws_access_key_id=self.access_key,
                            aws_secret_access_key=self.secret_key, config=Config(**options),
                            verify=getattr(self, "ca_file", None))


class server:
    """The context manager. `options` are those of `tools/servers start`: server("minio",
    "--webhook", url)."""

    def __init__(self, name, *options):
        self.server = Server(name=name, options=list(map(str, options)), dir=None)

    def __enter__(self):
        self.server.dir = tempfile.mkdtemp(prefix=f"headrace-{self.server.name}-")
        try:
            self.server.start()
        except BaseException:
            shutil.rmtree(self.server.dir, ignore_errors=True)
            raise
        return self.server

    def __exit__(self, *_):
        self.server.stop()
        shutil.rmtree(self.server.dir, ignore_errors=True)


def on_each(*names):
    """Gives a test case a test for each of these servers: its check() with the server."""
    def decorate(case):
        for name in names:
            def test(self, name=name):
                with server(name) as running:
                    self.check(running)
            setattr(case, f"test_on_{name}", test)
        return case
    return decorate


def clients(module):
    """boto3 or confluent_kafka, which are installed beside moto. Skips the test if they are not."""
    packages = ROOT / "third_party/servers/moto/lib/python3.11/site-packages"
    if sys.version_info[:2] != (3, 11) or not packages.is_dir():
        raise unittest.SkipTest(f"{module} is not here: it comes with tools/servers install moto, "
                                "for Python 3.11")
    if str(packages) not in sys.path:
        sys.path.insert(0, str(packages))
    return __import__(module)
