#include "base/auto.h"
#include "package/path.h"
#include "tree/tree_draft.h"

#define STATUS_DIR "/var/lib/dpkg/status.d"

bool drafts_add_os_release(struct drafts *drafts, struct err *err)
{
    static const char path[] = "/usr/lib/os-release", link_path[] = "/etc/os-release";
    const char *text = drafts->request->os_release;
    if (!text || drafts_find(drafts, path))
        return true;
    struct node file = {.path = path,
                        .kind = NODE_FILE,
                        .mode = 0644,
                        .size_bytes = strlen(text),
                        .data = text,
                        .why = "names the distribution for scanners"};
    if (!drafts_add(drafts, &file, NULL, err))
        return false;
    struct node link = {
        .path = link_path, .kind = NODE_SYMLINK, .mode = 0777, .target = "../usr/lib/os-release", .why = file.why};
    return drafts_find(drafts, link_path) || drafts_add(drafts, &link, NULL, err);
}

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
    const char *control = package->control ? package->control : "";
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

/* Returns whether a line of an md5sums file ("digest  usr/bin/x") is about a file that the package gave to this tree.
 */
static bool is_kept_line(const struct drafts *drafts, const struct package *package, struct text line)
{
    struct text digest, path = line;
    const char *reason = NULL;
    if (!text_next_word(&path, &digest) || path.len < 3)
        return false;
    path = (struct text){path.ptr + 2, path.len - 2};
    const char *canonical = path_canonical(drafts->arena, path, &reason);
    const struct draft *draft = canonical ? drafts_find(drafts, drafts_place(drafts, canonical)) : NULL;
    return draft && draft->content && draft->node.package == package;
}

static const char *print_md5sums(const struct drafts *drafts, const struct package *package)
{
    struct text rest = text_of(package->md5sums), line;
    char *result = arena_alloc(drafts->arena, rest.len + 2), *at = result;
    while (text_next(&rest, '\n', &line)) {
        if (is_kept_line(drafts, package, line)) {
            at = mempcpy(at, line.ptr, line.len);
            *at++ = '\n';
        }
    }
    *at = '\0';
    return result;
}

bool drafts_add_text(struct drafts *drafts, const char *path, const char *text, struct err *err)
{
    struct node node = {.path = path,
                        .kind = NODE_FILE,
                        .mode = 0644,
                        .size_bytes = strlen(text),
                        .data = text,
                        .why = "package database for scanners"};
    return drafts_add(drafts, &node, NULL, err);
}

/* A package's name becomes a file's name here: it must be one component. */
static bool check_name(const struct package *package, struct err *err)
{
    if (*package->name && *package->name != '.' && !strchr(package->name, '/') && strlen(package->name) <= 200)
        return true;
    err_set(err, ERR_MALFORMED, "package \"%s\": its name cannot be a file's name in " STATUS_DIR, package->name);
    return false;
}

bool drafts_add_status(struct drafts *drafts, const struct package *const *packages, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (packages[i]->format != PACKAGE_DEB)
            continue;
        if (!check_name(packages[i], err))
            return false;
        const char *path = arena_printf(drafts->arena, STATUS_DIR "/%s", packages[i]->name);
        if (!drafts_add_text(drafts, path, print_status(drafts->arena, packages[i]), err))
            return false;
        const char *md5sums = packages[i]->md5sums ? print_md5sums(drafts, packages[i]) : "";
        if (*md5sums && !drafts_add_text(drafts, arena_printf(drafts->arena, "%s.md5sums", path), md5sums, err))
            return false;
    }
    return true;
}
