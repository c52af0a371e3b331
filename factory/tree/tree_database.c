/* What tells scanners which distribution and which packages are in an image. */
#include "package/database.h"
#include "source/format.h"
#include "tree/tree_draft.h"

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

static bool add_text(struct drafts *drafts, const char *path, const char *text, struct err *err)
{
    struct node node = {.path = path,
                        .kind = NODE_FILE,
                        .mode = 0644,
                        .size_bytes = strlen(text),
                        .data = text,
                        .why = "package database for scanners"};
    return drafts_add(drafts, &node, NULL, err);
}

/* database_request.has_file. */
static bool has_file(const void *image, const struct package *package, const char *path)
{
    const struct drafts *drafts = image;
    const struct draft *draft = drafts_find(drafts, drafts_place(drafts, path));
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
        if (!add_text(drafts, files.items[i].path, files.items[i].text, err))
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
