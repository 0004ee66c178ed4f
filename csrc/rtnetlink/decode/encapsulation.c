/* SPDX-License-Identifier: MIT */
/* The text of an encapsulation: a table of attributes for each kind of tunnel,
 * and a format for each attribute. An attribute that is in no table is written
 * as its number and bytes, so that no difference is lost. */
#include "rtnetlink/decode/encapsulation.h"

#include "rtnetlink/decode/attribute.h"

#include <arpa/inet.h>
#include <linux/lwtunnel.h>
#include <linux/mpls_iptunnel.h>
#include <linux/seg6_iptunnel.h>
#include <linux/seg6_local.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The whole text is made, to be cut at the end: SRv6 has at most 128 segments
 * of 40 characters. */
typedef struct text {
    size_t used;
    char bytes[8192];
} text;

__attribute__((format(printf, 2, 3))) static void
put(text *to, const char *format, ...)
{
    const size_t room = sizeof(to->bytes) - to->used;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(to->bytes + to->used, room, format, arguments);
    va_end(arguments);
    if (length > 0) {
        to->used += (size_t)length < room ? (size_t)length : room - 1;
    }
}

static void
put_hexadecimal(text *to, const nio_bytes *bytes)
{
    for (size_t i = 0; i < bytes->left; i++) {
        put(to, "%02x", bytes->at[i]);
    }
}

/* ---- formats of one value: false if the payload is too short for it */

static bool
put_u8(text *to, const nio_attribute *attribute)
{
    uint8_t value;
    bool sound = nio_attribute_u8(attribute, &value);
    if (sound) {
        put(to, " %u", value);
    }
    return sound;
}

static bool
put_u32(text *to, const nio_attribute *attribute)
{
    uint32_t value;
    bool sound = nio_attribute_u32(attribute, &value);
    if (sound) {
        put(to, " %u", value);
    }
    return sound;
}

/* An identifier of a tunnel, in network order. */
static bool
put_id(text *to, const nio_attribute *attribute)
{
    uint32_t words[2];
    bool sound = nio_attribute_value(attribute, words, sizeof(words));
    if (sound) {
        put(to, " %llu",
            (unsigned long long)ntohl(words[0]) << 32 | ntohl(words[1]));
    }
    return sound;
}

static bool
put_address(text *to, const nio_attribute *attribute)
{
    uint8_t bytes[16], family;
    char address[INET6_ADDRSTRLEN];
    bool sound = nio_attribute_address(attribute, bytes, &family) &&
                 inet_ntop(family, bytes, address, sizeof(address)) != NULL;
    if (sound) {
        put(to, " %s", address);
    }
    return sound;
}

/* Labels of 20 bits, each the upper bits of a word in network order. */
static bool
put_labels(text *to, const nio_attribute *attribute)
{
    const nio_bytes *payload = &attribute->payload;
    uint32_t word;
    for (size_t at = 0; at + sizeof(word) <= payload->left;
         at += sizeof(word)) {
        memcpy(&word, payload->at + at, sizeof(word));
        put(to, "%c%u", at == 0 ? ' ' : '/', ntohl(word) >> 12);
    }
    return payload->left >= sizeof(word);
}

/* A segment routing header: 8 bytes, then the segments, the last one first. */
static bool
put_segments(text *to, nio_bytes header)
{
    const size_t first = 8, size = 16;
    size_t count = header.left < first ? 0 : header.at[4] + 1u;
    if (count == 0 || header.left < first + count * size) {
        return false;
    }
    put(to, " segs %zu [", count);
    for (size_t i = count; i > 0; i--) {
        char address[INET6_ADDRSTRLEN] = "";
        (void)inet_ntop(AF_INET6, header.at + first + (i - 1) * size, address,
                        sizeof(address));
        put(to, " %s", address);
    }
    put(to, " ]");
    header.at += first + count * size; /* what follows: an HMAC, ... */
    header.left -= first + count * size;
    if (header.left > 0) {
        put(to, " tlv ");
        put_hexadecimal(to, &header);
    }
    return true;
}

