#!/usr/bin/env python3
"""Parquet that we make of JSON lines, read by pyarrow, DuckDB, Polars and deltalake's own
reader, against what DuckDB itself reads from the same lines; what the footer and
the Delta stats say, against the values."""
import datetime
import decimal
import gzip
import itertools
import json
import os
import random
import subprocess
import unittest
import uuid

import interop

interop.enter_environment()

import deltalake
import duckdb
import polars
import pyarrow as pa
import pyarrow.parquet as pq

DATA = interop.ROOT / "third_party/data"
HOOKS = DATA / "octokit-webhooks-examples"
LOTS = DATA / "simdjson/jsonexamples/sf_citylots.json.gz"
LARGEST_LINE = 64 << 20


def leaf_paths(fields, before=()):
    """The leaves in the order of the file's columns; None for those within lists."""
    for field in fields:
        path = None if before is None else (*before, field.name)
        if pa.types.is_struct(field.type):
            yield from leaf_paths(field.type, path)
        elif pa.types.is_map(field.type):
            yield from leaf_paths([field.type.key_field, field.type.item_field], None)
        elif pa.types.is_list(field.type):
            yield from leaf_paths([field.type.value_field], None)
        else:
            yield path


class Lines:
    """A file of JSON lines and the Parquet files that became of it."""

    def __init__(self, folder, lines, **options):
        self.source = folder / "lines.ndjson"
        self.lines = lines
        with self.source.open("w") as out:
            for line in lines:
                out.write(line + "\n")
        made = subprocess.run(
            [os.environ["LINES_TOOL"], self.source, folder,
             *(f"{name}={value}" for name, value in options.items())],
            check=True, capture_output=True, text=True)
        self.answer = json.loads(made.stdout)
        self.files = [folder / f"{i}.parquet" for i in range(len(self.answer["files"]))]

    def duckdb(self, sql):
        connection = duckdb.connect()
        connection.execute("SET TimeZone = 'UTC'; SET threads = 1")
        return connection.execute(sql)

    def types(self):
        """Column -> its type in DuckDB's words, as DuckDB finds it in our last, widest file."""
        described = self.duckdb(f"DESCRIBE SELECT * FROM read_parquet('{self.files[-1]}')")
        return {row[0]: row[1] for row in described.fetchall() if row[0] != "_rescued_data"}

    def oracle(self, columns):
        """The lines as DuckDB reads them, with our columns' types."""
        struct = ", ".join(f"'{name}': '{kind}'".replace("''", "'")
                           for name, kind in columns.items())
        return self.duckdb(
            f"SELECT * FROM read_json('{self.source}', format = 'newline_delimited', "
            f"maximum_object_size = {LARGEST_LINE}, columns = {{{struct}}})").to_arrow_table()

    def by_duckdb(self, columns):
        names = ", ".join('"' + name.replace('"', '""') + '"' for name in columns)
        files = [str(file) for file in self.files]
        return self.duckdb(f"SELECT {names} FROM read_parquet({files}, union_by_name = true)"
                           ).to_arrow_table()

    def by_polars(self, columns):
        tables = [polars.read_parquet(file, columns=list(columns)).to_arrow()
                  for file in self.files]
        return pa.concat_tables(tables, promote_options="permissive").select(list(columns))

    def by_pyarrow(self, columns):
        tables = [pq.read_table(file) for file in self.files]
        return pa.concat_tables(tables, promote_options="permissive").select(list(columns))


def same(ours, theirs):
    """Equal values; for JSON text, which DuckDB spells anew, equal JSON."""
    if type(ours) is not type(theirs):
        return False
    if isinstance(ours, str):
        return ours == theirs or is_same_json(ours, theirs)
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, dict):
        return ours.keys() == theirs.keys() and all(same(ours[k], theirs[k]) for k in ours)
    return ours == theirs


def is_same_json(ours, theirs):
    try:
        spelled = json.loads(ours)
    except ValueError:
        return False
    try:
        return spelled == json.loads(theirs)
    except ValueError:
        return spelled == theirs  # DuckDB takes the quotes off a text.


