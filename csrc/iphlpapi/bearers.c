/* SPDX-License-Identifier: MIT */
/* Looks interfaces up: see bearers.h. */
#include "iphlpapi/bearers.h"

#include <stdlib.h>

/* No interface has it. */
#define NO_INDEX ((NET_IFINDEX) - 1)

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

static bool
find_names(nio_filter *filter)
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

static bool
find_adapters(const nio_bearers *self)
{
    const nio_functions *system = nio_system();
    bool changed = false;

    for (size_t i = 0; i < self->filter->interface_count; i++) {
        NET_IFINDEX index = NO_INDEX;
        if (self->luids[i].Value == 0) {
            continue;
        }
        if (system->ConvertInterfaceLuidToIndex(&self->luids[i], &index) !=
            NO_ERROR) {
            index = NO_INDEX;
        }
        changed |= index != self->indices[i];
        self->indices[i] = index;
    }
    return changed;
}

bool
nio_bearers_find(const nio_bearers *self)
{
    const bool names = find_names(self->filter);
    return find_adapters(self) || names;
}

bool
nio_bearers_can_change(const nio_bearers *self)
{
    for (size_t i = 0; i < self->filter->interface_count; i++) {
        if (self->luids[i].Value != 0) {
            return true;
        }
    }
    return self->filter->names != NULL;
}

bool
nio_bearers_init(nio_bearers *self, nio_filter *filter)
{
    const nio_functions *system = nio_system();
    const size_t count = filter->interface_count;

    *self = (nio_bearers){.filter = filter,
                          .luids = calloc(count + 1, sizeof(NET_LUID)),
                          .indices = calloc(count + 1, sizeof(NET_IFINDEX))};
    if (self->luids == NULL || self->indices == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        self->indices[i] = filter->interfaces[i];
        if (system->ConvertInterfaceIndexToLuid == NULL ||
            system->ConvertInterfaceLuidToIndex == NULL ||
            system->NotifyIpInterfaceChange == NULL ||
            system->ConvertInterfaceIndexToLuid(self->indices[i],
                                                &self->luids[i]) != NO_ERROR) {
            self->luids[i].Value = 0;
        }
    }
    if (filter->interfaces != NULL) {
        filter->interfaces = self->indices;
    }
    return true;
}

void
nio_bearers_done(nio_bearers *self)
{
    free(self->luids);
    free(self->indices);
}
