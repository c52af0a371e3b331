/* SPDX-License-Identifier: Apache-2.0 */
#include "deb/deb_record.h"

#include "base/auto.h"
#include "base/map.h"
#include "deb/deb_tar.h"

#include <openssl/evp.h>

#define CONTROL_MAX_BYTES ((size_t)128 << 20) /* of the whole control.tar */
#define CONTROL_MAX_FILES 500
#define CONFFILES_MAX 20000
#define LIST_MAX_BYTES ((size_t)512 << 20)
#define HEX_SIZE (2 * 16 + 1) /* of an MD5 */

static void auto_md_free(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

/* A control file becomes a file of dpkg's database, with the package's name before it: one component, of few letters. */
static bool is_control_name(const char *name)
{
    size_t len = strlen(name);
    if (!len || len > 64)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = name[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_letter && (i == 0 || !strchr("+-._", c)))
            return false;
    }
    return true;
}

static bool take_control(struct arena *arena, struct deb_tar *tar, const struct tar_entry *entry, struct record *record,
                         struct err *err)
{
    const char *name = strncmp(entry->path, "./", 2) == 0 ? entry->path + 2 : entry->path;
    if (entry->kind == TAR_DIRECTORY)
        return true;
    if (entry->kind != TAR_FILE || !is_control_name(name) || record_find(record, name)) {
        err_set(err, ERR_MALFORMED, "control.tar: %s is no control file, or is there twice",
                text_printable(arena, text_of(entry->path)));
        return false;
    }
    struct record_item item = {.name = arena_strdup(arena, name), .mode = entry->mode & 07777};
    if (record->count >= CONTROL_MAX_FILES) {
        err_set(err, ERR_MALFORMED, "control.tar has more than %d files", CONTROL_MAX_FILES);
        return false;
    }
    if (!deb_tar_read_all(tar, arena, &item.bytes, err))
        return false;
    list_add(arena, record, item);
    return true;
}

static bool read_control(struct arena *arena, const struct deb_member *member, struct record *record, struct err *err)
{
    AUTO(deb_tar_auto_close) struct deb_tar *tar = NULL;
    struct tar_entry entry;
    bool is_end;
    if (!deb_tar_open(member, CONTROL_MAX_BYTES, &tar, err))
        return false;
    for (;;) {
        if (!deb_tar_next(tar, &entry, &is_end, err))
            return false;
        if (is_end)
            return true;
        if (!take_control(arena, tar, &entry, record, err))
            return false;
    }
}

/* A conffile with the MD5 of what the package ships. */
struct conffile {
    struct text path;
    char hex[HEX_SIZE];
    bool is_former; /* remove-on-upgrade: it is not shipped any more */
};

struct listing {
    struct arena *arena;
    LIST(struct conffile *) conffiles;
    struct map by_path;
    struct buf list, md5sums;
    bool lacks_md5sums; /* then dpkg makes them */
};

/* Lines of `conffiles` (deb-conffiles(5)): a path, maybe with a flag before it. */
static bool find_conffiles(struct listing *listing, const struct record *record, struct err *err)
{
    struct text rest = record_bytes(record, "conffiles"), line;
    while (rest.len && text_next(&rest, '\n', &line)) {
        static const char flag[] = "remove-on-upgrade ";
        bool is_former = text_has_prefix(line, flag);
        if (is_former)
            line = (struct text){line.ptr + strlen(flag), line.len - strlen(flag)};
        line = text_trim(line);
        if (!line.len || line.ptr[0] != '/')
            continue;
        struct conffile *conffile = arena_new(listing->arena, struct conffile);
        conffile->path = line;
        conffile->is_former = is_former;
        if (listing->conffiles.count >= CONFFILES_MAX) {
            err_set(err, ERR_MALFORMED, "control.tar: conffiles has more than %d lines", CONFFILES_MAX);
            return false;
        }
        if (map_add(&listing->by_path, line, conffile))
            list_add(listing->arena, &listing->conffiles, conffile);
    }
    return true;
}

static bool hash_file(struct deb_tar *tar, char hex[HEX_SIZE], struct err *err)
{
    AUTO(auto_md_free) EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    struct text run;
    if (!context || EVP_DigestInit_ex(context, EVP_md5(), NULL) != 1) {
        err_set(err, ERR_LOCAL, "this machine's libcrypto offers no MD5, which dpkg's database has of conffiles");
        return false;
    }
    do {
        if (!deb_tar_read(tar, &run, err))
            return false;
        if (EVP_DigestUpdate(context, run.ptr, run.len) != 1)
            memory_abort(0);
    } while (run.len);
    if (EVP_DigestFinal_ex(context, digest, &len) != 1 || len != 16)
        memory_abort(0);
    for (unsigned i = 0; i < len; i++)
        (void)snprintf(hex + 2 * (size_t)i, 3, "%02x", digest[i]);
    return true;
}

