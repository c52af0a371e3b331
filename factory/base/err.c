/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/text.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static const char cut_mark[] = "…";

/* Marks a text that did not fit, at a byte that does not split a UTF-8 sequence. */
static void mark_cut(struct err *err)
{
    size_t at = sizeof err->text - sizeof cut_mark;
    while (at > 0 && ((unsigned char)err->text[at] & 0xC0) == 0x80)
        at--;
    memcpy(err->text + at, cut_mark, sizeof cut_mark);
}

PRINTF_LIKE(2, 0) static void set_text(struct err *err, const char *format, va_list args)
{
    int len = vsnprintf(err->text, sizeof err->text, format, args);
    if (len < 0)
        err->text[0] = '\0';
    else if ((size_t)len >= sizeof err->text)
        mark_cut(err);
    text_hide_queries(err->text);
    if (strchr(format, '\n'))
        text_sanitize(err->text);
    else
        text_flatten(err->text);
}

void err_set(struct err *err, enum err_kind kind, const char *format, ...)
{
    assert(err->kind == ERR_NONE && kind != ERR_NONE);
    err->kind = kind;
    err->detail = 0;
    va_list args;
    va_start(args, format);
    set_text(err, format, args);
    va_end(args);
}

/* Names the limit behind an error, and what to do. */
static void describe_limit(int errnum, char *text, size_t room)
{
    struct rlimit limit = {0};
    text[0] = '\0';
    if (errnum == EMFILE && getrlimit(RLIMIT_NOFILE, &limit) == 0)
        (void)snprintf(text, room,
                       " (the limit of open files is %llu: raise it with ulimit -n, or LimitNOFILE= of a unit)",
                       (unsigned long long)limit.rlim_cur);
    else if (errnum == ENFILE)
        (void)snprintf(text, room, " (the whole machine's limit of open files: sysctl fs.file-max)");
    else if (errnum == EAGAIN) /* of pthread_create() and fork(): locks and pipes are waited for */
        (void)snprintf(text, room,
                       " (a limit of processes and threads: ulimit -u, TasksMax= of a unit, or a container's)");
}

bool errno_is_shortage(int errnum)
{
    return errnum == EMFILE || errnum == ENFILE || errnum == ENOMEM || errnum == EAGAIN;
}

bool err_is_shortage(const struct err *err)
{
    return err->kind == ERR_LOCAL && errno_is_shortage(err->detail);
}

void err_set_errno(struct err *err, int errnum, const char *format, ...)
{
    assert(err->kind == ERR_NONE);
    err->kind = ERR_LOCAL;
    err->detail = errnum;
    va_list args;
    va_start(args, format);
    set_text(err, format, args);
    va_end(args);
    size_t len = strlen(err->text);
    const char *why = strerrordesc_np(errnum);
    char limit[128];
    describe_limit(errnum, limit, sizeof limit);
    int added = snprintf(err->text + len, sizeof err->text - len, ": %s%s", why ? why : "unknown error", limit);
    if (added > 0 && (size_t)added >= sizeof err->text - len)
        mark_cut(err);
}

void err_wrap(struct err *err, const char *format, ...)
{
    assert(err->kind != ERR_NONE);
    char old[sizeof err->text];
    memcpy(old, err->text, sizeof old);
    va_list args;
    va_start(args, format);
    set_text(err, format, args);
    va_end(args);
    size_t len = strlen(err->text);
    int added = snprintf(err->text + len, sizeof err->text - len, ": %s", old);
    if (added > 0 && (size_t)added >= sizeof err->text - len)
        mark_cut(err);
}

void err_add(struct err *err, const char *format, ...)
{
    assert(err->kind != ERR_NONE);
    size_t len = strlen(err->text);
    va_list args;
    va_start(args, format);
    int added = vsnprintf(err->text + len, sizeof err->text - len, format, args);
    va_end(args);
    bool is_cut = added > 0 && (size_t)added >= sizeof err->text - len;
    text_hide_queries(err->text + len);
    text_flatten(err->text + len);
    if (is_cut)
        mark_cut(err);
}

void err_clear(struct err *err)
{
    err->kind = ERR_NONE;
    err->detail = 0;
    err->text[0] = '\0';
}

const char *err_kind_name(enum err_kind kind)
{
    switch (kind) {
    case ERR_NONE:
        return "ok";
    case ERR_DIFFERS:
        return "differs";
    case ERR_USAGE:
        return "usage";
    case ERR_TRUST:
        return "trust";
    case ERR_MALFORMED:
        return "malformed";
    case ERR_RESOLVE:
        return "resolve";
    case ERR_NETWORK:
        return "network";
    case ERR_PUBLISH:
        return "publish";
    case ERR_LOCAL:
        return "local";
    case ERR_PARTLY:
        return "partly";
    case ERR_INTERNAL:
        return "internal";
    case ERR_CANCELLED:
        return "cancelled";
    }
    return "unknown";
}

bool err_kind_is_graver(enum err_kind a, enum err_kind b)
{
    static const enum err_kind order[] = {ERR_CANCELLED, ERR_TRUST, ERR_MALFORMED, ERR_INTERNAL, ERR_PUBLISH, ERR_LOCAL,
                                          ERR_RESOLVE,   ERR_USAGE, ERR_NETWORK,   ERR_PARTLY,   ERR_DIFFERS, ERR_NONE};
    size_t rank_a = 0, rank_b = 0;
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        if (order[i] == a)
            rank_a = i;
        if (order[i] == b)
            rank_b = i;
    }
    return rank_a < rank_b;
}
