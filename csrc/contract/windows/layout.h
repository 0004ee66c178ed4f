/* SPDX-License-Identifier: MIT */
/* Compile-time checks of Windows' rows: each ends where the members that only
 * Linux has begin in our header. */
#pragma once

#include "contract/layout.h"

NIO_SIZE(MIB_IPFORWARD_ROW2, 104);
NIO_SIZE(MIB_UNICASTIPADDRESS_ROW, 80);
NIO_SIZE(MIB_IPINTERFACE_ROW, 168);

#ifdef NIO_SDK_HINT
#    define NIO_AS_IN_SDK(member)                                             \
        NIO_AT(nio_sdk_hint, member,                                          \
               offsetof(NL_NETWORK_CONNECTIVITY_HINT, member))
NIO_SIZE(nio_sdk_hint, sizeof(NL_NETWORK_CONNECTIVITY_HINT));
NIO_AS_IN_SDK(ConnectivityLevel);
NIO_AS_IN_SDK(ConnectivityCost);
NIO_AS_IN_SDK(ApproachingDataLimit);
NIO_AS_IN_SDK(OverDataLimit);
NIO_AS_IN_SDK(Roaming);
#    undef NIO_AS_IN_SDK
#endif
