#!/usr/bin/env python3
"""The README's walk through a bucket, command by command as it stands there, on a real store."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import harness  # noqa: E402
import stacks  # noqa: E402
from servers import server  # noqa: E402


class ReadmeTest(harness.LakeTest):
    def test_every_command_works_and_says_what_is_shown(self):
        with server("moto") as s:
            self.follow_readme("With a bucket", env=stacks.aws_environment(s))
            self.assertEqual(s.client("s3").list_buckets()["Buckets"], [])


if __name__ == "__main__":
    harness.main()
