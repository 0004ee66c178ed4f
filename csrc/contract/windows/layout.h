/* SPDX-License-Identifier: MIT */
/* Compile-time checks of Windows' rows: each ends where the members that only
 * Linux has begin in our header. */
#pragma once

#include "contract/layout.h"

NIO_SIZE(MIB_IPFORWARD_ROW2, 104);
NIO_SIZE(MIB_UNICASTIPADDRESS_ROW, 80);
NIO_SIZE(MIB_IPINTERFACE_ROW, 168);