class ConvertCase(unittest.TestCase):
    maxDiff = 2000

    def setUp(self):
        folder = interop.work_folder()
        self.folder = folder.__enter__()
        self.addCleanup(folder.__exit__, None, None, None)

    def convert(self, lines, **options):
        made = Lines(self.folder, lines, **options)
        self.assertEqual(made.answer["faults"], 0)
        self.assertEqual(made.answer["rescued"], 0)
        self.assertEqual(made.answer["rows"], len(lines))
        return made

    def assert_columns_equal(self, ours, theirs):
        self.assertEqual(ours.num_rows, theirs.num_rows)
        for name in theirs.column_names:
            mine, other = ours[name].to_pylist(), theirs[name].to_pylist()
            if mine == other:
                continue
            for i, (a, b) in enumerate(zip(mine, other)):
                self.assertTrue(same(a, b), f"column {name}, row {i}: {a!r} is not {b!r}")

    def assert_same_as_duckdb_reads(self, made):
        columns = made.types()
        theirs = made.oracle(columns)
        self.assert_columns_equal(made.by_pyarrow(columns), theirs)
        self.assert_columns_equal(made.by_duckdb(columns), theirs)
        if len(made.files) == 1:
            self.assert_columns_equal(made.by_polars(columns), theirs)

    def assert_deltalake_reads_the_same(self, made):
        """Its reader is another again, in Rust. It gives rows in any order."""
        deltalake.convert_to_deltalake(str(self.folder))
        table = deltalake.DeltaTable(str(self.folder))
        rows = deltalake.QueryBuilder().register("t", table).execute("SELECT * FROM t").read_all()
        self.assertEqual(interop.rows_of(pa.table(rows)),
                         interop.rows_of(made.by_pyarrow(made.types())))

    def assert_footers_are_right(self, made):
        """Every chunk's values within its bounds, which are values of it; nulls counted."""
        for file in made.files:
            reader = pq.ParquetFile(file)
            paths = list(leaf_paths(reader.schema_arrow))
            for group in range(reader.metadata.num_row_groups):
                table = reader.read_row_group(group)
                meta = reader.metadata.row_group(group)
                self.assertEqual(meta.num_columns, len(paths))
                for i, path in enumerate(paths):
                    if path is not None:
                        self.assert_chunk_is_right(table, path, meta.column(i))

    def assert_chunk_is_right(self, table, path, chunk):
        values = table[path[0]].to_pylist()
        for part in path[1:]:
            values = [None if value is None else value[part] for value in values]
        stats = chunk.statistics
        self.assertEqual(stats.null_count, values.count(None), path)
        values = [value for value in values if value is not None]
        if not stats.has_min_max:
            self.assertTrue(not values or len(max(values, key=len)) > 256, path)
            return
        found = [stats.min, stats.max]
        if isinstance(values[0], str):
            values = [value.encode() for value in values]
            found = [bound.encode() for bound in found]
        elif isinstance(values[0], uuid.UUID):
            values = [value.bytes for value in values]
        self.assertEqual(found, [min(values), max(values)], path)

    def assert_delta_stats_are_right(self, made):
        for file, answer in zip(made.files, made.answer["files"]):
            table = pq.read_table(file)
            stats = answer["stats"]
            self.assertEqual(stats["numRecords"], table.num_rows)
            self.assert_members_are_right(table.to_pylist(), stats["minValues"],
                                          stats["maxValues"], stats["nullCount"])

    def assert_members_are_right(self, rows, least, most, nulls):
        for name, count in nulls.items():
            values = [None if row is None else row[name] for row in rows]
            if isinstance(count, dict):
                self.assert_members_are_right(values, least.get(name, {}), most.get(name, {}),
                                              count)
                continue
            self.assertEqual(values.count(None), count, name)
            values = [value for value in values if value is not None]
            if name in least:
                self.assertTrue(is_bound(least[name], min(values), lower=True), name)
            if name in most:
                self.assertTrue(is_bound(most[name], max(values), lower=False), name)
            if values and isinstance(values[0], (int, float)) and not isinstance(values[0], bool):
                self.assertEqual((least[name], most[name]), (min(values), max(values)), name)


