/* SPDX-License-Identifier: MIT */
/* Names of interfaces. The kernel's are bytes: those that are not UTF-8 become
 * lone surrogates (U+DC80 and up), as in os.fsdecode, so that the conversion
 * back gives the same bytes. Pure. */
#pragma once

#include "contract/netio.h"
#include "rtnetlink/decode/record.h"

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the longest name, an alternative one, with its NUL: ALTIFNAMSIZ. */
#define NIO_NAME_SIZE 128

/* To text with its NUL; `length` is the number of characters in `text`. False:
 * it does not fit. */
bool nio_name_to_text(const char *name, WCHAR *text, size_t length);
/* The bytes, with their NUL. False: this text cannot be a name. */
bool nio_name_from_text(const WCHAR *text, char ret_name[NIO_NAME_SIZE]);

/* Does the link have this name, or this alternative name? False for a link
 * that is gone. */
bool nio_link_has_name(const nio_link *link, const WCHAR *text);
