#include "plan/recipe.h"

#define FIRST_NUMBER 100 /* of system accounts, in Debian and Fedora */

static bool has_group(const struct manifest *manifest, const char *name)
{
    for (size_t i = 0; i < manifest->groups.count; i++) {
        if (strcmp(manifest->groups.items[i].name, name) == 0)
            return true;
    }
    return false;
}

static bool has_user(const struct manifest *manifest, const char *name)
{
    for (size_t i = 0; i < manifest->users.count; i++) {
        if (strcmp(manifest->users.items[i].name, name) == 0)
            return true;
    }
    return false;
}

static bool is_gid_taken(const struct manifest *manifest, uint64_t gid)
{
    for (size_t i = 0; i < manifest->groups.count; i++) {
        if (manifest->groups.items[i].gid == gid)
            return true;
    }
    return false;
}

static bool is_uid_taken(const struct manifest *manifest, uint64_t uid)
{
    for (size_t i = 0; i < manifest->users.count; i++) {
        if (manifest->users.items[i].uid == uid)
            return true;
    }
    return false;
}

/* Lists and tables are small: a few users in any image. */
static void add_group(struct arena *arena, struct manifest *manifest, struct manifest_group group)
{
    if (has_group(manifest, group.name))
        return;
    for (uint64_t next = FIRST_NUMBER; is_gid_taken(manifest, group.gid); next++)
        group.gid = next;
    list_add(arena, &manifest->groups, group);
}

static void add_user(struct arena *arena, struct manifest *manifest, struct manifest_user user)
{
    if (has_user(manifest, user.name))
        return;
    for (uint64_t next = FIRST_NUMBER; is_uid_taken(manifest, user.uid); next++)
        user.uid = next;
    list_add(arena, &manifest->users, user);
}

/* A path that the manifest makes, or names as a file to take from a package, is the manifest's. */
static bool has_path(const struct manifest *manifest, const struct manifest_made *made)
{
    for (size_t i = 0; i < manifest->made.count; i++) {
        if (strcmp(manifest->made.items[i].path, made->path) == 0)
            return true;
    }
    for (size_t i = 0; made->kind != MADE_DIRECTORY && i < manifest->files.count; i++) {
        if (strcmp(manifest->files.items[i].path, made->path) == 0)
            return true;
    }
    return false;
}

static bool has_file(const struct manifest *manifest, const char *path)
{
    for (size_t i = 0; i < manifest->files.count; i++) {
        if (strcmp(manifest->files.items[i].path, path) == 0)
            return true;
    }
    return false;
}

static bool has_variable(const struct yaml_pairs *env, const char *name)
{
    for (size_t i = 0; i < env->count; i++) {
        if (strcmp(env->items[i].key, name) == 0)
            return true;
    }
    return false;
}

/* Without room in its lists, whatever is added goes into new ones: the original's are shared by other threads. */
static void stop_sharing(struct manifest *manifest)
{
    manifest->files.capacity = manifest->files.count;
    manifest->packages_whole.capacity = manifest->packages_whole.count;
    manifest->made.capacity = manifest->made.count;
    manifest->users.capacity = manifest->users.count;
    manifest->groups.capacity = manifest->groups.count;
    manifest->config.env.capacity = manifest->config.env.count;
}

void recipe_merge(struct arena *arena, struct manifest *manifest, const struct recipe *recipe)
{
    const struct manifest *parts = &recipe->parts;
    struct manifest given = *manifest; /* only what was there before this recipe wins over it */
    stop_sharing(manifest);
    for (size_t i = 0; i < parts->groups.count; i++)
        add_group(arena, manifest, parts->groups.items[i]);
    for (size_t i = 0; i < parts->users.count; i++)
        add_user(arena, manifest, parts->users.items[i]);
    for (size_t i = 0; i < parts->made.count; i++) {
        if (!has_path(&given, &parts->made.items[i]))
            list_add(arena, &manifest->made, parts->made.items[i]);
    }
    for (size_t i = 0; i < parts->files.count; i++) {
        if (!has_file(&given, parts->files.items[i].path))
            list_add(arena, &manifest->files, parts->files.items[i]);
    }
    for (size_t i = 0; i < parts->packages_whole.count; i++) {
        const char *name = parts->packages_whole.items[i];
        if (!strings_has(&manifest->packages_whole, name) && !strings_has(&manifest->packages_never, name))
            list_add(arena, &manifest->packages_whole, name);
    }
    for (size_t i = 0; i < parts->config.env.count; i++) {
        if (!has_variable(&given.config.env, parts->config.env.items[i].key))
            list_add(arena, &manifest->config.env, parts->config.env.items[i]);
    }
}