def is_bound(bound, value, lower):
    if isinstance(value, datetime.datetime):
        bound = datetime.datetime.fromisoformat(bound.replace("Z", "+00:00"))
        close = abs(bound - value) < datetime.timedelta(milliseconds=1)
        return close and (bound <= value if lower else bound >= value)
    if isinstance(value, datetime.date):
        bound = datetime.date.fromisoformat(bound)
    if isinstance(value, decimal.Decimal):
        bound = decimal.Decimal(str(bound))
    if isinstance(value, str):
        bound, value = bound.encode(), value.encode()
        if len(bound) > 4 * 65:
            return False
    return bound <= value if lower else bound >= value


def log_lines(count, seed=1):
    chance = random.Random(seed)
    at = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    for i in range(count):
        at += datetime.timedelta(microseconds=chance.randrange(40_000_000))
        user = chance.randrange(50_000)
        yield json.dumps({
            "ts": at.isoformat().replace("+00:00", "Z"), "level": chance.choice(["info", "error"]),
            "id": f"{chance.getrandbits(128):032x}", "method": chance.choice(["GET", "PUT"]),
            "path": f"/api/v1/orders/{chance.randrange(10_000)}",
            "status": chance.choice([200, 200, 204, 404, 500]), "bytes": chance.randrange(200_000),
            "ms": chance.randrange(2_000_000) / 1000, "user": {"id": user, "name": f"u{user}"},
            "client": {"ip": f"10.0.{chance.randrange(256)}.{chance.randrange(256)}",
                       "agent": chance.choice(["Mozilla/5.0 (X11; Linux)", "curl/8.5.0"])},
            "hit": chance.random() < 0.3})


def hook_lines():
    """Real payloads, each once; those whose keys differ only in case are none."""
    for file in sorted(HOOKS.glob("*/index.json")):
        for kind in json.loads(file.read_text()):
            for example in kind["examples"]:
                yield json.dumps(example, ensure_ascii=False)


class Logs(ConvertCase):
    def test_many_row_groups_with_each_codec(self):
        lines = list(log_lines(130_000))
        for codec in ("zstd", "snappy", "none"):
            made = self.convert(lines if codec == "zstd" else lines[:20_000], codec=codec)
            groups = pq.ParquetFile(made.files[0]).metadata.num_row_groups
            self.assertEqual(groups, 2 if codec == "zstd" else 1)
            self.assert_same_as_duckdb_reads(made)
            if codec == "zstd":
                self.assert_footers_are_right(made)
                self.assert_delta_stats_are_right(made)

    def test_duckdb_finds_rows_by_the_footers_bounds(self):
        made = self.convert(list(log_lines(130_000)))
        file = made.files[0]
        for where in ("ts > '2026-01-25'", "status = 404", "path = '/api/v1/orders/77'",
                      "id >= 'fff'", "ms < 0.5", '"user".id = 4711', "hit"):
            asked = f"SELECT count(*) FROM read_parquet('{file}') WHERE {where}"
            lines = (f"SELECT * REPLACE (replace(id::VARCHAR, '-', '') AS id) "
                     f"FROM read_json_auto('{made.source}')")
            plain = f"SELECT count(*) FROM ({lines}) WHERE {where}"
            self.assertEqual(made.duckdb(asked).fetchone(), made.duckdb(plain).fetchone(), where)


class Hooks(ConvertCase):
    def setUp(self):
        super().setUp()
        if not HOOKS.is_dir():
            self.skipTest("no sample data: tools/setup fetches it")

    def test_real_payloads(self):
        made = self.convert(list(hook_lines()))
        self.assertGreater(len(pq.ParquetFile(made.files[0]).metadata.schema), 1000)
        self.assert_same_as_duckdb_reads(made)
        self.assert_deltalake_reads_the_same(made)
        self.assert_footers_are_right(made)
        self.assert_delta_stats_are_right(made)


