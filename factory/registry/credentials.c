/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/credentials.h"
#include "base/auto.h"
#include "io/file.h"
#include "registry/credentials_file.h"
#include "registry/credentials_helper.h"
#include "registry/credentials_secret.h"

#include <errno.h>
#include <inttypes.h>

/* A file to look into. */
struct place {
    const char *path;
    enum auth_format format;
};
struct places {
    struct place *items;
    size_t count, capacity;
};

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] ? value : NULL;
}

/* The one file that option or environment name: then no other is read. NULL when they name none. */
static const char *named_file(const char *authfile)
{
    return authfile ? authfile : variable("REGISTRY_AUTH_FILE");
}

/* Whether a folder is there and can be written to, or can be made. */
static bool is_writable_dir(struct arena *arena, const char *dir)
{
    char *parent = arena_strdup(arena, dir);
    for (;;) {
        char *slash = strrchr(parent, '/');
        if (access(parent, W_OK | X_OK) == 0)
            return true;
        if (errno != ENOENT || !slash || slash == parent)
            return false;
        *slash = '\0';
    }
}

/* Where podman keeps what it is told at login. Without XDG_RUNTIME_DIR (a night of cron has none) that is a folder of root's, which an
 * ordinary user may not so much as look into once root has run a container. */
static const char *runtime_dir(struct arena *arena)
{
    const char *runtime = variable("XDG_RUNTIME_DIR");
    return runtime ? arena_printf(arena, "%s/containers", runtime)
                   : arena_printf(arena, "/run/containers/%ju", (uintmax_t)getuid());
}

/* The file that outlives a session; NULL without a home. */
static const char *lasting_file(struct arena *arena)
{
    const char *home = variable("HOME"), *config = variable("XDG_CONFIG_HOME");
    if (config && config[0] == '/')
        return arena_printf(arena, "%s/containers/auth.json", config);
    return home && home[0] == '/' ? arena_printf(arena, "%s/.config/containers/auth.json", home) : NULL;
}

/* What login and logout change. */
static const char *login_file(struct arena *arena, const char *authfile)
{
    const char *path = named_file(authfile), *dir = runtime_dir(arena), *lasting = lasting_file(arena);
    if (path)
        return path;
    bool is_runtime = variable("XDG_RUNTIME_DIR") || is_writable_dir(arena, dir) || !lasting;
    return is_runtime ? arena_printf(arena, "%s/auth.json", dir) : lasting;
}

static enum auth_format format_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return strcmp(slash ? slash + 1 : path, "config.json") == 0 ? AUTH_DOCKER : AUTH_CONTAINERS;
}

static void add_place(struct arena *arena, struct places *places, enum auth_format format, const char *dir,
                      const char *name)
{
    if (dir && dir[0] == '/')
        list_add(arena, places, (struct place){arena_printf(arena, "%s/%s", dir, name), format});
}

static struct places standard_places(struct arena *arena)
{
    struct places places = {0};
    const char *home = variable("HOME"), *docker = variable("DOCKER_CONFIG");
    const char *runtime = runtime_dir(arena), *lasting = lasting_file(arena);
    bool is_shut = !variable("XDG_RUNTIME_DIR") && access(runtime, X_OK) != 0 && errno == EACCES;
    if (!is_shut) /* it may be read-only: a secret that was mounted there */
        list_add(arena, &places, (struct place){arena_printf(arena, "%s/auth.json", runtime), AUTH_CONTAINERS});
    if (lasting)
        list_add(arena, &places, (struct place){lasting, AUTH_CONTAINERS});
    if (docker)
        list_add(arena, &places, (struct place){arena_printf(arena, "%s/config.json", docker), AUTH_DOCKER});
    else
        add_place(arena, &places, AUTH_DOCKER, home, ".docker/config.json");
    add_place(arena, &places, AUTH_LEGACY, home, ".dockercfg");
    return places;
}

/* The store of docker's file is often named where its program is not installed (files copied from a desktop). */
static bool ask_store(struct arena *arena, const struct auth_file *file, const char *host,
                      struct credential *credential, struct err *err)
{
    const char *helper;
    if (!auth_file_store_helper(arena, file, &helper, err))
        return false;
    if (!helper || credential_helper_get(arena, helper, host, credential, err))
        return true;
    if (err->kind != ERR_LOCAL || err->detail != ENOENT) {
        err_wrap(err, "%s", file->path);
        return false;
    }
    err_clear(err);
    return true;
}

static bool search_open_file(struct arena *arena, const struct auth_file *file, const struct reference *reference,
                             struct credential *credential, struct err *err)
{
    const char *helper;
    if (!auth_file_helper(arena, file, reference->host, &helper, err))
        return false;
    if (!helper)
        return auth_file_find(arena, file, reference, credential, err) &&
               (credential->secret || ask_store(arena, file, reference->host, credential, err));
    if (credential_helper_get(arena, helper, reference->host, credential, err))
        return true;
    err_wrap(err, "%s", file->path);
    return false;
}

static bool search(struct arena *arena, const struct place *place, bool is_required, const struct reference *reference,
                   struct credential *credential, struct err *err)
{
    AUTO(auth_file_close) struct auth_file file = {0};
    if (!auth_file_open(arena, place->path, place->format, &file, err))
        return false;
    if (file.root)
        return search_open_file(arena, &file, reference, credential, err);
    if (is_required)
        err_set(err, ERR_USAGE, "%s: no such file (named by --authfile or REGISTRY_AUTH_FILE)", place->path);
    return !is_required;
}

