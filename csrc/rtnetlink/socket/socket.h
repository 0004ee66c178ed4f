/* SPDX-License-Identifier: MIT */
/* What the two sockets of an engine have in common: event_socket.h receives
 * the kernel's notifications, request_socket.h asks it and reads whole tables.
 * Every system call of the tower on netlink is in this room. */
#pragma once

/* Put `fresh`, a new netlink socket, in the place of the socket *fd, under the
 * same number: the child of a concurrent fork closes it by that number. Takes
 * `fresh` over, on failure too. If the number no longer belongs to a netlink
 * socket, because the program closed a descriptor that it did not open, the
 * number is left alone and *fd becomes `fresh`. Returns 0 or a negative errno.
 */
int nio_socket_replace(int *fd, int fresh);
