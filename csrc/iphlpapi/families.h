/* SPDX-License-Identifier: MIT */
/* Registrations for both families, where the machine has one. */
#pragma once

#include "contract/tower.h"

/* Replaces functions of the table, while no other thread uses it yet: an
 * AF_UNSPEC registration that fails because IPv4 or IPv6 is not there is made
 * for the other one. */
void nio_families_wrap(nio_functions *functions);
