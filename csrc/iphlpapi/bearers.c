/* SPDX-License-Identifier: MIT */
/* Interfaces by their aliases: see bearers.h. */
#include "iphlpapi/bearers.h"

bool
nio_can_find_bearers(void)
{
    const nio_functions *system = nio_system();
    return system->ConvertInterfaceAliasToLuid != NULL &&
           system->ConvertInterfaceLuidToIndex != NULL;
}

/* 0: no interface has this alias. */
static NET_IFINDEX
bearer_of(const WCHAR *name)
{
    const nio_functions *system = nio_system();
    NET_LUID luid = {0};
    NET_IFINDEX index = 0;

    if (system->ConvertInterfaceAliasToLuid(name, &luid) != NO_ERROR ||
        system->ConvertInterfaceLuidToIndex(&luid, &index) != NO_ERROR) {
        return 0;
    }
    return index;
}

bool
nio_find_bearers(nio_filter *filter)
{
    const WCHAR *name = NULL;
    bool changed = false;

    for (size_t i = 0; (name = nio_filter_next_name(filter, name)) != NULL;
         i++) {
        const NET_IFINDEX index = bearer_of(name);
        changed |= index != filter->bearers[i];
        filter->bearers[i] = index;
    }
    return changed;
}
