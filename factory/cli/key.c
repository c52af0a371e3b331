/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/key.h"

#include "base/auto.h"
#include "cli/passphrase.h"
#include "io/file.h"
#include "registry/credentials_secret.h"
#include "sign/signer.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

const struct command_verb key_verbs[] = {
    [KEY_GENERATE] = {"generate", "FILE", "make a key: FILE, and the public one beside it (x.key and x.pub)", 1, 1},
    [KEY_IMPORT] = {"import", "FROM FILE", "write a key that is there into FILE, as --format says", 2, 2},
    [KEY_SHOW] = {"show", "FILE", "print the public key", 1, 1},
    {0},
};

const char *const key_type_names[] = {"ed25519", "p256", NULL}, *const key_format_names[] = {"pem", "cosign", NULL};

static bool read_verb(const struct command *command, enum key_verb *ret_verb, struct err *err)
{
    const struct strings *words = &command->options.words;
    for (size_t i = 0; key_verbs[i].name; i++) {
        if (strcmp(words->items[0], key_verbs[i].name) != 0)
            continue;
        *ret_verb = (enum key_verb)i;
        if (words->count - 1 >= key_verbs[i].least && words->count - 1 <= key_verbs[i].most)
            return true;
        err_set(err, ERR_USAGE, "usage: imgfactory key %s %s", key_verbs[i].name, key_verbs[i].words);
        return false;
    }
    err_set(err, ERR_USAGE, "key wants one of generate, import, show; imgfactory help key tells what they do");
    return false;
}

/* The index of a word among names. */
static bool choose(const char *word, const char *const *names, const char *option, size_t *ret_index, struct err *err)
{
    for (*ret_index = 0; word && names[*ret_index]; ++*ret_index) {
        if (strcmp(word, names[*ret_index]) == 0)
            return true;
    }
    if (word)
        err_set(err, ERR_USAGE, "%s: %s is none of %s and %s", option, word, names[0], names[1]);
    *ret_index = 0;
    return !word;
}

/* --- files --- */

/* Makes a file that is not there yet. */
static bool write_new(const char *path, struct text bytes, mode_t mode, struct err *err)
{
    AUTO(auto_close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0 && errno == EEXIST) {
        err_set(err, ERR_USAGE, "%s is there already, and no key is written over; name another file", path);
        return false;
    }
    bool is_written = fd >= 0 && fchmod(fd, mode) == 0;
    if (!is_written)
        err_set_errno(err, errno, "%s cannot be made", path);
    is_written = is_written && file_write_all(fd, bytes.ptr, bytes.len, path, err);
    if (is_written && fsync(fd) != 0) {
        err_set_errno(err, errno, "%s cannot be written", path);
        is_written = false;
    }
    if (!is_written && fd >= 0)
        (void)unlink(path);
    return is_written;
}

/* Where the public key of a private one is: x.key → x.pub, x → x.pub. */
static const char *public_path(struct arena *arena, const char *path)
{
    struct text name = text_of(path);
    size_t len = text_has_suffix(name, ".key") && name.len > 4 ? name.len - 4 : name.len;
    return arena_printf(arena, "%.*s.pub", (int)len, path);
}

static bool is_absent(const char *path, struct err *err)
{
    if (access(path, F_OK) != 0)
        return true;
    err_set(err, ERR_USAGE, "%s is there already, and no key is written over; name another file", path);
    return false;
}

static void tell(const struct command *command, const struct sign_key *key, const char *path, const char *beside)
{
    struct digest id = sign_key_id(key);
    if (!command->options.is_quiet)
        log_line(command->log, LOG_NORMAL, "%s is the private key, %s the public one (sha256:%s)", path, beside,
                 digest_hex(&id).chars);
}

/* Writes both files, or none. */
static bool write_key(struct command *command, const struct sign_key *key, const char *path, struct passphrases *asked,
                      struct err *err)
{
    AUTO(secret_done) char *passphrase = NULL;
    AUTO(secret_buf_done) struct buf pem = {0};
    const char *beside = public_path(&command->arena, path);
    struct text shown;
    size_t form;
    if (!choose(command->options.format, key_format_names, "--format", &form, err) || !is_absent(path, err) ||
        !is_absent(beside, err) || !passphrase_new(asked, path, &passphrase, err) ||
        !sign_key_print(key, form ? SIGN_KEY_COSIGN : SIGN_KEY_PEM, passphrase, &pem, err) ||
        !sign_key_print_public(key, &command->arena, &shown, err) || !write_new(path, buf_text(&pem), 0600, err))
        return false;
    if (!write_new(beside, shown, 0644, err)) {
        (void)unlink(path);
        return false;
    }
    if (!*passphrase && !form)
        log_line(command->log, LOG_QUIET, "warning: %s is not encrypted: who can read it can sign", path);
    tell(command, key, path, beside);
    return true;
}

