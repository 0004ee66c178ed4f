/* SPDX-License-Identifier: MIT */
/* Compile-time checks of our rows: the members that only Linux has begin
 * exactly where the row ends on Windows. */
#pragma once

#include "contract/layout.h"

NIO_AT(MIB_IPFORWARD_ROW2, Table, 104);
NIO_AT(MIB_UNICASTIPADDRESS_ROW, Flags, 80);
NIO_AT(MIB_IPINTERFACE_ROW, Flags, 168);
NIO_SIZE(MIB_IPFORWARD_ROW2, 160);
NIO_SIZE(MIB_UNICASTIPADDRESS_ROW, 152);
NIO_SIZE(MIB_IPINTERFACE_ROW, 224);
