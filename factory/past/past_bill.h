/* SPDX-License-Identifier: Apache-2.0 */
/* past_bill.h - a bill in brief: what is kept of an image of a past night, small and quick to go through
 *
 * Packages (name, version, architecture, source, format), files (path, kind, size, package, why, by) and sonames of one
 * image for one architecture, without the rest of the bill. Unpacked: a first line with the number of the format, then items: a
 * letter and fields that each end with NUL ("B": what the image stands on; "P": a package, "F": a file, link or directory). Kept as one zstd frame (RFC
 * 8878) with size and checksum, a tenth of the bill. A damaged, foreign or older one counts as none.
 * Threads: no state.
 * Owns: a struct past_bill owns its bytes until past_bill_close().
 */
#ifndef IMGFACTORY_PAST_PAST_BILL_H
#define IMGFACTORY_PAST_PAST_BILL_H

#include "bill/bill.h"

#define PAST_BILL_MAX_BYTES ((size_t)64 << 20) /* unpacked; an image of 100,000 files has 15 MB */

/* One that is open. */
struct past_bill {
    struct digest base;    /* the manifest that it stands on … */
    const char *base_name; /* … and its name; NULL: on nothing */
    struct text items;
    void *bytes; /* private */
};

struct past_package {
    const char *name, *version, *architecture;
    const char *source, *source_version; /* "": not known */
    const char *format;                  /* name of its format (source/format.h); "": not known */
    bool has_given;                      /* files of it are in the image */
};

struct past_file {
    const char *path;
    enum node_kind kind;
    uint64_t size_bytes;
    const char *package, *why, *by, *soname; /* "": none */
};

enum past_item { PAST_END, PAST_PACKAGE, PAST_FILE };

/* Puts a complete bill into that form; false when it is bigger than one may be. */
bool past_bill_pack(const struct bill *bill, struct buf *ret_packed) MUST_CHECK;
/* Opens the packed form; false when it is none. */
bool past_bill_open(struct text packed, struct past_bill *ret_bill) MUST_CHECK;
/* Frees. Accepts a zeroed one. For AUTO(). */
void past_bill_close(struct past_bill *bill);
/* Takes the next item off `rest`, which begins as bill->items: packages by name, then files and directories. Strings are the
 * bill's. What is not as it should be ends it. */
enum past_item past_bill_next(struct text *rest, struct past_package *ret_package, struct past_file *ret_file);

#endif
