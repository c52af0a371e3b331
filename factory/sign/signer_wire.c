/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/signer_wire.h"

#include "base/auto.h"
#include "io/child.h"
#include "registry/credentials_secret.h"

#include <errno.h>
#include <unistd.h>

#define WORDS_MAX 4096u
#define WITHIN_MAX_BYTES ((size_t)1 << 20) /* longer ones go as a file */

bool signer_wire_put(struct wire_writer *writer, const struct signer *signer, struct err *err)
{
    AUTO(secret_buf_done) struct buf private = {0};
    AUTO(arena_done) struct arena scratch = {0};
    bool is_command = signer->command.count;
    struct text key = {"", 0};
    if (is_command ? !sign_key_print_public(signer->key, &scratch, &key, err)
                   : !sign_key_print(signer->key, SIGN_KEY_PEM, "", &private, err))
        return false;
    wire_put_string(writer, signer->name);
    wire_put_strings(writer, signer->command.items, signer->command.count);
    wire_put_strings(writer, signer->environment.items, signer->environment.count);
    wire_put_text(writer, is_command ? key : buf_text(&private));
    if (writer->is_full)
        err_set(err, ERR_USAGE, "%s: too large", signer->name);
    return !writer->is_full;
}

static void get_words(struct wire_reader *reader, struct arena *arena, struct strings *ret_words)
{
    size_t count;
    const char *const *words = wire_get_strings(reader, arena, WORDS_MAX, &count);
    for (size_t i = 0; i < count; i++)
        list_add(arena, ret_words, words[i]);
}

bool signer_wire_get(struct wire_reader *reader, struct arena *arena, struct signer *ret_signer, struct err *err)
{
    struct signer signer = {.name = wire_get_string(reader, arena)};
    get_words(reader, arena, &signer.command);
    get_words(reader, arena, &signer.environment);
    struct text key = wire_get_text(reader);
    if (!wire_is_good(reader) || !signer.name) {
        err_set(err, ERR_INTERNAL, "what is to be a signer is none");
        return false;
    }
    if (!(signer.command.count ? sign_key_read_public(signer.name, key, &signer.key, err)
                               : sign_key_read(signer.name, key, NULL, &signer.key, err)))
        return false;
    *ret_signer = signer;
    return true;
}

bool signer_wire_put_bytes(struct wire_writer *writer, struct text bytes, int *ret_fd, struct err *err)
{
    bool is_within = bytes.len <= WITHIN_MAX_BYTES;
    *ret_fd = -1;
    wire_put(writer, bytes.len);
    wire_put_text(writer, is_within ? bytes : (struct text){"", 0});
    return is_within || child_memory_file("what is signed", bytes.ptr, bytes.len, ret_fd, err);
}

/* Who made the file can make it shorter meanwhile. */
static bool read_all(int fd, char *bytes, size_t len, struct err *err)
{
    for (size_t done = 0; done < len;) {
        ssize_t got = pread(fd, bytes + done, len - done, (off_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            err_set(err, ERR_INTERNAL, "what is to be signed is not all there");
            return false;
        }
        done += (size_t)got;
    }
    return true;
}

bool signer_wire_get_bytes(struct wire_reader *reader, int fd, struct buf *ret, struct err *err)
{
    size_t len = (size_t)wire_get_below(reader, SIGN_BYTES_MAX);
    struct text within = wire_get_text(reader);
    buf_init(ret, SIGN_BYTES_MAX);
    if (!wire_is_good(reader) || (fd < 0 && within.len != len) || !buf_reserve(ret, len)) {
        err_set(err, ERR_INTERNAL, "what is to be signed is no message");
        return false;
    }
    if (fd < 0)
        return buf_add(ret, within.ptr, within.len);
    if (!read_all(fd, ret->bytes, len, err))
        return false;
    ret->len = len;
    return true;
}
