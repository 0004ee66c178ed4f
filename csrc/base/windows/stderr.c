/* SPDX-License-Identifier: MIT */
/* Windows: a write to a full pipe waits for the pipe's reader, but another
 * thread can cancel the write. */
#include "base/stderr.h"

ptrdiff_t
nio_stderr_write(const char *bytes, size_t size)
{
    HANDLE file = GetStdHandle(STD_ERROR_HANDLE);
    DWORD written = 0;

    if (file == NULL || file == INVALID_HANDLE_VALUE) {
        return -1;
    }
    if (!WriteFile(file, bytes, (DWORD)size, &written, NULL)) {
        return GetLastError() == ERROR_OPERATION_ABORTED ? (ptrdiff_t)written
                                                         : -1;
    }
    return (ptrdiff_t)written;
}

void
nio_stderr_cancel(nio_thread *thread)
{
    (void)CancelSynchronousIo(thread->native);
}
