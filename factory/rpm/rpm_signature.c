/* SPDX-License-Identifier: Apache-2.0 */
#include "rpm/rpm_signature.h"

#include "base/auto.h"
#include "trust/openpgp.h"

#include <openssl/evp.h>
#include <stdio.h>

#define SIGTAG_DSA 267u
#define SIGTAG_RSA 268u
#define SIGTAG_OPENPGP 278u
#define SIGTAG_PGP 1002u
#define SIGTAG_GPG 1005u

#define MAX_SIGNATURES 16u
#define MAX_SIGNATURE_BYTES ((size_t)64 << 10)

#define TYPE_BINARY 0u
#define SUBPACKET_ISSUER 16u
#define SUBPACKET_ISSUER_FINGERPRINT 33u

/* What is to be checked with what: the signatures of one kind. */
struct trial {
    struct arena *arena;
    const struct keyrings *keys;
    LIST(struct text) signatures;
    struct strings reasons; /* why those that were tried do not count */
};

static bool take_byte(struct text *rest, unsigned *ret_byte)
{
    size_t byte;
    bool is_good = openpgp_take_number(rest, 1, &byte);
    *ret_byte = is_good ? (unsigned)byte : 0;
    return is_good;
}

static void set_issuer(struct rpm_signature_packet *packet, const char *bytes)
{
    for (int i = 0; i < 8; i++)
        (void)snprintf(packet->issuer + (ptrdiff_t)2 * i, 3, "%02X", (unsigned char)bytes[i]);
}

/* Looks through one area of subpackets for who signed. */
static bool find_issuer(struct text area, struct rpm_signature_packet *packet)
{
    while (area.len) {
        unsigned kind;
        struct text body;
        if (!openpgp_take_subpacket(&area, &kind, &body))
            return false;
        if (kind == SUBPACKET_ISSUER && body.len == 8)
            set_issuer(packet, body.ptr);
        else if (kind == SUBPACKET_ISSUER_FINGERPRINT && body.len == 21)
            set_issuer(packet, body.ptr + 13);
    }
    return true;
}

static bool parse_version_3(struct text rest, struct rpm_signature_packet *packet)
{
    unsigned hashed;
    size_t time;
    if (!take_byte(&rest, &hashed) || hashed != 5 || !take_byte(&rest, &packet->type) ||
        !openpgp_take_number(&rest, 4, &time) || rest.len < 8)
        return false;
    set_issuer(packet, rest.ptr);
    rest.ptr += 8;
    rest.len -= 8;
    return take_byte(&rest, &packet->key_algorithm) && take_byte(&rest, &packet->hash_algorithm);
}

static bool parse_version_4(struct text rest, struct rpm_signature_packet *packet)
{
    if (!take_byte(&rest, &packet->type) || !take_byte(&rest, &packet->key_algorithm) ||
        !take_byte(&rest, &packet->hash_algorithm))
        return false;
    for (int i = 0; i < 2; i++) {
        size_t len;
        if (!openpgp_take_number(&rest, 2, &len) || len > rest.len ||
            !find_issuer((struct text){rest.ptr, len}, packet))
            return false;
        rest.ptr += len;
        rest.len -= len;
    }
    return true;
}

bool rpm_signature_parse(struct text bytes, struct rpm_signature_packet *ret_packet)
{
    struct text rest;
    unsigned tag;
    *ret_packet = (struct rpm_signature_packet){0};
    if (!openpgp_take_packet(&bytes, &tag, &rest) || tag != OPENPGP_SIGNATURE || bytes.len ||
        !take_byte(&rest, &ret_packet->version))
        return false;
    if (ret_packet->version == 3)
        return parse_version_3(rest, ret_packet);
    return ret_packet->version != 4 || parse_version_4(rest, ret_packet);
}

/* Returns why a signature need not be checked at all, or NULL. */
static const char *find_unfit(const struct rpm_signature_packet *packet)
{
    switch (packet->version) {
    case 3:
    case 4:
        break;
    default:
        return "is of an OpenPGP version that gpgv does not know";
    }
    if (packet->type != TYPE_BINARY)
        return "is not one over binary data";
    switch (packet->key_algorithm) {
    case 1:  /* RSA */
    case 3:  /* RSA, sign only */
    case 19: /* ECDSA */
    case 22: /* EdDSA */
        break;
    case 17:
        return "is made with DSA, which is too weak";
    default:
        return "is made with an algorithm that gpgv does not know";
    }
    if (packet->hash_algorithm == 1 || packet->hash_algorithm == 2)
        return "is made over MD5 or SHA-1, which are too weak";
    return NULL;
}

/* Notes why a signature does not count; that the next one says the same is not said again. */
static void add_reason(struct trial *trial, const char *reason)
{
    if (!strings_has(&trial->reasons, reason))
        list_add(trial->arena, &trial->reasons, reason);
}

/* Checks one signature over `message`; *ret_counts is false when it does not count. A signature that does not fit is an
 * error at once. */