class DataSets(ConvertCase):
    """Other people's data as it is, but for what one column cannot hold."""

    def setUp(self):
        super().setUp()
        if not LOTS.is_file():
            self.skipTest("no sample data: tools/setup fetches it")

    def assert_all_read_the_same(self, lines):
        made = self.convert(lines)
        self.assert_same_as_duckdb_reads(made)
        self.assert_footers_are_right(made)
        self.assert_delta_stats_are_right(made)

    def test_city_lots(self):
        with gzip.open(LOTS, "rt") as source:
            features = (line.rstrip("\n,") for line in source if '"type": "Feature"' in line)
            lines = list(itertools.islice((line for line in features if '"Polygon"' in line),
                                          0, None, 40))
        self.assertGreater(len(lines), 5_000)
        self.assert_all_read_the_same(lines)

    def test_flights_earthquakes_and_others(self):
        def rows_of(name):
            found = json.loads((DATA / f"vega-datasets/data/{name}.json").read_text())
            return found["features"] if isinstance(found, dict) else found

        for name in ("flights-20k", "earthquakes", "cars", "gapminder", "ohlc", "countries",
                     "barley", "jobs", "population", "political-contributions"):
            with self.subTest(name):
                self.assert_all_read_the_same([json.dumps(row) for row in rows_of(name)])


