/* SPDX-License-Identifier: Apache-2.0 */
#include "package/unpacking.h"

#include "package/pack.h"
#include "package/path.h"

#include <stdlib.h>

void unpacking_init(struct unpacking *unpacking, const struct unpack_limits *limits)
{
    *unpacking = (struct unpacking){.limits = limits};
    unpacking->by_path.arena = &unpacking->arena;
}

void unpacking_done(struct unpacking *unpacking)
{
    blob_abandon(&unpacking->blob);
    arena_done(&unpacking->arena);
}

bool unpacking_fault(struct unpacking *unpacking, const char *path, const char *what, struct err *err)
{
    err_set(err, ERR_MALFORMED, "entry %s: %s", text_printable(&unpacking->arena, text_of(path)), what);
    return false;
}

/* Tells whether a path as written ("./lib/x") is below another name in / than its canonical one ("/usr/lib/x"). */
static bool is_aliased(const char *written, const char *canonical)
{
    for (;;) {
        if (written[0] == '/')
            written++;
        else if (written[0] == '.' && written[1] == '/')
            written += 2;
        else
            break;
    }
    return strncmp(canonical, "/usr/", 5) == 0 && strncmp(written, "usr/", 4) != 0;
}

const char *unpacking_path(struct unpacking *unpacking, const char *written, struct err *err)
{
    const char *why = NULL;
    const char *path = path_canonical(&unpacking->arena, text_of(written), &why);
    if (!path)
        (void)unpacking_fault(unpacking, written, why, err);
    return path;
}

bool unpacking_count(struct unpacking *unpacking, const char *path, const char *target, struct err *err)
{
    unpacking->name_bytes += strlen(path) + (target ? strlen(target) : 0);
    if (unpacking->name_bytes > unpacking->limits->name_bytes) {
        err_set(err, ERR_MALFORMED, "more than %zu bytes of names", unpacking->limits->name_bytes);
        return false;
    }
    if (unpacking->items.count == unpacking->limits->entries) {
        err_set(err, ERR_MALFORMED, "more than %zu entries", unpacking->limits->entries);
        return false;
    }
    return true;
}

/* Where a link leads from where it is spelled, as on a system without merged /usr: "bin/y -> ../usr/bin/y" to /usr/bin/y. NULL
 * for a path that cannot be one. */
static const char *end_before_merge(struct unpacking *unpacking, const char *written, const char *target)
{
    const char *slash = strrchr(written, '/'), *why;
    char end[2 * PATH_MAX_BYTES + 2];
    struct text parts[] = {{written, slash && *target != '/' ? (size_t)(slash - written) : 0}, text_of(target)}, part;
    size_t len = 0;
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        while (text_next(&parts[i], '/', &part)) {
            if (text_is(part, "..")) {
                while (len && end[--len] != '/')
                    continue;
                continue;
            }
            if (!part.len || text_is(part, "."))
                continue;
            if (len + 1 + part.len > sizeof end)
                return NULL;
            end[len++] = '/';
            memcpy(end + len, part.ptr, part.len);
            len += part.len;
        }
    }
    return path_canonical(&unpacking->arena, (struct text){len ? end : "/", len ? len : 1}, &why);
}

/* A link such as "bin -> usr/bin" or "/bin/sh -> /usr/bin/sh" is what merged /usr already is. In / itself no other link
 * can stand under such a name, but "sbin -> usr/bin": where /usr/sbin is a link to it. */
static bool check_alias(struct unpacking *unpacking, const char *written, const char *target, const char *path,
                        bool *ret_is_done, struct err *err)
{
    bool is_in_root = strchr(path + strlen("/usr/"), '/') == NULL;
    const char *end = path_join_target(&unpacking->arena, is_in_root ? "/" : path, target);
    *ret_is_done = end && (strcmp(end, path) == 0 ||
                           (is_in_root && strcmp(path, "/usr/sbin") == 0 && strcmp(end, "/usr/bin") == 0));
    if (!*ret_is_done && is_in_root)
        return unpacking_fault(unpacking, written, "a link that does not lead where merged /usr has its files", err);
    return true;
}

bool unpacking_begin(struct unpacking *unpacking, const char *written, enum entry_kind kind, const char *target,
                     struct unpacked **ret_draft, struct err *err)
{
    *ret_draft = NULL;
    const char *path = unpacking_path(unpacking, written, err);
    if (!path)
        return false;
    if (strstr(path, "/.wh."))
        return unpacking_fault(unpacking, written, "its name means a removed file in image layers", err);
    if (strcmp(path, "/") == 0)
        return kind == ENTRY_DIRECTORY || unpacking_fault(unpacking, written, "the root is not a directory", err);
    bool is_aliased_path = is_aliased(written, path);
    if (is_aliased_path && kind == ENTRY_SYMLINK) {
        bool is_done;
        if (!check_alias(unpacking, written, target, path, &is_done, err))
            return false;
        if (is_done)
            return true;
    }
    if (kind == ENTRY_SYMLINK && strlen(target) > PATH_MAX_BYTES)
        return unpacking_fault(unpacking, written, "its target is longer than 4095 bytes", err);
    struct unpacked *draft = arena_new(&unpacking->arena, struct unpacked);
    draft->entry.path = path;
    draft->entry.kind = kind;
    draft->entry.target = kind == ENTRY_SYMLINK ? arena_strdup(&unpacking->arena, target) : NULL;
    draft->is_aliased = is_aliased_path;
    draft->end = kind == ENTRY_SYMLINK ? end_before_merge(unpacking, written, target) : NULL;
    *ret_draft = draft;
    return true;
}

