"""Makes requests to table_tool out of Arrow tables: data files, statistics, Delta's schema."""
import json
import uuid

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

PRIMITIVES = {
    pa.bool_(): "boolean", pa.int8(): "byte", pa.int16(): "short", pa.int32(): "integer",
    pa.int64(): "long", pa.float32(): "float", pa.float64(): "double", pa.string(): "string",
    pa.binary(): "binary", pa.date32(): "date", pa.timestamp("us", "UTC"): "timestamp",
    pa.timestamp("us"): "timestamp_ntz",
}


def delta_type(kind):
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_struct(kind):
        return {"type": "struct", "fields": [delta_field(field) for field in kind]}
    if pa.types.is_list(kind):
        return {"type": "array", "elementType": delta_type(kind.value_type), "containsNull": True}
    if pa.types.is_map(kind):
        return {"type": "map", "keyType": delta_type(kind.key_type),
                "valueType": delta_type(kind.item_type), "valueContainsNull": True}
    return PRIMITIVES[kind]


def delta_field(field):
    return {"name": field.name, "type": delta_type(field.type), "nullable": True, "metadata": {}}


def delta_schema(schema):
    return json.dumps({"type": "struct", "fields": [delta_field(field) for field in schema]})


def stats_of(table):
    """Counts for every column, bounds for those whose JSON is simple."""
    low, high, nulls = {}, {}, {}
    for name, column in zip(table.column_names, table.columns):
        nulls[name] = column.null_count
        if column.null_count == len(column):
            continue
        if pa.types.is_integer(column.type) or (
                pa.types.is_string(column.type) and pc.max(pc.utf8_length(column)).as_py() <= 32):
            bounds = pc.min_max(column).as_py()
            low[name], high[name] = bounds["min"], bounds["max"]
        if pa.types.is_date(column.type):
            bounds = pc.min_max(column).as_py()
            low[name], high[name] = bounds["min"].isoformat(), bounds["max"].isoformat()
    nulls = {name: count for name, count in nulls.items()
             if not pa.types.is_nested(table.schema.field(name).type)}
    return json.dumps({"numRecords": table.num_rows, "minValues": low, "maxValues": high,
                       "nullCount": nulls})


def data_file(folder, table, partition=None):
    """One Parquet file with the rows of `table`, which has no partition columns."""
    path = folder / f"{uuid.uuid4()}.parquet"
    pq.write_table(table, path, compression="zstd")
    return {"source": str(path), "partition": partition or {}, "rows": table.num_rows,
            "stats": stats_of(table)}


def request(seq, schema, files, partition_by=(), app="interop"):
    return {"app": app, "seq": seq, "schema": delta_schema(schema), "files": files,
            "partition_by": list(partition_by)}