static bool
put_seg6(text *to, const nio_attribute *attribute)
{
    static const char *const modes[] = {"inline", "encap", "l2encap",
                                        "encap.red", "l2encap.red"};
    uint32_t mode;
    nio_bytes header = attribute->payload;
    if (!nio_bytes_take(&header, &mode, sizeof(mode))) {
        return false;
    }
    if (mode < sizeof(modes) / sizeof(*modes)) {
        put(to, " mode %s", modes[mode]);
    } else {
        put(to, " mode %u", mode);
    }
    return put_segments(to, header);
}

static bool
put_local_segments(text *to, const nio_attribute *attribute)
{
    return put_segments(to, attribute->payload);
}

static bool
put_action(text *to, const nio_attribute *attribute)
{
    static const char *const actions[] = {
        "unspec",  "End",     "End.X",   "End.T",   "End.DX2",      "End.DX6",
        "End.DX4", "End.DT6", "End.DT4", "End.B6",  "End.B6.Encap", "End.BM",
        "End.S",   "End.AS",  "End.AM",  "End.BPF", "End.DT46",
    };
    uint32_t action;
    if (!nio_attribute_u32(attribute, &action)) {
        return false;
    }
    if (action < sizeof(actions) / sizeof(*actions)) {
        put(to, " %s", actions[action]);
    } else {
        put(to, " %u", action);
    }
    return true;
}

/* LWT_BPF_PROG_NAME within LWT_BPF_IN, LWT_BPF_OUT or LWT_BPF_XMIT. */
static bool
put_program(text *to, const nio_attribute *attribute)
{
    nio_bytes inner = attribute->payload;
    nio_attribute name;
    while (nio_attribute_next(&inner, &name)) {
        if (name.type == LWT_BPF_PROG_NAME) {
            put(to, " %.*s", (int)name.payload.left,
                (const char *)name.payload.at);
            return true;
        }
    }
    return false;
}

/* TUNNEL_*, in network order. */
static bool
put_flags(text *to, const nio_attribute *attribute)
{
    uint16_t flags;
    bool sound = nio_attribute_u16(attribute, &flags);
    if (sound && flags != 0) {
        put(to, " flags 0x%x", ntohs(flags));
    }
    return sound;
}

/* A count of packets, or padding: no part of what the route is. */
static bool
put_nothing(text *to, const nio_attribute *attribute)
{
    (void)to;
    (void)attribute;
    return true;
}

/* ---- the tables */

typedef struct format {
    const char *name; /* written before the value; NULL: end of the table */
    uint16_t type;
    bool (*put)(text *to, const nio_attribute *attribute);
} format;

static const format mpls[] = {
    {"", MPLS_IPTUNNEL_DST, put_labels},
    {" ttl", MPLS_IPTUNNEL_TTL, put_u8},
    {NULL, 0, NULL},
};

static const format ip[] = {
    {" id", LWTUNNEL_IP_ID, put_id},
    {" src", LWTUNNEL_IP_SRC, put_address},
    {" dst", LWTUNNEL_IP_DST, put_address},
    {" ttl", LWTUNNEL_IP_TTL, put_u8},
    {" tos", LWTUNNEL_IP_TOS, put_u8},
    {"", LWTUNNEL_IP_FLAGS, put_flags},
    {"", LWTUNNEL_IP_PAD, put_nothing},
    {NULL, 0, NULL},
};

static const format ip6[] = {
    {" id", LWTUNNEL_IP6_ID, put_id},
    {" src", LWTUNNEL_IP6_SRC, put_address},
    {" dst", LWTUNNEL_IP6_DST, put_address},
    {" hoplimit", LWTUNNEL_IP6_HOPLIMIT, put_u8},
    {" tc", LWTUNNEL_IP6_TC, put_u8},
    {"", LWTUNNEL_IP6_FLAGS, put_flags},
    {"", LWTUNNEL_IP6_PAD, put_nothing},
    {NULL, 0, NULL},
};

static const format seg6[] = {
    {"", SEG6_IPTUNNEL_SRH, put_seg6},
    {NULL, 0, NULL},
};

