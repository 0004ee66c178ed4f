/* SPDX-License-Identifier: MIT */
/* The docstring of Table, for table.c alone. */
#pragma once

#include <Python.h>

PyDoc_STRVAR(
    table_doc,
    "An immutable sequence of rows of one kind, in one block of memory.\n\n"
    "Tables come from get_ip_forward_table2() and its like. Indexing makes a\n"
    "row object, slicing another table. Through the buffer protocol the "
    "block\n"
    "is seen as it is: one item a row, whose format names the members as in\n"
    "the row type, so that numpy.asarray(table)[\"metric\"] is a column "
    "without\n"
    "a copy. An address is a record of family, ipv4, ipv6 and scope_id, a\n"
    "prefix of these and length; members that Python shows as None are there\n"
    "as the system left them.\n\n"
    "Arrow (pyarrow.table, polars.from_dataframe, duckdb, nanoarrow, ...) "
    "gets\n"
    "a copy in columns: those of row_type._fields, in that order, on every\n"
    "system alike. What a row shows as None is null. "
    "(polars.DataFrame(table)\n"
    "would take the table for a sequence of objects.)\n"
    "- An address is 16 bytes in network order, one of IPv4 as IPv6 maps it\n"
    "  (::ffff:a.b.c.d): so equal bytes are equal addresses, whatever their\n"
    "  family. A prefix is that and a further column, destination_prefix and\n"
    "  destination_prefix_length, whose bits count as the family has them (0\n"
    "  to 32 for IPv4). The family stands in family; next_hop, which may "
    "have\n"
    "  another one, has next_hop_family.\n"
    "- An enum is its number; a time is a timestamp in ns (UTC), null "
    "outside\n"
    "  of the years 1677 to 2262; a lifetime is seconds, INFINITE as in "
    "rows.\n"
    "- A name that is not UTF-8 has its bytes written out: \\udcff.\n"
    "- The metadata of a column says netioapi.unit and netioapi.source, as "
    "the\n"
    "  docstring of the field does, and netioapi.enum: the names of numbers\n"
    "  as a JSON object, such as {\"0\": \"MANUAL\"}, for families too, "
    "whose\n"
    "  numbers differ between systems. The schema's says netioapi.kind.\n\n"
    "Source: MIB_IPFORWARD_TABLE2 and its like; RTM_GETROUTE and its like.");
