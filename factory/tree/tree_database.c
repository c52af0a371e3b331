/* SPDX-License-Identifier: Apache-2.0 */
/* What tells scanners which distribution and which packages are in an image. */
#include "package/database.h"
#include "source/format.h"
#include "tree/tree_draft.h"

#define BASE_LIST_MAX ((size_t)1 << 20)

bool drafts_add_os_release(struct drafts *drafts, struct err *err)
{
    static const char path[] = "/usr/lib/os-release", link_path[] = "/etc/os-release";
    const char *text = drafts->request->os_release;
    const struct ground *ground = drafts->request->ground;
    if (!text || drafts_find(drafts, path) || (ground && (ground_find(ground, path) || ground_find(ground, link_path))))
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

static bool add_text(struct drafts *drafts, const char *path, const char *text, struct err *err)
{
    struct node node = {.path = path,
                        .kind = NODE_FILE,
                        .mode = 0644,
                        .size_bytes = strlen(text),
                        .data = text,
                        .claim = CLAIM_DATABASE,
                        .why = "package database for scanners"};
    return drafts_add(drafts, &node, NULL, err);
}

/* Returns whether a text has a line. */
static bool has_line(struct text text, struct text line)
{
    struct text other;
    while (text_next(&text, '\n', &other)) {
        if (text_eq(other, line))
            return true;
    }
    return false;
}

/* Puts our lines behind those that the base has. */
static bool continue_list(struct drafts *drafts, const char *path, const char **text, struct err *err)
{
    struct text there, rest = text_of(*text), line;
    bool is_found = false;
    if (!drafts->request->ground)
        return true;
    if (!ground_read(drafts->request->ground, path, &there, &is_found, err))
        return false;
    if (!is_found || there.len > BASE_LIST_MAX)
        return true;
    char *all = arena_alloc(drafts->arena, there.len + rest.len + 2), *end = mempcpy(all, there.ptr, there.len);
    if (there.len && there.ptr[there.len - 1] != '\n')
        *end++ = '\n';
    while (text_next(&rest, '\n', &line)) {
        if (!line.len || has_line(there, line))
            continue;
        end = mempcpy(end, line.ptr, line.len);
        *end++ = '\n';
    }
    *end = '\0';
    *text = all;
    return true;
}

/* database_request.has_file. */
static bool has_file(const void *image, const struct package *package, const char *path)
{
    const struct drafts *drafts = image;
    const struct ground *ground = drafts->request->ground;
    const char *place = drafts_place(drafts, path);
    if (ground && !drafts_find(drafts, place))
        (void)ground_place(ground, drafts->arena, path, &place);
    const struct draft *draft = place ? drafts_find(drafts, place) : NULL;
    return draft && draft->content && draft->node.package == package;
}

/* Adds the database of one format's packages; others are passed over. */
static bool add_database(struct drafts *drafts, const struct tree *tree, const struct format *format, struct err *err)
{
    LIST(const struct package *) packages = {0};
    struct database_files files = {0};
    for (size_t i = 0; i < tree->package_count; i++) {
        if (tree->packages[i]->format == format)
            list_add(drafts->arena, &packages, tree->packages[i]);
    }
    struct database_request request = {.packages = packages.items,
                                       .count = packages.count,
                                       .installed_time = tree->created_time,
                                       .has_file = has_file,
                                       .image = drafts};
    if (!format->database(drafts->arena, &request, &files, err))
        return false;
    for (size_t i = 0; i < files.count; i++) {
        const char *text = files.items[i].text;
        if ((files.items[i].is_list && !continue_list(drafts, files.items[i].path, &text, err)) ||
            !add_text(drafts, files.items[i].path, text, err))
            return false;
    }
    return true;
}

bool drafts_add_database(struct drafts *drafts, const struct tree *tree, struct err *err)
{
    for (size_t i = 0; i < tree->package_count; i++) {
        const struct format *format = tree->packages[i]->format;
        bool is_first = true;
        for (size_t j = 0; j < i && is_first; j++)
            is_first = tree->packages[j]->format != format;
        if (is_first && !add_database(drafts, tree, format, err))
            return false;
    }
    return true;
}
