#!/usr/bin/env python3
"""Commits of ours that take files away, read row by row by deltalake and DuckDB; then they write
and clean up, and we go on."""
import json
import os
import unittest

import interop

interop.enter_environment()

import deltalake
import pyarrow as pa
import pyarrow.parquet as pq

from delta_test import DeltaCase
from delta_writing import data_file, request

A = pa.schema([("a", pa.int64())])
BY_P = pa.schema([("a", pa.int64()), ("p", pa.string())])


def rows(*values):
    return pa.table({"a": list(values)}, schema=A)


class ChangeCase(DeltaCase):
    def change(self, *files, schema=A, partition_by=(), **how):
        """One commit of ours; each file is an Arrow table, or one with its partition values."""
        pairs = [file if isinstance(file, tuple) else (file, {}) for file in files]
        self.seq += 1
        made = [data_file(self.folder, table, partition) for table, partition in pairs]
        asked = request(self.seq, schema, made, partition_by) | how
        return self.tool.call("change", "lake/t", stdin=json.dumps(asked) + "\n")[0]

    def files(self):
        return {file["path"]: file for file in self.tool.snapshot("lake/t")["files"]}

    def path_with(self, value):
        path, = [path for path in self.files()
                 if value in pq.ParquetFile(self.path / path).read().column("a").to_pylist()]
        return path

    def version(self):
        return self.tool.snapshot("lake/t")["version"]

    def assert_values(self, *values, version=None):
        self.assert_rows(rows(*values), version=version)

    def assert_pairs(self, *pairs):
        self.assert_rows(pa.table({"a": [a for a, p in pairs], "p": [p for a, p in pairs]},
                                  schema=BY_P))


class ChangesTest(ChangeCase):
    def test_rows_leave_and_come_in_one_commit(self):
        self.change(rows(1, 2))
        self.change(rows(3))
        self.change(rows(2), remove=[self.path_with(1)], read_version=1, operation="DELETE")
        self.assert_values(2, 3)
        self.assert_values(1, 2, 3, version=1)
        entry = deltalake.DeltaTable(str(self.path)).history(1)[0]
        self.assertEqual(entry["operation"], "DELETE")
        self.assertEqual(entry["isBlindAppend"], False)

    def test_a_rewrite_of_the_same_rows(self):
        for i in range(4):
            self.change(rows(i))
        self.change(rows(0, 1, 2, 3), remove=list(self.files()), read_version=3,
                    operation="OPTIMIZE", data_change=False)
        self.assert_values(0, 1, 2, 3)
        self.assertEqual(len(self.files()), 1)

    def test_overwrites_of_the_whole_table(self):
        self.change(rows(1))
        self.change(rows(2))
        self.assertEqual(self.change(rows(3), overwrite="table")["removed"], 2)
        self.assert_values(3)
        self.change(overwrite="table")
        self.assert_values()
        self.change(rows(4))
        self.assert_values(4)

    def test_overwrites_of_partitions(self):
        by = {"schema": BY_P, "partition_by": ["p"]}
        odd = "US/East %: ü\U0001F600'\""
        self.change((rows(1), {"p": "x"}), (rows(2), {"p": odd}), (rows(3), {"p": None}), **by)
        self.change((rows(4), {"p": odd}), overwrite="added", **by)
        self.assert_pairs((1, "x"), (3, None), (4, odd))
        self.change((rows(5), {"p": "x"}), overwrite="partitions",
                    partitions=[{"p": "x"}, {"p": None}], **by)
        self.assert_pairs((4, odd), (5, "x"))
        self.change((rows(7), {"p": "y"}), overwrite="added", **by)
        self.assert_pairs((4, odd), (5, "x"), (7, "y"))

    def test_checkpoints_hold_what_was_removed(self):
        self.change(rows(0))
        for i in range(1, 12):
            self.change(rows(i), overwrite="table")
        self.assertTrue((self.path / f"_delta_log/{10:020}.checkpoint.parquet").exists())
        for version in range(10):
            os.remove(self.path / f"_delta_log/{version:020}.json")
        self.assert_values(11)
        table = deltalake.DeltaTable(str(self.path))
        self.assertEqual(len(table.vacuum(retention_hours=0, enforce_retention_duration=False)),
                         11)

    def test_they_go_on_after_us_and_we_after_them(self):
        self.change(rows(1, 2))
        self.change(rows(1), remove=list(self.files()), read_version=0)
        deltalake.write_deltalake(str(self.path), rows(3, 4), mode="append")
        self.assert_values(1, 3, 4)
        deltalake.DeltaTable(str(self.path)).delete("a = 3")
        self.change(rows(5), remove=[self.path_with(1)], read_version=self.version())
        self.assert_values(4, 5)
        deltalake.DeltaTable(str(self.path)).optimize.compact()
        self.change(rows(6), remove=list(self.files()), read_version=self.version())
        self.assert_values(6)
        deltalake.write_deltalake(str(self.path), rows(7), mode="overwrite")
        self.change(rows(8))
        self.assert_values(7, 8)

    def test_what_they_did_meanwhile_is_in_the_way(self):
        self.change(rows(1, 2))
        read, path = self.version(), self.path_with(1)
        deltalake.DeltaTable(str(self.path)).delete("a = 1")
        with self.assertRaisesRegex(interop.ToolError, "conflict: .*version 1 came after version 0"
                                                       ".*it removed"):
            self.change(rows(2), remove=[path], read_version=read)
        self.assert_values(2)

    def test_what_they_appended_meanwhile_is_not_unless_they_may_have_looked(self):
        self.change(rows(1, 2))
        read, path = self.version(), self.path_with(1)
        deltalake.write_deltalake(str(self.path), rows(3), mode="append")
        commit = self.path / f"_delta_log/{1:020}.json"
        info = [json.loads(line) for line in commit.read_text(encoding="utf-8").splitlines()]
        blind = any(line.get("commitInfo", {}).get("isBlindAppend") for line in info)
        how = {"remove": [path], "read_version": read, "read": "table"}
        if blind:
            self.change(rows(2), **how)
            self.assert_values(2, 3)
        else:
            with self.assertRaisesRegex(interop.ToolError, "conflict: .*it added"):
                self.change(rows(2), **how)
            self.assert_values(1, 2, 3)


class VacuumTest(ChangeCase):
    def test_ours_takes_away_what_nobody_needs(self):
        odd = "US/East %: ü"
        by = {"schema": BY_P, "partition_by": ["p"]}
        self.change((rows(1), {"p": odd}), **by)
        self.change((rows(2), {"p": odd}), overwrite="added", **by)
        (self.path / "p=x").mkdir()
        pq.write_table(rows(9), self.path / "p=x/orphan.parquet")
        deltalake.write_deltalake(str(self.path), pa.table({"a": [3], "p": ["ä b"]}, schema=BY_P),
                                  mode="append")
        removed = self.tool.call("vacuum", "lake/t")
        self.assertEqual(len(removed), 2)
        self.assertIn("p=x/orphan.parquet", removed)
        self.assert_pairs((2, odd), (3, "ä b"))
        theirs = deltalake.DeltaTable(str(self.path)).vacuum(
            retention_hours=0, enforce_retention_duration=False, dry_run=True, full=True)
        self.assertEqual([path for path in theirs if (self.path / path).exists()], [])


if __name__ == "__main__":
    unittest.main()
