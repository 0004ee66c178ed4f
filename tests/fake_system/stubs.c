/* SPDX-License-Identifier: MIT */
/* The rest of what the binding is linked with: stubs for the parts of a
 * tower that tower.c lacks, and the functions that a test can make fail or
 * wait (by the linker's --wrap). */
#define PY_SSIZE_T_CLEAN
#include "settings.h"

#include <Python.h>

#include "base/thread.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*run)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*run)(void *), void *argument);
int __real_eventfd(unsigned count, int flags);
int __wrap_eventfd(unsigned count, int flags);

int
__wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                      void *(*run)(void *), void *argument)
{
    if (fake_setting(NO_THREADS)) {
        return EAGAIN;
    }
    return __real_pthread_create(thread, attributes, run, argument);
}

int
__wrap_eventfd(unsigned count, int flags)
{
    if (fake_setting(NO_EVENTS)) {
        errno = EMFILE;
        return -1;
    }
    return __real_eventfd(count, flags);
}

void __real_PyThreadState_Delete(PyThreadState *state);
void __wrap_PyThreadState_Delete(PyThreadState *state);

/* A thread that deletes another one's state is attached to none. */
void
__wrap_PyThreadState_Delete(PyThreadState *state)
{
    if (fake_setting(HOLD_DELETE)) {
        fake_held(1);
        while (fake_setting(HOLD_DELETE)) {
            nio_thread_pause(1000000);
        }
        fake_held(-1);
    }
    __real_PyThreadState_Delete(state);
}

void
nio_set_hooks(const nio_hooks *hooks)
{
    fake_hooks(hooks);
}

const char *
nio_status_text(DWORD status, char *buffer, size_t size)
{
    (void)status;
    (void)buffer;
    (void)size;
    return "the fake system says so";
}

NETIO_STATUS
nio_get_route_table(ADDRESS_FAMILY family, const nio_read_limit *limit,
                    PMIB_IPFORWARD_TABLE2 *ret_table)
{
    (void)limit;
    return NIO_CALL(nio_system(), GetIpForwardTable2, family, ret_table);
}

NETIO_STATUS
nio_get_route_entry(PMIB_IPFORWARD_ROW2 row, const nio_read_limit *limit)
{
    (void)limit;
    return NIO_CALL(nio_system(), GetIpForwardEntry2, row);
}

NETIO_STATUS
nio_get_connectivity_hint(NL_NETWORK_CONNECTIVITY_HINT *hint,
                          const nio_read_limit *limit)
{
    (void)limit;
    return NIO_CALL(nio_system(), GetNetworkConnectivityHint, hint);
}

const void *
nio_complete_row(nio_kind kind, MIB_NOTIFICATION_TYPE type, const void *row,
                 void *space, bool *ret_details)
{
    (void)kind;
    (void)type;
    (void)space;
    *ret_details = true;
    return row;
}

bool
nio_makes_initial_calls(void)
{
    return !fake_setting(NO_INITIAL);
}

uint32_t
nio_compartment(void)
{
    return 0;
}

uint32_t
nio_compartment_enter(uint32_t compartment)
{
    return compartment;
}

bool
nio_is_forked(HANDLE handle)
{
    (void)handle;
    return false;
}

size_t
nio_row_key(nio_kind kind, const void *row, uint8_t key[NIO_KEY_SIZE])
{
    (void)kind;
    memcpy(key, row, NIO_KEY_SIZE);
    return NIO_KEY_SIZE;
}

NETIO_STATUS
nio_subscribe(const nio_request *request, struct nio_queue *queue,
              HANDLE *ret_handle)
{
    (void)request;
    (void)queue;
    (void)ret_handle;
    return ERROR_NOT_SUPPORTED;
}

NETIO_STATUS
nio_unsubscribe(HANDLE handle)
{
    (void)handle;
    return ERROR_INVALID_HANDLE;
}

NETIO_STATUS
nio_statistics_of(HANDLE handle, nio_statistics *ret_statistics)
{
    (void)handle;
    (void)ret_statistics;
    return ERROR_INVALID_HANDLE;
}
