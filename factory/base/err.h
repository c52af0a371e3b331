/* SPDX-License-Identifier: Apache-2.0 */
/* err.h - errors as values: what kind of failure, and one text for people
 *
 * A fallible function returns bool, takes `struct err *err` last, and fills it only on failure. The text is set where
 * the failure happens, with the name of the thing; each caller that knows more adds one prefix with err_wrap(). Only
 * main, cli and line print it. The kind decides the exit status and whether a retry makes sense; nobody parses text.
 * Threads: a struct err belongs to one thread; copy it to hand it over.
 */
#ifndef IMGFACTORY_BASE_ERR_H
#define IMGFACTORY_BASE_ERR_H

#include <stdbool.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(text_at, first_at) __attribute__((format(printf, text_at, first_at)))

/* The values are the exit classes that factory/cli/README.md lists. */
enum err_kind {
    ERR_NONE = 0,
    ERR_DIFFERS = 1,     /* no failure: two things differ, and it was asked whether (diff --exit-code) */
    ERR_USAGE = 2,       /* command line, manifest, arch, source or site file: the operator mends a file */
    ERR_TRUST = 3,       /* signature, digest, freshness, rollback: never retried */
    ERR_MALFORMED = 4,   /* hostile or broken input, or a limit was hit */
    ERR_RESOLVE = 5,     /* dependencies, missing binary or library, architecture not offered */
    ERR_NETWORK = 6,     /* after all retries */
    ERR_PUBLISH = 7,     /* the registry refused */
    ERR_LOCAL = 8,       /* disk, memory, permission, lock */
    ERR_PARTLY = 9,      /* some images of the batch failed */
    ERR_INTERNAL = 70,   /* our own mistake */
    ERR_CANCELLED = 130, /* interrupted by a signal */
};

/* Invariant: text is NUL-terminated; kind ERR_NONE means "not set". `detail` is errno, HTTP status or a library's own
 * code, as the kind suggests, or 0. */
struct err {
    enum err_kind kind;
    int detail;
    char text[4088];
};

/* Sets a fresh error. Setting one that is already set is our own mistake (assert). Long text is cut with "…". Names may
 * come from outside: the text is a single line without control bytes, unless the format has a line break of its own; then
 * all lines but the first are indented by two blanks. */
void err_set(struct err *err, enum err_kind kind, const char *format, ...) PRINTF_LIKE(3, 4);

/* Sets a fresh error of kind ERR_LOCAL (detail = errno) and adds ": " and errno's description to the text; where a limit
 * was reached, also which one and what to do. */
void err_set_errno(struct err *err, int errnum, const char *format, ...) PRINTF_LIKE(3, 4);

/* Returns whether it says that this machine lacks something for now (descriptors, memory): then nothing was learnt of the
 * file or host that was asked for, and the error must stay one of kind ERR_LOCAL. */
bool err_is_shortage(const struct err *err);
/* The same of an errno. */
bool errno_is_shortage(int errnum);

/* Puts "prefix: " before the text of an error that is set. */
void err_wrap(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Puts text behind that of an error that is set, whose lines stay; what is added makes none. */
void err_add(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Forgets the error, so that the struct can be used again. */
void err_clear(struct err *err);

/* Names the kind for reports ("network", "trust", …); static storage. */
const char *err_kind_name(enum err_kind kind);

/* Returns whether kind `a` is graver than `b` in a batch (trust, malformed, internal, publish, local, resolve, usage,
 * network, in that order). */
bool err_kind_is_graver(enum err_kind a, enum err_kind b);

#endif
