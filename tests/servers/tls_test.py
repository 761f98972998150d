#!/usr/bin/env python3
"""Stores and queues behind TLS under an authority that no system knows: used when it is named, and
refused without, with a word on what to do."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import harness  # noqa: E402
import stacks  # noqa: E402
from servers import server  # noqa: E402


class TlsTest(harness.LakeTest):
    def stack(self, s, source, **more):
        return stacks.text({
            "version": 1, "name": "lake", "stores": {"lake": stacks.store(s, **more)},
            "sources": {"landing": source},
            "tables": {"people": {"store": "lake", "location": "tables/people"}},
            "routes": {"load": {"from": "landing", "steps": [{"table": "people"}]}}})

    def listing(self, s, **more):
        return self.stack(s, {"kind": "listing", "store": "lake", "bucket": "inbox"},
                          create_buckets=True, **more)

    def refused(self, lake, env, *words):
        done = lake.run("cp", "-", "lake://inbox/a.json", stdin="{}", env=env, code=1)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertNotIn(env["LAKE_SECRET"], done.stderr)

    def store(self, s):
        env = stacks.environment(s)
        lake = self.lake(self.listing(s, ca_file=s.ca_file))
        large = "".join(f'{{"name":"{i}","text":"{"x" * 1000}"}}\n' for i in range(20_000))
        for name, body in (("small", '{"name":"Ann"}\n'), ("large", large)):
            lake.run("cp", "-", f"lake://inbox/{name}.json", stdin=body, env=env)
        self.assertEqual(lake.run("cat", "lake://inbox/large.json", env=env).stdout, large)
        lake.run("run", "--once", env=env)
        self.assertEqual(lake.rows("sql", "select count(*) as n from people", env=env),
                         [{"n": 20_001}])
        self.assertTrue(lake.rows("doctor", env=env))
        # A path in the stack is the stack file's: the file may lie beside it.
        lake.write("ca.pem", pathlib.Path(s.ca_file).read_text())
        lake.write("headrace.yaml", self.listing(s, ca_file="ca.pem"))
        lake.run("stat", "lake://inbox/small.json", env=env)

        lake.write("headrace.yaml", self.listing(s))
        self.refused(lake, env, s.endpoint, "its authority is not known here", "ca_file")
        lake.write("headrace.yaml", self.listing(s, ca_file="nowhere.pem"))
        self.refused(lake, env, "nowhere.pem", "not a readable PEM file")
        s.endpoint = s.endpoint.replace("127.0.0.1", "localhost")
        lake.write("headrace.yaml", self.listing(s, ca_file=s.ca_file))
        self.refused(lake, env, "it is not for 'localhost'")
        lake.write("headrace.yaml", self.listing(s, verify=False))
        lake.run("stat", "lake://inbox/small.json", env=env)

    def test_a_store_on_radosgw(self):
        with server("radosgw", "--tls") as s:
            self.store(s)

    def test_a_store_on_moto(self):
        with server("moto", "--tls") as s:
            self.store(s)

    def test_a_queue_on_moto(self):
        with server("moto", "--tls") as s:
            source = stacks.queue(s, "events", store="lake", bucket="inbox")
            on = {"create_buckets": True, "ca_file": s.ca_file}
            env = stacks.environment(s)
            lake = self.lake(self.stack(s, {**source, "ca_file": s.ca_file}, **on))
            lake.run("apply", "--yes", env=env)  # Makes bucket, queue and notification.
            self.assertTrue(all(row["good"] for row in lake.rows("doctor", env=env)))
            s.client("s3").put_object(Bucket="inbox", Key="a.json", Body=b'{"name":"Ann"}\n')
            lake.run("run", "--once", env=env)
            self.assertEqual(lake.rows("sql", "select name from people", env=env),
                             [{"name": "Ann"}])

            lake.write("headrace.yaml", self.stack(s, source, **on))
            refused = lake.run("run", "--once", env=env, code=1).stderr
            self.assertIn("its authority is not known here", refused)
            # OpenSSL's variable names the authority for all that name none of their own.
            lake.run("run", "--once", env={**env, "SSL_CERT_FILE": s.ca_file})


if __name__ == "__main__":
    harness.main()
