/* SPDX-License-Identifier: Apache-2.0 */
/* All plain keyrings are joined into one part, since gpgv takes at most 40 keyring files; keyboxes cannot be joined. */
#include "trust/keyring.h"

#include <errno.h>
#include <fcntl.h>

#include <openssl/evp.h>

#include "base/auto.h"
#include "io/file.h"

#define KEYRING_MAX_BYTES (16u << 20)

/* Decodes base64 with its padding; false when it is not. */
static bool decode_base64(struct arena *arena, struct buf *base64, struct text *ret_binary)
{
    if (!base64->len || base64->len % 4 || base64->len > KEYRING_MAX_BYTES)
        return false;
    size_t padding = (base64->bytes[base64->len - 1] == '=') + (size_t)(base64->bytes[base64->len - 2] == '=');
    unsigned char *binary = arena_alloc(arena, base64->len / 4 * 3 + 1);
    int len = EVP_DecodeBlock(binary, (const unsigned char *)base64->bytes, (int)base64->len);
    if (len < 0 || (size_t)len < padding)
        return false;
    *ret_binary = (struct text){(const char *)binary, (size_t)len - padding};
    return true;
}

/* Reads one block up to its END line: headers, a blank line, base64, an optional checksum "=XXXX" (which RFC 9580 tells
 * readers to ignore). */
static bool read_block(struct arena *arena, struct text *rest, struct buf *binary)
{
    AUTO(buf_done) struct buf base64;
    buf_init(&base64, KEYRING_MAX_BYTES);
    bool is_in_headers = true;
    struct text line, decoded;
    while (text_next(rest, '\n', &line)) {
        line = text_trim(line);
        if (text_has_prefix(line, "-----END"))
            return decode_base64(arena, &base64, &decoded) && buf_add(binary, decoded.ptr, decoded.len);
        bool is_header = line.len && memchr(line.ptr, ':', line.len);
        if (is_in_headers && (is_header || !line.len))
            continue;
        is_in_headers = false;
        bool is_checksum = line.len == 5 && line.ptr[0] == '=';
        if (!is_checksum && !buf_add(&base64, line.ptr, line.len))
            return false;
    }
    return false;
}

bool keyring_dearmour(struct arena *arena, struct text bytes, struct text *ret_binary)
{
    AUTO(buf_done) struct buf binary;
    buf_init(&binary, KEYRING_MAX_BYTES);
    struct text line;
    while (text_next(&bytes, '\n', &line)) {
        if (text_is(text_trim(line), "-----BEGIN PGP PUBLIC KEY BLOCK-----") && !read_block(arena, &bytes, &binary))
            return false;
    }
    if (!binary.len)
        return false;
    *ret_binary = (struct text){arena_strndup(arena, binary.bytes, binary.len), binary.len};
    return true;
}

static bool is_keybox(struct text bytes)
{
    return bytes.len >= 12 && memcmp(bytes.ptr + 8, "KBXf", 4) == 0;
}

/* Takes the keys of one file or inline key; returns why it has none, or NULL. */
static const char *take_keys(struct arena *arena, struct text bytes, struct buf *joined, struct keyrings *keyrings)
{
    struct text binary = bytes;
    if (!bytes.len)
        return "empty";
    if (is_keybox(bytes)) {
        struct text part = {arena_strndup(arena, bytes.ptr, bytes.len), bytes.len};
        list_add(arena, &keyrings->parts, part);
        return NULL;
    }
    bool is_packet = (unsigned char)bytes.ptr[0] & 0x80;
    if (!is_packet && !keyring_dearmour(arena, bytes, &binary))
        return "not a public key file";
    if (!keyring_is_whole(binary))
        return "damaged: its packets are broken or cut, or none is a key";
    if (!buf_add(joined, binary.ptr, binary.len))
        return "too big";
    return NULL;
}

/* A file that is no keyring is noted; false only when this machine could not open one more file. */
static bool read_keyring(struct arena *arena, const char *path, struct buf *joined, struct keyrings *keyrings,
                         struct err *err)
{
    AUTO(buf_done) struct buf bytes = {0};
    struct err failed = {0};
    const char *why = NULL;
    if (!file_read_at(AT_FDCWD, path, KEYRING_MAX_BYTES, &bytes, &failed)) {
        if (err_is_shortage(&failed)) {
            *err = failed;
            return false;
        }
        why = failed.detail ? strerrordesc_np(failed.detail) : "not readable";
    } else
        why = take_keys(arena, (struct text){bytes.bytes, bytes.len}, joined, keyrings);
    if (why)
        list_add(arena, &keyrings->unfit, arena_printf(arena, "%s (%s)", path, why));
    else
        list_add(arena, &keyrings->places, path);
    return true;
}

void keyrings_warn_unfit(struct log *log, struct arena *arena, const char *name, const struct keyrings *keyrings)
{
    if (keyrings->unfit.count)
        log_line(log, LOG_QUIET, "warning: %s: passed over as keys: %s", name,
                 strings_join(arena, &keyrings->unfit, ", "));
}

static struct digest digest_all(const struct keyrings *keyrings, const struct strings *fingerprints)
{
    struct digest_stream stream;
    digest_begin(&stream);
    for (size_t i = 0; i < keyrings->parts.count; i++) {
        struct digest part = digest_of(keyrings->parts.items[i].ptr, keyrings->parts.items[i].len);
        digest_feed(&stream, part.bytes, sizeof part.bytes);
    }
    for (size_t i = 0; i < fingerprints->count; i++)
        digest_feed(&stream, fingerprints->items[i], strlen(fingerprints->items[i]) + 1);
    return digest_end(&stream);
}

bool keyrings_load(struct arena *arena, const struct key_lists *lists, struct keyrings *ret_keyrings, struct err *err)
{
    struct keyrings keyrings = {0};
    AUTO(buf_done) struct buf joined;
    buf_init(&joined, 4 * KEYRING_MAX_BYTES);
    for (size_t i = 0; i < lists->paths->count; i++) {
        if (!read_keyring(arena, lists->paths->items[i], &joined, &keyrings, err))
            return false;
    }
    for (size_t i = 0; i < lists->inline_keys->count; i++) {
        const char *place = arena_printf(arena, "the key in %s", lists->place);
        const char *why = take_keys(arena, text_of(lists->inline_keys->items[i]), &joined, &keyrings);
        if (why)
            list_add(arena, &keyrings.unfit, arena_printf(arena, "%s (%s)", place, why));
        else
            list_add(arena, &keyrings.places, place);
    }
    if (joined.len) {
        struct text part = {arena_strndup(arena, joined.bytes, joined.len), joined.len};
        list_add(arena, &keyrings.parts, part);
    }
    if (!keyrings.parts.count) {
        err_set(err, ERR_TRUST, "%s (%s): no public key to check its signature with; looked at: %s", lists->name,
                lists->place, keyrings.unfit.count ? strings_join(arena, &keyrings.unfit, ", ") : "nothing");
        err->detail = KEYRING_LACKS;
        return false;
    }
    keyrings.digest = digest_all(&keyrings, lists->fingerprints);
    *ret_keyrings = keyrings;
    return true;
}
