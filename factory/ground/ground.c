/* SPDX-License-Identifier: Apache-2.0 */
#include "ground/ground.h"

#include "base/auto.h"
#include "ground/ground_merge.h"
#include "ground/ground_path.h"
#include "package/pack.h"
#include "package/path.h"

#include <stdlib.h>

/* Another version of the rules has another purpose. */
#define KEY_PURPOSE "imgfactory: ground 1 " PACK_MAGIC

static bool find(struct store *store, const struct digest *key, struct ground *ret_ground, bool *ret_found,
                 struct err *err)
{
    struct view view = {0};
    struct store_place place = {.store = store, .kind = GROUND_KIND, .key = *key};
    if (!store_map_checked(&place, pack_is_right, &view, ret_found, err))
        return false;
    if (!*ret_found)
        return true;
    struct package *package = calloc(1, sizeof *package);
    if (!package)
        memory_abort(sizeof *package);
    package->view = view;
    package->place = place;
    package->format = &ground_format;
    if (pack_read_tables(package) || !digest_eq(&package->digest, key)) {
        package_close(package);
        store_drop_derived(store, GROUND_KIND, key);
        *ret_found = false;
        return true;
    }
    ret_ground->package = package;
    return true;
}

bool ground_open(struct store *store, const char *name, const struct base_layers *layers, struct ground *ret_ground,
                 struct err *err)
{
    struct digest key = base_layers_key(layers, KEY_PURPOSE);
    bool is_found;
    if (!find(store, &key, ret_ground, &is_found, err))
        return false;
    if (is_found)
        return true;
    if (!ground_merge(store, name, layers, &key, err) || !find(store, &key, ret_ground, &is_found, err))
        return false;
    if (!is_found)
        err_set(err, ERR_LOCAL, "%s: its files went out of the cache while they were used; run again", name);
    return is_found;
}

void ground_close(struct ground *ground)
{
    package_close(ground->package);
    ground->package = NULL;
}

const struct entry *ground_find(const struct ground *ground, const char *path)
{
    return package_find(ground->package, path);
}

static const struct entry *look(void *self, struct text path, const char **ret_why)
{
    (void)ret_why;
    char name[PATH_MAX_BYTES + 1];
    if (path.len >= sizeof name)
        return NULL;
    memcpy(name, path.ptr, path.len);
    name[path.len] = '\0';
    return ground_find(self, name);
}

static const struct entry *walk(const struct ground *ground, struct arena *arena, const char *path, bool follows_last,
                                const char **ret_path)
{
    struct ground_walk steps = {.look = look, .self = (void *)ground, .follows_last = follows_last};
    const char *why;
    const char *end = ground_path(&steps, arena, path, &why);
    if (ret_path)
        *ret_path = end;
    return end ? ground_find(ground, end) : NULL;
}

const struct entry *ground_walk(const struct ground *ground, struct arena *arena, const char *path,
                                const char **ret_path)
{
    return walk(ground, arena, path, true, ret_path);
}

const struct entry *ground_place(const struct ground *ground, struct arena *arena, const char *path,
                                 const char **ret_path)
{
    return walk(ground, arena, path, false, ret_path);
}

bool ground_file_of(const struct ground *ground, const struct entry *entry, const struct entry **ret_file,
                    struct err *err)
{
    if (entry && entry->kind == ENTRY_HARDLINK)
        entry = ground_find(ground, entry->target);
    *ret_file = entry && entry->kind == ENTRY_FILE && !ground_is_special(entry) ? entry : NULL;
    if (!*ret_file)
        return true;
    struct digest digest = digest_of(entry->data, (size_t)entry->size_bytes);
    if (digest_eq(&digest, &entry->digest))
        return true;
    err_set(err, ERR_TRUST, "%s of the base: its bytes in the cache are not those that were put there", entry->path);
    return false;
}

bool ground_read(const struct ground *ground, const char *path, struct text *ret_bytes, bool *ret_found,
                 struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct entry *file;
    if (!ground_file_of(ground, ground_walk(ground, &scratch, path, NULL), &file, err))
        return false;
    *ret_found = file != NULL;
    if (file)
        *ret_bytes = (struct text){file->data, (size_t)file->size_bytes};
    return true;
}

void ground_below(const struct ground *ground, const char *directory, size_t *ret_first, size_t *ret_count)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *dir = strcmp(directory, "/") == 0 ? "" : directory;
    /* All paths below "/a" are from "/a/" to before "/a0", as '0' follows '/'. */
    size_t first = package_first_from(ground->package, arena_printf(&scratch, "%s/", dir));
    size_t end =
        *dir ? package_first_from(ground->package, arena_printf(&scratch, "%s0", dir)) : ground->package->count;
    *ret_first = first;
    *ret_count = end - first;
}

size_t ground_layer_of(const struct entry *entry)
{
    uint64_t number = 0;
    return entry->owner && text_parse_u64(text_of(entry->owner), &number) ? (size_t)number : 0;
}

bool ground_is_special(const struct entry *entry)
{
    return entry->group && strcmp(entry->group, GROUND_SPECIAL) == 0;
}
