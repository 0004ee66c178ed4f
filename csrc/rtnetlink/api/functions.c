/* SPDX-License-Identifier: MIT */
/* The table of the functions of netioapi.h: on Linux all of them exist. */
#include "contract/tower.h"

#define MEMBER(name, parameters, since) .name = name,
static const nio_functions functions = {
    NIO_FUNCTIONS(MEMBER).FreeMibTable = FreeMibTable,
};
#undef MEMBER

const nio_functions *
nio_system(void)
{
    return &functions;
}
