/* SPDX-License-Identifier: MIT */
/* Registers and cancels with the functions of the header. */
#include "iphlpapi/registrations.h"

static void
report(nio_registrations *self, nio_kind kind, const void *row,
       MIB_NOTIFICATION_TYPE type)
{
    if (row != NULL) { /* else an initial notification, never requested */
        (void)nio_atomic_add(&self->heard[kind], 1);
        self->notified(self->context, kind, row, type);
    }
}

static VOID NETIOAPI_API_
on_interface(PVOID context, PMIB_IPINTERFACE_ROW row,
             MIB_NOTIFICATION_TYPE type)
{
    report(context, NIO_INTERFACE, row, type);
}

static VOID NETIOAPI_API_
on_address(PVOID context, PMIB_UNICASTIPADDRESS_ROW row,
           MIB_NOTIFICATION_TYPE type)
{
    report(context, NIO_ADDRESS, row, type);
}

static VOID NETIOAPI_API_
on_route(PVOID context, PMIB_IPFORWARD_ROW2 row, MIB_NOTIFICATION_TYPE type)
{
    report(context, NIO_ROUTE, row, type);
}

static NETIO_STATUS
register_kind(nio_registrations *self, nio_kind kind, HANDLE *ret_handle)
{
    const nio_functions *system = nio_system();
    const ADDRESS_FAMILY family = self->families[kind];

    if (kind == NIO_INTERFACE) {
        return NIO_CALL(system, NotifyIpInterfaceChange, family, on_interface,
                        self, FALSE, ret_handle);
    }
    if (kind == NIO_ADDRESS) {
        return NIO_CALL(system, NotifyUnicastIpAddressChange, family,
                        on_address, self, FALSE, ret_handle);
    }
    return NIO_CALL(system, NotifyRouteChange2, family, on_route, self, FALSE,
                    ret_handle);
}

static void
cancel(nio_registrations *self, HANDLE handle)
{
    if (handle != NULL) { /* Windows may register without one */
        NETIO_STATUS status = nio_system()->CancelMibChangeNotify2(handle);
        self->status = self->status == NO_ERROR ? status : self->status;
    }
}

NETIO_STATUS
nio_registrations_begin(nio_registrations *self, unsigned kinds)
{
    NETIO_STATUS status = NO_ERROR;

    for (int kind = 0; kind < NIO_KINDS && status == NO_ERROR; kind++) {
        if ((kinds & (1u << kind)) != 0) {
            status = register_kind(self, (nio_kind)kind, &self->handles[kind]);
        }
    }
    return status;
}

void
nio_registrations_renew(nio_registrations *self, unsigned kinds)
{
    for (int kind = 0; kind < NIO_KINDS; kind++) {
        HANDLE fresh = NULL;
        if ((kinds & (1u << kind)) != 0 &&
            register_kind(self, (nio_kind)kind, &fresh) == NO_ERROR) {
            cancel(self, self->handles[kind]);
            self->handles[kind] = fresh;
        }
    }
}

NETIO_STATUS
nio_registrations_end(nio_registrations *self)
{
    for (int kind = 0; kind < NIO_KINDS; kind++) {
        cancel(self, self->handles[kind]);
        self->handles[kind] = NULL;
    }
    return self->status;
}
