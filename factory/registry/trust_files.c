/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/trust_files.h"
#include "base/auto.h"
#include "io/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#define FILE_BYTES_MAX (1u << 20)
#define NAMES_MAX 1000

static void close_dir(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

static void free_bio(BIO **bio)
{
    (void)BIO_free(*bio);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool fail_dir(const char *dir, int errnum, struct err *err)
{
    err_set_errno(err, errnum, "%s: cannot be listed for certificates", dir);
    if (!err_is_shortage(err))
        err->kind = ERR_USAGE;
    return false;
}

/* Lists the names of a directory, sorted. *ret_found is false when it is absent or may not be read. */
static bool list_dir(struct arena *arena, const char *dir, struct strings *ret_names, bool *ret_found, struct err *err)
{
    AUTO(close_dir) DIR *stream = opendir(dir);
    const struct dirent *entry;
    *ret_found = stream;
    *ret_names = (struct strings){0};
    if (!stream)
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == EPERM || fail_dir(dir, errno, err);
    for (;;) {
        errno = 0;
        entry = readdir(stream); // NOLINT(concurrency-mt-unsafe): the stream is ours alone
        if (!entry || ret_names->count == NAMES_MAX)
            break;
        list_add(arena, ret_names, arena_strdup(arena, entry->d_name));
    }
    if (errno || entry)
        return fail_dir(dir, errno ? errno : E2BIG, err);
    if (ret_names->count)
        qsort(ret_names->items, ret_names->count, sizeof ret_names->items[0], compare_names);
    return true;
}

/* Finds the directory and lists it; *ret_dir is NULL when there is none. */
static bool find_dir(struct arena *arena, const char *cert_dir, const char *host, const char **ret_dir,
                     struct strings *ret_names, struct err *err)
{
    const char *home = getenv("HOME");
    struct strings dirs = {0};
    bool is_found = false;
    *ret_dir = NULL;
    if (cert_dir) {
        *ret_dir = cert_dir;
        if (!list_dir(arena, cert_dir, ret_names, &is_found, err))
            return false;
        return is_found || fail_dir(cert_dir, errno, err);
    }
    if (home && home[0] == '/')
        list_add(arena, &dirs, arena_printf(arena, "%s/.config/containers/certs.d/%s", home, host));
    list_add(arena, &dirs, arena_printf(arena, "/etc/containers/certs.d/%s", host));
    list_add(arena, &dirs, arena_printf(arena, "/etc/docker/certs.d/%s", host));
    for (size_t i = 0; i < dirs.count && !is_found; i++) {
        if (!list_dir(arena, dirs.items[i], ret_names, &is_found, err))
            return false;
        *ret_dir = is_found ? dirs.items[i] : NULL;
    }
    return true;
}

/* Copies the certificates of a PEM file, and nothing else of it, to `into`. */
static bool add_certificates(const char *path, BIO *into, struct err *err)
{
    AUTO(buf_done) struct buf bytes = {0};
    if (!file_read_at(AT_FDCWD, path, FILE_BYTES_MAX, &bytes, err)) {
        if (!err_is_shortage(err))
            err->kind = ERR_USAGE;
        return false;
    }
    AUTO(free_bio) BIO *from = BIO_new_mem_buf(bytes.bytes ? bytes.bytes : "", (int)bytes.len);
    size_t count = 0;
    X509 *certificate;
    if (!from)
        memory_abort(bytes.len);
    while ((certificate = PEM_read_bio_X509(from, NULL, NULL, NULL))) {
        if (!PEM_write_bio_X509(into, certificate))
            memory_abort(bytes.len);
        X509_free(certificate);
        count++;
    }
    bool is_at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    if (count && is_at_end)
        return true;
    err_set(err, ERR_USAGE, "%s: %s", path, count ? "has a broken certificate" : "has no certificate in PEM form");
    return false;
}

/* Returns the name with `suffix` in the place of the last `len` bytes. */
static const char *with_suffix(struct arena *arena, const char *name, size_t len, const char *suffix)
{
    return arena_printf(arena, "%.*s%s", (int)(strlen(name) - len), name, suffix);
}

/* Takes X.cert and X.key, which must come together. */
static bool take_pair(struct arena *arena, const char *dir, const struct strings *names, struct http_tls *tls,
                      struct err *err)
{
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->items[i];
        bool is_cert = text_has_suffix(text_of(name), ".cert"), is_key = text_has_suffix(text_of(name), ".key");
        if (!is_cert && !is_key)
            continue;
        const char *other = is_cert ? with_suffix(arena, name, 5, ".key") : with_suffix(arena, name, 4, ".cert");
        if (!strings_has(names, other)) {
            err_set(err, ERR_USAGE, "%s/%s: has no %s beside it", dir, name, other);
            return false;
        }
        if (is_key)
            continue;
        if (tls->cert_path) {
            err_set(err, ERR_USAGE, "%s: has more than one client certificate (%s and %s/%s); only one can be used",
                    dir, tls->cert_path, dir, name);
            return false;
        }
        tls->cert_path = arena_printf(arena, "%s/%s", dir, name);
        tls->key_path = arena_printf(arena, "%s/%s", dir, other);
    }
    return true;
}

/* A key that cannot be read would only show as a refused handshake. */
static bool check_pair(const struct http_tls *tls, struct err *err)
{
    const char *const paths[] = {tls->cert_path, tls->key_path};
    for (size_t i = 0; tls->cert_path && i < ARRAY_COUNT(paths); i++) {
        if (access(paths[i], R_OK) == 0)
            continue;
        err_set_errno(err, errno, "cannot read %s", paths[i]);
        err->kind = ERR_USAGE;
        return false;
    }
    return true;
}

/* Returns what a variable of the environment holds, or NULL. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

bool trust_files_load(struct arena *arena, const char *cert_dir, const char *host, bool is_verify_off,
                      struct http_tls *ret_tls, struct err *err)
{
    struct http_tls tls = {
        .ca_file = variable("SSL_CERT_FILE"), .ca_dir = variable("SSL_CERT_DIR"), .is_verify_off = is_verify_off};
    struct strings names = {0};
    const char *dir;
    char *pem;
    if (!find_dir(arena, cert_dir, host, &dir, &names, err))
        return false;
    AUTO(free_bio) BIO *authorities = BIO_new(BIO_s_mem());
    if (!authorities)
        memory_abort(sizeof tls);
    for (size_t i = 0; i < names.count; i++) {
        if (text_has_suffix(text_of(names.items[i]), ".crt") &&
            !add_certificates(arena_printf(arena, "%s/%s", dir, names.items[i]), authorities, err))
            return false;
    }
    if (!take_pair(arena, dir, &names, &tls, err) || !check_pair(&tls, err))
        return false;
    long len = BIO_get_mem_data(authorities, &pem);
    if (len > 0)
        tls.ca_pem = arena_strndup(arena, pem, (size_t)len);
    *ret_tls = tls;
    return true;
}
