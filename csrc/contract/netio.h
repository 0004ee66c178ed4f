/* SPDX-License-Identifier: MIT */
/* Microsoft's netioapi.h as this system has it. This is the one #ifdef on a
 * platform in the tree; every other difference is a choice of files. */
#pragma once

/* Bits for NIO_THIS_SYSTEM, which each of the two headers defines. */
#define NIO_SYSTEM_LINUX 1
#define NIO_SYSTEM_WINDOWS 2

#ifdef _WIN32
#    include "contract/windows/netioapi.h"
#else
#    include "contract/linux/netioapi.h"
#endif