static bool try_one(struct trial *trial, struct text message, struct text signature, bool *ret_counts, struct err *err)
{
    struct rpm_signature_packet packet;
    struct gpgv_verdict verdict;
    struct strings any = {0};
    *ret_counts = false;
    if (!rpm_signature_parse(signature, &packet)) {
        err_set(err, ERR_MALFORMED, "not a valid RPM package: a signature in it is not one OpenPGP signature packet");
        return false;
    }
    const char *unfit = find_unfit(&packet);
    if (unfit) {
        add_reason(trial, arena_printf(trial->arena, "the signature by key %s %s",
                                       *packet.issuer ? packet.issuer : "(not told)", unfit));
        return true;
    }
    if (!gpgv_run(trial->arena, trial->keys, message, signature, &any, &verdict, err))
        return false;
    if (verdict.has_bad) {
        err_set(err, ERR_TRUST, "its signature by key %s does not fit: the package was changed after it was signed",
                verdict.bad.items[0]);
        return false;
    }
    *ret_counts = verdict.signed_by != NULL;
    if (!*ret_counts)
        add_reason(trial, gpgv_reasons(trial->arena, &verdict));
    return true;
}

static bool try_all(struct trial *trial, struct text message, bool *ret_counts, struct err *err)
{
    *ret_counts = false;
    for (size_t i = 0; i < trial->signatures.count && !*ret_counts; i++) {
        if (!try_one(trial, message, trial->signatures.items[i], ret_counts, err))
            return false;
    }
    return true;
}

static bool add_signature(struct trial *trial, struct text signature, struct err *err)
{
    if (trial->signatures.count == MAX_SIGNATURES || signature.len > MAX_SIGNATURE_BYTES) {
        err_set(err, ERR_MALFORMED, "it has more than %u signatures, or one of more than %zu bytes", MAX_SIGNATURES,
                MAX_SIGNATURE_BYTES);
        return false;
    }
    list_add(trial->arena, &trial->signatures, signature);
    return true;
}

/* Decodes the base64 of tag OPENPGP. */
static bool add_base64(struct trial *trial, const char *base64, struct err *err)
{
    size_t len = strlen(base64);
    if (len == 0 || len % 4 || len > 2 * MAX_SIGNATURE_BYTES) {
        err_set(err, ERR_MALFORMED, "not a valid RPM package: an OpenPGP signature in it is not base64");
        return false;
    }
    unsigned char *bytes = arena_alloc(trial->arena, len / 4 * 3 + 1);
    int decoded = EVP_DecodeBlock(bytes, (const unsigned char *)base64, (int)len);
    int padding = (base64[len - 1] == '=') + (base64[len - 2] == '=');
    if (decoded < padding) {
        err_set(err, ERR_MALFORMED, "not a valid RPM package: an OpenPGP signature in it is not base64");
        return false;
    }
    return add_signature(trial, (struct text){(const char *)bytes, (size_t)(decoded - padding)}, err);
}

/* Collects the signatures of these tags, which hold one packet each. */
static bool collect(struct trial *trial, const struct rpm_header *header, const uint32_t *tags, size_t count,
                    struct err *err)
{
    trial->signatures.count = 0;
    for (size_t i = 0; i < count; i++) {
        struct text bytes;
        if (!rpm_header_binary(header, tags[i], &bytes, err) || (bytes.ptr && !add_signature(trial, bytes, err)))
            return false;
    }
    return true;
}

static bool collect_header_signatures(struct trial *trial, const struct rpm_header *header, struct err *err)
{
    static const uint32_t tags[] = {SIGTAG_RSA, SIGTAG_DSA};
    struct strings encoded;
    if (!collect(trial, header, tags, ARRAY_COUNT(tags), err) ||
        !rpm_header_strings(trial->arena, header, SIGTAG_OPENPGP, &encoded, err))
        return false;
    for (size_t i = 0; i < encoded.count; i++) {
        if (!add_base64(trial, encoded.items[i], err))
            return false;
    }
    return true;
}

static bool refuse(struct trial *trial, bool needs_payload, struct err *err)
{
    if (trial->reasons.count) {
        err_set(err, ERR_TRUST,
                "its source asks for signed packages (gpgcheck), but %s. The source's keys are from: %s",
                strings_join(trial->arena, &trial->reasons, "; "),
                trial->keys->places.count ? strings_join(trial->arena, &trial->keys->places, ", ") : "nowhere");
        return false;
    }
    err_set(err, ERR_TRUST,
            "its source asks for signed packages (gpgcheck), but it is not signed%s. If the repository's metadata is "
            "enough for you, say \"gpgcheck: false\" in the source (gpgcheck=0 in a .repo file)",
            needs_payload ? " as a whole, and its header has no digest of its payload" : "");
    return false;
}

bool rpm_signature_check(struct arena *arena, const struct rpm_archive *archive, const struct keyrings *keys,
                         bool needs_payload, bool *ret_covers_payload, struct err *err)
{
    static const uint32_t whole_tags[] = {SIGTAG_PGP, SIGTAG_GPG};
    struct trial trial = {.arena = arena, .keys = keys};
    bool is_good = false;
    *ret_covers_payload = false;
    if (!needs_payload && (!collect_header_signatures(&trial, &archive->signature, err) ||
                           !try_all(&trial, archive->header, &is_good, err)))
        return false;
    if (is_good)
        return true;
    if (!collect(&trial, &archive->signature, whole_tags, ARRAY_COUNT(whole_tags), err) ||
        !try_all(&trial, archive->signed_whole, &is_good, err))
        return false;
    *ret_covers_payload = is_good;
    return is_good || refuse(&trial, needs_payload, err);
}