static bool has_same_rights(const struct entry *a, const struct entry *b)
{
    bool has_same_names = a->owner == b->owner ||
                          (a->owner && b->owner && strcmp(a->owner, b->owner) == 0 && strcmp(a->group, b->group) == 0);
    return a->mode == b->mode && a->uid == b->uid && a->gid == b->gid && has_same_names &&
           text_eq(a->capability, b->capability);
}

/* Whether it is a link to the same path by its other name of before /usr was merged: /usr/bin/x -> ../../bin/x, or
 * /bin/x -> ../usr/bin/x. */
static bool leads_to_itself(const struct unpacked *draft)
{
    return draft->end && strcmp(draft->end, draft->entry.path) == 0;
}

/* A path that comes twice: directories may, and links that lead to one place (the one spelled below /usr counts), others must be
 * equal. */
static bool merge_twice(struct unpacking *unpacking, struct unpacked *first, const struct unpacked *second,
                        struct err *err)
{
    const struct entry *a = &first->entry, *b = &second->entry;
    bool is_equal = a->kind == b->kind;
    if (leads_to_itself(second))
        return true;
    if (leads_to_itself(first)) {
        *first = *second;
        return true;
    }
    bool is_same_end = is_equal && a->kind == ENTRY_SYMLINK && strcmp(a->target, b->target) != 0 && first->end &&
                       second->end && strcmp(first->end, second->end) == 0;
    if (is_same_end || (is_equal && a->kind == ENTRY_DIRECTORY)) {
        if (first->is_aliased && !second->is_aliased)
            *first = *second;
        return true;
    }
    if (is_equal && a->kind == ENTRY_FILE)
        is_equal = digest_eq(&a->digest, &b->digest) && has_same_rights(a, b);
    else if (is_equal)
        is_equal = strcmp(a->target, b->target) == 0;
    return is_equal || unpacking_fault(unpacking, a->path, "there twice, and not the same", err);
}

bool unpacking_add(struct unpacking *unpacking, struct unpacked *draft, struct err *err)
{
    struct unpacked *first = map_get(&unpacking->by_path, text_of(draft->entry.path));
    if (first)
        return merge_twice(unpacking, first, draft, err);
    (void)map_add(&unpacking->by_path, text_of(draft->entry.path), draft);
    list_add(&unpacking->arena, &unpacking->items, draft);
    return true;
}

/* Nothing may lie below a file or a link: the nearest ancestor that the package has must be a directory. */
static bool check_parents(struct unpacking *unpacking, struct err *err)
{
    for (size_t i = 0; i < unpacking->items.count; i++) {
        struct text path = text_of(unpacking->items.items[i]->entry.path);
        const struct unpacked *parent = NULL;
        while (!parent) {
            do {
                path.len--;
            } while (path.ptr[path.len] != '/');
            if (path.len == 0)
                break;
            parent = map_get(&unpacking->by_path, path);
        }
        if (parent && parent->entry.kind != ENTRY_DIRECTORY)
            return unpacking_fault(unpacking, path.ptr, "below an entry that is not a directory", err);
    }
    return true;
}

static int compare_unpacked(const void *a, const void *b)
{
    return strcmp((*(struct unpacked *const *)a)->entry.path, (*(struct unpacked *const *)b)->entry.path);
}

static bool write_tables(struct unpacking *unpacking, struct err *err)
{
    struct package *package = &unpacking->package;
    size_t count = unpacking->items.count;
    if (count)
        qsort(unpacking->items.items, count, sizeof(struct unpacked *), compare_unpacked);
    uint64_t *offsets = arena_new_array(&unpacking->arena, uint64_t, count);
    package->entries = arena_new_array(&unpacking->arena, struct entry, count);
    package->count = count;
    for (size_t i = 0; i < count; i++) {
        package->entries[i] = unpacking->items.items[i]->entry;
        offsets[i] = unpacking->items.items[i]->data_offset;
    }
    return pack_write_tables(&unpacking->blob, package, offsets, err);
}

bool unpacking_finish(struct unpacking *unpacking, struct err *err)
{
    return check_parents(unpacking, err) && write_tables(unpacking, err);
}
