/* SPDX-License-Identifier: Apache-2.0 */
/* A file is written without a name (O_TMPFILE) and linked when its digest is known, so that a killed process leaves
 * nothing behind. Where the file system cannot do that, it gets a random name in v1/tmp and a flock that dies with the
 * process; store_open() removes what is not locked. */
#include "io/store.h"
#include "base/auto.h"
#include "io/owner.h"
#include "io/secret.h"
#include "io/store_parts.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stddef.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define HASH_STEP ((size_t)4 << 20)

/* What follows the bytes of a derived file. Integers are little-endian. */
struct trailer {
    char magic[16];
    uint64_t len;
    uint8_t key[DIGEST_BYTES];
    uint8_t digest[DIGEST_BYTES];
    uint8_t mac[DIGEST_BYTES]; /* with the secret, over the above and the kind */
};
_Static_assert(sizeof(struct trailer) == 120, "the trailer is an on-disk format");
static const char trailer_magic[] = "imgfactory-drv2\n";

#define KIND_LEN_MAX 40
#define NAME_BYTES (KIND_LEN_MAX + 1 + 3 + DIGEST_HEX_SIZE)

/* The path of a file below blob/sha256 or derived. */
struct name {
    char chars[NAME_BYTES];
};

static struct name name_of(const char *kind, const struct digest *digest)
{
    struct name name;
    struct digest_hex hex = digest_hex(digest);
    assert(!kind || (strlen(kind) <= KIND_LEN_MAX && *kind && *kind != '.' && !strchr(kind, '/')));
    (void)snprintf(name.chars, sizeof name.chars, "%s%s%.2s/%s", kind ? kind : "", kind ? "/" : "", hex.chars,
                   hex.chars);
    return name;
}

/* The name of a derived file holds the secret, too: stores of different states that share a cache have files of their own,
 * and do not remove each other's as not to be believed. */
static struct name derived_name(const struct store *store, const char *kind, const struct digest *key)
{
    struct digest place = digest_keyed(&store->secret, key->bytes, sizeof key->bytes);
    return name_of(kind, &place);
}

static bool open_below(const char *path, const char *below, int *ret_fd, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *whole = arena_printf(&scratch, "%s/v1/%s", path, below);
    return file_make_dirs(whole, 0700, err) && file_open_dir(whole, ret_fd, err);
}

/* Somebody may have restored a part of the cache as another user. */
static bool check_dirs(const struct store *store, struct err *err)
{
    const int fds[] = {store->blobs_fd, store->derived_fd, store->tmp_fd};
    for (size_t i = 0; i < ARRAY_COUNT(fds); i++) {
        struct stat status;
        if (fstat(fds[i], &status) == 0 && owner_is_ours(&status))
            continue;
        err_set_errno(err, EPERM,
                      "a directory below %s/v1 belongs to somebody else or is writable by others; remove it",
                      store->path);
        return false;
    }
    return true;
}

static bool check_private(const char *path, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    return owner_check(arena_printf(&scratch, "%s/v1", path), err);
}

