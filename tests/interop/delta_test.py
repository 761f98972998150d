#!/usr/bin/env python3
"""Tables that we write, read row by row by deltalake and DuckDB; tables that we and deltalake write
in turns, read by all three."""
import concurrent.futures
import datetime
import decimal
import json
import unittest

import interop

interop.enter_environment()

import deltalake
import duckdb
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq

from delta_writing import data_file, request

UTC = datetime.timezone.utc


def by_deltalake(path, version=None):
    return deltalake.DeltaTable(str(path), version=version).to_pyarrow_table()


def by_duckdb(path, version=None, where="true"):
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"LOAD '{interop.DELTA_EXTENSION}'")
    asked = "" if version is None else f", version={version}"
    return connection.execute(
        f"SELECT * FROM delta_scan('{path}'{asked}) WHERE {where}").to_arrow_table()


class DeltaCase(unittest.TestCase):
    def setUp(self):
        folder = interop.work_folder()
        self.folder = folder.__enter__()
        self.addCleanup(folder.__exit__, None, None, None)
        self.tool = interop.Tool(self.folder / "store")
        self.path = self.folder / "store/lake/t"
        self.seq = 0

    def append(self, *files, schema=None, partition_by=()):
        """One commit of ours; each file is an Arrow table, or one with its partition values."""
        pairs = [file if isinstance(file, tuple) else (file, {}) for file in files]
        self.seq += 1
        made = [data_file(self.folder, table, partition) for table, partition in pairs]
        answer = self.tool.append("lake/t", [
            request(self.seq, schema or pairs[0][0].schema, made, partition_by)])
        self.assertEqual(answer[0]["already_done"], False)
        return answer[0]["version"]

    def by_us(self, version=""):
        """Rows of the files that our snapshot names."""
        snapshot = self.tool.snapshot("lake/t", version)
        self.assertEqual(snapshot["partition_by"], [])
        tables = [pq.read_table(self.path / file["path"], partitioning=None)
                  for file in snapshot["files"]]
        names = [field["name"] for field in json.loads(snapshot["schema"])["fields"]]
        for table, file in zip(tables, snapshot["files"]):
            self.assertEqual(table.num_rows, file["rows"])
        return pa.concat_tables(tables, promote_options="permissive").select(names)

    def assert_rows(self, expected, version=None, maps=()):
        """What everybody must see; `expected` is an Arrow table."""
        wanted = interop.rows_of(expected, maps)
        self.assertEqual(interop.rows_of(by_deltalake(self.path, version), maps), wanted)
        self.assertEqual(interop.rows_of(by_duckdb(self.path, version), maps), wanted)