/* --- verbs --- */

static bool generate(struct command *command, struct passphrases *asked, struct err *err)
{
    AUTO(auto_close_sign_key) struct sign_key *key = NULL;
    const char *path = command->options.words.items[1];
    size_t type;
    return choose(command->options.key_type, key_type_names, "--type", &type, err) &&
           sign_key_generate(type ? SIGN_KEY_P256 : SIGN_KEY_ED25519, &key, err) &&
           write_key(command, key, path, asked, err);
}

static bool read_file(const char *path, struct buf *ret_bytes, struct err *err)
{
    bool is_read = file_read_at(AT_FDCWD, path, SIGN_KEY_FILE_MAX_BYTES, ret_bytes, err);
    if (!is_read)
        err->kind = ERR_USAGE;
    return is_read;
}

/* Warns of a private key that others can read: whoever did has it still, however the copy is kept. */
static void warn_of_readers(const struct command *command, const char *path)
{
    struct stat status;
    if (stat(path, &status) == 0 && (status.st_mode & 044))
        log_line(command->log, LOG_QUIET,
                 "warning: %s can be read by others (mode %04o), who may have the key; chmod 600 it, or make a new one",
                 path, (unsigned)(status.st_mode & 07777));
}

static bool import(struct command *command, struct passphrases *asked, struct err *err)
{
    AUTO(auto_close_sign_key) struct sign_key *key = NULL;
    AUTO(secret_buf_done) struct buf bytes = {0};
    const char *from = command->options.words.items[1], *path = command->options.words.items[2];
    struct sign_passphrase passphrase = passphrase_of_keys(asked);
    if (!read_file(from, &bytes, err) || !sign_key_read(from, buf_text(&bytes), &passphrase, &key, err) ||
        !write_key(command, key, path, asked, err))
        return false;
    warn_of_readers(command, from);
    return true;
}

/* Of a private key, a public one, or a signer's file. */
static bool show(struct command *command, struct passphrases *asked, struct err *err)
{
    AUTO(secret_buf_done) struct buf bytes = {0};
    AUTO(auto_close_sign_key) struct sign_key *key = NULL;
    AUTO(signers_close) struct signers signers = {0};
    const char *path = command->options.words.items[1];
    struct sign_passphrase passphrase = passphrase_of_keys(asked);
    struct text pem;
    if (!read_file(path, &bytes, err))
        return false;
    bool is_public = bytes.len && strstr(bytes.bytes, "-----BEGIN PUBLIC KEY-----");
    if (!(is_public ? sign_key_read_public(path, buf_text(&bytes), &key, err)
                    : signers_add(&signers, &command->arena, path, &passphrase, err)))
        return false;
    const struct sign_key *shown = is_public ? key : signers.items[0].key;
    struct digest id = sign_key_id(shown);
    if (!sign_key_print_public(shown, &command->arena, &pem, err))
        return false;
    if (!command->options.is_json)
        return fputs(pem.ptr, stdout) >= 0;
    json_auto_t *json = json_pack(
        "{s:s, s:s, s:s, s:s}", "imgfactory", IMGFACTORY_VERSION, "type",
        sign_key_kind(shown) == SIGN_KEY_OTHER ? "other" : key_type_names[sign_key_kind(shown) == SIGN_KEY_P256], "id",
        arena_printf(&command->arena, "sha256:%s", digest_hex(&id).chars), "public", pem.ptr);
    (void)json_dumpf(json, stdout, JSON_INDENT(2));
    (void)fputc('\n', stdout);
    return true;
}

bool key_run(struct command *command, struct err *err)
{
    AUTO(passphrases_done) struct passphrases asked = {.command = command};
    enum key_verb verb;
    if (!read_verb(command, &verb, err))
        return false;
    switch (verb) {
    case KEY_GENERATE:
        return generate(command, &asked, err);
    case KEY_IMPORT:
        return import(command, &asked, err);
    case KEY_SHOW:
        break;
    }
    return show(command, &asked, err);
}
