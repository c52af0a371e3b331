/* SPDX-License-Identifier: Apache-2.0 */
#include "deb/package_control.h"

#include "base/auto.h"
#include "deb/deb822.h"
#include "deb/deb_tar.h"

#define MAX_SCRIPT_BYTES ((size_t)1 << 20)
/* Of the whole control.tar; with package scripts real ones stay below 20 MiB. */
#define MAX_MEMBER_BYTES ((uint64_t)128 << 20)

/* Maintainer scripts and the like that are kept, to be looked at. */
static const char *const scripts[] = {"preinst", "postinst", "config", "triggers", "templates"};

static const char *find_script(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(scripts); i++) {
        if (strcmp(name, scripts[i]) == 0)
            return scripts[i];
    }
    return NULL;
}

/* Of debconf's templates (debconf-devel(7)) only what tells the answers when nobody is asked: texts are ten times that. */
static const char *shorten_templates(struct arena *arena, const char *templates)
{
    static const char *const kept[] = {"Template:", "Default:"};
    struct text rest = text_of(templates), line;
    struct strings lines = {0};
    while (rest.len && text_next(&rest, '\n', &line)) {
        for (size_t i = 0; i < ARRAY_COUNT(kept); i++) {
            if (text_has_prefix(line, kept[i]))
                list_add(arena, &lines, text_dup(arena, line));
        }
    }
    return strings_join(arena, &lines, "\n");
}

/* Keeps the beginning of a script: what is longer carries a program along, and is a program itself when it has a NUL. */
static bool read_script(struct arena *arena, struct deb_tar *tar, const char *name, struct package *package,
                        struct err *err)
{
    AUTO(buf_done) struct buf text;
    struct text run;
    buf_init(&text, MAX_SCRIPT_BYTES);
    do {
        if (!deb_tar_read(tar, &run, err))
            return false;
        size_t room = MAX_SCRIPT_BYTES - text.len;
        if (run.len && !buf_add(&text, run.ptr, run.len < room ? run.len : room))
            return false;
    } while (run.len);
    struct package_script script = {name, text.len ? arena_strdup(arena, text.bytes) : ""};
    if (strcmp(name, "templates") == 0)
        script.text = shorten_templates(arena, script.text);
    list_add(arena, &package->scripts, script);
    return true;
}

/* The files that are kept whole, as facts of the package. */
static const struct kept_file {
    const char *name;
    size_t cap_bytes;
} kept_files[] = {{DEB_CONTROL, (size_t)1 << 20}, {DEB_MD5SUMS, (size_t)64 << 20}};

static const struct kept_file *find_kept_file(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(kept_files); i++) {
        if (strcmp(name, kept_files[i].name) == 0)
            return &kept_files[i];
    }
    return NULL;
}

/* Reads a whole entry as a fact of the package. */
static bool read_fact(struct arena *arena, struct deb_tar *tar, const struct tar_entry *entry,
                      const struct kept_file *file, struct package *package, struct err *err)
{
    struct text bytes;
    bool is_second = package_fact(package, file->name) != NULL;
    if (is_second || entry->kind != TAR_FILE || entry->size_bytes > file->cap_bytes) {
        err_set(err, ERR_MALFORMED, "control.tar: %s %s", entry->path,
                is_second                 ? "is there twice"
                : entry->kind != TAR_FILE ? "is not a regular file"
                                          : "is too large");
        return false;
    }
    if (!deb_tar_read_all(tar, arena, &bytes, err))
        return false;
    if (memchr(bytes.ptr, '\0', bytes.len)) {
        err_set(err, ERR_MALFORMED, "control.tar: %s has a NUL byte", entry->path);
        return false;
    }
    struct package_fact fact = {file->name, bytes.ptr};
    list_add(arena, &package->facts, fact);
    return true;
}

static bool read_members(struct arena *arena, struct deb_tar *tar, struct package *package, struct err *err)
{
    for (;;) {
        struct tar_entry entry;
        bool is_end;
        if (!deb_tar_next(tar, &entry, &is_end, err))
            return false;
        if (is_end)
            return true;
        const char *name = strncmp(entry.path, "./", 2) == 0 ? entry.path + 2 : entry.path;
        const struct kept_file *file = find_kept_file(name);
        if (file && !read_fact(arena, tar, &entry, file, package, err))
            return false;
        if (find_script(name) && entry.kind == TAR_FILE && !read_script(arena, tar, find_script(name), package, err))
            return false;
    }
}

static bool take_field(struct arena *arena, const struct deb822_stanza *stanza, const char *name,
                       const char **ret_value, struct err *err)
{
    struct text value = deb822_value(stanza, name);
    if (value.len == 0) {
        err_set(err, ERR_MALFORMED, "the control file has no field %s", name);
        return false;
    }
    *ret_value = text_dup(arena, value);
    return true;
}

static bool read_fields(struct arena *arena, struct package *package, struct err *err)
{
    struct deb822 reader;
    struct deb822_stanza stanza = {0};
    bool is_found = false;
    deb822_begin(&reader, "control", text_of(package_fact(package, DEB_CONTROL)), ERR_MALFORMED);
    if (!deb822_next(&reader, arena, &stanza, &is_found, err))
        return false;
    if (!is_found) {
        err_set(err, ERR_MALFORMED, "the control file is empty");
        return false;
    }
    struct text replaces = deb822_value(&stanza, "Replaces");
    if (replaces.len)
        package->provides_files_replaced = text_dup(arena, replaces);
    return take_field(arena, &stanza, "Package", &package->name, err) &&
           take_field(arena, &stanza, "Version", &package->version, err) &&
           take_field(arena, &stanza, "Architecture", &package->architecture, err);
}

bool package_read_control(struct arena *arena, const struct deb_member *member, uint64_t cap_bytes,
                          struct package *package, struct err *err)
{
    AUTO(deb_tar_auto_close) struct deb_tar *tar = NULL;
    if (!deb_tar_open(member, cap_bytes < MAX_MEMBER_BYTES ? cap_bytes : MAX_MEMBER_BYTES, &tar, err) ||
        !read_members(arena, tar, package, err))
        return false;
    if (!package_fact(package, DEB_CONTROL)) {
        err_set(err, ERR_MALFORMED, "%s has no control file", member->name);
        return false;
    }
    return read_fields(arena, package, err);
}
