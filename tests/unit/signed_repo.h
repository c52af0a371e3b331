/* SPDX-License-Identifier: Apache-2.0 */
/* signed_repo.h - a small signed repository in a temporary directory, served by file:// URIs, for unit tests
 *
 * Keys are made once per program with gpg in a throw-away home: good, other, weak (RSA, for SHA-1), expired, revoked.
 */
#ifndef IMGFACTORY_TESTS_SIGNED_REPO_H
#define IMGFACTORY_TESTS_SIGNED_REPO_H

#include "check.h"

#include "base/auto.h"
#include "deb/release.h"
#include "io/file.h"

#include <fcntl.h>

#define GOOD_DATE "Sat, 11 Jul 2026 10:16:37 UTC"
#define GOOD_SECONDS INT64_C(1783764997)
#define PACKAGES "Package: x\nVersion: 1\n\n"

/* What all tests of one program share: keys, and the one network thread. */
struct keys {
    char dir[256];
    struct http *http;
    struct log *log;
};

/* One test's repository, cache and state. */
struct world {
    const struct keys *keys;
    char dir[256];
    struct arena arena;
    struct source_env env;
    struct deb_repository repository;
    struct err err;
};

/* Runs a shell command with D = the world's (or keys') directory and G = the gpg home. */
static inline void shell(const struct keys *keys, const char *dir, const char *command)
{
    struct arena arena = {0};
    const char *line = arena_printf(
        &arena,
        "set -e; D='%s'; G='%s/gnupg'; cd \"$D\"; g() { gpg --homedir \"$G\" --batch --quiet --yes --pinentry-mode "
        "loopback --passphrase '' \"$@\" 2>>\"$G/log\"; }; %s",
        dir, keys->dir, command);
    if (system(line) != 0)
        fail_msg("failed: %s", command);
    arena_done(&arena);
}

static inline int keys_make(void **state)
{
    struct keys *keys = calloc(1, sizeof *keys);
    struct http_options options = {.retry_count = HTTP_NO_RETRY};
    struct err err = {0};
    assert_non_null(keys);
    (void)snprintf(keys->dir, sizeof keys->dir, "%s", check_temporary_dir());
    shell(
        keys, keys->dir,
        "mkdir -m 700 \"$G\"; for k in good other revoked; do g --quick-gen-key $k@test ed25519 sign never; done; "
        "g --quick-gen-key weak@test rsa1024 sign never; "
        "g --faked-system-time 20200101T000000 --quick-gen-key expired@test ed25519 sign 1d; "
        "for k in good other weak expired revoked; do g --export $k@test > $k.gpg; done; "
        "g --armor --export good@test > good.asc; "
        "fpr=$(g --with-colons --list-keys revoked@test | sed -n 's/^fpr:*\\([0-9A-F]*\\):.*/\\1/p'); mkdir -m 700 R; "
        "sed 's/^:---/---/' \"$G/openpgp-revocs.d/$fpr.rev\" > rev.asc; cat revoked.gpg > R/in; "
        "gpg --homedir R --batch --quiet --import R/in rev.asc 2>>\"$G/log\"; "
        "gpg --homedir R --batch --export revoked@test > revoked.gpg 2>>\"$G/log\"");
    CHECK_OK(http_start(&options, &keys->http, &err), &err);
    keys->log = log_open(LOG_QUIET);
    *state = keys;
    return 0;
}

static inline int keys_drop(void **state)
{
    struct keys *keys = *state;
    http_stop(keys->http);
    log_close(keys->log);
    shell(keys, keys->dir, "gpgconf --homedir \"$G\" --kill gpg-agent; rm -rf \"$D\"");
    free(keys);
    return 0;
}

static inline void put(struct world *world, const char *name, const void *bytes, size_t len)
{
    struct err err = {0};
    char *path = arena_printf(&world->arena, "%s/%s", world->dir, name);
    char *base = strrchr(path, '/');
    AUTO(auto_close_fd) int dir_fd = -1;
    *base = '\0';
    CHECK_OK(file_make_dirs(path, 0755, &err), &err);
    CHECK_OK(file_open_dir(path, &dir_fd, &err), &err);
    CHECK_OK(file_write_atomic_at(dir_fd, base + 1, bytes, len, 0644, false, &err), &err);
}

