#!/usr/bin/env python3
"""SQL over Parquet objects of a real S3 store that are read by ranges: the same rows as of copies,
for less than the objects' bytes."""
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import harness  # noqa: E402
import stacks  # noqa: E402
from servers import on_each  # noqa: E402

ROWS = 200_000
COLUMNS = ", ".join(f"(hash(i * 8 + {c}) % 1000000007)::BIGINT as c{c}" for c in range(8))
READ = re.compile(r"read 2 objects by ranges: ([\d.]+) (\w+) of ([\d.]+) (\w+) in \d+ requests")
UNITS = {"KiB": 1 << 10, "MiB": 1 << 20}
ONE_COLUMN = "select count(*) as n, sum(c3) as s from {0}"
SOME_ROWS = "select i, c1 from {0} where i between 250000 and 250003 order by i"
ALL = "select count(*) as n, sum(hash(t)) as h from {0} t"
JOIN = "select count(*) as n from {0} a join {0} b on a.i = b.i + 1 where a.i < 300"


@on_each("moto", "versitygw")
class Ranges(harness.LakeTest):
    maxDiff = None

    def check(self, running):
        self.keys = stacks.environment(running)
        self.far = self.lake(stacks.lake(running))
        for part in range(2):
            rows = f"select i, {COLUMNS} from range({part * ROWS}, {(part + 1) * ROWS}) r(i)"
            self.far.run("sql", rows, "--to", f"lake://data/wide/{part}.parquet", env=self.keys)
        self.far.run("cp", "-r", "lake://data/wide/", "wide/", env=self.keys)
        self.table()
        near = {sql: self.far.rows("sql", sql.format("'./wide/*.parquet'"), env=self.keys)
                for sql in (ONE_COLUMN, SOME_ROWS, ALL, JOIN)}
        for name in ("'lake://data/wide'", "'lake://data/table'"):
            for sql, rows in near.items():
                with self.subTest(sql=sql.format(name)):
                    self.assertEqual(self.far.rows("sql", sql.format(name), env=self.keys), rows)
            bytes_read, size = self.reads(ONE_COLUMN.format(name))
            self.assertLess(bytes_read, size / 5)
            self.assertLess(self.reads(SOME_ROWS.format(name))[0], bytes_read)
        self.assertEqual(list(self.far.folder.glob("state/cache/objects/*")), [])
        self.change()

    def reads(self, sql):
        """Bytes read by ranges, and the objects' size."""
        done = self.far.run("sql", sql, "--files", env=self.keys)
        found = READ.search(done.stderr)
        self.assertTrue(found, done.stderr)
        return float(found[1]) * UNITS[found[2]], float(found[3]) * UNITS[found[4]]

    def table(self):
        """A Delta table over the same bytes."""
        names = ["i"] + [f"c{c}" for c in range(8)]
        fields = [{"name": n, "type": "long", "nullable": True, "metadata": {}} for n in names]
        actions = [{"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}},
                   {"metaData": {"id": "6e1a3c0e-0000-4000-8000-000000000000",
                                 "format": {"provider": "parquet", "options": {}},
                                 "schemaString": json.dumps({"type": "struct", "fields": fields}),
                                 "partitionColumns": [], "configuration": {},
                                 "createdTime": 1700000000000}}]
        for part in range(2):
            file = f"{part}.parquet"
            self.far.run("cp", f"lake://data/wide/{file}", f"lake://data/table/{file}",
                         env=self.keys)
            size = (self.far.folder / "wide" / file).stat().st_size
            actions.append({"add": {"path": file, "partitionValues": {}, "size": size,
                                    "modificationTime": 1700000000000, "dataChange": True}})
        log = "".join(json.dumps(action) + "\n" for action in actions)
        self.far.run("cp", "-", f"lake://data/table/_delta_log/{0:020}.json", stdin=log,
                     env=self.keys)

    def change(self):
        """What rewrites a table's rows reads them the same way."""
        self.far.run("table", "delete", "lake://data/table", "--where", f"i >= {ROWS // 2}",
                     "--yes", env=self.keys)
        rows = self.far.rows("sql", "select count(*) as n, max(i) as i from 'lake://data/table'",
                             env=self.keys)
        self.assertEqual(rows, [{"n": ROWS // 2, "i": ROWS // 2 - 1}])


if __name__ == "__main__":
    harness.main()
