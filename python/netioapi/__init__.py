# SPDX-License-Identifier: MIT
"""Reports every change to the machine's IP interfaces, addresses and routes, immediately and
without loss. On every system the names are those of Microsoft's netioapi.h, in snake_case.

    import netioapi

    registration = netioapi.notify_route_change2(lambda row, type: print(type.name, row))
    ...
    registration.cancel()  # when it returns, no callback runs any more

    with netioapi.Watcher("route", snapshot=True) as watcher:
        for batch in watcher:
            for change in batch:
                print(change.kind, change.type.name, change.row)
"""

from netioapi import _native
from netioapi._native import (
    INFINITE,
    Change,
    DeadlockError,
    InvalidParameterError,
    IpForwardRow,
    IpInterfaceRow,
    NetioError,
    Registration,
    Table,
    UnicastIpAddressRow,
    cancel_mib_change_notify2,
    get_best_route2,
    get_ip_forward_entry2,
    get_ip_forward_table2,
    get_ip_interface_entry,
    get_ip_interface_table,
    get_network_connectivity_hint,
    get_teredo_port,
    get_unicast_ip_address_entry,
    get_unicast_ip_address_table,
    notify_ip_interface_change,
    notify_network_connectivity_hint_change,
    notify_route_change2,
    notify_stable_unicast_ip_address_table,
    notify_teredo_port_change,
    notify_unicast_ip_address_change,
    supported,
)
from netioapi.batch import Batch
from netioapi.enums import (
    ENUMS,
    ConnectivityCost,
    ConnectivityLevel,
    DadState,
    LinkLocalAddressBehavior,
    NetworkConnectivityHint,
    NotificationType,
    PrefixOrigin,
    RouteOrigin,
    RouteProtocol,
    RouterDiscoveryBehavior,
    RouterPreference,
    RouteScope,
    RouteType,
    SuffixOrigin,
)
from netioapi.watcher import Watcher

__version__ = "0.2.0"

if _native.__version__ != __version__:
    raise ImportError(
        f"netioapi {__version__} found the extension module of {_native.__version__} at "
        f"{_native.__file__}: install it again"
    )
_native._register_enums(
    {name: {int(m): m for m in kind} for name, kind in ENUMS.items()}, NetworkConnectivityHint
)

__all__ = [
    "INFINITE",
    "Batch",
    "Change",
    "ConnectivityCost",
    "ConnectivityLevel",
    "DadState",
    "DeadlockError",
    "InvalidParameterError",
    "IpForwardRow",
    "IpInterfaceRow",
    "LinkLocalAddressBehavior",
    "NetioError",
    "NetworkConnectivityHint",
    "NotificationType",
    "PrefixOrigin",
    "Registration",
    "RouteOrigin",
    "RouteProtocol",
    "RouteScope",
    "RouteType",
    "RouterDiscoveryBehavior",
    "RouterPreference",
    "SuffixOrigin",
    "Table",
    "UnicastIpAddressRow",
    "Watcher",
    "cancel_mib_change_notify2",
    "get_best_route2",
    "get_ip_forward_entry2",
    "get_ip_forward_table2",
    "get_ip_interface_entry",
    "get_ip_interface_table",
    "get_network_connectivity_hint",
    "get_teredo_port",
    "get_unicast_ip_address_entry",
    "get_unicast_ip_address_table",
    "notify_ip_interface_change",
    "notify_network_connectivity_hint_change",
    "notify_route_change2",
    "notify_stable_unicast_ip_address_table",
    "notify_teredo_port_change",
    "notify_unicast_ip_address_change",
    "supported",
]
