/* SPDX-License-Identifier: MIT */
/* On Windows a row ends where Linux' own members begin in ours. */
#pragma once

#include "contract/layout.h"

NIO_SIZE(MIB_IPFORWARD_ROW2, 104);
NIO_SIZE(MIB_UNICASTIPADDRESS_ROW, 80);
NIO_SIZE(MIB_IPINTERFACE_ROW, 168);
