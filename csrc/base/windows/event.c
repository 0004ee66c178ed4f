/* SPDX-License-Identifier: MIT */
/* Windows: an event is an event object with manual reset. No signal interrupts
 * a wait by itself, so each wait also waits for the event that Ctrl-C sets
 * (nio_event_interrupt_by). */
#include "base/event.h"

#include "base/lock.h"

#include <assert.h>

#define NS_PER_MS 1000000u
#define MAX_MS 0x7fffffffu /* in one call */

static void *volatile interrupt; /* written after the function below */
static bool (*interrupts_this_thread)(void);

void
nio_event_interrupt_by(void *native, bool (*this_thread)(void))
{
    if (native != NULL) {
        interrupts_this_thread = this_thread;
    }
    (void)InterlockedExchangePointer(&interrupt, native);
}

bool
nio_event_init(nio_event *event)
{
    event->native = CreateEventW(NULL, TRUE, FALSE, NULL);
    return event->native != NULL;
}

void
nio_event_done(nio_event *event)
{
    if (event->native != NULL) {
        (void)CloseHandle(event->native);
        event->native = NULL;
    }
}

void
nio_event_set(nio_event *event)
{
    BOOL set = SetEvent(event->native);
    assert(set);
    (void)set;
}

void
nio_event_clear(nio_event *event)
{
    BOOL cleared = ResetEvent(event->native);
    assert(cleared);
    (void)cleared;
}

/* One wait of the system, which may end a little before its time. */
static nio_wait
wait_once(const HANDLE *handles, DWORD count, uint64_t left_ns)
{
    DWORD limit = INFINITE;

    if (left_ns != NIO_FOREVER) {
        uint64_t ms = left_ns / NS_PER_MS + (left_ns % NS_PER_MS != 0);
        limit = ms < MAX_MS ? (DWORD)ms : MAX_MS;
    }
    switch (WaitForMultipleObjects(count, handles, FALSE, limit)) {
    case WAIT_OBJECT_0:
        return NIO_WAIT_SET;
    case WAIT_OBJECT_0 + 1:
        /* After a Ctrl-C the event stays set until a wait resets it, even if
         * Python has handled that Ctrl-C. The reason was recorded before the
         * event was set, so the reset loses no Ctrl-C. */
        (void)ResetEvent(handles[1]);
        return NIO_WAIT_INTERRUPTED;
    case WAIT_TIMEOUT:
        return NIO_WAIT_TIMEOUT;
    default:
        assert(!"the event is gone");
        return NIO_WAIT_TIMEOUT;
    }
}

nio_wait
nio_event_wait(nio_event *event, uint64_t timeout_ns)
{
    const HANDLE handles[2] = {
        event->native,
        InterlockedCompareExchangePointer(&interrupt, NULL, NULL)};
    bool interruptible = handles[1] != NULL && interrupts_this_thread();
    uint64_t start = nio_monotonic_ns(), left = timeout_ns;
    nio_wait woken;

    do {
        woken = wait_once(handles, interruptible ? 2u : 1u, left);
        if (left != NIO_FOREVER) {
            uint64_t spent = nio_monotonic_ns() - start;
            left = spent < timeout_ns ? timeout_ns - spent : 0;
        }
    } while (woken == NIO_WAIT_TIMEOUT && left > 0);
    return woken;
}

nio_wait
nio_event_wait_unblocked(nio_event *event, uint64_t timeout_ns,
                         const nio_signal_mask *mask)
{
    (void)mask;
    return nio_event_wait(event, timeout_ns);
}

void
nio_signals_block(nio_signal_mask *ret_mask)
{
    ret_mask->unused = 0;
}

void
nio_signals_restore(const nio_signal_mask *mask)
{
    (void)mask;
}

int
nio_event_descriptor(const nio_event *event)
{
    (void)event;
    return -1;
}

void *
nio_event_handle(const nio_event *event)
{
    return event->native;
}
