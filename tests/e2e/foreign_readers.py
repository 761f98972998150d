"""Prints all rows of a Delta table as two foreign readers see them, as JSON. Runs in the venv that
tools/python-env makes."""
import json
import sys

import duckdb
from deltalake import DeltaTable

ROOT = __import__("pathlib").Path(__file__).resolve().parent.parent.parent


def plain(rows):
    return sorted(json.dumps(row, default=str, sort_keys=True) for row in rows)


table = sys.argv[1]
by_deltalake = DeltaTable(table).to_pyarrow_table().to_pylist()

connection = duckdb.connect()
extension = ROOT / "third_party/deps/duckdb/extensions/delta.duckdb_extension"
connection.execute(f"LOAD '{extension}'")
cursor = connection.execute(f"SELECT * FROM delta_scan('{table}')")
names = [column[0] for column in cursor.description]
by_duckdb = [dict(zip(names, row)) for row in cursor.fetchall()]
print(json.dumps({"deltalake": plain(by_deltalake), "duckdb": plain(by_duckdb)}))
