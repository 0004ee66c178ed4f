# SPDX-License-Identifier: MIT
"""What is the current state? A table is a sequence of rows in one block of memory; a field is
converted when it is read."""

import netioapi

for row in netioapi.get_unicast_ip_address_table():
    print(row.interface_name, f"{row.address}/{row.on_link_prefix_length}")

routes = netioapi.get_ip_forward_table2()
print(len(routes), "routes in", memoryview(routes).nbytes, "bytes")

try:
    route, source = netioapi.get_best_route2("192.0.2.77")
    print("192.0.2.77 is reached via", route.next_hop, "from", source)
except netioapi.NetioError as error:
    print("192.0.2.77:", error)
