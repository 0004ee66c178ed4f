/* SPDX-License-Identifier: MIT */
/* Win32 codes for the errors of the kernel, and the texts of the codes. */
#include "rtnetlink/api/errors.h"

#include "contract/tower.h"

#include <errno.h>

/* Every other errno is ERROR_GEN_FAILURE. */
static const struct {
    int error;
    DWORD code;
} codes[] = {
    {0, NO_ERROR},
    {ENODEV, ERROR_FILE_NOT_FOUND},
    {EMFILE, ERROR_TOO_MANY_OPEN_FILES},
    {ENFILE, ERROR_TOO_MANY_OPEN_FILES},
    {EACCES, ERROR_ACCESS_DENIED},
    {EPERM, ERROR_ACCESS_DENIED},
    {ENOMEM, ERROR_NOT_ENOUGH_MEMORY},
    {ENOBUFS, ERROR_NOT_ENOUGH_MEMORY},
    {EAFNOSUPPORT, ERROR_NOT_SUPPORTED},
    {EOPNOTSUPP, ERROR_NOT_SUPPORTED},
    {EPROTONOSUPPORT, ERROR_NOT_SUPPORTED},
    {EINVAL, ERROR_INVALID_PARAMETER},
    {ENOENT, ERROR_NOT_FOUND},
    {ESRCH, ERROR_NOT_FOUND},
    {EAGAIN, ERROR_NO_SYSTEM_RESOURCES},
    {ETIMEDOUT, ERROR_TIMEOUT},
    {ENETUNREACH, ERROR_NETWORK_UNREACHABLE},
    {EHOSTUNREACH, ERROR_HOST_UNREACHABLE},
};

DWORD
nio_code_of(int status)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (codes[i].error == -status) {
            return codes[i].code;
        }
    }
    return ERROR_GEN_FAILURE;
}

/* Linux has no texts for Win32 codes: these are our own. */
static const struct {
    DWORD code;
    const char *text;
} texts[] = {
    {NO_ERROR, "success"},
    {ERROR_FILE_NOT_FOUND, "no such interface"},
    {ERROR_TOO_MANY_OPEN_FILES, "too many open files"},
    {ERROR_ACCESS_DENIED, "access denied"},
    {ERROR_INVALID_HANDLE, "the handle is invalid"},
    {ERROR_NOT_ENOUGH_MEMORY, "not enough memory"},
    {ERROR_NOT_READY, "not ready"},
    {ERROR_GEN_FAILURE, "the kernel gave an unexpected answer"},
    {ERROR_NOT_SUPPORTED, "not supported by this kernel"},
    {ERROR_INVALID_PARAMETER, "invalid parameter"},
    {ERROR_INVALID_NAME, "invalid interface name"},
    {ERROR_PROC_NOT_FOUND, "no such function"},
    {ERROR_IO_PENDING, "pending"},
    {ERROR_POSSIBLE_DEADLOCK, "would wait for itself"},
    {ERROR_NOT_FOUND, "not found"},
    {ERROR_NETWORK_UNREACHABLE, "network unreachable"},
    {ERROR_HOST_UNREACHABLE, "host unreachable"},
    {ERROR_NO_SYSTEM_RESOURCES, "the system has no thread or socket left"},
    {ERROR_CANCELLED, "the process was forked during the call"},
    {ERROR_TIMEOUT, "the tables were not read in time"},
};

const char *
nio_status_text(DWORD status, char *buffer, size_t size)
{
    (void)buffer;
    (void)size;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].code == status) {
            return texts[i].text;
        }
    }
    return "";
}
