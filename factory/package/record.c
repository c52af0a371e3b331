/* SPDX-License-Identifier: Apache-2.0 */
#include "package/record.h"

#include "base/auto.h"
#include "package/package_unpack.h"
#include "source/format.h"

#include <inttypes.h>

#define RECORD_KIND "record1" /* counted up when what a format records changes */
#define ITEMS_MAX 1000

static bool write_items(struct store *store, const struct record *record, const struct package_expect *expect,
                        struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(blob_abandon) struct blob blob = {0};
    struct digest key = package_key(expect);
    if (!blob_begin(store, &blob, err))
        return false;
    for (size_t i = 0; i < record->count; i++) {
        const struct record_item *item = &record->items[i];
        const char *line = arena_printf(&scratch, "%s %" PRIu32 " %zu\n", item->name, item->mode, item->bytes.len);
        if (!blob_write(&blob, line, strlen(line), err) || !blob_write(&blob, item->bytes.ptr, item->bytes.len, err) ||
            !blob_write(&blob, "\n", 1, err))
            return false;
    }
    return blob_commit_derived(&blob, RECORD_KIND, &key, err);
}

bool record_make(struct store *store, struct text bytes, const struct package_expect *expect, struct err *err)
{
    AUTO(record_close) struct record record = {0};
    struct unpack_limits limits = unpack_limits_for(bytes.len);
    if (expect->format->record(&record.arena, bytes, &limits, &record, err) && write_items(store, &record, expect, err))
        return true;
    err_wrap(err, "package %s %s %s", expect->name ? expect->name : digest_hex(&expect->digest).chars,
             expect->version ? expect->version : "", expect->architecture ? expect->architecture : "");
    return false;
}

static bool read_item(struct arena *arena, struct text *rest, struct record_item *ret_item)
{
    struct text line, name, number;
    uint64_t mode, len;
    if (!memchr(rest->ptr, '\n', rest->len) || !text_next(rest, '\n', &line) || !text_next_word(&line, &name) ||
        !text_next_word(&line, &number) || !text_parse_u64(number, &mode) || !text_next_word(&line, &number) ||
        !text_parse_u64(number, &len) || len >= rest->len || rest->ptr[len] != '\n' || mode > UINT32_MAX)
        return false;
    *ret_item = (struct record_item){text_dup(arena, name), (uint32_t)mode, {rest->ptr, (size_t)len}};
    rest->ptr += len + 1;
    rest->len -= len + 1;
    return true;
}

static bool read_items(struct record *record)
{
    struct text rest = {record->view.ptr, record->view.len};
    while (rest.len) {
        struct record_item item;
        if (record->count == ITEMS_MAX || !read_item(&record->arena, &rest, &item))
            return false;
        list_add(&record->arena, record, item);
    }
    return true;
}

bool record_open(struct store *store, const struct package_expect *expect, struct record *ret_record, bool *ret_found,
                 struct err *err)
{
    struct digest key = package_key(expect);
    *ret_record = (struct record){0};
    if (!store_map_derived(store, RECORD_KIND, &key, &ret_record->view, ret_found, err))
        return false;
    if (*ret_found && !read_items(ret_record)) {
        record_close(ret_record);
        store_drop_derived(store, RECORD_KIND, &key);
        *ret_found = false;
    }
    return true;
}

const struct record_item *record_find(const struct record *record, const char *name)
{
    for (size_t i = 0; i < record->count; i++) {
        if (strcmp(record->items[i].name, name) == 0)
            return &record->items[i];
    }
    return NULL;
}

struct text record_bytes(const struct record *record, const char *name)
{
    const struct record_item *item = record_find(record, name);
    return item ? item->bytes : TEXT("");
}

void record_close(struct record *record)
{
    view_done(&record->view);
    arena_done(&record->arena);
    *record = (struct record){0};
}
