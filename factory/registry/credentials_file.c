/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/credentials_file.h"
#include "base/auto.h"
#include "io/file.h"
#include "registry/credentials_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>

#define FILE_BYTES_MAX (1u << 20)
#define SECRET_BYTES_MAX (1u << 16)
#define TOKEN_USER "<token>"
#define BASE64_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

void auth_file_close(struct auth_file *file)
{
    if (file->root)
        auth_json_done(&file->root);
}

bool auth_file_open(struct arena *arena, const char *path, enum auth_format format, struct auth_file *ret_file,
                    struct err *err)
{
    AUTO(secret_buf_done) struct buf bytes = {0};
    json_error_t place;
    *ret_file = (struct auth_file){.path = arena_strdup(arena, path), .format = format};
    if (!file_read_at(AT_FDCWD, path, FILE_BYTES_MAX, &bytes, err)) {
        if (err->kind == ERR_LOCAL && (err->detail == ENOENT || err->detail == ENOTDIR)) {
            err_clear(err);
            return true;
        }
        if (err->kind == ERR_MALFORMED || err->detail == EISDIR || err->detail == EINVAL)
            err->kind = ERR_USAGE;
        return false;
    }
    json_t *root = json_loadb(bytes.bytes ? bytes.bytes : "", bytes.len, JSON_REJECT_DUPLICATES, &place);
    explicit_bzero(place.text, sizeof place.text);
    if (!root) {
        err_set(err, ERR_USAGE, "%s:%d:%d: is not JSON that can be read (or a key comes twice)", path, place.line,
                place.column);
        return false;
    }
    ret_file->root = root;
    if (json_is_object(root))
        return true;
    err_set(err, ERR_USAGE, "%s: is not a JSON object", path);
    auth_file_close(ret_file);
    return false;
}

/* A member that must be an object when it is there (null counts as absent). */
static bool get_object(const struct auth_file *file, const char *name, json_t **ret_object, struct err *err)
{
    *ret_object = json_object_get(file->root, name);
    if (json_is_null(*ret_object))
        *ret_object = NULL;
    if (!*ret_object || json_is_object(*ret_object))
        return true;
    err_set(err, ERR_USAGE, "%s: '%s' is not an object", file->path, name);
    return false;
}

static bool get_auths(const struct auth_file *file, json_t **ret_auths, struct err *err)
{
    *ret_auths = file->root;
    return file->format == AUTH_LEGACY || get_object(file, "auths", ret_auths, err);
}

/* A helper's name becomes part of a program's name: no path, nothing odd. "" means none. */
static bool check_helper(struct arena *arena, const struct auth_file *file, const char *member, const json_t *name,
                         const char **ret_helper, struct err *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    const char *string = json_string_value(name);
    *ret_helper = NULL;
    if (json_is_null(name) || !name || (string && !string[0]))
        return true;
    if (!string || strspn(string, allowed) != strlen(string)) {
        err_set(err, ERR_USAGE,
                "%s: '%s' has something else than the name of a helper (letters, digits, '.', '_', '-')", file->path,
                member);
        return false;
    }
    *ret_helper = arena_strdup(arena, string);
    return true;
}

bool auth_file_helper(struct arena *arena, const struct auth_file *file, const char *host, const char **ret_helper,
                      struct err *err)
{
    json_t *helpers;
    *ret_helper = NULL;
    if (file->format == AUTH_LEGACY)
        return true;
    if (!get_object(file, "credHelpers", &helpers, err))
        return false;
    const json_t *name = json_object_get(helpers, host);
    if (!name && strcmp(host, DOCKER_HUB_HOST) == 0)
        name = json_object_get(helpers, DOCKER_HUB_KEY);
    return check_helper(arena, file, "credHelpers", name, ret_helper, err);
}

bool auth_file_store_helper(struct arena *arena, const struct auth_file *file, const char **ret_helper, struct err *err)
{
    *ret_helper = NULL;
    return file->format != AUTH_DOCKER ||
           check_helper(arena, file, "credsStore", json_object_get(file->root, "credsStore"), ret_helper, err);
}