class OursTest(DeltaCase):
    """We write, others read."""

    def test_types_and_nulls(self):
        day, moment = datetime.date(1969, 7, 20), datetime.datetime(2024, 2, 29, 1, 2, 3, 456789)
        table = pa.table({
            "boolean": pa.array([True, None, False]),
            "byte": pa.array([-128, None, 127], pa.int8()),
            "short": pa.array([-32768, None, 32767], pa.int16()),
            "integer": pa.array([-2**31, None, 2**31 - 1], pa.int32()),
            "long": pa.array([-2**63, None, 2**63 - 1], pa.int64()),
            "float": pa.array([0.5, None, float("inf")], pa.float32()),
            "double": pa.array([0.1, None, float("nan")]),
            "string": pa.array(["", None, "Zürich \U0001F600 \n"]),
            "binary": pa.array([b"", None, b"\x00\xff"]),
            "date": pa.array([day, None, datetime.date(9999, 12, 31)]),
            "timestamp": pa.array([moment, None, moment], pa.timestamp("us", "UTC")),
            "decimal": pa.array([decimal.Decimal("-1.50"), None, decimal.Decimal("9" * 28 + ".99")],
                                pa.decimal128(30, 2)),
        })
        self.append(table)
        self.assert_rows(table)
        self.assertEqual(self.tool.snapshot("lake/t")["protocol"], [1, 2])

    def test_nested_columns(self):
        table = pa.table({
            "struct": pa.array([{"x": 1, "y": {"z": "a"}}, None, {"x": None, "y": None}],
                               pa.struct([("x", pa.int64()),
                                          ("y", pa.struct([("z", pa.string())]))])),
            "list": pa.array([[1, None], [], None], pa.list_(pa.int64())),
            "map": pa.array([[("k", 1), ("l", None)], [], None], pa.map_(pa.string(), pa.int64())),
            "deep": pa.array([[{"m": [("k", [1.5])]}], None, []], pa.list_(pa.struct(
                [("m", pa.map_(pa.string(), pa.list_(pa.float64())))]))),
        })
        self.append(table)
        wanted = interop.rows_of(table, ["map"])
        self.assertEqual(interop.rows_of(by_deltalake(self.path), ["map"]), wanted)
        shown = by_duckdb(self.path).to_pylist()
        self.assertEqual(sorted(str(row["struct"]) for row in shown),
                         sorted(str(row["struct"]) for row in table.to_pylist()))

    def test_columns_that_come_later(self):
        first = pa.table({"a": [1, 2]})
        second = pa.table({"b": ["x"], "a": [3], "s": [{"x": 1}]})
        third = pa.table({"s": pa.array([{"x": 2, "y": "new"}]), "c": [datetime.date(2024, 1, 1)]})
        for table in (first, second, third):
            self.append(table)
        struct = pa.struct([("x", pa.int64()), ("y", pa.string())])
        expected = pa.table({
            "a": pa.array([1, 2, 3, None]), "b": pa.array([None, None, "x", None]),
            "s": pa.array([None, None, {"x": 1, "y": None}, {"x": 2, "y": "new"}], struct),
            "c": pa.array([None, None, None, datetime.date(2024, 1, 1)])})
        self.assert_rows(expected)
        self.assert_rows(first, version=0)
        small, wide = (pa.table({"n": pa.array([7], kind)}) for kind in (pa.int8(), pa.int32()))
        self.append(small)
        self.append(wide)
        self.assertEqual(by_deltalake(self.path).schema.field("n").type, pa.int32())
        self.assertEqual(sorted(row["n"] or 0 for row in by_duckdb(self.path).to_pylist()),
                         [0, 0, 0, 0, 7, 7])

    def check_partitions(self, kind, values):
        """One file per value of partition column p; values come as text and as Python has them."""
        schema = pa.schema([("a", pa.int64()), ("p", kind)])
        files = [(pa.table({"a": [i]}), {"p": text}) for i, (text, value) in enumerate(values)]
        self.append(*files, schema=schema, partition_by=["p"])
        expected = pa.table({"a": list(range(len(values))),
                             "p": pa.array([value for text, value in values], kind)})
        self.assert_rows(expected)
        shown = self.tool.snapshot("lake/t")
        self.assertEqual(len({file["path"] for file in shown["files"]}), len(values))
        return shown

    def test_partitions_of_text(self):
        values = ["plain", "US/East", "a b", "100%", "a%20b", "a%2520b", "Zürich", "\U0001F600",
                  "q=1&x?#", '"quoted"', "it's", "[x]{y}", "a\\b", "tab\there", "line\nend",
                  "10:30", "^`|<>", "+", "a+b", " lead and trail ", ".", "..", "_hidden", "*", "~",
                  "x" * 300]
        pairs = [(value, value) for value in values] + [(None, None)]
        self.check_partitions(pa.string(), pairs)

    def test_an_empty_partition_value_becomes_null(self):
        shown = self.check_partitions(pa.string(), [("", None)])
        self.assertEqual(shown["files"][0]["partition"], {"p": None})

    def test_partitions_of_other_types(self):
        moment = datetime.datetime(2024, 6, 15, 19, 30, 45, 120000)
        for kind, values in {
            pa.int64(): [("007", 7), ("-9223372036854775808", -2**63), (None, None)],
            pa.int8(): [("-128", -128)],
            pa.bool_(): [("true", True), ("false", False), (None, None)],
            pa.float64(): [("1e7", 1e7), ("0.001", 0.001), ("1.5", 1.5), ("2.5E-4", 2.5e-4)],
            pa.decimal128(10, 3): [("1.5", decimal.Decimal("1.500")), (None, None)],
            pa.date32(): [("2024-02-29", datetime.date(2024, 2, 29)), (None, None)],
            pa.timestamp("us", "UTC"): [("2024-06-15 19:30:45.12", moment.replace(tzinfo=UTC)),
                                        ("2024-06-15T00:00:00Z",
                                         datetime.datetime(2024, 6, 15, tzinfo=UTC))],
        }.items():
            with self.subTest(str(kind)):
                self.path = self.path.parent.parent / f"lake_{len(str(kind))}{kind.id}/t"
                self.tool_location = f"{self.path.parent.name}/t"
                made = [data_file(self.folder, pa.table({"a": [i]}), {"p": text})
                        for i, (text, value) in enumerate(values)]
                schema = pa.schema([("a", pa.int64()), ("p", kind)])
                self.tool.append(self.tool_location, [request(1, schema, made, ["p"])])
                self.assert_rows(pa.table({
                    "a": list(range(len(values))),
                    "p": pa.array([value for text, value in values], kind)}))

    def test_two_partition_columns_with_odd_names(self):
        schema = pa.schema([("a", pa.int64()), ("land/ort", pa.string()), ("täg%", pa.date32())])
        self.append((pa.table({"a": [1]}), {"land/ort": "x/y", "täg%": "2024-01-01"}),
                    (pa.table({"a": [2]}), {"land/ort": None, "täg%": None}),
                    schema=schema, partition_by=["land/ort", "täg%"])
        self.assert_rows(pa.table({"a": [1, 2], "land/ort": ["x/y", None],
                                   "täg%": [datetime.date(2024, 1, 1), None]}))

    def test_timestamps_without_zone(self):
        table = pa.table({"a": [1], "t": pa.array([datetime.datetime(2024, 1, 2, 3)],
                                                   pa.timestamp("us"))})
        self.append(pa.table({"a": [0]}))
        self.append(table)
        self.assert_rows(pa.table({"a": [0, 1], "t": pa.array(
            [None, datetime.datetime(2024, 1, 2, 3)], pa.timestamp("us"))}))
        self.assertEqual(self.tool.snapshot("lake/t")["protocol"], [3, 7])

    def test_many_commits_with_checkpoints(self):
        for version in range(27):
            self.append(pa.table({"n": [version, version + 1000], "s": [f"row {version}", None]}))
        expected = self.by_us()
        self.assertEqual(expected.num_rows, 54)
        log = self.path / "_delta_log"
        self.assertTrue((log / f"{20:020}.checkpoint.parquet").exists())
        self.assert_rows(expected)
        for version in (0, 9, 10, 15):
            self.assert_rows(self.by_us(version), version=version)
        # Now the checkpoint is all that tells of the first versions.
        for version in range(20):
            (log / f"{version:020}.json").unlink()
        (log / f"{10:020}.checkpoint.parquet").unlink()
        self.assert_rows(expected)
        self.assertEqual(interop.rows_of(self.by_us()), interop.rows_of(expected))

    def test_statistics_prune_nothing_that_matches(self):
        for low in range(0, 50, 10):
            self.append(pa.table({"n": list(range(low, low + 10)),
                                  "s": [f"k{i:02}" for i in range(low, low + 10)],
                                  "d": [datetime.date(2024, 1, 1 + i) for i in range(10)]}))
        rows = by_duckdb(self.path).to_pylist()
        for where, test in {
            "n = 25": lambda row: row["n"] == 25,
            "n BETWEEN 9 AND 20": lambda row: 9 <= row["n"] <= 20,
            "s >= 'k40'": lambda row: row["s"] >= "k40",
            "d = DATE '2024-01-03'": lambda row: row["d"] == datetime.date(2024, 1, 3),
            "n IS NULL": lambda row: False,
        }.items():
            with self.subTest(where):
                self.assertEqual(by_duckdb(self.path, where=where).num_rows,
                                 sum(map(test, rows)))
        dataset = deltalake.DeltaTable(str(self.path)).to_pyarrow_dataset()
        self.assertEqual(dataset.to_table(filter=pyarrow.dataset.field("n") == 25).num_rows, 1)

    def test_an_append_is_done_once(self):
        table = pa.table({"a": [1]})
        asked = [request(seq, table.schema, [data_file(self.folder, table)])
                 for seq in (1, 1, 2, 1)]
        answers = self.tool.append("lake/t", asked)
        self.assertEqual([answer["already_done"] for answer in answers],
                         [False, True, False, True])
        self.assertEqual(by_deltalake(self.path).num_rows, 2)
        self.assertEqual(deltalake.DeltaTable(str(self.path)).transaction_version("interop"), 2)

    def test_others_see_who_wrote(self):
        self.append(pa.table({"a": [1]}))
        entry = deltalake.DeltaTable(str(self.path)).history(1)[0]
        self.assertEqual((entry["operation"], entry["engineInfo"]), ("WRITE", "Headrace"))
        self.assertEqual(deltalake.DeltaTable(str(self.path)).vacuum(
            retention_hours=0, enforce_retention_duration=False), [])


