/* SPDX-License-Identifier: Apache-2.0 */
/* proxy.h - which transfers go through a proxy of the environment, and which never
 *
 * http_proxy, https_proxy, all_proxy and no_proxy, in lower case or else in upper case, as curl(1) and Go's programs
 * read them (HTTP_PROXY not where REQUEST_METHOD says that a web server set it). Loopback hosts are never proxied.
 * Entries of no_proxy, separated by commas or blanks: "*"; a name, which is also for what ends in ".name", with or
 * without a dot before it; "*.name", for what ends so only; an address; a network ("10.0.0.0/8", "fd00::/8"); a name or
 * address with ":PORT" for that port only. What is none of these is ignored.
 * Threads: read once, then const.
 * Owns: its strings, until proxies_done().
 */
#ifndef IMGFACTORY_IO_PROXY_H
#define IMGFACTORY_IO_PROXY_H

#include "base/arena.h"
#include "base/text.h"

struct no_proxy;

struct proxies {
    struct arena arena;
    const char *plain, *secure; /* for http: and https: URLs; NULL: none */
    bool is_plain_mapped;       /* plain is from HTTP_PROXY, which libcurl does not read by itself */
    LIST(struct no_proxy) excepted;
    const char *listed; /* for CURLOPT_NOPROXY: loopback and the entries without ports, for what a redirect leads to */
    const char *listed_alone; /* the same without loopback */
};

/* Reads the environment. */
void proxies_read(struct proxies *ret_proxies);
void proxies_done(struct proxies *proxies);
/* Empties the variables of the environment that name a proxy with a user: another process has them (broker.h). */
void proxies_wipe(void);
/* Returns the proxy that a URL is fetched through, or NULL for none (also for file:). */
const char *proxy_for(const struct proxies *proxies, const char *url);
/* Returns whether no_proxy excepts the host of a URL; loopback alone is no reason. */
bool proxy_excepts(const struct proxies *proxies, const char *url);
/* Returns whether a proxy is on another machine than this one. */
bool proxy_is_elsewhere(const char *proxy);
/* Returns the host of a URL or of a proxy ("[::1]" without its brackets), without user information and port. */
struct text proxy_host(const char *url);
/* Returns whether a URL has user information. */
bool proxy_has_user(const char *url);

#endif