class Shapes(ConvertCase):
    def test_nested_structs_and_lists_with_nulls_everywhere(self):
        chance = random.Random(3)

        def some(make):
            return None if chance.random() < 0.2 else make()

        def text():
            return chance.choice(["", "a", "Zürich", "日本語", "\U0001F600", 'quo"te\\', "tab\t\n",
                                  f"unique {chance.random()}"])

        def some_list(make):
            return [some(make) for _ in range(chance.randrange(4))]

        def leaf():
            return {"n": some(lambda: chance.randrange(-5, 5)), "t": some(text)}

        def row(i):
            full = {
                "i": i, "s": some(leaf),
                "deep": some(lambda: {"a": some(lambda: {"b": some(leaf)})}),
                "l": some(lambda: some_list(text)), "ls": some(lambda: some_list(leaf)),
                "ll": some(lambda: some_list(lambda: some_list(lambda: chance.randrange(100)))),
                "sl": some(lambda: {"in": some(lambda: some_list(
                    lambda: {"x": some(lambda: some_list(leaf))}))}),
                "d": some(lambda: chance.uniform(-1e6, 1e6)), "flag": some(lambda: i % 3 == 0)}
            return {key: value for key, value in full.items() if chance.random() < 0.9}

        lines = [json.dumps(row(i), ensure_ascii=False) for i in range(125_000)]
        made = self.convert(lines)
        self.assert_same_as_duckdb_reads(made)
        self.assert_deltalake_reads_the_same(made)
        self.assert_footers_are_right(made)
        self.assert_delta_stats_are_right(made)

    def test_numbers_at_their_limits(self):
        chance = random.Random(4)
        edges = [0, 1, -1, 2**31 - 1, -2**31, 2**53, 2**63 - 1, -2**63]

        def line(i):
            real = chance.choice([5e-324, -1.7976931348623157e308, 0.1, 1 / 3, i / 7])
            return json.dumps({"n": chance.choice(edges), "m": chance.choice(edges[:4]) + i * i,
                               "d": real})

        lines = [line(i) for i in range(20_000)]
        made = self.convert(lines)
        self.assert_same_as_duckdb_reads(made)
        self.assert_footers_are_right(made)

    def test_a_dictionary_that_overflows_amid_a_row_group_and_stays_off(self):
        chance = random.Random(5)

        def line(i):
            few = f"value {i % 100}"
            return json.dumps({
                "few": few, "later": few if i < 50_000 else f"{chance.getrandbits(256):x}",
                "large": ("x" * 700 + str(i % 3_000)) if i > 20_000 else few,
                "sparse": f"{chance.random()}" if i % 1_000 == 0 else None,
                "l": [few, f"{chance.getrandbits(64):x}" if i > 60_000 else "one"]})

        made = self.convert([line(i) for i in range(125_000)])
        group = pq.ParquetFile(made.files[0]).metadata.row_group(0)
        encodings = {group.column(i).path_in_schema: group.column(i).encodings
                     for i in range(group.num_columns)}
        self.assertIn("RLE_DICTIONARY", encodings["few"])
        self.assertNotIn("RLE_DICTIONARY", encodings["later"])
        self.assertNotIn("RLE_DICTIONARY", encodings["large"])
        self.assert_same_as_duckdb_reads(made)
        self.assert_footers_are_right(made)

    def test_columns_that_appear_late_or_are_null_for_whole_row_groups(self):
        def line(i):
            row = {"i": i}
            if i % 50_000 == 7:
                row["rare"] = {"n": i, "l": [i, None]}
            if i >= 125_000:
                row["late"] = f"late {i % 10}"
            if i >= 135_000:
                row["rare2"] = [{"a": i}, {}]
            return json.dumps(row)

        lines = [line(i) for i in range(145_000)]
        for options in ({}, {"infer_bytes": 1_000_000}, {"infer_bytes": 0}):
            made = self.convert(lines, **options)
            self.assertEqual(len(made.files), 1)
            self.assert_same_as_duckdb_reads(made)
            self.assert_footers_are_right(made)
            self.assert_delta_stats_are_right(made)

    def test_pages_that_hold_nothing_but_nulls(self):
        chance = random.Random(6)

        def line(i):
            if i < 800:
                return json.dumps({name: [None] * 500 for name in "abcde"})
            return json.dumps({"a": [chance.getrandbits(60)], "b": [chance.random()], "c": [True],
                               "d": [f"{chance.getrandbits(90):x}"], "e": ["few"]})

        made = self.convert([line(i) for i in range(4_000)])
        self.assert_same_as_duckdb_reads(made)
        self.assert_deltalake_reads_the_same(made)

    def test_files_closed_by_size(self):
        made = self.convert(list(log_lines(130_000)), file_bytes=2_000_000)
        self.assertEqual(len(made.files), 2)
        self.assert_same_as_duckdb_reads(made)

    def test_maps_dates_uuids_and_moments_without_zone(self):
        chance = random.Random(9)

        def line(i):
            keys = [f"key {chance.randrange(300)}" for _ in range(3)]
            return json.dumps({
                "counts": {key: chance.randrange(10) for key in keys},
                "prices": {key: {"now": i / 4, "at": f"2026-01-{1 + i % 28:02}"} for key in keys},
                "day": f"20{i % 60:02}-02-{1 + i % 28:02}" if i % 9 else None,
                "id": str(uuid.UUID(int=chance.getrandbits(128))) if i % 7 else None,
                "few": str(uuid.UUID(int=i % 5)),
                "local": f"2026-01-31 09:08:{i % 60:02}.{i % 1000:03}"})

        made = self.convert([line(i) for i in range(20_000)], plain_types="yes")
        types = made.types()
        self.assertEqual(types["counts"], "MAP(VARCHAR, BIGINT)")
        self.assertEqual(types["prices"], 'MAP(VARCHAR, STRUCT(now DOUBLE, "at" DATE))')
        self.assertEqual([types[name] for name in ("day", "id", "few", "local")],
                         ["DATE", "UUID", "UUID", "TIMESTAMP"])
        names = ", ".join(types)
        ours = made.duckdb(f"SELECT {names} FROM read_parquet('{made.files[0]}')").fetchall()
        struct = ", ".join(f"'{name}': '{kind}'" for name, kind in types.items())
        theirs = made.duckdb(f"SELECT {names} FROM read_json('{made.source}', "
                             f"columns = {{{struct}}})").fetchall()
        self.assertEqual(ours, theirs)
        read = made.by_pyarrow(types)
        wanted = [json.loads(row) for row in made.lines]
        self.assertEqual([dict(value) for value in read["counts"].to_pylist()],
                         [row["counts"] for row in wanted])
        self.assertEqual([value and str(value) for value in read["id"].to_pylist()],
                         [row["id"] for row in wanted])
        self.assert_footers_are_right(made)


if __name__ == "__main__":
    unittest.main(verbosity=2)
