#include "content/package_unpack.h"

#include "base/auto.h"
#include "base/map.h"
#include "content/deb_tar.h"
#include "content/pack.h"
#include "content/package_contents.h"
#include "content/package_control.h"
#include "content/path.h"

#include <stdlib.h>

#define MAX_ENTRIES ((size_t)2000000)
#define MAX_NAME_BYTES ((size_t)512 << 20)
#define MAX_RATIO ((uint64_t)4096)
#define RATIO_SLACK_BYTES ((uint64_t)64 << 20)

/* An entry before sorting. */
struct draft {
    struct entry entry;
    uint64_t data_offset;
    bool is_aliased; /* spelled below /bin, /lib, …, not below /usr */
};

/* One package while it is unpacked. */
struct unpacking {
    const struct unpack_limits *limits;
    struct arena arena;
    struct blob blob;
    struct deb_tar *tar;
    struct package package;
    LIST(struct draft *) drafts;
    struct map by_path; /* canonical path → struct draft * */
    size_t name_bytes;
};

static void unpacking_done(struct unpacking *unpacking)
{
    deb_tar_close(unpacking->tar);
    blob_abandon(&unpacking->blob);
    arena_done(&unpacking->arena);
}

static bool entry_fault(struct unpacking *unpacking, const char *path, const char *what, struct err *err)
{
    err_set(err, ERR_MALFORMED, "entry %s: %s", text_printable(&unpacking->arena, text_of(path)), what);
    return false;
}

