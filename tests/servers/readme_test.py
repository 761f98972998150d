#!/usr/bin/env python3
"""The README's walk through a bucket, command by command as it stands there, on a real store."""
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import harness  # noqa: E402
from servers import server  # noqa: E402


def walk():
    """(command, what the README shows of its output), in order."""
    text = (harness.ROOT / "README.md").read_text()
    block, = re.findall(r"## With a bucket\n.*?```console\n(.*?)```", text, re.S)
    return [(part.partition("\n")[0], part.partition("\n")[2]) for part in
            re.split(r"^\$ ", block, flags=re.M)[1:]]


def without_sizes(text):
    """How large a table's files come out is no promise."""
    return re.sub(r"\d+ bytes", "N bytes", text)


class ReadmeTest(harness.LakeTest):
    maxDiff = None

    def test_every_command_works_and_says_what_is_shown(self):
        with server("moto") as s:
            lake = self.lake()
            os.remove(lake.folder / "headrace.yaml")
            tools = lake.folder / "bin"
            tools.mkdir()
            (tools / "headrace").symlink_to(harness.PROGRAM)
            env = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}",
                   "AWS_ENDPOINT_URL": s.endpoint, "AWS_REGION": s.region,
                   "AWS_ACCESS_KEY_ID": s.access_key, "AWS_SECRET_ACCESS_KEY": s.secret_key}
            commands = walk()
            self.assertGreater(len(commands), 5)
            for command, shown in commands:
                if command.startswith("export "):
                    continue  # Where the store is: here, moto.
                done = subprocess.run(["bash", "-c", command], cwd=lake.folder, env=env, text=True,
                                      capture_output=True, timeout=120, stdin=subprocess.DEVNULL)
                self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}{done.stderr}")
                said = without_sizes(done.stdout + done.stderr)
                for line in filter(None, shown.splitlines()):
                    self.assertIn(without_sizes(line), said, command)
            self.assertEqual(s.client("s3").list_buckets()["Buckets"], [])


if __name__ == "__main__":
    harness.main()