/* Only the one who holds the lock of a temporary file may remove it; a running writer keeps its lock. */
static void remove_if_left_over(int tmp_fd, const char *name)
{
    if (name[0] == '.')
        return;
    AUTO(auto_close_fd) int fd = openat(tmp_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        (void)unlinkat(tmp_fd, name, 0);
}

/* The kernel's name of an open file: linkat() with AT_SYMLINK_FOLLOW gives an unnamed one a name (open(2), O_TMPFILE).
 */
struct fd_path {
    char chars[32];
};

static struct fd_path fd_path_of(int fd)
{
    struct fd_path path;
    (void)snprintf(path.chars, sizeof path.chars, "/proc/self/fd/%d", fd);
    return path;
}

static int open_unnamed(int tmp_fd)
{
    return openat(tmp_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static bool can_be_unnamed(int tmp_fd)
{
    AUTO(auto_close_fd) int fd = open_unnamed(tmp_fd);
    return fd >= 0 && access(fd_path_of(fd).chars, F_OK) == 0;
}

bool store_open(const char *path, const struct lock_wait *wait, struct store **ret_store, struct err *err)
{
    struct store *store = calloc(1, sizeof *store);
    if (!store || !(store->path = strdup(path)))
        memory_abort(sizeof *store + strlen(path));
    store->blobs_fd = store->derived_fd = store->tmp_fd = store->users_fd = store->sizes_fd = -1;
    store->secret = secret_random();
    store->hashed = hashed_open(NULL, false);
    if (!check_private(path, err) || !open_below(path, "tmp", &store->tmp_fd, err) || !check_private(path, err) ||
        !open_below(path, "blob/sha256", &store->blobs_fd, err) ||
        !open_below(path, "derived", &store->derived_fd, err) || !check_dirs(store, err) ||
        !store_begin_use(store, wait, err)) {
        err_wrap(err, "cache");
        store_close(store);
        return false;
    }
    file_visit_names(store->tmp_fd, remove_if_left_over);
    store->is_unnamed = can_be_unnamed(store->tmp_fd);
    *ret_store = store;
    return true;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    store_end_use(store);
    auto_close_fd(&store->blobs_fd);
    auto_close_fd(&store->derived_fd);
    auto_close_fd(&store->tmp_fd);
    hashed_close(store->hashed);
    free(store->path);
    free(store);
}

void store_use_secret(struct store *store, const struct digest *secret)
{
    store->secret = *secret;
}

void store_use_hashed(struct store *store, struct hashed *hashed)
{
    hashed_close(store->hashed);
    store->hashed = hashed;
}

struct hashed *store_hashed(const struct store *store)
{
    return store->hashed;
}

/* Creates and locks a file. Between the two another process's store_open() may have taken it for a left-over: then it
 * has no link any more, and the next name is tried. Returns -1 with errno. */
static int open_named(int tmp_fd, char *name, size_t name_bytes)
{
    for (int tries = 0; tries < 100; tries++) {
        uint64_t random[2];
        struct stat status;
        if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
            return -1;
        (void)snprintf(name, name_bytes, "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
        AUTO(auto_close_fd) int fd = openat(tmp_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0 && errno != EEXIST)
            return -1;
        if (fd >= 0 && flock(fd, LOCK_EX) == 0 && fstat(fd, &status) == 0 && status.st_nlink > 0)
            return take_fd(&fd);
    }
    errno = EEXIST;
    return -1;
}

bool store_has_room(const struct store *store, uint64_t bytes)
{
    struct statvfs disk;
    return fstatvfs(store->tmp_fd, &disk) == 0 && disk.f_frsize && bytes / disk.f_frsize < disk.f_bavail;
}

bool blob_begin(struct store *store, struct blob *ret_blob, struct err *err)
{
    struct blob blob = {.store = store};
    blob.fd = store->is_unnamed ? open_unnamed(store->tmp_fd)
                                : open_named(store->tmp_fd, blob.temporary_name, sizeof blob.temporary_name);
    if (blob.fd < 0) {
        err_set_errno(err, errno, "cannot create a file in the cache %s", store->path);
        return false;
    }
    digest_begin(&blob.hash);
    blob.is_begun = true;
    *ret_blob = blob;
    return true;
}

/* What a full disk did not take is tried again as long as room can be made: other threads fill it, too. */
static bool write_raw(struct blob *blob, const void *bytes, size_t len, struct err *err)
{
    struct store *store = blob->store;
    for (size_t done = 0;;) {
        unsigned rooms_seen = atomic_load(&store->rooms_made);
        if (file_write_all(blob->fd, (const char *)bytes + done, len - done, store->path, err))
            return true;
        off_t at = lseek(blob->fd, 0, SEEK_CUR), begun = (off_t)blob->len;
        if (err->detail != ENOSPC || at < begun || !store_make_room(store, rooms_seen))
            return false;
        done = (size_t)(at - begun);
        err_clear(err);
    }
}

bool blob_write(struct blob *blob, const void *bytes, size_t len, struct err *err)
{
    assert(blob->is_begun);
    if (!write_raw(blob, bytes, len, err)) {
        err_wrap(err, "cache%s, after %" PRIu64 " bytes of a file",
                 err->detail == ENOSPC ? " (imgfactory clean makes room)" : "", blob->len);
        blob_abandon(blob);
        return false;
    }
    if (!blob->is_apart)
        digest_feed(&blob->hash, bytes, len);
    blob->len += len;
    return true;
}

static void make_parents(int dirfd, struct name name)
{
    for (char *slash = strchr(name.chars, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdirat(dirfd, name.chars, 0700); /* what matters is whether the file can be put there */
        *slash = '/';
    }
}

/* Returns 0 or errno. */
static int link_unnamed(const struct blob *blob, int dirfd, const char *name)
{
    return linkat(AT_FDCWD, fd_path_of(blob->fd).chars, dirfd, name, AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
}

/* Puts the file in place of one that is there: another process's equal one, or one that a crash or a hand damaged. A
 * link cannot replace, so the file first gets a name that can be renamed. Returns 0 or errno. */
static int replace(struct blob *blob, int dirfd, const char *name)
{
    struct store *store = blob->store;
    if (store->is_unnamed && !blob->temporary_name[0]) {
        uint64_t random[2];
        if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
            return errno;
        (void)snprintf(blob->temporary_name, sizeof blob->temporary_name, "%016" PRIx64 "%016" PRIx64, random[0],
                       random[1]);
        if (flock(blob->fd, LOCK_EX) != 0)
            return errno;
        int failed = link_unnamed(blob, store->tmp_fd, blob->temporary_name);
        if (failed)
            return failed;
    }
    return renameat(store->tmp_fd, blob->temporary_name, dirfd, name) == 0 ? 0 : errno;
}

/* Returns 0 or errno. */
static int put_in_place(struct blob *blob, int dirfd, const char *name)
{
    int failed = blob->store->is_unnamed ? link_unnamed(blob, dirfd, name) : replace(blob, dirfd, name);
    return failed == EEXIST ? replace(blob, dirfd, name) : failed;
}

static bool give_name(struct blob *blob, int dirfd, struct name name, uint64_t size_bytes, struct err *err)
{
    int failed = fchmod(blob->fd, 0444) == 0 ? put_in_place(blob, dirfd, name.chars) : errno;
    if (failed == ENOENT) {
        make_parents(dirfd, name);
        failed = put_in_place(blob, dirfd, name.chars);
    }
    if (failed) {
        err_set_errno(err, failed, "cannot put %s of %" PRIu64 " bytes into the cache %s", name.chars, size_bytes,
                      blob->store->path);
        return false;
    }
    blob->temporary_name[0] = '\0';
    store_note_added(blob->store, dirfd, name.chars, size_bytes);
    return true;
}

/* What we wrote need not be read to be hashed. */
static void note_written(const struct blob *blob, const struct digest *digest)
{
    struct stat status;
    if (blob->len >= HASHED_LEN_MIN && fstat(blob->fd, &status) == 0)
        hashed_note(blob->store->hashed, &status, blob->len, digest);
}

bool blob_commit(struct blob *blob, const struct digest *expect, struct digest *ret_digest, struct err *err)
{
    assert(blob->is_begun);
    struct digest digest = digest_end(&blob->hash);
    bool is_good = !expect || digest_eq(expect, &digest);
    if (is_good)
        is_good = give_name(blob, blob->store->blobs_fd, name_of(NULL, &digest), blob->len, err);
    else
        err_set(err, ERR_TRUST, "expected sha256:%s, got sha256:%s", digest_hex(expect).chars,
                digest_hex(&digest).chars);
    if (is_good)
        note_written(blob, &digest);
    blob_abandon(blob);
    if (is_good && ret_digest)
        *ret_digest = digest;
    return is_good;
}

/* Only who has the secret can make it, and only for this file of this kind. */
static struct digest mac_of(const struct store *store, const char *kind, const struct trailer *trailer)
{
    char bytes[offsetof(struct trailer, mac) + KIND_LEN_MAX];
    size_t kind_len = strlen(kind);
    memcpy(bytes, trailer, offsetof(struct trailer, mac));
    memcpy(bytes + offsetof(struct trailer, mac), kind, kind_len);
    return digest_keyed(&store->secret, bytes, offsetof(struct trailer, mac) + kind_len);
}

bool blob_commit_derived(struct blob *blob, const char *kind, const struct digest *key, struct err *err)
{
    assert(blob->is_begun);
    struct store *store = blob->store;
    struct digest digest = digest_end(&blob->hash);
    struct trailer trailer = {.len = htole64(blob->len)};
    memcpy(trailer.magic, trailer_magic, sizeof trailer.magic);
    memcpy(trailer.key, key->bytes, sizeof trailer.key);
    memcpy(trailer.digest, digest.bytes, sizeof trailer.digest);
    struct digest mac = mac_of(store, kind, &trailer);
    memcpy(trailer.mac, mac.bytes, sizeof trailer.mac);
    bool is_good = write_raw(blob, &trailer, sizeof trailer, err) &&
                   give_name(blob, store->derived_fd, derived_name(store, kind, key), blob->len + sizeof trailer, err);
    if (is_good)
        note_written(blob, &digest);
    blob_abandon(blob);
    return is_good;
}

void blob_abandon(struct blob *blob)
{
    if (!blob->is_begun)
        return;
    digest_abandon(&blob->hash);
    if (blob->temporary_name[0])
        (void)unlinkat(blob->store->tmp_fd, blob->temporary_name, 0);
    (void)close(blob->fd);
    *blob = (struct blob){0};
}

/* Maps a file that may be absent: *ret_found tells. One that somebody else could change while it is mapped counts as
 * absent, and goes. */
static bool map_if_there(int dirfd, const char *name, struct view *ret_view, struct stat *ret_status, bool *ret_found,
                         struct err *err)
{
    AUTO(auto_close_fd) int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    *ret_found = false;
    if (fd < 0 && errno == ENOENT)
        return true;
    bool is_foreign = fd < 0 ? errno == ELOOP : fstat(fd, ret_status) == 0 && !owner_is_ours(ret_status);
    if (is_foreign) {
        (void)unlinkat(dirfd, name, 0);
        return true;
    }
    if (fd < 0) {
        err_set_errno(err, errno, "cannot open %s", name);
        return false;
    }
    return *ret_found = file_map_fd(fd, name, ret_view, err);
}

struct store_name store_name(const struct store *store)
{
    return (struct store_name){store->path, store->secret};
}

void store_take_over(struct store *store, const struct digest *digest)
{
    struct name name = name_of(NULL, digest);
    struct stat status;
    (void)store_mark_used(store, store->blobs_fd, name.chars);
    if (fstatat(store->blobs_fd, name.chars, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode) ||
        !owner_is_ours(&status))
        return;
    atomic_store(&store->is_added, true);
    if ((uint64_t)status.st_size >= HASHED_LEN_MIN)
        hashed_note(store->hashed, &status, (uint64_t)status.st_size, digest);
}

/* Takes away a file whose bytes are wrong, so that it is made again. */
static void reject(int dirfd, const char *name, struct view *view, bool *ret_found)
{
    view_done(view);
    (void)unlinkat(dirfd, name, 0);
    *ret_found = false;
}

/* Hashes a file that few will need all of: what was hashed does not stay in memory while the rest is. */
static struct digest digest_of_view(const struct view *view)
{
    struct digest_stream hash;
    digest_begin(&hash);
    for (size_t at = 0; at < view->len; at += HASH_STEP) {
        size_t len = view->len - at < HASH_STEP ? view->len - at : HASH_STEP;
        digest_feed(&hash, (const char *)view->ptr + at, len);
        view_give_back_part(view, at, len);
    }
    view_give_back(view);
    return digest_end(&hash);
}

static bool has_digest(const struct view *view, const struct digest *digest)
{
    struct digest got = view->len >= HASHED_LEN_MIN ? digest_of_view(view) : digest_of(view->ptr, view->len);
    return digest_eq(digest, &got);
}

/* Asks whether the bytes of a file are right unless that is known. `status` was taken when it was opened. */
static bool is_known(struct store *store, const struct stat *status, const struct view *view,
                     const struct digest *expect, bool (*is_right)(const struct view *, const struct digest *))
{
    bool is_big = view->len >= HASHED_LEN_MIN;
    if (is_big && hashed_has(store->hashed, status, view->len, expect))
        return true;
    bool is_good = is_right(view, expect);
    if (is_good && is_big)
        hashed_note(store->hashed, status, view->len, expect);
    return is_good;
}

bool store_map_blob(struct store *store, const struct digest *digest, struct view *ret_view, bool *ret_found,
                    struct err *err)
{
    struct name name = name_of(NULL, digest);
    struct view view = {0};
    struct stat status;
    (void)store_mark_used(store, store->blobs_fd, name.chars);
    if (!map_if_there(store->blobs_fd, name.chars, &view, &status, ret_found, err)) {
        err_wrap(err, "cache %s", store->path);
        return false;
    }
    if (!*ret_found)
        return true;
    if (is_known(store, &status, &view, digest, has_digest))
        *ret_view = view;
    else
        reject(store->blobs_fd, name.chars, &view, ret_found);
    return true;
}

bool store_clone_blob(const struct store *store, const struct digest *digest, int fd)
{
    struct stat status;
    AUTO(auto_close_fd)
    int from = openat(store->blobs_fd, name_of(NULL, digest).chars, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    return from >= 0 && fstat(from, &status) == 0 &&
           hashed_has(store->hashed, &status, (uint64_t)status.st_size, digest) && ioctl(fd, FICLONE, from) == 0;
}

bool store_open_blob(struct store *store, const struct digest *digest, int *ret_fd, struct err *err)
{
    AUTO(view_done) struct view view = {0};
    bool is_found;
    *ret_fd = -1;
    if (!store_map_blob(store, digest, &view, &is_found, err) || !is_found)
        return err->kind == ERR_NONE;
    *ret_fd = openat(store->blobs_fd, name_of(NULL, digest).chars, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (*ret_fd < 0)
        err_set_errno(err, errno, "cache %s: cannot open sha256:%s", store->path, digest_hex(digest).chars);
    return *ret_fd >= 0;
}

bool store_has(struct store *store, const struct digest *digest)
{
    return faccessat(store->blobs_fd, name_of(NULL, digest).chars, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool store_has_blob(struct store *store, const struct digest *digest, uint64_t size_bytes)
{
    struct stat status;
    (void)store_mark_used(store, store->blobs_fd, name_of(NULL, digest).chars);
    return fstatat(store->blobs_fd, name_of(NULL, digest).chars, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(status.st_mode) && (uint64_t)status.st_size == size_bytes;
}

/* Checks the trailer and cuts it off the view. */
static bool hide_trailer(struct store *store, const char *kind, const struct digest *key, struct view *view,
                         struct digest *ret_digest)
{
    struct trailer trailer;
    if (view->len < sizeof trailer)
        return false;
    size_t len = view->len - sizeof trailer;
    memcpy(&trailer, view->ptr + len, sizeof trailer);
    struct digest mac = mac_of(store, kind, &trailer);
    if (memcmp(trailer.magic, trailer_magic, sizeof trailer.magic) != 0 || le64toh(trailer.len) != len ||
        memcmp(trailer.key, key->bytes, sizeof trailer.key) != 0 ||
        memcmp(trailer.mac, mac.bytes, sizeof mac.bytes) != 0)
        return false;
    memcpy(ret_digest->bytes, trailer.digest, sizeof trailer.digest);
    view->len = len;
    return true;
}

bool store_map_derived(struct store *store, const char *kind, const struct digest *key, struct view *ret_view,
                       bool *ret_found, struct err *err)
{
    struct store_place place = {.store = store, .kind = kind, .key = *key};
    return store_map_checked(&place, has_digest, ret_view, ret_found, err);
}

bool store_map_checked(struct store_place *place,
                       bool (*is_right)(const struct view *view, const struct digest *digest), struct view *ret_view,
                       bool *ret_found, struct err *err)
{
    struct store *store = place->store;
    struct name name = derived_name(store, place->kind, &place->key);
    struct view view = {0};
    struct digest expect;
    if (!map_if_there(store->derived_fd, name.chars, &view, &place->status, ret_found, err)) {
        err_wrap(err, "cache %s", store->path);
        return false;
    }
    if (!*ret_found)
        return true;
    bool is_good = hide_trailer(store, place->kind, &place->key, &view, &expect) &&
                   is_known(store, &place->status, &view, &expect, is_right);
    struct stat now, *then = &place->status;
    if (store_mark_used(store, store->derived_fd, name.chars) &&
        fstatat(store->derived_fd, name.chars, &now, AT_SYMLINK_NOFOLLOW) == 0 && now.st_ino == then->st_ino &&
        now.st_dev == then->st_dev && now.st_size == then->st_size)
        *then = now;
    if (is_good)
        *ret_view = view;
    else
        reject(store->derived_fd, name.chars, &view, ret_found);
    return true;
}

bool store_is_unchanged(const struct store_place *place)
{
    struct stat now;
    const struct stat *then = &place->status;
    struct name name = derived_name(place->store, place->kind, &place->key);
    return fstatat(place->store->derived_fd, name.chars, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
           now.st_dev == then->st_dev && now.st_ino == then->st_ino && now.st_size == then->st_size &&
           now.st_mtim.tv_sec == then->st_mtim.tv_sec && now.st_mtim.tv_nsec == then->st_mtim.tv_nsec &&
           now.st_ctim.tv_sec == then->st_ctim.tv_sec && now.st_ctim.tv_nsec == then->st_ctim.tv_nsec;
}

bool store_has_derived(struct store *store, const char *kind, const struct digest *key)
{
    return faccessat(store->derived_fd, derived_name(store, kind, key).chars, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

void store_drop_derived(struct store *store, const char *kind, const struct digest *key)
{
    (void)unlinkat(store->derived_fd, derived_name(store, kind, key).chars, 0);
}

#define SHA512_KIND "sha512"

bool store_note_sha512(struct store *store, const struct checksum *sha512, const struct digest *blob_digest,
                       struct err *err)
{
    AUTO(blob_abandon) struct blob blob = {0};
    struct digest key = digest_of(sha512->bytes, checksum_len(CHECKSUM_SHA512));
    return blob_begin(store, &blob, err) && blob_write(&blob, blob_digest->bytes, sizeof blob_digest->bytes, err) &&
           blob_commit_derived(&blob, SHA512_KIND, &key, err);
}

bool store_find_sha512(struct store *store, const struct checksum *sha512, struct digest *ret_blob, bool *ret_found,
                       struct err *err)
{
    AUTO(view_done) struct view view = {0};
    struct digest key = digest_of(sha512->bytes, checksum_len(CHECKSUM_SHA512));
    if (!store_map_derived(store, SHA512_KIND, &key, &view, ret_found, err))
        return false;
    *ret_found = *ret_found && view.len == sizeof ret_blob->bytes;
    if (*ret_found)
        memcpy(ret_blob->bytes, view.ptr, sizeof ret_blob->bytes);
    return true;
}
