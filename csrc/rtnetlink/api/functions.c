/* SPDX-License-Identifier: MIT */
/* The table of the functions of netioapi.h, all of which exist on Linux; and
 * what Linux does not need of contract/tower.h. */
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

bool
nio_makes_initial_calls(void)
{
    return true;
}

uint32_t
nio_compartment(void)
{
    return 0;
}

uint32_t
nio_compartment_enter(uint32_t compartment)
{
    (void)compartment;
    return 0;
}