bool credential_find(struct arena *arena, const char *authfile, const struct reference *reference,
                     struct credential *ret_credential, struct err *err)
{
    const char *named = named_file(authfile);
    struct place only = {named, named ? format_of(named) : AUTH_CONTAINERS};
    struct places places = named ? (struct places){&only, 1, 1} : standard_places(arena);
    AUTO(credential_done) struct credential credential = {0};
    for (size_t i = 0; i < places.count && !credential.secret; i++) {
        if (!search(arena, &places.items[i], named, reference, &credential, err))
            return false;
    }
    *ret_credential = credential;
    credential = (struct credential){0};
    return true;
}

/* The file that is changed at login and logout, its directory held against others who change it. */
struct opened {
    struct auth_file file;
    const char *name; /* in dir_fd */
    int dir_fd;
};

static void close_opened(struct opened *opened)
{
    auth_file_close(&opened->file);
    auto_close_fd(&opened->dir_fd);
}

/* A link is followed, so that the file it points to is replaced, not the link. */
static void split_path(struct arena *arena, const char *path, const char **ret_dir, const char **ret_name)
{
    AUTO(auto_free) char *real = realpath(path, NULL);
    char *whole = arena_strdup(arena, real ? real : path), *slash = strrchr(whole, '/');
    *ret_name = slash ? slash + 1 : whole;
    *ret_dir = !slash ? "." : slash == whole ? "/" : whole;
    if (slash)
        *slash = '\0';
}

static bool open_for_change(struct arena *arena, const char *path, bool is_made, const struct lock_wait *wait,
                            struct opened *opened, struct err *err)
{
    const char *dir;
    split_path(arena, path, &dir, &opened->name);
    if (!opened->name[0]) {
        err_set(err, ERR_USAGE, "%s: is not a file's name", path);
        return false;
    }
    if (is_made && !file_make_dirs(dir, 0700, err))
        return false;
    return file_open_dir(dir, &opened->dir_fd, err) && lock_take(opened->dir_fd, false, dir, wait, err) &&
           auth_file_open(arena, path, format_of(path), &opened->file, err);
}

static const char *key_of(const char *host)
{
    return strcmp(host, "index.docker.io") == 0 || strcmp(host, "registry-1.docker.io") == 0 ? DOCKER_HUB_HOST : host;
}

static bool has_control(const char *string)
{
    for (; *string; string++) {
        if ((unsigned char)*string < ' ' || *string == 0x7F)
            return true;
    }
    return false;
}

static bool check_stored(const struct credential *credential, const char *host, struct err *err)
{
    const char *why = NULL;
    if (!credential->user || !credential->user[0] || strchr(credential->user, ':') || has_control(credential->user))
        why = "the user's name must not be empty, nor hold ':' or control characters";
    else if (!credential->secret || !credential->secret[0] || has_control(credential->secret))
        why = "the password or token must not be empty, nor hold control characters";
    if (why)
        err_set(err, ERR_USAGE, "cannot keep the credential of %s: %s", host, why);
    return !why;
}

bool credential_is_fleeting(const char *path)
{
    const char *runtime = variable("XDG_RUNTIME_DIR");
    size_t len = runtime ? strlen(runtime) : 0;
    return strncmp(path, "/run/", 5) == 0 || (len && strncmp(path, runtime, len) == 0 && path[len] == '/');
}

bool credential_store(struct arena *arena, const char *authfile, const struct lock_wait *wait, const char *host,
                      const struct credential *credential, const char **ret_path, struct err *err)
{
    AUTO(close_opened) struct opened opened = {.dir_fd = -1};
    const char *path = login_file(arena, authfile), *key = key_of(host), *helper;
    if (!check_stored(credential, host, err) || !open_for_change(arena, path, true, wait, &opened, err))
        return false;
    if (!opened.file.root)
        opened.file.root = json_object();
    *ret_path = arena_strdup(arena, path);
    if (!auth_file_helper(arena, &opened.file, arena_strndup(arena, key, strcspn(key, "/")), &helper, err))
        return false;
    if (helper && strchr(key, '/')) {
        err_set(err, ERR_USAGE,
                "%s: credHelpers has '%s' for this registry, and helpers keep no namespaces; log in to %.*s", path,
                helper, (int)strcspn(key, "/"), key);
        return false;
    }
    if (helper)
        return credential_helper_store(arena, helper, key, credential, err);
    return auth_file_set(arena, &opened.file, key, credential, err) &&
           auth_file_write(&opened.file, opened.dir_fd, opened.name, err);
}

static bool erase_in_helper(struct arena *arena, const char *helper, const char *key, bool *ret_found, struct err *err)
{
    AUTO(credential_done) struct credential credential = {0};
    if (!credential_helper_get(arena, helper, key, &credential, err))
        return false;
    *ret_found = credential.secret;
    return !*ret_found || credential_helper_erase(arena, helper, key, err);
}

bool credential_remove(struct arena *arena, const char *authfile, const struct lock_wait *wait, const char *host,
                       bool *ret_found, struct err *err)
{
    AUTO(close_opened) struct opened opened = {.dir_fd = -1};
    const char *path = login_file(arena, authfile), *key = key_of(host), *helper;
    *ret_found = false;
    if (!open_for_change(arena, path, false, wait, &opened, err)) {
        bool is_absent = err->kind == ERR_LOCAL && (err->detail == ENOENT || err->detail == ENOTDIR);
        if (is_absent)
            err_clear(err);
        return is_absent;
    }
    if (!opened.file.root)
        return true;
    if (!auth_file_helper(arena, &opened.file, key, &helper, err))
        return false;
    if (helper)
        return erase_in_helper(arena, helper, key, ret_found, err);
    return auth_file_unset(arena, &opened.file, key, ret_found, err) &&
           (!*ret_found || auth_file_write(&opened.file, opened.dir_fd, opened.name, err));
}