/* "./usr/x/" → "/usr/x", "./" → "/." */
static struct text listed_path(struct arena *arena, const char *written)
{
    struct text path = text_of(written);
    while (text_has_prefix(path, "./") || text_has_prefix(path, "/"))
        path = (struct text){path.ptr + (path.ptr[0] == '.' ? 2 : 1), path.len - (path.ptr[0] == '.' ? 2 : 1)};
    while (path.len && path.ptr[path.len - 1] == '/')
        path.len--;
    if (!path.len || text_is(path, "."))
        return TEXT("/.");
    return text_of(arena_printf(arena, "/%.*s", (int)path.len, path.ptr));
}

static bool list_entry(struct listing *listing, struct deb_tar *tar, const struct tar_entry *entry, struct err *err)
{
    struct text path = listed_path(listing->arena, entry->path);
    struct conffile *conffile = map_get(&listing->by_path, path);
    if (memchr(path.ptr, '\n', path.len)) {
        err_set(err, ERR_MALFORMED, "data.tar: %s has a newline in its name", text_printable(listing->arena, path));
        return false;
    }
    if (!buf_add(&listing->list, path.ptr, path.len) || !buf_add(&listing->list, "\n", 1)) {
        err_set(err, ERR_MALFORMED, "data.tar: its names are more than %zu bytes", LIST_MAX_BYTES);
        return false;
    }
    char hex[HEX_SIZE];
    if (entry->kind != TAR_FILE || !(conffile || listing->lacks_md5sums))
        return true;
    if (!hash_file(tar, hex, err))
        return false;
    if (conffile && !conffile->is_former)
        memcpy(conffile->hex, hex, HEX_SIZE);
    if (!listing->lacks_md5sums || buf_printf(&listing->md5sums, "%s  %.*s\n", hex, (int)path.len - 1, path.ptr + 1))
        return true;
    err_set(err, ERR_MALFORMED, "data.tar: its names are more than %zu bytes", LIST_MAX_BYTES);
    return false;
}

static bool read_data(struct listing *listing, const struct deb_member *member, const struct unpack_limits *limits,
                      struct err *err)
{
    AUTO(deb_tar_auto_close) struct deb_tar *tar = NULL;
    size_t count = 0;
    if (!deb_tar_open(member, limits->unpacked_bytes, &tar, err))
        return false;
    for (;;) {
        struct tar_entry entry;
        bool is_end;
        if (!deb_tar_next(tar, &entry, &is_end, err))
            return false;
        if (is_end)
            return true;
        if (++count > limits->entries) {
            err_set(err, ERR_MALFORMED, "data.tar has more than %zu entries", limits->entries);
            return false;
        }
        if (!list_entry(listing, tar, &entry, err))
            return false;
    }
}

static void add_item(struct arena *arena, struct record *record, const char *name, struct text bytes)
{
    struct record_item item = {name, 0644, {arena_strndup(arena, bytes.ptr, bytes.len), bytes.len}};
    list_add(arena, record, item);
}

static const char *print_conffiles(struct arena *arena, const struct listing *listing)
{
    struct strings lines = {0};
    for (size_t i = 0; i < listing->conffiles.count; i++) {
        const struct conffile *conffile = listing->conffiles.items[i];
        if (conffile->is_former)
            list_add(arena, &lines,
                     arena_printf(arena, "%.*s newconffile remove-on-upgrade\n", (int)conffile->path.len,
                                  conffile->path.ptr));
        else if (conffile->hex[0])
            list_add(arena, &lines,
                     arena_printf(arena, "%.*s %s\n", (int)conffile->path.len, conffile->path.ptr, conffile->hex));
    }
    return strings_join(arena, &lines, "");
}

bool deb_record(struct arena *arena, struct text deb, const struct unpack_limits *limits, struct record *ret_record,
                struct err *err)
{
    struct deb_archive archive;
    struct listing listing = {.arena = arena, .by_path = {.arena = arena}};
    buf_init(&listing.list, LIST_MAX_BYTES);
    buf_init(&listing.md5sums, LIST_MAX_BYTES);
    bool is_good = deb_archive_read(deb, &archive, err) && read_control(arena, &archive.control, ret_record, err) &&
                   find_conffiles(&listing, ret_record, err);
    listing.lacks_md5sums = is_good && !record_find(ret_record, "md5sums");
    is_good = is_good && read_data(&listing, &archive.data, limits, err);
    if (is_good) {
        add_item(arena, ret_record, DEB_RECORD_LIST, buf_text(&listing.list));
        add_item(arena, ret_record, DEB_RECORD_CONFFILES, text_of(print_conffiles(arena, &listing)));
    }
    if (is_good && listing.lacks_md5sums)
        add_item(arena, ret_record, "md5sums", buf_text(&listing.md5sums));
    buf_done(&listing.list);
    buf_done(&listing.md5sums);
    return is_good;
}
