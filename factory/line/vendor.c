/* SPDX-License-Identifier: Apache-2.0 */
#include "line/vendor.h"

#include "base/auto.h"
#include "package/path.h"
#include "source/listed_file.h"
#include "trust/keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define FILE_MAX_BYTES ((uint64_t)4 << 30)
#define KEY_MAX_BYTES ((size_t)4 << 20)

/* "sha256:HEX" as "sha256/HEX". */
static const char *name_of(struct arena *arena, const char *checksum)
{
    char *name = arena_strdup(arena, checksum);
    char *colon = strchr(name, ':');
    if (colon)
        *colon = '/';
    return name;
}

/* Finds the name that the store has for a checksum. */
static bool find_digest(struct store *store, const struct checksum *checksum, struct digest *ret_digest,
                        bool *ret_found, struct err *err)
{
    *ret_found = true;
    if (checksum->kind == CHECKSUM_SHA512)
        return store_find_sha512(store, checksum, ret_digest, ret_found, err);
    *ret_digest = checksum_digest(checksum);
    return true;
}

/* ---- filling ---- */

/* A folder being filled. */
struct filling {
    struct plant *plant;
    struct arena arena;
    const char *dir;
    int dir_fd;
};

static bool has_file(const struct filling *filling, const char *name, size_t len)
{
    struct stat status;
    return fstatat(filling->dir_fd, name, &status, 0) == 0 && S_ISREG(status.st_mode) && (size_t)status.st_size == len;
}

static bool write_file(const struct filling *filling, const char *name, struct text bytes, struct err *err)
{
    AUTO(auto_close_fd) int fd = -1;
    AUTO(arena_done) struct arena scratch = {0};
    const char *slash = strrchr(name, '/');
    const char *folder = arena_printf(&scratch, "%s/%.*s", filling->dir, (int)(slash - name), name);
    return file_make_dirs(folder, 0755, err) && file_open_dir(folder, &fd, err) &&
           file_write_atomic_at(fd, slash + 1, bytes.ptr, bytes.len, 0644, false, err);
}

/* Writes what is named by its bytes, unless it is there. */
static bool write_blob(const struct filling *filling, const char *name, struct text bytes, struct err *err)
{
    return has_file(filling, name, bytes.len) || write_file(filling, name, bytes, err);
}

/* Gets a file, of the network if need be, and writes it. */
static bool add_listed(struct filling *filling, const struct origin *origin, const struct listed_file *file,
                       struct err *err)
{
    AUTO(view_done) struct view view = {0};
    struct source_env env = filling->plant->env;
    env.access = origin ? origin->access : NULL;
    return listed_file_map(&env, file, &view, err) &&
           write_blob(filling, name_of(&filling->arena, checksum_text(&file->checksum).chars),
                      (struct text){view.ptr, view.len}, err);
}

/* Writes a blob that the store has for sure. */
static bool add_blob(struct filling *filling, const struct digest *digest, struct err *err)
{
    AUTO(view_done) struct view view = {0};
    bool is_found;
    if (!store_map_blob(filling->plant->store, digest, &view, &is_found, err))
        return false;
    if (!is_found) {
        err_set(err, ERR_LOCAL, "sha256:%s vanished from the cache", digest_hex(digest).chars);
        return false;
    }
    return write_blob(filling, arena_printf(&filling->arena, "sha256/%s", digest_hex(digest).chars),
                      (struct text){view.ptr, view.len}, err);
}

static bool add_key(struct filling *filling, const char *location, struct err *err)
{
    AUTO(buf_done) struct buf bytes = {0};
    struct digest url = digest_of(location, strlen(location));
    bool is_url = false;
    if (!keyring_read(&filling->plant->env, &filling->arena, location, &bytes, &is_url, err))
        return false;
    struct digest_hex hex = digest_hex(&url);
    const char *name = is_url ? hex.chars : path_basename(location);
    return write_file(filling, arena_printf(&filling->arena, "keys/%s", name), buf_text(&bytes), err);
}

static bool add_origin(struct filling *filling, const struct origin *origin, struct err *err)
{
    bool is_good = add_blob(filling, &origin->pin.file, err) &&
                   (!origin->pin.has_signature || add_blob(filling, &origin->pin.signature, err));
    for (size_t i = 0; i < origin->indices.count && is_good; i++)
        is_good = add_listed(filling, origin, &origin->indices.items[i], err);
    for (size_t i = 0; i < origin->keys.count && is_good; i++)
        is_good = add_key(filling, origin->keys.items[i], err);
    return is_good;
}

static const struct origin *origin_of(const struct job *job, const struct bill_package *package)
{
    for (size_t i = 0; i < job->origins->count; i++) {
        if (strcmp(job->origins->items[i].name, package->repository) == 0)
            return &job->origins->items[i];
    }
    return NULL;
}

