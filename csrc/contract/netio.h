/* SPDX-License-Identifier: MIT */
/* The ground: Microsoft's netioapi.h as this system has it. The one place in
 * the tree where a platform is asked for; all else is a choice of files. */
#pragma once

/* Bits, for NIO_THIS_SYSTEM, which each of the two headers sets. */
#define NIO_SYSTEM_LINUX 1
#define NIO_SYSTEM_WINDOWS 2

#ifdef _WIN32
#    include "contract/windows/netioapi.h"
#else
#    include "contract/linux/netioapi.h"
#endif
