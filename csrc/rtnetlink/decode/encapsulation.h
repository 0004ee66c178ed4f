/* SPDX-License-Identifier: MIT */
/* The text of a lightweight tunnel (RTA_ENCAP_TYPE and RTA_ENCAP), as `ip
 * route` writes it: "mpls 100/200", "ip id 7 dst 192.0.2.1". Pure. */
#pragma once

#include "rtnetlink/socket/message.h"

#include <stddef.h>
#include <stdint.h>

/* Longer texts are cut, and end with a digest of what was cut. So two
 * encapsulations with the same text are the same one. */
#define NIO_ENCAPSULATION_MAX 400u

/* Writes the text, without a NUL, and returns its length; 0 where `type` is
 * LWTUNNEL_ENCAP_NONE. */
size_t nio_encapsulation_text(uint16_t type, nio_bytes attributes,
                              char ret_text[NIO_ENCAPSULATION_MAX]);