/* Decodes base64 into a fresh string of *ret_len bytes; NULL when it is none. Line ends are skipped, as Go does. */
static char *decode(const char *base64, size_t *ret_len)
{
    size_t len = 0, base64_len = strlen(base64);
    AUTO(secret_done) char *packed = secret_alloc(base64_len + 1);
    for (const char *at = base64; *at; at++) {
        if (*at != '\r' && *at != '\n')
            packed[len++] = *at;
    }
    size_t body_len = strspn(packed, BASE64_CHARS), padding_len = strspn(packed + body_len, "=");
    if (!len || len % 4 || padding_len > 2 || body_len + padding_len != len || len > SECRET_BYTES_MAX)
        return NULL;
    char *plain = secret_alloc(len / 4 * 3 + 1);
    *ret_len = len / 4 * 3 - padding_len;
    if (EVP_DecodeBlock((unsigned char *)plain, (const unsigned char *)packed, (int)len) < (int)*ret_len) {
        secret_done(&plain);
        return NULL;
    }
    plain[*ret_len] = '\0';
    return plain;
}

/* Splits "USER:PASSWORD" out of base64; NULs at the end are docker's habit. */
static const char *read_auth(const char *base64, struct credential *credential)
{
    size_t len = 0;
    AUTO(secret_done) char *plain = decode(base64, &len);
    if (!plain)
        return "is not base64";
    while (len > 0 && plain[len - 1] == '\0')
        len--;
    char *colon = strchr(plain, ':');
    bool is_good = colon && strlen(plain) == len;
    if (is_good && len > 1) { /* ":" alone is an empty entry */
        *colon = '\0';
        credential->user = secret_dup(plain);
        credential->secret = secret_dup(colon + 1);
    }
    explicit_bzero(plain, len);
    return is_good ? NULL : "is not the base64 of USER:PASSWORD";
}

static const char *member(const json_t *entry, const char *name)
{
    const char *string = json_string_value(json_object_get(entry, name));
    return string ? string : "";
}

/* Tokens go into a header or a form: printable ASCII only. */
static bool is_token(const char *token)
{
    for (const char *at = token; *at; at++) {
        if (*at <= ' ' || *at > '~')
            return false;
    }
    return strlen(token) <= SECRET_BYTES_MAX;
}

/* Puts the token in the place of the password. */
static const char *use_token(const char *token, bool is_identity, struct credential *credential)
{
    if (!is_token(token))
        return "has characters that no token has";
    secret_done(&credential->secret);
    credential->secret = secret_dup(token);
    credential->is_identity_token = is_identity;
    credential->is_registry_token = !is_identity;
    if (!is_identity)
        secret_done(&credential->user);
    else if (!credential->user || !credential->user[0]) {
        secret_done(&credential->user);
        credential->user = secret_dup(TOKEN_USER);
    }
    return NULL;
}

/* Reads one entry of `auths`. An empty one is only a marker ("there is a credential in the store"). */
static bool read_entry(struct arena *arena, const struct auth_file *file, const char *key, const json_t *entry,
                       struct credential *credential, struct err *err)
{
    const char *why = NULL, *field = "auth", *auth = member(entry, "auth"), *user = member(entry, "username");
    const char *identity_token = member(entry, "identitytoken"), *registry_token = member(entry, "registrytoken");
    if (auth[0]) {
        why = read_auth(auth, credential);
    } else if (user[0]) {
        credential->user = secret_dup(user);
        credential->secret = secret_dup(member(entry, "password"));
    }
    if (!why && identity_token[0]) {
        field = "identitytoken";
        why = use_token(identity_token, true, credential);
    } else if (!why && registry_token[0]) {
        field = "registrytoken";
        why = use_token(registry_token, false, credential);
    }
    if (credential->user && strcmp(credential->user, TOKEN_USER) == 0)
        credential->is_identity_token = true;
    if (credential->secret)
        credential->from = file->path;
    if (!why)
        return true;
    err_set(err, ERR_USAGE, "%s: the '%s' of '%s' %s", file->path, field, text_printable(arena, text_of(key)), why);
    credential_done(credential);
    return false;
}

/* The host of a key: without scheme, and of a URL or in the old file without path; docker's names are one. */
static const char *host_of_key(struct arena *arena, const char *key, bool is_legacy)
{
    static const char *const schemes[] = {"https://", "http://"};
    const char *host = key;
    for (size_t i = 0; i < ARRAY_COUNT(schemes); i++) {
        if (strncasecmp(key, schemes[i], strlen(schemes[i])) == 0)
            host = key + strlen(schemes[i]);
    }
    if (host != key || is_legacy)
        host = arena_strndup(arena, host, strcspn(host, "/"));
    bool is_docker = strcmp(host, "index.docker.io") == 0 || strcmp(host, "registry-1.docker.io") == 0;
    return is_docker ? DOCKER_HUB_HOST : host;
}

