/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl takes one bundle of CAs: the system's and further ones are joined in memory. */
#include "io/http_call.h"

#include "base/auto.h"
#include "io/file.h"

#include <fcntl.h>

#define SYSTEM_BUNDLE_BYTES_MAX ((size_t)16 * 1024 * 1024)

/* A system without a bundle has no CAs to add to (what its directory of CAs holds counts in any case). */
static bool join_authorities(const struct http_tls *tls, struct buf *authorities, struct err *err)
{
    const char *system = tls->ca_file ? tls->ca_file : curl_version_info(CURLVERSION_NOW)->cainfo;
    struct err absent = {0};
    AUTO(buf_done) struct buf bundle = {0};
    size_t len = strlen(tls->ca_pem);
    if (system && !file_read_at(AT_FDCWD, system, SYSTEM_BUNDLE_BYTES_MAX, &bundle, &absent))
        bundle = (struct buf){0};
    if (err_is_shortage(&absent)) {
        *err = absent;
        return false;
    }
    buf_init(authorities, bundle.len + 1 + len);
    return buf_add(authorities, bundle.bytes, bundle.len) && buf_add(authorities, "\n", 1) &&
           buf_add(authorities, tls->ca_pem, len);
}

static bool add_authorities(CURL *easy, const struct http_tls *tls, struct buf *authorities, struct err *err)
{
    if (!join_authorities(tls, authorities, err))
        return false;
    struct curl_blob blob = {.data = authorities->bytes, .len = authorities->len, .flags = CURL_BLOB_NOCOPY};
    return curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob) == CURLE_OK;
}

bool http_tls_set_up(CURL *easy, const struct http_tls *tls, struct buf *authorities, struct err *err)
{
    if (tls->ca_pem ? !add_authorities(easy, tls, authorities, err)
                    : tls->ca_file && curl_easy_setopt(easy, CURLOPT_CAINFO, tls->ca_file) != CURLE_OK)
        return false;
    if (tls->ca_dir && curl_easy_setopt(easy, CURLOPT_CAPATH, tls->ca_dir) != CURLE_OK)
        return false;
    if (tls->cert_path && curl_easy_setopt(easy, CURLOPT_SSLCERT, tls->cert_path) != CURLE_OK)
        return false;
    if (tls->key_path && curl_easy_setopt(easy, CURLOPT_SSLKEY, tls->key_path) != CURLE_OK)
        return false;
    return !tls->is_verify_off || (curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L) == CURLE_OK &&
                                   curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L) == CURLE_OK);
}
