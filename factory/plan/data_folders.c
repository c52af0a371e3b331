/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/data_folders.h"

#include "plan/data_folder.h"

#define FORMAT "data folders that were parsed, version 1"

static bool load_all(struct arena *arena, const struct data_places *places, struct data_folders *ret_loaded,
                     struct err *err)
{
    return recipes_load(arena, places->recipes, &places->formats, &ret_loaded->recipes, err) &&
           families_load(arena, &places->families, &places->formats, &ret_loaded->families, err) &&
           foregrounds_load(arena, &places->foregrounds, &ret_loaded->foregrounds, err) &&
           interpreters_load(arena, &places->interpreters, &ret_loaded->interpreters, err);
}

/* Only digests; whatever cannot be read is told by who loads it. */
static bool read_digests(const struct data_places *places, struct data_folders *ret_read)
{
    const char *dir = places->recipes;
    struct strings dirs = {.items = &dir, .count = 1, .capacity = 1};
    struct err ignored = {0};
    return data_folder_digest(&dirs, &ret_read->recipes.digest, &ignored) &&
           data_folder_digest(&places->families, &ret_read->families.digest, &ignored) &&
           data_folder_digest(&places->foregrounds, &ret_read->foregrounds.digest, &ignored) &&
           data_folder_digest(&places->interpreters, &ret_read->interpreters.digest, &ignored);
}

/* Names the bytes of all files, and who parses them. */
static struct digest name_of(const struct digest *program, const struct data_folders *folders)
{
    const struct digest *const digests[] = {program, &folders->recipes.digest, &folders->families.digest,
                                            &folders->foregrounds.digest, &folders->interpreters.digest};
    struct digest_stream stream;
    digest_begin(&stream);
    digest_feed(&stream, FORMAT, sizeof FORMAT);
    for (size_t i = 0; i < ARRAY_COUNT(digests); i++)
        digest_feed(&stream, digests[i]->bytes, DIGEST_BYTES);
    return digest_end(&stream);
}

bool data_folders_open(const struct data_places *places, const struct digest *program, struct hashed *hashed,
                       struct data_folders *ret_folders, struct err *err)
{
    struct digest name;
    *ret_folders = (struct data_folders){.places = places};
    pthread_mutex_init(&ret_folders->lock, NULL);
    if (hashed && read_digests(places, ret_folders)) {
        name = name_of(program, ret_folders);
        if (hashed_knows(hashed, &name))
            return true;
    }
    if (!load_all(&ret_folders->arena, places, ret_folders, err)) {
        data_folders_close(ret_folders);
        return false;
    }
    ret_folders->is_loaded = true;
    name = name_of(program, ret_folders);
    if (hashed)
        hashed_learn(hashed, &name);
    return true;
}

static bool is_same(const struct data_folders *folders, const struct data_folders *loaded)
{
    return digest_eq(&folders->recipes.digest, &loaded->recipes.digest) &&
           digest_eq(&folders->families.digest, &loaded->families.digest) &&
           digest_eq(&folders->foregrounds.digest, &loaded->foregrounds.digest) &&
           digest_eq(&folders->interpreters.digest, &loaded->interpreters.digest);
}

/* Called with the lock held. */
static bool load_later(struct data_folders *folders, struct err *err)
{
    struct data_folders loaded = {0};
    if (!load_all(&folders->arena, folders->places, &loaded, err))
        return false;
    if (!is_same(folders, &loaded)) {
        err_set(
            err, ERR_LOCAL,
            "%s, or families, foreground or interpreters beside it, were changed while this run went on; run it again",
            folders->places->recipes);
        return false;
    }
    folders->recipes = loaded.recipes;
    folders->families = loaded.families;
    folders->foregrounds = loaded.foregrounds;
    folders->interpreters = loaded.interpreters;
    return folders->is_loaded = true;
}

bool data_folders_load(struct data_folders *folders, struct err *err)
{
    pthread_mutex_lock(&folders->lock);
    bool is_good = folders->is_loaded || load_later(folders, err);
    pthread_mutex_unlock(&folders->lock);
    return is_good;
}

void data_folders_close(struct data_folders *folders)
{
    if (!folders->places)
        return;
    pthread_mutex_destroy(&folders->lock);
    arena_done(&folders->arena);
    *folders = (struct data_folders){0};
}
