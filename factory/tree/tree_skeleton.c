/* What every image has besides its own files, as every installed system has it: places to write to, and the two links
 * of /var that lead into /run. Debian's base-files makes these links absolute (its postinst, for it ships directories),
 * Fedora's filesystem relative. */
#include "package/path.h"
#include "source/format.h"
#include "tree/tree_draft.h"

const struct skeleton_directory skeleton_directories[SKELETON_DIRECTORY_COUNT] = {
    {"/run", 0755},     {"/run/lock", 01777}, {"/tmp", 01777},      {"/var/cache", 0755},
    {"/var/lib", 0755}, {"/var/log", 0755},   {"/var/spool", 0755}, {"/var/tmp", 01777}};

const struct skeleton_link skeleton_links[SKELETON_LINK_COUNT] = {{"/var/lock", "/run/lock", "../run/lock"},
                                                                  {"/var/run", "/run", "../run"}};

const struct format *drafts_format(const struct drafts *drafts)
{
    const struct fileset *set = drafts->request->set;
    return set->package_count ? set->packages[0]->format : NULL;
}

uint32_t skeleton_mode(const char *path)
{
    for (size_t i = 0; i < SKELETON_DIRECTORY_COUNT; i++) {
        if (strcmp(path, skeleton_directories[i].path) == 0)
            return skeleton_directories[i].mode;
    }
    return 0;
}

/* Who wants something at a path before anything of it is in the tree: the manifest, else a package's kept file. */
struct wanted {
    const struct manifest_made *made;
    const struct entry *entry;
};

static struct wanted find_wanted(const struct drafts *drafts, const char *path)
{
    const struct manifest *manifest = drafts->request->manifest;
    const struct keep *keep = drafts->request->keep;
    const char *reason;
    for (size_t i = 0; i < manifest->made.count; i++) {
        const char *made = path_canonical(drafts->arena, text_of(manifest->made.items[i].path), &reason);
        if (made && strcmp(made, path) == 0)
            return (struct wanted){.made = &manifest->made.items[i]};
    }
    for (size_t i = 0; i < keep->count; i++) {
        if (strcmp(keep->items[i].file->entry->path, path) == 0)
            return (struct wanted){.entry = keep->items[i].file->entry};
    }
    return (struct wanted){0};
}

/* Returns whether something that is no directory is wanted there. */
static bool is_blocked(const struct drafts *drafts, const char *path)
{
    struct wanted wanted = find_wanted(drafts, path);
    return (wanted.made && wanted.made->kind != MADE_DIRECTORY) ||
           (wanted.entry && wanted.entry->kind != ENTRY_DIRECTORY);
}

/* A directory that a package has there is none on an installed system either: dpkg and rpm find the link and go through
 * it. One that the manifest makes is meant. Another link or a file is its giver's. */
static bool is_link(const struct drafts *drafts, const char *path, const char *end)
{
    struct wanted wanted = find_wanted(drafts, path);
    const char *target = NULL;
    if (wanted.made)
        target = wanted.made->kind == MADE_SYMLINK ? wanted.made->target : "";
    else if (wanted.entry && wanted.entry->kind != ENTRY_DIRECTORY)
        target = wanted.entry->kind == ENTRY_SYMLINK ? wanted.entry->target : "";
    const char *reached = target ? path_join_target(drafts->arena, path, target) : end;
    return reached && strcmp(reached, end) == 0;
}

void drafts_plan_skeleton(struct drafts *drafts)
{
    for (size_t i = 0; i < SKELETON_LINK_COUNT; i++)
        drafts->has_link[i] = is_link(drafts, skeleton_links[i].path, skeleton_links[i].end) &&
                              !is_blocked(drafts, "/var") && !is_blocked(drafts, "/run") &&
                              !is_blocked(drafts, skeleton_links[i].end);
}

/* Returns what is behind the directory in the path; NULL when the path is not below it. */
static const char *below(const char *path, const char *directory)
{
    size_t len = strlen(directory);
    return strncmp(path, directory, len) == 0 && path[len] == '/' ? path + len : NULL;
}

const char *drafts_place(const struct drafts *drafts, const char *path)
{
    for (size_t i = 0; i < SKELETON_LINK_COUNT; i++) {
        const char *rest = drafts->has_link[i] ? below(path, skeleton_links[i].path) : NULL;
        if (rest)
            return arena_printf(drafts->arena, "%s%s", skeleton_links[i].end, rest);
    }
    return path;
}

const char *drafts_link_end(const struct drafts *drafts, const char *path)
{
    for (size_t i = 0; i < SKELETON_LINK_COUNT; i++) {
        if (drafts->has_link[i] && strcmp(path, skeleton_links[i].path) == 0)
            return skeleton_links[i].end;
    }
    return NULL;
}

const char *drafts_listed_at(const struct drafts *drafts, const char *path, size_t i)
{
    const char *rest = drafts->has_link[i] ? below(path, skeleton_links[i].end) : NULL;
    return rest ? arena_printf(drafts->arena, "%s%s", skeleton_links[i].path, rest) : NULL;
}
