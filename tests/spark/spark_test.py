#!/usr/bin/env python3
"""Tables between us and Apache Spark with delta-spark, the reference implementation: Spark reads
row by row what we write, changes it in every way it can, and we read and write on. One Spark serves
all tests: it takes a while to start."""
import datetime
import decimal
import json
import os
import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/e2e"))
SPARK = ROOT / "third_party/spark"
SKIPPED = 77


def enter_environment():
    """Goes on in the Python that has Spark. It is large, so it is fetched only when asked for."""
    made = subprocess.run([ROOT / "tools/spark-env", "--check"], capture_output=True, text=True)
    if made.returncode != 0:
        print("skipped: " + (made.stderr.strip().splitlines() or ["no Spark"])[-1])
        sys.exit(SKIPPED)
    if pathlib.Path(sys.prefix) != SPARK:
        os.execv(SPARK / "bin/python3", [SPARK / "bin/python3", *sys.argv])


enter_environment()

from pyspark.sql import SparkSession

import harness

STACK = """\
version: 1
name: spark
stores: {{ lake: {{ kind: file, path: ./buckets }} }}
sources: {{ landing: {{ kind: watch, store: lake, bucket: inbox }} }}
tables:
  t: {{ store: lake, location: tables/t, partition_by: [{parts}], commit: {{ every: 10ms }} }}
routes:
  load: {{ from: landing, steps: [ {{ table: t }} ] }}
"""


def start_spark():
    builder = (SparkSession.builder.master("local[1]").appName("headrace")
               .config("spark.jars", ",".join(map(str, sorted((SPARK / "jars").glob("*.jar")))))
               .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
               .config("spark.sql.catalog.spark_catalog",
                       "org.apache.spark.sql.delta.catalog.DeltaCatalog")
               .config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false")
               .config("spark.driver.bindAddress", "127.0.0.1")
               .config("spark.driver.host", "127.0.0.1")
               .config("spark.sql.shuffle.partitions", "1")
               .config("spark.databricks.delta.snapshotPartitions", "1")
               .config("spark.databricks.delta.retentionDurationCheck.enabled", "false")
               .config("spark.sql.session.timeZone", "UTC"))
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def plain(value):
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return str(value.normalize() + 0)
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return value


def in_order(rows):
    return sorted(json.dumps(plain(row), sort_keys=True) for row in rows)


class SparkCase(harness.LakeTest):
    @classmethod
    def setUpClass(cls):
        os.environ.setdefault("TZ", "UTC")
        cls.spark = start_spark()

    def setUp(self):
        self.files = 0

    def table(self, parts=""):
        self.ours = self.lake(STACK.format(parts=parts))
        self.path = self.ours.folder / "buckets/tables/t"
        return self.ours

    def load(self, *rows):
        """One commit of ours."""
        self.files += 1
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        path = self.ours.put(f"inbox/{self.files}.jsonl", lines)
        os.utime(path, (1_700_000_000, 1_700_000_000))
        self.ours.run("run", "--once")

    def by_spark(self):
        # asDict leaves maps as they are, and maps and structs are both dicts in Python.
        frame = self.spark.read.format("delta").load(str(self.path))
        return [row.asDict(recursive=True) for row in frame.collect()]

    def by_us(self):
        return self.ours.sql(f"select * from '{self.path}'")

    def sql(self, text):
        return self.spark.sql(text.replace("{t}", f"delta.`{self.path}`")).collect()

    def assert_rows(self, expected):
        self.assertEqual(in_order(self.by_spark()), in_order(expected))
        self.assertEqual(in_order(self.by_us()), in_order(expected))


class OursTest(SparkCase):
    def test_every_type_that_lines_bring(self):
        self.table()
        rows = [
            {"long": 2**63 - 1, "text": "Zürich \U0001F600 \n", "real": 1.5, "flag": True,
             "day": "2024-02-29", "struct": {"x": 1, "y": {"z": ["a", None]}},
             "list": [{"k": 1}, None, {"k": None}], "empty": []},
            {"long": -2**63, "text": "", "real": -0.0, "flag": None, "day": None, "struct": None,
             "list": None, "empty": [1]},
        ]
        self.load(*rows)
        self.assert_rows(rows)

    def test_moments_keep_their_microseconds(self):
        self.table()
        self.load({"at": "2024-02-29T01:02:03.456789Z"}, {"at": "1969-12-31T23:59:59.999999Z"})
        self.assertEqual(in_order(self.by_spark()), in_order(
            [{"at": datetime.datetime(2024, 2, 29, 1, 2, 3, 456789)},
             {"at": datetime.datetime(1969, 12, 31, 23, 59, 59, 999999)}]))
        # Forced to skip files by their statistics, Spark finds the same.
        self.assertEqual(len(self.sql(
            "select * from {t} where at >= '1969-12-31 23:59:59.999999'")), 2)
        self.assertEqual(len(self.sql("select * from {t} where at > '2024-02-29 01:02:03.456'")), 1)

    def test_partitions_of_every_spelling(self):
        self.table("p")
        values = ["a", "US/East", "100%", "x:y z", "ü\U0001F600", None, "a=b", "{[?#]}"]
        rows = [{"id": i, "p": value} for i, value in enumerate(values)]
        self.load(*rows)
        self.assert_rows(rows)
        for i, value in enumerate(values):
            if value is not None:
                found = self.spark.read.format("delta").load(str(self.path)).where(
                    self.spark_column("p") == value).collect()
                self.assertEqual([row.id for row in found], [i])

    @staticmethod
    def spark_column(name):
        from pyspark.sql.functions import col
        return col(name)

    def test_columns_that_come_later_and_checkpoints(self):
        self.table()
        expected = []
        for i in range(12):
            row = {"id": i, f"c{i // 6}": str(i)}
            self.load(row)
            expected.append(row)
        self.assertTrue(list((self.path / "_delta_log").glob("*.checkpoint.parquet")))
        self.assert_rows([{"id": row["id"], "c0": row.get("c0"), "c1": row.get("c1")}
                          for row in expected])
        operations = [row.operation for row in self.sql("describe history {t}")]
        self.assertEqual(operations, ["WRITE"] * 12)

    def test_what_our_upkeep_made(self):
        self.table("p")
        for i in range(4):
            self.load({"id": i, "p": "a", "s": {"x": i}}, {"id": 10 + i, "p": "b", "s": None})
        self.ours.run("table", "optimize", "t", "--sort", "id")
        self.ours.run("table", "delete", "t", "--where", "id in (1, 12)", "--yes")
        self.ours.run("table", "update", "t", "--set", "s={'x': 99}", "--where", "id = 2")
        self.assert_rows([
            {"id": 0, "p": "a", "s": {"x": 0}}, {"id": 2, "p": "a", "s": {"x": 99}},
            {"id": 3, "p": "a", "s": {"x": 3}}, {"id": 10, "p": "b", "s": None},
            {"id": 11, "p": "b", "s": None}, {"id": 13, "p": "b", "s": None}])
        self.assertEqual(len(self.sql("select * from {t} where id >= 13")), 1)
        self.assertEqual([row.operation for row in self.sql("describe history {t}")][:3],
                         ["UPDATE", "DELETE", "OPTIMIZE"])


