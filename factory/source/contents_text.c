/* SPDX-License-Identifier: Apache-2.0 */
/* The text side of contents.h: lines, paths, and the scan for one path. */
#include "source/contents.h"

#define LINE_CAP_BYTES ((size_t)1 << 20)

/* Where init scripts are: Debian's place, and what it is a link to elsewhere. */
static const char *const init_dirs[] = {"etc/init.d/", "etc/rc.d/init.d/"};

/* text_has_prefix() for the loop over all lines: mostly the first letter decides. */
static bool begins(struct text a, const char *prefix)
{
    return a.len && a.ptr[0] == prefix[0] && text_has_prefix(a, prefix);
}

/* Returns whether a path begins with one of the names in the root that are links into usr. */
static bool is_merged_name(struct text path)
{
    static const char *const merged[] = {"bin/", "sbin/", "lib/", "lib32/", "lib64/", "libx32/", "libo32/"};
    for (size_t i = 0; i < ARRAY_COUNT(merged); i++) {
        if (begins(path, merged[i]))
            return true;
    }
    return false;
}

const char *contents_canonical(struct arena *arena, const char *path)
{
    while (*path == '/' || (path[0] == '.' && path[1] == '/'))
        path++;
    char *result = arena_alloc(arena, strlen(path) + sizeof "usr/"), *at = result;
    if (is_merged_name(text_of(path)))
        at = stpcpy(at, "usr/");
    for (; *path; path++) {
        if (path[0] != '/' || path[1] != '/')
            *at++ = *path;
    }
    *at = '\0';
    return result;
}

/* Data of compilers and interpreters below usr/lib: a third of all lines there, and never a service's binary. */
static bool is_bulk(struct text below_lib)
{
    static const char *const bulk[] = {"python",   "debug/", "modules/", "firmware/", "ruby/", "gcc/",    "gcc-cross/",
                                       "haskell-", "ocaml/", "R/",       "racket/",   "ghc/",  "locale/", "llvm-"};
    for (size_t i = 0; i < ARRAY_COUNT(bulk); i++) {
        if (begins(below_lib, bulk[i]))
            return true;
    }
    return false;
}

/* Looks at a path below usr/. */
static bool keeps_below_usr(struct text path)
{
    static const char *const kept[] = {"bin/", "sbin/", "games/", "libexec/", "local/"};
    for (size_t i = 0; i < ARRAY_COUNT(kept); i++) {
        if (begins(path, kept[i]))
            return true;
    }
    const char *slash = begins(path, "lib") ? memchr(path.ptr, '/', path.len) : NULL;
    return slash && !is_bulk((struct text){slash + 1, (size_t)(path.ptr + path.len - slash - 1)});
}

/* Whether a path is right below a directory. */
static bool is_right_below(struct text path, const char *dir)
{
    size_t len = strlen(dir);
    return begins(path, dir) && path.len > len && !memchr(path.ptr + len, '/', path.len - len);
}

static bool is_init_script(struct text path)
{
    return is_right_below(path, init_dirs[0]) || is_right_below(path, init_dirs[1]);
}

/* Folders of which all files count together. */
static const struct {
    const char *name, *prefix;
} folders[] = {{"etc/ld.so.conf.d", "etc/ld.so.conf.d/"}, {"usr/share/pam-configs", "usr/share/pam-configs/"}};

const char *contents_folder_of(struct text path)
{
    for (size_t i = 0; i < ARRAY_COUNT(folders); i++) {
        if (is_right_below(path, folders[i].prefix))
            return folders[i].name;
    }
    return NULL;
}

/* What decides which libraries the loader finds, and PAM's profiles; of a path, or a line that begins with it. */
static bool is_looked_for(struct text path)
{
    static const char main_file[] = "etc/ld.so.conf";
    for (size_t i = 0; i < ARRAY_COUNT(folders); i++) {
        if (begins(path, folders[i].prefix))
            return true;
    }
    return begins(path, main_file) && (path.len == sizeof main_file - 1 || path.ptr[sizeof main_file - 1] == ' ' ||
                                       path.ptr[sizeof main_file - 1] == '\t');
}

