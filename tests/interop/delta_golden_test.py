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


def in_file(field, mapped):
    """A field's name in data files."""
    return field["metadata"]["delta.columnMapping.physicalName"] if mapped else field["name"]


def by_table_names(value, kind):
    """A value of a data file with the names of structs' members as the table has them."""
    if value is None or not isinstance(kind, dict):
        return value
    if kind["type"] == "struct":
        return {field["name"]: by_table_names(value[in_file(field, True)], field["type"])
                for field in kind["fields"]}
    if kind["type"] == "array":
        return [by_table_names(each, kind["elementType"]) for each in value]
    return [(by_table_names(key, kind["keyType"]), by_table_names(each, kind["valueType"]))
            for key, each in value]


def rows_by_snapshot(table, snapshot, like):
    """All rows of the files that a snapshot names; types are taken from the expected rows."""
    rows = []
    for file in snapshot["files"]:
        data = pq.ParquetFile(table / file["path"],
                              coerce_int96_timestamp_unit="us").read()
        if file.get("rows") is not None:
            assert file["rows"] == data.num_rows, file
        gone = set(file.get("deleted", []))
        data = data.take(pa.array((row for row in range(data.num_rows) if row not in gone),
                                  pa.int64()))
        columns = {}
        for field in json.loads(snapshot["schema"])["fields"]:
            name, stored = field["name"], in_file(field, snapshot["mapped"])
            if name in file["partition"]:
                kind = like.schema.field(name).type
                columns[name] = cast_text([file["partition"][name]] * data.num_rows, kind)
            elif stored in data.column_names:
                columns[name] = data.column(stored)
                if snapshot["mapped"] and isinstance(field["type"], dict):
                    values = data.column(stored).to_pylist()
                    columns[name] = pa.array([by_table_names(each, field["type"])
                                              for each in values], like.schema.field(name).type)
            else:
                columns[name] = pa.nulls(data.num_rows, like.schema.field(name).type)
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

    def test_rows_that_a_deletion_vector_took_away(self):
        snapshot = self.tool.snapshot("tables/with-short-dv")
        self.assertEqual(sorted(file.get("deleted", []) for file in snapshot["files"]),
                         [[], [0, 1, 2]])

    def test_columns_under_other_names(self):
        snapshot = self.tool.snapshot("tables/stats-writing-all-types/delta")
        self.assertTrue(snapshot["mapped"])
        names = {in_file(field, True) for field in json.loads(snapshot["schema"])["fields"]}
        for file in snapshot["files"]:
            path = SHARED / "delta/tables/stats-writing-all-types/delta" / file["path"]
            self.assertLessEqual(set(pq.read_schema(path).names), names)

    def test_a_table_of_simple_types(self):
        snapshot = self.tool.snapshot("tables/timestamp-truncation-stats")
        self.assertEqual(snapshot["version"], 2)
        self.assertEqual(len(snapshot["files"]), 3)


if __name__ == "__main__":
    unittest.main()