struct unpack_limits unpack_limits_for(size_t deb_bytes)
{
    uint64_t bytes;
    if (__builtin_mul_overflow((uint64_t)deb_bytes, MAX_RATIO, &bytes) ||
        __builtin_add_overflow(bytes, RATIO_SLACK_BYTES, &bytes) || bytes > PACKAGE_MAX_BYTES)
        bytes = PACKAGE_MAX_BYTES;
    return (struct unpack_limits){.unpacked_bytes = bytes, .entries = MAX_ENTRIES, .name_bytes = MAX_NAME_BYTES};
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

/* Makes a path canonical, or refuses it. */
static const char *take_path(struct unpacking *unpacking, const char *written, struct err *err)
{
    const char *why = NULL;
    const char *path = path_canonical(&unpacking->arena, text_of(written), &why);
    if (!path)
        (void)entry_fault(unpacking, written, why, err);
    return path;
}

/* A link such as "bin -> usr/bin" or "/bin/sh -> /usr/bin/sh" is what merged /usr already is. In / itself no other link
 * can stand under such a name. */
static bool check_alias(struct unpacking *unpacking, const struct tar_entry *header, const char *path,
                        bool *ret_is_done, struct err *err)
{
    bool is_in_root = strchr(path + strlen("/usr/"), '/') == NULL;
    const char *end = path_join_target(&unpacking->arena, is_in_root ? "/" : path, header->target);
    *ret_is_done = end && strcmp(end, path) == 0;
    if (!*ret_is_done && is_in_root)
        return entry_fault(unpacking, header->path, "a link that does not lead where merged /usr has its files", err);
    return true;
}

/* Resolves a hard link to the entry that has the bytes. */
static bool take_link(struct unpacking *unpacking, const struct tar_entry *header, struct draft *draft, struct err *err)
{
    const char *target = take_path(unpacking, header->target, err);
    if (!target) {
        err_wrap(err, "hard link %s", text_printable(&unpacking->arena, text_of(header->path)));
        return false;
    }
    const struct draft *aim = map_get(&unpacking->by_path, text_of(target));
    if (!aim || (aim->entry.kind != ENTRY_FILE && aim->entry.kind != ENTRY_HARDLINK)) {
        err_set(err, ERR_MALFORMED, "entry %s: a hard link to %s, which is not an earlier regular file of the package",
                text_printable(&unpacking->arena, text_of(header->path)),
                text_printable(&unpacking->arena, text_of(target)));
        return false;
    }
    draft->entry.kind = ENTRY_HARDLINK;
    draft->entry.target = aim->entry.kind == ENTRY_HARDLINK ? aim->entry.target : aim->entry.path;
    return true;
}

/* Fills the draft from the header, and reads the bytes of a regular file. */
static bool take_entry(struct unpacking *unpacking, const struct tar_entry *header, struct draft *draft,
                       struct err *err)
{
    struct entry *entry = &draft->entry;
    entry->mode = header->mode;
    entry->uid = header->uid;
    entry->gid = header->gid;
    entry->mtime = header->mtime;
    switch (header->kind) {
    case TAR_DIRECTORY:
        entry->kind = ENTRY_DIRECTORY;
        return true;
    case TAR_SYMLINK:
        entry->kind = ENTRY_SYMLINK;
        entry->target = arena_strdup(&unpacking->arena, header->target);
        if (strlen(entry->target) > PATH_MAX_BYTES)
            return entry_fault(unpacking, header->path, "its target is longer than 4095 bytes", err);
        return true;
    case TAR_HARDLINK:
        return take_link(unpacking, header, draft, err);
    case TAR_FILE:
        break;
    }
    entry->kind = ENTRY_FILE;
    entry->size_bytes = header->size_bytes;
    return package_copy_contents(&unpacking->arena, unpacking->tar, &unpacking->blob, entry, &draft->data_offset, err);
}

/* A path that comes twice: directories may (the one spelled below /usr tells mode and owner), others must be equal. */
static bool merge_twice(struct unpacking *unpacking, struct draft *first, const struct draft *second, struct err *err)
{
    const struct entry *a = &first->entry, *b = &second->entry;
    bool is_equal = a->kind == b->kind;
    if (is_equal && a->kind == ENTRY_DIRECTORY) {
        if (first->is_aliased && !second->is_aliased)
            *first = *second;
        return true;
    }
    if (is_equal && a->kind == ENTRY_FILE)
        is_equal = digest_eq(&a->digest, &b->digest) && a->mode == b->mode && a->uid == b->uid && a->gid == b->gid;
    else if (is_equal)
        is_equal = strcmp(a->target, b->target) == 0;
    return is_equal || entry_fault(unpacking, a->path, "there twice, and not the same", err);
}

static bool add_draft(struct unpacking *unpacking, struct draft *draft, struct err *err)
{
    struct draft *first = map_get(&unpacking->by_path, text_of(draft->entry.path));
    if (first)
        return merge_twice(unpacking, first, draft, err);
    (void)map_add(&unpacking->by_path, text_of(draft->entry.path), draft);
    list_add(&unpacking->arena, &unpacking->drafts, draft);
    return true;
}

/* Counts the entry's names against the limits. */
static bool count_names(struct unpacking *unpacking, const struct tar_entry *header, struct err *err)
{
    unpacking->name_bytes += strlen(header->path) + (header->target ? strlen(header->target) : 0);
    if (unpacking->name_bytes > unpacking->limits->name_bytes) {
        err_set(err, ERR_MALFORMED, "more than %zu bytes of names", unpacking->limits->name_bytes);
        return false;
    }
    if (unpacking->drafts.count == unpacking->limits->entries) {
        err_set(err, ERR_MALFORMED, "more than %zu entries", unpacking->limits->entries);
        return false;
    }
    return true;
}

static bool read_entry(struct unpacking *unpacking, const struct tar_entry *header, struct err *err)
{
    if (!count_names(unpacking, header, err))
        return false;
    const char *path = take_path(unpacking, header->path, err);
    if (!path)
        return false;
    if (strstr(path, "/.wh."))
        return entry_fault(unpacking, header->path, "its name means a removed file in image layers", err);
    if (strcmp(path, "/") == 0)
        return header->kind == TAR_DIRECTORY ||
               entry_fault(unpacking, header->path, "the root is not a directory", err);
    struct draft *draft = arena_new(&unpacking->arena, struct draft);
    draft->entry.path = path;
    draft->is_aliased = is_aliased(header->path, path);
    if (draft->is_aliased && header->kind == TAR_SYMLINK) {
        bool is_done;
        if (!check_alias(unpacking, header, path, &is_done, err))
            return false;
        if (is_done)
            return true;
    }
    return take_entry(unpacking, header, draft, err) && add_draft(unpacking, draft, err);
}

static bool read_entries(struct unpacking *unpacking, const struct deb_member *member, struct err *err)
{
    if (!deb_tar_open(member, unpacking->limits->unpacked_bytes, &unpacking->tar, err))
        return false;
    for (;;) {
        struct tar_entry header;
        bool is_end;
        if (!deb_tar_next(unpacking->tar, &header, &is_end, err))
            return false;
        if (is_end)
            return true;
        if (!read_entry(unpacking, &header, err))
            return false;
    }
}

/* Nothing may lie below a file or a link: the nearest ancestor that the package has must be a directory. */
static bool check_parents(struct unpacking *unpacking, struct err *err)
{
    for (size_t i = 0; i < unpacking->drafts.count; i++) {
        struct text path = text_of(unpacking->drafts.items[i]->entry.path);
        const struct draft *parent = NULL;
        while (!parent) {
            do {
                path.len--;
            } while (path.ptr[path.len] != '/');
            if (path.len == 0)
                break;
            parent = map_get(&unpacking->by_path, path);
        }
        if (parent && parent->entry.kind != ENTRY_DIRECTORY)
            return entry_fault(unpacking, path.ptr, "below an entry that is not a directory", err);
    }
    return true;
}

static int compare_drafts(const void *a, const void *b)
{
    return strcmp((*(struct draft *const *)a)->entry.path, (*(struct draft *const *)b)->entry.path);
}

static bool write_tables(struct unpacking *unpacking, struct err *err)
{
    struct package *package = &unpacking->package;
    size_t count = unpacking->drafts.count;
    if (count)
        qsort(unpacking->drafts.items, count, sizeof(struct draft *), compare_drafts);
    uint64_t *offsets = arena_new_array(&unpacking->arena, uint64_t, count);
    package->entries = arena_new_array(&unpacking->arena, struct entry, count);
    package->count = count;
    for (size_t i = 0; i < count; i++) {
        package->entries[i] = unpacking->drafts.items[i]->entry;
        offsets[i] = unpacking->drafts.items[i]->data_offset;
    }
    return pack_write_tables(&unpacking->blob, package, offsets, err);
}

static bool unpack(struct store *store, struct text deb, const struct package_expect *expect,
                   const struct unpack_limits *limits, struct err *err)
{
    AUTO(unpacking_done) struct unpacking unpacking = {.limits = limits};
    struct deb_archive archive;
    unpacking.by_path.arena = &unpacking.arena;
    unpacking.package.digest = expect->digest;
    if (!deb_archive_read(deb, &archive, err) ||
        !package_read_control(&unpacking.arena, &archive.control, limits->unpacked_bytes, &unpacking.package, err) ||
        !package_check_expect(&unpacking.package, expect, err))
        return false;
    unpacking.package.build_time = archive.build_time;
    return blob_begin(store, &unpacking.blob, err) && read_entries(&unpacking, &archive.data, err) &&
           check_parents(&unpacking, err) && write_tables(&unpacking, err) &&
           blob_commit_derived(&unpacking.blob, PACK_KIND, &expect->digest, err);
}

bool package_unpack_within(struct store *store, struct text deb, const struct package_expect *expect,
                           const struct unpack_limits *limits, struct err *err)
{
    if (unpack(store, deb, expect, limits, err))
        return true;
    err_wrap(err, "package %s %s %s", expect->name ? expect->name : digest_hex(&expect->digest).chars,
             expect->version ? expect->version : "", expect->architecture ? expect->architecture : "");
    return false;
}

bool package_unpack(struct store *store, struct text deb, const struct package_expect *expect, struct err *err)
{
    struct unpack_limits limits = unpack_limits_for(deb.len);
    return package_unpack_within(store, deb, expect, &limits, err);
}
