/* SPDX-License-Identifier: MIT */
/* The compartment of the calling thread. A machine has several where it hosts
 * containers or virtual networks. A thread that the system or this project
 * starts begins in the default one. */
#include "iphlpapi/library.h"

uint32_t
nio_compartment(void)
{
    const nio_windows_functions *windows = nio_windows();
    return windows->GetCurrentThreadCompartmentId == NULL ||
                   windows->SetCurrentThreadCompartmentId == NULL
               ? 0
               : windows->GetCurrentThreadCompartmentId();
}

uint32_t
nio_compartment_enter(uint32_t compartment)
{
    const uint32_t before = nio_compartment();

    if (compartment != 0 && before != 0 && compartment != before) {
        (void)nio_windows()->SetCurrentThreadCompartmentId(compartment);
    }
    return before;
}
