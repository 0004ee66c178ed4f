/* SPDX-License-Identifier: MIT */
/* The docstring of Table. Only table.c includes this file. */
#pragma once

#include <Python.h>

PyDoc_STRVAR(
    table_doc,
    "An immutable sequence of rows of one kind, in one block of memory.\n\n"
    "Tables come from get_ip_forward_table2() and the like. An index returns\n"
    "a row object, a slice another table. The buffer protocol exposes the\n"
    "block itself: one item per row, with a format that names the members as\n"
    "the row type does, so that numpy.asarray(table)[\"metric\"] is a "
    "column\n"
    "without a copy. An address is a record of family, ipv4, ipv6 and\n"
    "scope_id; a prefix also has length. A member that is None in a row\n"
    "object contains what the system left in it.\n\n"
    "Arrow (pyarrow.table, polars.from_dataframe, duckdb, nanoarrow, ...) "
    "gets\n"
    "a copy as columns: those of row_type._fields, in that order, the same\n"
    "on every system. A value that is None in a row object is null.\n"
    "(polars.DataFrame(table) would read the table as a sequence of "
    "objects.)\n"
    "- An address is 16 bytes in network order; an IPv4 address is mapped to\n"
    "  IPv6 (::ffff:a.b.c.d), so equal bytes are equal addresses in either\n"
    "  family. A prefix is an address and a further column with its length,\n"
    "  destination_prefix and destination_prefix_length; the length counts\n"
    "  the bits of its own family (0 to 32 for IPv4). The column family is\n"
    "  the family of all addresses but next_hop, whose family can differ and\n"
    "  is in next_hop_family.\n"
    "- An enum is its number. A time is a timestamp in ns (UTC), null "
    "outside\n"
    "  the years 1677 to 2262. A lifetime is in seconds, INFINITE as in "
    "rows.\n"
    "- In a text, a byte that is not UTF-8 is written out: \\udcff. A column\n"
    "  of type utf8 has source_prefix as \"2001:db8::/48\", and\n"
    "  alternative_names with blanks between them.\n"
    "- The metadata of a column are netioapi.unit and netioapi.source, as in\n"
    "  the docstring of the field, and netioapi.enum: the names of its "
    "numbers\n"
    "  as a JSON object, such as {\"0\": \"MANUAL\"}. A family has it, "
    "too, since\n"
    "  its numbers differ between systems. The schema has netioapi.kind.\n\n"
    "Source: MIB_IPFORWARD_TABLE2 and the like; RTM_GETROUTE and the like.");