static const format seg6_local[] = {
    {" action", SEG6_LOCAL_ACTION, put_action},
    {" srh", SEG6_LOCAL_SRH, put_local_segments},
    {" table", SEG6_LOCAL_TABLE, put_u32},
    {" vrftable", 9 /* SEG6_LOCAL_VRFTABLE */, put_u32},
    {" nh4", SEG6_LOCAL_NH4, put_address},
    {" nh6", SEG6_LOCAL_NH6, put_address},
    {" iif", SEG6_LOCAL_IIF, put_u32},
    {" oif", SEG6_LOCAL_OIF, put_u32},
    {" endpoint", SEG6_LOCAL_BPF, put_program},
    {"", 10 /* SEG6_LOCAL_COUNTERS */, put_nothing},
    {NULL, 0, NULL},
};

static const format bpf[] = {
    {" in", LWT_BPF_IN, put_program},
    {" out", LWT_BPF_OUT, put_program},
    {" xmit", LWT_BPF_XMIT, put_program},
    {" headroom", LWT_BPF_XMIT_HEADROOM, put_u32},
    {NULL, 0, NULL},
};

static const format none[] = {{NULL, 0, NULL}};

static const struct {
    const char *name;
    const format *formats;
} kinds[] = {
    [LWTUNNEL_ENCAP_NONE] = {NULL, NULL},
    [LWTUNNEL_ENCAP_MPLS] = {"mpls", mpls},
    [LWTUNNEL_ENCAP_IP] = {"ip", ip},
    [LWTUNNEL_ENCAP_ILA] = {"ila", none},
    [LWTUNNEL_ENCAP_IP6] = {"ip6", ip6},
    [LWTUNNEL_ENCAP_SEG6] = {"seg6", seg6},
    [LWTUNNEL_ENCAP_BPF] = {"bpf", bpf},
    [LWTUNNEL_ENCAP_SEG6_LOCAL] = {"seg6local", seg6_local},
    [8 /* LWTUNNEL_ENCAP_RPL */] = {"rpl", none},
    [9 /* LWTUNNEL_ENCAP_IOAM6 */] = {"ioam6", none},
    [10 /* LWTUNNEL_ENCAP_XFRM */] = {"xfrm", none},
};

static const format *
format_of(const format *formats, uint16_t type)
{
    while (formats->name != NULL && formats->type != type) {
        formats++;
    }
    return formats;
}

static void
put_attribute(text *to, const format *formats, const nio_attribute *attribute)
{
    const format *known = format_of(formats, attribute->type);
    const size_t before = to->used;
    if (known->name != NULL) {
        put(to, "%s", known->name);
        if (known->put(to, attribute)) {
            return;
        }
        to->used = before; /* not what the table says */
    }
    put(to, " attribute %u 0x", attribute->type);
    put_hexadecimal(to, &attribute->payload);
}

/* FNV-1a: of the bytes as the kernel gave them. */
static unsigned long long
digest_of(nio_bytes bytes)
{
    uint64_t digest = 0xcbf29ce484222325u;
    for (size_t i = 0; i < bytes.left; i++) {
        digest = (digest ^ bytes.at[i]) * 0x100000001b3u;
    }
    return digest;
}

size_t
nio_encapsulation_text(uint16_t type, nio_bytes attributes,
                       char ret_text[NIO_ENCAPSULATION_MAX])
{
    const size_t cut_length = strlen(" ... digest ") + 16;
    const nio_bytes all = attributes;
    const format *formats = none;
    nio_attribute attribute;
    text to = {.used = 0};
    if (type == LWTUNNEL_ENCAP_NONE) {
        return 0;
    }
    if (type < sizeof(kinds) / sizeof(*kinds)) {
        put(&to, "%s", kinds[type].name);
        formats = kinds[type].formats;
    } else {
        put(&to, "type %u", type);
    }
    while (nio_attribute_next(&attributes, &attribute)) {
        put_attribute(&to, formats, &attribute);
    }
    if (to.used > NIO_ENCAPSULATION_MAX) {
        to.used = NIO_ENCAPSULATION_MAX - cut_length;
        put(&to, " ... digest %016llx", digest_of(all));
    }
    memcpy(ret_text, to.bytes, to.used);
    return to.used;
}