/* Looks under host/ns/repo, host/ns, host. */
static bool find_exact(struct arena *arena, const struct auth_file *file, const json_t *auths,
                       const struct reference *reference, struct credential *credential, struct err *err)
{
    char *key = arena_printf(arena, "%s/%s", reference->host, reference->repository ? reference->repository : "");
    for (size_t len = strlen(key); len && !credential->secret; len = strlen(key)) {
        const json_t *entry = json_object_get(auths, key);
        if (entry && !read_entry(arena, file, key, entry, credential, err))
            return false;
        char *slash = strrchr(key, '/');
        *(slash ? slash : key) = '\0';
    }
    return true;
}

bool auth_file_find(struct arena *arena, const struct auth_file *file, const struct reference *reference,
                    struct credential *ret_credential, struct err *err)
{
    json_t *auths, *entry;
    const char *key, *host = host_of_key(arena, reference->host, false);
    if (!get_auths(file, &auths, err))
        return false;
    if (!auths || !find_exact(arena, file, auths, reference, ret_credential, err))
        return !auths;
    json_object_foreach(auths, key, entry)
    {
        bool is_wanted =
            !ret_credential->secret && strcasecmp(host_of_key(arena, key, file->format == AUTH_LEGACY), host) == 0;
        if (is_wanted && !read_entry(arena, file, key, entry, ret_credential, err))
            return false;
    }
    return true;
}

/* "auth" as docker and podman write it: base64 of USER:PASSWORD, without the password when there is a token. */
static json_t *make_entry(const struct credential *credential)
{
    const char *password = credential->is_identity_token ? "" : credential->secret;
    size_t len = strlen(credential->user) + 1 + strlen(password);
    AUTO(secret_done) char *plain = secret_alloc(len + 1);
    AUTO(secret_done) char *base64 = secret_alloc((len + 2) / 3 * 4 + 1);
    (void)snprintf(plain, len + 1, "%s:%s", credential->user, password);
    (void)EVP_EncodeBlock((unsigned char *)base64, (const unsigned char *)plain, (int)len);
    json_t *entry = json_object();
    if (!entry || json_object_set_new(entry, "auth", json_string(base64)) != 0 ||
        (credential->is_identity_token &&
         json_object_set_new(entry, "identitytoken", json_string(credential->secret)) != 0))
        memory_abort(len);
    return entry;
}

bool auth_file_set(struct arena *arena, struct auth_file *file, const char *host, const struct credential *credential,
                   struct err *err)
{
    json_t *auths;
    if (!get_auths(file, &auths, err))
        return false;
    if (!auths) {
        auths = json_object();
        if (json_object_set_new(file->root, "auths", auths) != 0)
            memory_abort(sizeof *auths);
    }
    auth_json_wipe(json_object_get(auths, host));
    if (json_object_set_new(auths, host, make_entry(credential)) == 0)
        return true;
    err_set(err, ERR_USAGE, "'%s' cannot be a key of %s", text_printable(arena, text_of(host)), file->path);
    return false;
}

bool auth_file_unset(struct arena *arena, struct auth_file *file, const char *host, bool *ret_found, struct err *err)
{
    json_t *auths, *entry;
    void *next;
    const char *key;
    *ret_found = false;
    if (!get_auths(file, &auths, err))
        return false;
    json_object_foreach_safe(auths, next, key, entry)
    {
        if (strcasecmp(host_of_key(arena, key, file->format == AUTH_LEGACY), host) != 0)
            continue;
        auth_json_wipe(entry);
        (void)json_object_del(auths, key);
        *ret_found = true;
    }
    return true;
}

bool auth_file_write(const struct auth_file *file, int dirfd, const char *name, struct err *err)
{
    AUTO(secret_buf_done) struct buf bytes;
    size_t flags = JSON_INDENT(4), len = json_dumpb(file->root, NULL, 0, flags);
    buf_init(&bytes, len + 1);
    if (!len || !buf_reserve(&bytes, len + 1) || json_dumpb(file->root, bytes.bytes, len, flags) != len) {
        err_set(err, ERR_INTERNAL, "cannot print %s", file->path);
        return false;
    }
    bytes.bytes[len] = '\n';
    if (file_write_atomic_at(dirfd, name, bytes.bytes, len + 1, 0600, true, err))
        return true;
    err_wrap(err, "cannot keep the credential in %s", file->path);
    return false;
}
