/* SPDX-License-Identifier: Apache-2.0 */
#include "deb/deb_format_parts.h"
#include "deb/package_control.h"
#include "package/path.h"

#define STATUS_DIR "/var/lib/dpkg/status.d"

/* Returns the length of the "Package:" line with its newline, wherever it begins; *ret_at is its place. 0 when there is
 * none. */
static size_t find_package_line(const char *control, size_t *ret_at)
{
    for (const char *line = control; *line;) {
        const char *end = strchr(line, '\n');
        size_t len = end ? (size_t)(end - line) + 1 : strlen(line);
        if (len >= 8 && text_is_nocase((struct text){line, 8}, "Package:")) {
            *ret_at = (size_t)(line - control);
            return len;
        }
        line += len;
    }
    return 0;
}

/* Prints the control file with the Status field that dpkg-query and scanners want (deb-control(5); dpkg's status
 * database). */
static const char *print_status(struct arena *arena, const struct package *package)
{
    const char *fact = package_fact(package, DEB_CONTROL), *control = fact ? fact : "";
    size_t at = 0, len = find_package_line(control, &at), total = strlen(control);
    if (!len) {
        return arena_printf(arena, "Package: %s\nStatus: install ok installed\n%s%s", package->name, control,
                            total && control[total - 1] != '\n' ? "\n" : "");
    }
    at += len;
    return arena_printf(arena, "%.*s%sStatus: install ok installed\n%s%s", (int)at, control,
                        control[at - 1] == '\n' ? "" : "\n", control + at,
                        at < total && control[total - 1] != '\n' ? "\n" : "");
}

/* Returns whether a line of an md5sums file ("digest  usr/bin/x") is about a file of the package that is in the image. */
static bool is_kept_line(struct arena *arena, const struct database_request *request, const struct package *package,
                         struct text line)
{
    struct text digest, path = line;
    const char *reason = NULL;
    if (!text_next_word(&path, &digest) || path.len < 3)
        return false;
    path = (struct text){path.ptr + 2, path.len - 2};
    const char *canonical = path_canonical(arena, path, &reason);
    return canonical && request->has_file(request->image, package, canonical);
}

static const char *print_md5sums(struct arena *arena, const struct database_request *request,
                                 const struct package *package, const char *md5sums)
{
    struct text rest = text_of(md5sums), line;
    char *result = arena_alloc(arena, rest.len + 2), *at = result;
    while (text_next(&rest, '\n', &line)) {
        if (is_kept_line(arena, request, package, line)) {
            at = mempcpy(at, line.ptr, line.len);
            *at++ = '\n';
        }
    }
    *at = '\0';
    return result;
}

/* A package's name becomes a file's name here: it must be one component. */
static bool check_name(const struct package *package, struct err *err)
{
    if (*package->name && *package->name != '.' && !strchr(package->name, '/') && strlen(package->name) <= 200)
        return true;
    err_set(err, ERR_MALFORMED, "package \"%s\": its name cannot be a file's name in " STATUS_DIR, package->name);
    return false;
}

static void add_file(struct arena *arena, struct database_files *files, const char *path, const char *text,
                     bool is_list)
{
    struct database_file file = {path, text, is_list};
    list_add(arena, files, file);
}

bool deb_database(struct arena *arena, const struct database_request *request, struct database_files *ret_files,
                  struct err *err)
{
    for (size_t i = 0; i < request->count; i++) {
        const struct package *package = request->packages[i];
        if (!check_name(package, err))
            return false;
        const char *path = arena_printf(arena, STATUS_DIR "/%s", package->name);
        add_file(arena, ret_files, path, print_status(arena, package), false);
        const char *listed = package_fact(package, DEB_MD5SUMS);
        const char *md5sums = listed ? print_md5sums(arena, request, package, listed) : "";
        if (*md5sums)
            add_file(arena, ret_files, arena_printf(arena, "%s.md5sums", path), md5sums, true);
    }
    return true;
}
