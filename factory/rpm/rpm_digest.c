/* SPDX-License-Identifier: Apache-2.0 */
#include "rpm/rpm_digest.h"

#include "base/auto.h"

#include <assert.h>
#include <openssl/evp.h>

/* Indexed by the number of the algorithm. */
static const char *const names[] = {
    [1] = "MD5",     [2] = "SHA1",    [8] = "SHA256",    [9] = "SHA384",
    [10] = "SHA512", [11] = "SHA224", [12] = "SHA3-256", [14] = "SHA3-512",
};

bool rpm_digest_is_known(uint64_t algorithm)
{
    return algorithm < ARRAY_COUNT(names) && names[algorithm] != NULL;
}

bool rpm_digest_is_strong(uint64_t algorithm)
{
    return rpm_digest_is_known(algorithm) && algorithm >= RPM_SHA256 && algorithm != 11;
}

bool rpm_digest_begin(struct rpm_digest *digest, uint64_t algorithm)
{
    assert(rpm_digest_is_known(algorithm));
    EVP_MD *method = EVP_MD_fetch(NULL, names[algorithm], NULL);
    if (!method)
        return false;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context)
        memory_abort(0);
    bool is_begun = EVP_DigestInit_ex(context, method, NULL) == 1;
    EVP_MD_free(method);
    if (!is_begun) {
        EVP_MD_CTX_free(context);
        return false;
    }
    digest->context = context;
    return true;
}

void rpm_digest_feed(struct rpm_digest *digest, struct text bytes)
{
    if (digest->context && EVP_DigestUpdate(digest->context, bytes.ptr, bytes.len) != 1)
        memory_abort(0);
}

bool rpm_digest_end(struct rpm_digest *digest, const char *expected)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[EVP_MAX_MD_SIZE];
    char hex[RPM_DIGEST_HEX_SIZE];
    unsigned len = 0;
    if (EVP_DigestFinal_ex(digest->context, bytes, &len) != 1)
        memory_abort(0);
    rpm_digest_abandon(digest);
    for (unsigned i = 0; i < len; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    return text_is_nocase((struct text){hex, (size_t)2 * len}, expected);
}

void rpm_digest_abandon(struct rpm_digest *digest)
{
    EVP_MD_CTX_free(digest->context);
    digest->context = NULL;
}

bool rpm_digest_matches(uint64_t algorithm, struct text bytes, const char *expected)
{
    AUTO(rpm_digest_abandon) struct rpm_digest digest = {0};
    if (!rpm_digest_begin(&digest, algorithm))
        return !rpm_digest_is_strong(algorithm);
    rpm_digest_feed(&digest, bytes);
    return rpm_digest_end(&digest, expected);
}
