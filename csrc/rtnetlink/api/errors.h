/* SPDX-License-Identifier: MIT */
/* The Win32 codes with which this tower answers. Pure. */
#pragma once

#include "contract/netio.h"

/* The code of a negative errno; NO_ERROR of 0. */
DWORD nio_code_of(int status);
