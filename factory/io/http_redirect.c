/* SPDX-License-Identifier: Apache-2.0 */
/* Where redirects of plain GETs may lead: a mirror must not make us ask what only we can reach. */
#include "base/auto.h"
#include "io/address.h"
#include "io/http_try.h"

/* Returns a part of a URL as libcurl itself reads it, after `location` was resolved against it; NULL when it cannot. */
static char *url_part(const char *base, const char *location, CURLUPart part)
{
    CURLU *url = curl_url();
    char *value = NULL;
    if (url && curl_url_set(url, CURLUPART_URL, base, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
        (!location ||
         curl_url_set(url, CURLUPART_URL, location, CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK))
        (void)curl_url_get(url, part, &value, 0);
    curl_url_cleanup(url);
    return value;
}

bool http_is_inward(const char *from, const char *to)
{
    char *from_host = url_part(from, NULL, CURLUPART_HOST), *to_host = url_part(to, NULL, CURLUPART_HOST);
    bool is_inward = from_host && to_host && !address_is_private(from_host) && address_is_private(to_host);
    curl_free(from_host);
    curl_free(to_host);
    return is_inward;
}

/* Sets the error of a redirect that is not followed. */
static void refuse_redirect(struct http_try *try, const char *target, const char *address)
{
    err_set(&try->err, ERR_NETWORK, "redirected to %s%s%s, inside this network, which is not followed from outside",
            http_show(target).chars, *address ? " at " : "", address);
}

bool http_redirect_check(struct http_try *try, struct text location)
{
    AUTO(arena_done) struct arena scratch = {0};
    char *base = NULL, *peer = NULL;
    const char *wanted = text_dup(&scratch, location);
    (void)curl_easy_getinfo(try->easy, CURLINFO_EFFECTIVE_URL, &base);
    (void)curl_easy_getinfo(try->easy, CURLINFO_PRIMARY_IP, &peer);
    char *from = url_part(base ? base : try->url, NULL, CURLUPART_HOST);
    char *to = url_part(base ? base : try->url, wanted, CURLUPART_HOST);
    char *whole = url_part(base ? base : try->url, wanted, CURLUPART_URL);
    try->is_from_public = from && !address_is_private(from) && (try->has_proxy || !peer || !address_is_private(peer));
    bool is_refused = try->is_from_public && to && address_is_private(to);
    if (is_refused)
        refuse_redirect(try, whole ? whole : wanted, "");
    curl_free(from);
    curl_free(to);
    curl_free(whole);
    return !is_refused;
}

int http_redirect_on_connected(void *argument, char *peer, char *own, int peer_port, int own_port)
{
    struct http_try *try = argument;
    char *url = NULL;
    (void)own;
    (void)peer_port;
    (void)own_port;
    if (try->has_proxy || !try->is_from_public || !peer || !address_is_private(peer))
        return CURL_PREREQFUNC_OK;
    (void)curl_easy_getinfo(try->easy, CURLINFO_EFFECTIVE_URL, &url);
    refuse_redirect(try, url ? url : try->url, peer);
    return CURL_PREREQFUNC_ABORT;
}
