#!/usr/bin/env python3
"""Tables that Spark and others wrote, with the rows a reader must see: what we can read gives these
rows, what we cannot is refused by the name of what stands in the way."""
import json
import os
import pathlib
import subprocess
import unittest

import interop

SHARED = pathlib.Path(os.environ.get("HEADRACE_SHARED_DATA", interop.ROOT.parent / "shared/data"))
if not (SHARED / "delta/golden").is_dir():
    interop.skip("no shared data")
interop.enter_environment()

import pyarrow as pa
import pyarrow.parquet as pq

# What stands in the way, as the refusal says it.
REFUSED = {
    "data-reader-timestamp_ntz-name-mode": "'columnMapping'",
    "data-skipping-basic-stats-all-types-columnmapping-name": "'columnMapping'",
    "table-with-columnmapping-mode-name": "'columnMapping'",
    "stats-writing-all-types": "'columnMapping'",
    "dv-with-columnmapping": "'columnMapping'",
    "log-replay-dv-key-cases": "'deletionVectors'",
    "with-short-dv": "'deletionVectors'",
    "deltalog-invalid-protocol-version": "'reader version 99'",
    "deltalog-state-reconstruction-without-protocol": "no protocol",
    # Its checkpoint is of no use, and neither is the whole log that is read instead.
    "deltalog-state-reconstruction-from-checkpoint-missing-protocol": "schemaString is missing",
    "deltalog-commit-info": "schemaString is missing",
    "update-deleted-directory": "schemaString is missing",
}
# Tables whose data files are not there: only what the log says can be compared.
LOG_ONLY = {
    "canonicalized-paths-normal-b": 0,
    "canonicalized-paths-special-b": 0,
    "log-replay-special-characters": 0,
    "log-replay-special-characters-a": 0,
}


def cast_text(values, kind):
    """Partition values are text; empty and absent are null."""
    array = pa.array(values, pa.string())
    if pa.types.is_timestamp(kind) and kind.tz:
        zoned = [v if v is None or v.endswith("Z") else v + "Z" for v in values]
        return pa.array(zoned, pa.string()).cast(kind)
    if pa.types.is_binary(kind):
        return array.cast(pa.binary())
    return array.cast(kind)


def rows_by_snapshot(table, snapshot, like):
    """All rows of the files that a snapshot names; types are taken from the expected rows."""
    parts = []
    for file in snapshot["files"]:
        data = pq.ParquetFile(table / file["path"],
                              coerce_int96_timestamp_unit="us").read()
        columns = {}
        for field in json.loads(snapshot["schema"])["fields"]:
            name = field["name"]
            if name in file["partition"]:
                kind = like.schema.field(name).type
                columns[name] = cast_text([file["partition"][name]] * data.num_rows, kind)
            elif name in data.column_names:
                columns[name] = data.column(name)
            else:
                columns[name] = pa.nulls(data.num_rows, like.schema.field(name).type)
        if file.get("rows") is not None:
            assert file["rows"] == data.num_rows, file
        parts.append(columns)
    rows = []
    for columns in parts:
        rows += interop.rows_of(pa.table(columns))
    return sorted(rows)


class GoldenTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = interop.work_folder()
        cls.root = folder.__enter__()
        cls.addClassCleanup(folder.__exit__, None, None, None)
        cls.tool = interop.Tool(cls.root)
        for archive in sorted((SHARED / "delta/golden").glob("*.tar.zst")):
            subprocess.run(f"zstd -dcq '{archive}' | tar x -C '{cls.root}'", shell=True, check=True)

    def check(self, name, location):
        snapshot = self.tool.snapshot(location)
        if snapshot is None or name in LOG_ONLY:
            self.assertEqual(len(snapshot["files"]) if snapshot else None, LOG_ONLY.get(name))
            return "log"
        expected = pq.read_table(
            [file for file in sorted((self.root / name / "expected").glob("*.parquet"))],
            coerce_int96_timestamp_unit="us")
        self.assertEqual(rows_by_snapshot(self.root / location, snapshot, expected),
                         interop.rows_of(expected))
        return "rows"

    def test_every_golden_table(self):
        seen = {"rows": 0, "log": 0, "refused": 0}
        for folder in sorted(self.root.iterdir()):
            name = folder.name
            with self.subTest(name):
                if name in REFUSED:
                    with self.assertRaisesRegex(interop.ToolError, REFUSED[name]):
                        self.tool.snapshot(f"{name}/delta")
                    seen["refused"] += 1
                else:
                    seen[self.check(name, f"{name}/delta")] += 1
        print(f"golden tables: {seen['rows']} with their rows, {seen['log']} by their log, "
              f"{seen['refused']} refused by name")
        self.assertGreaterEqual(seen["rows"], 25)


class TablesTest(unittest.TestCase):
    """The tables of delta/tables, read where they are."""

    def setUp(self):
        self.tool = interop.Tool(SHARED / "delta")

    def test_the_last_transactions_of_applications(self):
        snapshot = self.tool.snapshot("tables/app-txn-checkpoint")
        self.assertEqual(snapshot["transactions"], {"my-app": 3, "my-app2": 2})

    def test_statistics_that_are_only_columns(self):
        snapshot = self.tool.snapshot("tables/v1-single-part-struct-stats-only")
        self.assertEqual([file["rows"] for file in snapshot["files"]], [1] * 5)
        for file in snapshot["files"]:
            stats = json.loads(file["stats"])
            self.assertEqual(set(stats["minValues"]), {"id", "value"})
            self.assertTrue((SHARED / "delta/tables/v1-single-part-struct-stats-only" /
                             file["path"]).exists())

    def test_what_cannot_be_read(self):
        for name, location in {"with-short-dv": "with-short-dv",
                               "stats-writing-all-types": "stats-writing-all-types/delta"}.items():
            with self.assertRaisesRegex(interop.ToolError, REFUSED[name]):
                self.tool.snapshot(f"tables/{location}")

    def test_a_table_of_simple_types(self):
        snapshot = self.tool.snapshot("tables/timestamp-truncation-stats")
        self.assertEqual(snapshot["version"], 2)
        self.assertEqual(len(snapshot["files"]), 3)


if __name__ == "__main__":
    unittest.main()