static bool add_package(struct filling *filling, const struct job *job, const struct bill_package *package,
                        struct err *err)
{
    struct arena *arena = &filling->arena;
    static const struct digest unknown;
    const struct origin *origin = origin_of(job, package);
    const char *shown = origin ? source_public_uri(arena, origin->uri) : NULL;
    if (digest_eq(&package->digest, &unknown)) {
        log_line(
            filling->plant->log, LOG_QUIET,
            "warning: package %s %s was not needed, and its index tells no SHA-256 of it: the folder does not have it",
            package->name, package->version);
        return true;
    }
    if (!shown || !text_has_prefix(text_of(package->url), shown)) {
        err_set(err, ERR_INTERNAL, "package %s: no repository has %s", package->name, package->url);
        return false;
    }
    struct strings paths = {0};
    list_add(arena, &paths, package->url + strlen(shown));
    struct listed_file file = {.name = arena_printf(arena, "package %s %s", package->name, package->version),
                               .path = paths.items[0],
                               .urls = listed_file_urls(arena, origin->uri, &origin->uris, &paths),
                               .checksum = checksum_of_digest(&package->digest),
                               .is_size_known = true,
                               .size_bytes = package->size_bytes,
                               .max_bytes = FILE_MAX_BYTES};
    return add_listed(filling, origin, &file, err);
}

static bool add_job(struct filling *filling, const struct job *job, struct err *err)
{
    for (size_t i = 0; i < job->origins->count; i++) {
        if (!add_origin(filling, &job->origins->items[i], err))
            return false;
    }
    for (size_t i = 0; i < job->bill.packages.count; i++) {
        if (!add_package(filling, job, &job->bill.packages.items[i], err))
            return false;
    }
    return true;
}

bool vendor_fill(struct plant *plant, const struct batch *batch, const char *dir, struct err *err)
{
    AUTO(auto_close_fd) int dir_fd = -1;
    struct filling filling = {.plant = plant, .dir = dir};
    bool is_good = file_make_dirs(dir, 0755, err) && file_open_dir(dir, &dir_fd, err);
    filling.dir_fd = dir_fd;
    for (size_t i = 0; i < batch->count && is_good; i++) {
        for (size_t j = 0; j < batch->images[i].arch_count && is_good; j++)
            is_good = !plant_is_cancelled(plant, err) && add_job(&filling, &batch->images[i].jobs[j], err);
    }
    arena_done(&filling.arena);
    return is_good;
}

/* ---- taking ---- */

static bool store_file(struct store *store, const struct checksum *checksum, const char *path, const struct view *view,
                       struct err *err)
{
    AUTO(blob_abandon) struct blob blob = {0};
    struct digest digest;
    AUTO(view_done) struct view stored = {0};
    bool is_sha512 = checksum->kind == CHECKSUM_SHA512, is_found;
    struct checksum got = checksum_of(checksum->kind, view->ptr, view->len);
    if (!checksum_eq(&got, checksum)) {
        err_set(err, ERR_TRUST, "%s: its bytes are not what its name says", path);
        return false;
    }
    if (!blob_begin(store, &blob, err) || !blob_write(&blob, view->ptr, view->len, err) ||
        !blob_commit(&blob, NULL, &digest, err))
        return false;
    if (!is_sha512)
        return true;
    /* Somebody may have written to the folder meanwhile: what counts is what came into the store. */
    if (!store_map_blob(store, &digest, &stored, &is_found, err))
        return false;
    got = checksum_of(checksum->kind, stored.ptr, stored.len);
    if (is_found && checksum_eq(&got, checksum))
        return store_note_sha512(store, checksum, &digest, err);
    err_set(err, ERR_TRUST, "%s: its bytes changed while they were read", path);
    return false;
}

static bool take_one(struct plant *plant, struct arena *arena, const char *checksum_chars, const char *dir,
                     struct err *err)
{
    AUTO(view_done) struct view view = {0};
    struct checksum checksum;
    struct digest digest;
    bool is_found;
    if (!lock_checksum(checksum_chars, &checksum))
        return true; /* then it is no index's either, which is told when that is compared */
    if (!find_digest(plant->store, &checksum, &digest, &is_found, err))
        return false;
    if (is_found && store_has(plant->store, &digest))
        return true;
    const char *path = arena_printf(arena, "%s/%s", dir, name_of(arena, checksum_chars));
    if (file_map_at(AT_FDCWD, path, &view, err)) {
        if (view.len > FILE_MAX_BYTES) {
            err_set(err, ERR_MALFORMED, "%s has %zu bytes, more than any file of a repository may have", path,
                    view.len);
            return false;
        }
        return store_file(plant->store, &checksum, path, &view, err);
    }
    if (err->kind != ERR_LOCAL || err->detail != ENOENT)
        return false;
    err_clear(err);
    return true;
}

bool vendor_take(struct plant *plant, const struct lock *lock, const char *dir, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct strings checksums;
    lock_blobs(&scratch, lock, &checksums);
    for (size_t i = 0; i < checksums.count; i++) {
        if (plant_is_cancelled(plant, err) || !take_one(plant, &scratch, checksums.items[i], dir, err))
            return false;
    }
    return true;
}