class InTurnsTest(SparkCase):
    def test_spark_changes_what_we_wrote_and_we_go_on(self):
        self.table("p")
        for i in range(3):
            self.load({"id": i, "p": "a"}, {"id": 10 + i, "p": "b"})
        self.sql("insert into {t} select 20L as id, 'c' as p")
        self.sql("delete from {t} where id = 1")
        self.sql("update {t} set id = 100 where id = 11")
        self.sql("merge into {t} as t using (select 2L as id, 'a' as p) s on t.id = s.id "
                 "when matched then update set id = 200 when not matched then insert *")
        self.sql("optimize {t}")
        self.sql("vacuum {t} retain 0 hours")
        expected = [(0, "a"), (200, "a"), (10, "b"), (100, "b"), (12, "b"), (20, "c")]
        self.assert_rows([{"id": id, "p": p} for id, p in expected])
        self.load({"id": 7, "p": "a", "more": "x"})
        self.ours.run("table", "optimize", "t")
        self.ours.run("table", "delete", "t", "--where", "p = 'b'", "--yes")
        self.assert_rows([{"id": 0, "p": "a", "more": None}, {"id": 200, "p": "a", "more": None},
                          {"id": 20, "p": "c", "more": None}, {"id": 7, "p": "a", "more": "x"}])


class SparksTest(SparkCase):
    """Tables that Spark made, with features that we only read."""

    def spark_table(self, name, columns, properties=""):
        self.ours = self.lake(STACK.format(parts=""))
        self.path = self.ours.folder / "buckets/tables" / name
        clause = f" tblproperties ({properties})" if properties else ""
        self.spark.sql(f"create table delta.`{self.path}` ({columns}) using delta{clause}")

    def test_deletion_vectors(self):
        self.spark_table("dv", "id long, name string", "'delta.enableDeletionVectors' = 'true'")
        self.sql("insert into {t} select id, concat('n', id) from range(0, 1000, 1, 1)")
        self.sql("delete from {t} where id % 7 = 0 or id between 500 and 600")
        expected = [{"id": i, "name": f"n{i}"} for i in range(1000)
                    if i % 7 and not 500 <= i <= 600]
        self.assertTrue(list(self.path.glob("deletion_vector_*.bin")))
        self.assert_rows(expected)
        self.ours.run("table", "optimize", str(self.path))
        self.ours.run("table", "delete", str(self.path), "--where", "id >= 100", "--yes")
        self.assert_rows([row for row in expected if row["id"] < 100])

    def test_mapped_columns(self):
        for mode in ("name", "id"):
            with self.subTest(mode):
                self.spark_table(f"mapped_{mode}", "id long, s struct<a: long, l: array<struct<"
                                 "b: string>>>", f"'delta.columnMapping.mode' = '{mode}'")
                self.sql("insert into {t} select 1L, named_struct('a', 2L, 'l', "
                         "array(named_struct('b', 'x')))")
                self.sql("insert into {t} select 3L, null")
                self.sql("alter table {t} rename column s to `s t`")
                self.sql("alter table {t} add columns (n string)")
                self.sql("insert into {t} select 4L, null, 'new'")
                self.assert_rows([
                    {"id": 1, "s t": {"a": 2, "l": [{"b": "x"}]}, "n": None},
                    {"id": 3, "s t": None, "n": None}, {"id": 4, "s t": None, "n": "new"}])

    def test_times_without_a_zone(self):
        self.spark_table("ntz", "id long, at timestamp_ntz")
        self.sql("insert into {t} values (1L, timestamp_ntz'2024-02-29 12:00:00.000001')")
        self.assert_rows([{"id": 1, "at": "2024-02-29 12:00:00.000001"}])


if __name__ == "__main__":
    harness.main()
