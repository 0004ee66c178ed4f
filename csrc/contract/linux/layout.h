/* SPDX-License-Identifier: MIT */
/* Compile-time checks of our rows: the members that only Linux has begin
 * exactly where the row ends on Windows. Pickles have this layout, too: a
 * change needs another NIO_PICKLE_LAYOUT (binding/rows/pickle.h). */
#pragma once

#include "contract/layout.h"

NIO_AT(MIB_IPFORWARD_ROW2, Table, 104);
NIO_AT(MIB_UNICASTIPADDRESS_ROW, Flags, 80);
NIO_AT(MIB_IPINTERFACE_ROW, Flags, 168);

/* Two members of a route lie in padding of Microsoft's, the others behind. */
NIO_AT(MIB_IPFORWARD_ROW2, Scope, 73);
NIO_AT(MIB_IPFORWARD_ROW2, Instances, 74);
NIO_AT(MIB_IPFORWARD_ROW2, Flags, 132);
NIO_AT(MIB_IPFORWARD_ROW2, KernelProtocol, 133);
NIO_AT(MIB_IPFORWARD_ROW2, Preference, 134);
NIO_AT(MIB_IPFORWARD_ROW2, Name, 136);
NIO_AT(MIB_IPFORWARD_ROW2, Extra, 152);
NIO_AT(MIB_UNICASTIPADDRESS_ROW, Scope, 100);
NIO_AT(MIB_UNICASTIPADDRESS_ROW, Broadcast, 104);
NIO_AT(MIB_UNICASTIPADDRESS_ROW, Label, 120);
NIO_AT(MIB_UNICASTIPADDRESS_ROW, Name, 136);
NIO_AT(MIB_IPINTERFACE_ROW, Name, 180);
NIO_AT(MIB_IPINTERFACE_ROW, MasterName, 196);
NIO_AT(MIB_IPINTERFACE_ROW, Extra, 216);
NIO_SIZE(MIB_IPFORWARD_ROW2, 160);
NIO_SIZE(MIB_UNICASTIPADDRESS_ROW, 152);
NIO_SIZE(MIB_IPINTERFACE_ROW, 224);
