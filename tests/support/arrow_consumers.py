# SPDX-License-Identifier: MIT
"""Arrow consumers read our tables, and the result is compared with the row objects. Each function
is a whole program (test_arrow_consumers.py), since these libraries start threads."""

from __future__ import annotations

import gc
import io
import json
import threading
from typing import Any

import netioapi
from netioapi import Table
from tests.support.arrow_rows import FIELDS, KINDS, column_names, expected, random_table

SIZES = (0, 1, 13, 600)
TIME = "creation_time_stamp"


def tables(seed: int) -> list[Table[Any]]:
    """Random tables of each kind and of several sizes, and the tables of this network."""
    return [
        *(random_table(kind, size, seed) for kind in KINDS for size in SIZES),
        netioapi.get_ip_forward_table2(),
        netioapi.get_unicast_ip_address_table(),
        netioapi.get_ip_interface_table(),
    ]


def same(rows: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> None:
    assert len(rows) == len(wanted)
    for number, (row, other) in enumerate(zip(rows, wanted, strict=True)):
        assert row == other, f"row {number}: {row} is not {other}"


# ---- pyarrow ----------------------------------------------------------------


def _pyarrow_rows(batch: Any) -> list[dict[str, Any]]:
    import pyarrow

    columns = {
        name: (
            batch.column(name).cast(pyarrow.int64()) if name == TIME else batch.column(name)
        ).to_pylist()
        for name in batch.schema.names
    }
    tuples = {
        name: [one if one is None else tuple(one) for one in values]
        if name == "zone_indices"
        else values
        for name, values in columns.items()
    }
    rows = zip(*tuples.values(), strict=True)
    return [dict(zip(tuples, row, strict=True)) for row in rows]


def pyarrow_reads(seed: int) -> None:
    import pyarrow

    for table in tables(seed):
        wanted = expected(table)
        batch = pyarrow.record_batch(table)
        batch.validate(full=True)
        assert batch.schema.names == column_names(table.kind)
        same(_pyarrow_rows(batch), wanted)
        for column, name in zip(batch.columns, batch.schema.names, strict=True):
            assert column.null_count == sum(row[name] is None for row in wanted)
        whole = pyarrow.table(table)
        whole.validate(full=True)
        assert whole.to_batches() == ([batch] if len(table) else whole.to_batches())
        assert whole.schema.equals(pyarrow.schema(table), check_metadata=True)
        assert batch.schema.equals(pyarrow.schema(table), check_metadata=True)
        reader = pyarrow.RecordBatchReader.from_stream(table)
        assert reader.schema.equals(batch.schema, check_metadata=True)
        assert [one.num_rows for one in reader] == [len(table)]
        structs = pyarrow.array(table)
        assert pyarrow.types.is_struct(structs.type)
        assert pyarrow.RecordBatch.from_struct_array(structs).equals(batch)
    assert pyarrow.total_allocated_bytes() < 2**24, "columns are ours, not copied"


def pyarrow_keeps_metadata(seed: int) -> None:
    """The metadata of a column survives a file, and so reaches another day or another system."""
    import pyarrow
    from pyarrow import ipc

    for kind in KINDS:
        batch = pyarrow.record_batch(random_table(kind, 10, seed))
        file = io.BytesIO()
        with ipc.new_file(file, batch.schema) as writer:
            writer.write_batch(batch)
        schema = ipc.open_file(file.getvalue()).schema
        assert schema.equals(batch.schema, check_metadata=True)
        assert schema.metadata == {b"netioapi.kind": kind.encode()}
        enums = 0
        for field in FIELDS[kind]:
            if field["enum"]:
                members = json.loads(schema.field(field["name"]).metadata[b"netioapi.enum"])
                enum = netioapi.enums.ENUMS[field["enum"]]
                assert members == {str(member.value): member.name for member in enum}
                enums += 1
        assert enums >= 2


def pyarrow_requests_a_schema(seed: int) -> None:
    """A requested schema: pyarrow casts to it, or raises where it cannot."""
    import pyarrow

    table = random_table("route", 100, seed)
    schema = pyarrow.schema(table)
    at = schema.get_field_index("metric")
    wider = schema.set(at, pyarrow.field("metric", pyarrow.int64()))
    got = pyarrow.table(table, schema=wider)
    assert got.schema.field("metric").type == pyarrow.int64()
    assert got.column("metric").to_pylist() == [row.metric for row in table]
    stranger = pyarrow.schema([pyarrow.field("x", pyarrow.int8())])
    for make in (pyarrow.table, pyarrow.record_batch):
        try:
            make(table, schema=stranger)
        except ValueError:  # pyarrow's own errors included
            continue
        raise AssertionError("another schema cannot be had")


def pyarrow_releases(seed: int) -> None:
    """Arrays outlive their batch, and any thread may release them."""
    import pyarrow

    table = random_table("route", 5000, seed)
    wanted = [row.metric for row in table]
    kept = pyarrow.record_batch(table).column("metric")
    part = pyarrow.table(table).slice(100, 50)["metric"]
    del table
    gc.collect()
    assert kept.to_pylist() == wanted
    assert part.to_pylist() == wanted[100:150]
    left = [pyarrow.record_batch(random_table("address", 500, seed)) for _ in range(20)]

    def drop() -> None:
        while left:
            left.pop()

    threads = [threading.Thread(target=drop) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not left


def numpy_reads(seed: int) -> None:
    """The buffer protocol and Arrow give the same numbers, both without a copy."""
    import numpy
    import pyarrow

    for table in tables(seed):
        block, batch = numpy.asarray(table), pyarrow.record_batch(table)
        compared = 0
        for name in batch.schema.names:
            column = batch.column(name)
            plain = pyarrow.types.is_integer(column.type) and column.null_count == 0
            if plain and name in (block.dtype.names or ()):
                values = column.to_numpy(zero_copy_only=True)
                assert values.dtype == block[name].dtype
                assert (values == block[name]).all()
                compared += 1
        assert compared >= 5


# ---- the others -------------------------------------------------------------


def polars_reads(seed: int) -> None:
    import polars

    for table in tables(seed):
        frame = polars.from_dataframe(table)
        assert frame.columns == column_names(table.kind)
        if TIME in frame.columns:
            assert frame.schema[TIME] == polars.Datetime("ns", "UTC")
            frame = frame.with_columns(polars.col(TIME).to_physical())
        if "zone_indices" in frame.columns:
            assert frame.schema["zone_indices"] == polars.Array(polars.UInt32, 16)
        rows = frame.to_dicts()
        for row in rows:
            if row.get("zone_indices") is not None:
                row["zone_indices"] = tuple(row["zone_indices"])
        wanted = expected(table)
        same(rows, wanted)
    table = random_table("route", 700, seed)
    frame = polars.from_dataframe(table)
    four = frame.filter(polars.col("destination_prefix").bin.starts_with(bytes(10) + b"\xff\xff"))
    assert len(four) == sum(one.destination_prefix is not None and one.family == 2 for one in table)


def polars_reads_what_pyarrow_has(seed: int) -> None:
    """A Table is a sequence, so polars.DataFrame(table) would read its rows as objects."""
    import polars
    import pyarrow

    for table in tables(seed):
        ours, theirs = polars.from_dataframe(table), polars.DataFrame(pyarrow.table(table))
        assert ours.schema == theirs.schema
        assert ours.equals(theirs)


def duckdb_reads(seed: int) -> None:
    import duckdb

    connection = duckdb.connect()
    for table in tables(seed):
        names = column_names(table.kind)
        select = ", ".join(f"epoch_ns({name})" if name == TIME else f'"{name}"' for name in names)
        wanted = expected(table)
        connection.register("view_", table)
        for source in ("view_", "table", "table"):  # the last one is our local variable
            found = connection.sql(f'select {select} from "{source}"')
            rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
            for row, other in zip(rows, wanted, strict=True):
                if row.get(TIME) is not None and abs(row[TIME] - other[TIME]) < 1000:
                    row[TIME] = other[TIME]  # older versions have microseconds
            same(rows, wanted)
        connection.unregister("view_")
    routes = random_table("route", 700, seed)
    connection.register("routes", routes)
    query = "select count(*) from routes where interface_index = 1 and metric < 1000"
    ((number,),) = connection.sql(query).fetchall()
    assert number == sum(one.interface_index == 1 and one.metric < 1000 for one in routes)


def nanoarrow_reads(seed: int) -> None:
    import nanoarrow

    for table in tables(seed):
        kind = table.kind
        array = nanoarrow.c_array(table)
        schema = nanoarrow.Schema(table)
        assert [field.name for field in schema.fields] == column_names(kind)
        assert dict(nanoarrow.c_schema(table).metadata.items()) == {b"netioapi.kind": kind.encode()}
        wanted = expected(table)
        for number, name in enumerate(column_names(kind)):
            column, values = array.child(number), [row[name] for row in wanted]
            assert (column.null_count, column.length) == (values.count(None), len(table))
            if name != TIME:
                found = nanoarrow.Array(column).to_pylist()
            else:  # to_pylist() would cut it down to microseconds
                data = list(column.view().buffer(1))[: len(table)]
                found = [
                    None if wish is None else one for one, wish in zip(data, values, strict=True)
                ]
            if name == "zone_indices":
                values = [None if one is None else list(one) for one in values]
            assert found == values, name
        assert len(nanoarrow.ArrayStream(table).read_all()) == len(table)


PROGRAMS = {
    "pyarrow": [pyarrow_reads, pyarrow_keeps_metadata, pyarrow_requests_a_schema, pyarrow_releases],
    "numpy": [numpy_reads],
    "polars": [polars_reads, polars_reads_what_pyarrow_has],
    "duckdb": [duckdb_reads],
    "nanoarrow": [nanoarrow_reads],
}
# Modules that a program imports besides its own library.
NEEDS = {"numpy": ["pyarrow"], "polars": ["pyarrow"]}