static inline const char *key_path(struct world *world, const char *name)
{
    return arena_printf(&world->arena, "%s/%s", world->keys->dir, name);
}

/* Makes an empty world whose repository is suite "s" of D/repo and trusts the key "good". */
static inline struct world *world_new(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    world->keys = *state;
    (void)snprintf(world->dir, sizeof world->dir, "%s", check_temporary_dir());
    const char *state_dir = arena_printf(&world->arena, "%s/state", world->dir);
    CHECK_OK(file_make_dirs(state_dir, 0700, &world->err), &world->err);
    world->env = (struct source_env){
        .http = world->keys->http, .log = world->keys->log, .state_dir = state_dir, .now = GOOD_SECONDS + 86400};
    CHECK_OK(store_open(arena_printf(&world->arena, "%s/cache", world->dir), NULL, &world->env.store, &world->err),
             &world->err);
    world->repository = (struct deb_repository){.name = "s of here", .suite = "s", .place = "test:1"};
    list_add(&world->arena, &world->repository.uris, arena_printf(&world->arena, "file://%s/repo/", world->dir));
    list_add(&world->arena, &world->repository.components, "main");
    list_add(&world->arena, &world->repository.keyrings, key_path(world, "good.gpg"));
    return world;
}

static inline void world_done(struct world **world)
{
    char command[300];
    store_close((*world)->env.store);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", (*world)->dir);
    assert_int_equal(system(command), 0);
    arena_done(&(*world)->arena);
    free(*world);
}

/* Returns "digest size name" for a Release. */
static inline const char *listed(struct world *world, const char *name, const void *bytes, size_t len)
{
    struct digest digest = digest_of(bytes, len);
    return arena_printf(&world->arena, " %s %zu %s\n", digest_hex(&digest).chars, len, name);
}

/* Writes D/repo/dists/s/Release with this Date, further fields and SHA256 lines. */
static inline void put_release(struct world *world, const char *date, const char *fields, const char *lists)
{
    const char *text = arena_printf(&world->arena,
                                    "Origin: Test\nLabel: L\nSuite: s\nCodename: c\nDate: %s\nArchitectures: all amd64 "
                                    "arm64\nComponents: main\n%sSHA256:\n%s",
                                    date, fields, lists);
    put(world, "repo/dists/s/Release", text, strlen(text));
}

/* Makes InRelease of Release; `how` is gpg's options: "-u good@test". */
static inline void sign(struct world *world, const char *how)
{
    shell(world->keys, world->dir,
          arena_printf(&world->arena, "cd repo/dists/s; g %s --clearsign -o InRelease Release", how));
}

/* A Release of that date, signed by the good key, alone in the repository. */
static inline void publish(struct world *world, const char *date)
{
    put_release(world, date, "", listed(world, "main/binary-amd64/Packages", PACKAGES, strlen(PACKAGES)));
    sign(world, "-u good@test");
    shell(world->keys, world->dir, "rm -f repo/dists/s/Release");
}

static inline struct release *get(struct world *world)
{
    struct release *release = NULL;
    CHECK_OK(release_get(&world->env, &world->arena, &world->repository, (struct pin_wish){0}, &release, &world->err) &&
                 (!release || release_remember(&world->env, release, &world->err)),
             &world->err);
    return release;
}

static inline void check_get_refused(struct world *world, enum err_kind kind, const char *part)
{
    struct release *release = NULL;
    err_clear(&world->err);
    if (release_get(&world->env, &world->arena, &world->repository, (struct pin_wish){0}, &release, &world->err))
        fail_msg("accepted; wanted: %s", part);
    CHECK_ERR(&world->err, kind, part);
    err_clear(&world->err);
}

#endif