bool contents_keeps_raw(struct text path, bool *ret_is_merged)
{
    *ret_is_merged = false;
    if (begins(path, "usr/"))
        return keeps_below_usr((struct text){path.ptr + 4, path.len - 4}) || is_looked_for(path);
    *ret_is_merged = is_merged_name(path);
    return *ret_is_merged ? keeps_below_usr(path)
                          : begins(path, "opt/") || begins(path, init_dirs[0]) || begins(path, init_dirs[1]) ||
                                is_looked_for(path);
}

bool contents_is_service_raw(struct text path, bool is_merged)
{
    if (!is_right_below(path, is_merged ? "lib/systemd/system/" : "usr/lib/systemd/system/"))
        return is_init_script(path);
    return text_has_suffix(path, ".service") || text_has_suffix(path, ".socket");
}

bool contents_is_service(struct text path)
{
    return contents_is_service_raw(path, false);
}

bool contents_keeps(struct text path)
{
    bool is_merged;
    return contents_keeps_raw(path, &is_merged);
}

bool contents_feed(struct contents_reader *reader, struct text piece, struct err *err)
{
    while (piece.len) {
        const char *end = memchr(piece.ptr, '\n', piece.len);
        struct text part = {piece.ptr, end ? (size_t)(end - piece.ptr) : piece.len};
        if (!end || reader->carry.len) {
            if (!reader->carry.cap_bytes)
                buf_init(&reader->carry, LINE_CAP_BYTES);
            if (!buf_add(&reader->carry, part.ptr, part.len)) {
                err_set(err, ERR_MALFORMED, "%s: a line longer than %zu bytes", reader->name, LINE_CAP_BYTES);
                return false;
            }
        }
        if (!end)
            return true;
        reader->take(reader->taker, reader->carry.len ? (struct text){reader->carry.bytes, reader->carry.len} : part);
        reader->carry.len = 0;
        piece = (struct text){end + 1, piece.len - part.len - 1};
    }
    return true;
}

void contents_feed_end(struct contents_reader *reader)
{
    if (reader->carry.len)
        reader->take(reader->taker, (struct text){reader->carry.bytes, reader->carry.len});
    reader->carry.len = 0;
}

void contents_reader_done(struct contents_reader *reader)
{
    buf_done(&reader->carry);
}

struct text contents_owner_name(struct text owner)
{
    const char *slash = owner.len ? memrchr(owner.ptr, '/', owner.len) : NULL;
    size_t skip = slash ? (size_t)(slash + 1 - owner.ptr) : 0;
    return (struct text){owner.ptr + skip, owner.len - skip};
}

/* Adds the package names of "section/name,area/section/name" that are seen. */
static void add_owners(struct arena *arena, struct text owners, const struct pin_view *view, struct strings *names)
{
    for (struct text owner; text_next(&owners, ',', &owner);) {
        const char *name = text_dup(arena, contents_owner_name(owner));
        if (*name && (!view || pin_view_shows(view, text_of(name))) && !strings_has(names, name))
            list_add(arena, names, name);
    }
}

void contents_split(struct text line, struct text *ret_path, struct text *ret_owners)
{
    line = text_trim(line);
    size_t split = line.len;
    while (split && line.ptr[split - 1] != ' ' && line.ptr[split - 1] != '\t')
        split--;
    struct text path = text_trim((struct text){line.ptr, split});
    while (path.len && (path.ptr[0] == '/' || text_has_prefix(path, "./")))
        path = (struct text){path.ptr + 1, path.len - 1};
    *ret_path = path;
    *ret_owners = (struct text){line.ptr + split, line.len - split};
}

static void scan_line(void *taker, struct text line)
{
    struct contents_scan *scan = taker;
    struct text path, owners;
    contents_split(line, &path, &owners);
    bool is_usr_less = is_merged_name(path) && text_has_prefix(scan->path, "usr/");
    struct text wanted = {scan->path.ptr + (is_usr_less ? 4 : 0), scan->path.len - (is_usr_less ? 4 : 0)};
    if (text_eq(path, wanted))
        add_owners(scan->arena, owners, scan->view, &scan->owners);
}

void contents_scan_begin(struct contents_scan *scan, struct arena *arena, const char *name, const char *path)
{
    *scan = (struct contents_scan){
        .reader = {.name = name, .take = scan_line, .taker = scan}, .arena = arena, .path = text_of(path)};
}