class TogetherTest(DeltaCase):
    """We and deltalake write one table in turns."""

    def theirs(self, table, **how):
        deltalake.write_deltalake(str(self.path), table, **{"mode": "append", **how})

    def assert_all_agree(self, rows=None):
        expected = self.by_us()
        if rows is not None:
            self.assertEqual(expected.num_rows, rows)
        self.assert_rows(expected)

    def test_in_turns(self):
        self.append(pa.table({"a": [1], "s": ["ours"]}))
        self.theirs(pa.table({"a": [2], "s": ["theirs"]}))
        self.append(pa.table({"a": [3], "t": [1.5]}))
        self.theirs(pa.table({"a": [4], "u": [True]}), schema_mode="merge")
        self.append(pa.table({"u": [False], "a": [5]}))
        self.assert_all_agree(rows=5)
        self.assertEqual(self.by_us().column_names, ["a", "s", "t", "u"])

    def test_on_a_table_that_they_made(self):
        self.theirs(pa.table({"a": pa.array([1], pa.int32()), "p": ["x/y"]}), partition_by=["p"],
                    configuration={"delta.checkpointInterval": "2"})
        self.append((pa.table({"a": pa.array([2], pa.int32())}), {"p": "100%"}),
                    schema=pa.schema([("a", pa.int32()), ("p", pa.string())]))
        self.theirs(pa.table({"a": pa.array([3], pa.int32()), "p": ["ü"]}))
        for number in (4, 5):
            self.append((pa.table({"a": pa.array([number], pa.int32())}), {"p": None}),
                        schema=pa.schema([("a", pa.int32()), ("p", pa.string())]))
        self.assert_rows(pa.table({"a": pa.array([1, 2, 3, 4, 5], pa.int32()),
                                   "p": ["x/y", "100%", "ü", None, None]}))
        shown = self.tool.snapshot("lake/t")
        self.assertEqual(sorted(str(file["partition"]["p"]) for file in shown["files"]),
                         sorted(["x/y", "100%", "ü", "None", "None"]))
        for file in shown["files"]:
            self.assertTrue((self.path / file["path"]).exists(), file["path"])
        self.assertTrue((self.path / f"_delta_log/{4:020}.checkpoint.parquet").exists())

    def test_after_deletes_overwrites_and_compaction(self):
        for i in range(5):
            self.append(pa.table({"a": [i, i + 100]}))
        table = deltalake.DeltaTable(str(self.path))
        table.delete("a = 3")
        self.append(pa.table({"a": [1000]}))
        self.assert_all_agree(rows=10)
        table = deltalake.DeltaTable(str(self.path))
        table.optimize.compact()
        self.assert_all_agree(rows=10)
        self.append(pa.table({"a": [1001]}))
        self.theirs(pa.table({"a": [7]}), mode="overwrite")
        self.append(pa.table({"a": [8]}))
        self.assert_all_agree(rows=2)

    def test_with_their_checkpoints_and_ours(self):
        for i in range(4):
            self.append(pa.table({"a": [i]}))
        deltalake.DeltaTable(str(self.path)).create_checkpoint()
        for version in range(3):
            (self.path / f"_delta_log/{version:020}.json").unlink()
        self.append(pa.table({"a": [4]}))
        self.assert_all_agree(rows=5)
        deltalake.DeltaTable(str(self.path)).delete("a = 0")
        self.tool.call("checkpoint", "lake/t")
        for version in range(3, 5):
            (self.path / f"_delta_log/{version:020}.json").unlink()
        (self.path / f"_delta_log/{3:020}.checkpoint.parquet").unlink()
        self.assert_all_agree(rows=4)
        self.theirs(pa.table({"a": [5]}))
        self.assert_all_agree(rows=5)

    def test_all_at_once(self):
        self.append(pa.table({"a": [-1]}))
        schema = pa.schema([("a", pa.int64())])

        def ours(writer):
            tables = [pa.table({"a": [writer * 100 + seq]}) for seq in range(1, 9)]
            self.tool.append("lake/t", [
                request(seq, schema, [data_file(self.folder, table)], app=f"writer{writer}")
                for seq, table in enumerate(tables, 1)])

        def theirs():
            for number in range(8):
                self.theirs(pa.table({"a": [number]}))

        with concurrent.futures.ThreadPoolExecutor() as pool:
            running = [pool.submit(ours, writer) for writer in (1, 2, 3)] + [pool.submit(theirs)]
            for each in running:
                each.result()
        self.assert_all_agree(rows=1 + 3 * 8 + 8)
        self.assertEqual(len(set(self.by_us().column("a").to_pylist())), 33)

    def test_a_rule_of_theirs_is_not_broken(self):
        self.theirs(pa.table({"a": [1]}))
        deltalake.DeltaTable(str(self.path)).alter.add_constraint({"positive": "a > 0"})
        with self.assertRaisesRegex(interop.ToolError, "invalid: .*'checkConstraints'"):
            self.append(pa.table({"a": [-1]}))
        self.assert_all_agree(rows=1)

    def test_a_column_that_must_not_be_null(self):
        schema = pa.schema([pa.field("a", pa.int64(), nullable=False)])
        self.theirs(pa.table({"a": [1]}, schema=schema))
        self.append(pa.table({"a": [2]}))
        with self.assertRaisesRegex(interop.ToolError, "column a is NOT NULL"):
            self.append(pa.table({"a": pa.array([None], pa.int64())}))
        self.assert_all_agree(rows=2)


if __name__ == "__main__":
    unittest.main()
