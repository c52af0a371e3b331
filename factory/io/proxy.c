/* SPDX-License-Identifier: Apache-2.0 */
#include "io/proxy.h"

#include "io/address.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HOST_SIZE 256
#define ADDRESS_BYTES 16

/* An IPv4 or IPv6 address; IPv4 in IPv6 ("::ffff:127.0.0.1") is IPv4. */
struct address {
    int bits; /* 32 or 128; 0: none */
    unsigned char bytes[ADDRESS_BYTES];
};

enum no_proxy_kind { NO_PROXY_ALL, NO_PROXY_NETWORK, NO_PROXY_NAME };

/* An entry of no_proxy. */
struct no_proxy {
    enum no_proxy_kind kind;
    struct address address;
    int prefix_bits;
    struct text name;   /* lower case, without dots at its ends */
    bool is_below_only; /* "*.name" */
    unsigned port;      /* 0: any */
};

/* Copies a host with a NUL, in lower case, without brackets and the root's dot; false when it is too long. */
static bool copy_host(struct text host, char *ret_host)
{
    if (host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = (struct text){host.ptr + 1, host.len - 2};
    if (host.len && host.ptr[host.len - 1] == '.')
        host.len--;
    if (!host.len || host.len >= HOST_SIZE)
        return false;
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];
        ret_host[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    ret_host[host.len] = '\0';
    return true;
}

static struct address address_of(const char *host)
{
    struct address address = {0};
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_aton(host, &v4)) {
        address.bits = 32;
        memcpy(address.bytes, &v4, sizeof v4);
    } else if (inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_V4MAPPED(&v6)) {
        address.bits = 32;
        memcpy(address.bytes, v6.s6_addr + 12, sizeof v4);
    } else if (inet_pton(AF_INET6, host, &v6) == 1) {
        address.bits = 128;
        memcpy(address.bytes, &v6, sizeof v6);
    }
    return address;
}

static bool is_in_network(const struct address *address, const struct no_proxy *entry)
{
    if (address->bits != entry->address.bits)
        return false;
    int whole = entry->prefix_bits / 8, rest = entry->prefix_bits % 8;
    if (memcmp(address->bytes, entry->address.bytes, (size_t)whole) != 0)
        return false;
    unsigned char mask = (unsigned char)(0xff00 >> rest);
    return rest == 0 || ((address->bytes[whole] ^ entry->address.bytes[whole]) & mask) == 0;
}

/* The part of a URL between its scheme and its path; *ret_user_len: how much of it is user information, with '@'. */
static struct text authority_of(const char *url, size_t *ret_user_len)
{
    const char *scheme_end = strstr(url, "://");
    const char *start = scheme_end ? scheme_end + 3 : url;
    struct text authority = {start, strcspn(start, "/?#\\")};
    *ret_user_len = 0;
    for (size_t i = 0; i < authority.len; i++) {
        if (authority.ptr[i] == '@')
            *ret_user_len = i + 1;
    }
    return authority;
}

/* Splits HOST[:PORT]; port 0 when there is none. A bare IPv6 address has none. False for a port that cannot be. */
static bool split_port(struct text whole, struct text *ret_host, unsigned *ret_port)
{
    const char *colon = memrchr(whole.ptr, ':', whole.len);
    const char *bracket = memrchr(whole.ptr, ']', whole.len);
    bool is_bare6 = colon && whole.ptr[0] != '[' && memchr(whole.ptr, ':', (size_t)(colon - whole.ptr));
    uint64_t port;
    *ret_host = whole;
    *ret_port = 0;
    if (!colon || is_bare6 || (bracket && bracket > colon))
        return true;
    size_t len = (size_t)(colon - whole.ptr);
    *ret_host = (struct text){whole.ptr, len};
    if (!text_parse_u64((struct text){colon + 1, whole.len - len - 1}, &port) || port == 0 || port > 65535)
        return false;
    *ret_port = (unsigned)port;
    return true;
}

struct text proxy_host(const char *url)
{
    size_t user_len;
    unsigned port;
    struct text authority = authority_of(url, &user_len), host;
    bool is_split = split_port((struct text){authority.ptr + user_len, authority.len - user_len}, &host, &port);
    (void)is_split; /* libcurl refuses a port that cannot be */
    return host;
}

bool proxy_has_user(const char *url)
{
    size_t user_len;
    (void)authority_of(url, &user_len);
    return user_len > 0;
}

bool proxy_is_elsewhere(const char *proxy)
{
    char host[HOST_SIZE];
    return !copy_host(proxy_host(proxy), host) || !address_is_loopback(host);
}

/* Parses one entry; false when it is none. */
static bool parse_entry(struct arena *arena, struct text text, struct no_proxy *ret_entry)
{
    struct no_proxy entry = {.kind = NO_PROXY_NAME};
    const char *slash = memchr(text.ptr, '/', text.len);
    char host[HOST_SIZE];
    uint64_t prefix = 0;
    if (text_is(text, "*")) {
        *ret_entry = (struct no_proxy){.kind = NO_PROXY_ALL};
        return true;
    }
    struct text name = slash ? (struct text){text.ptr, (size_t)(slash - text.ptr)} : text;
    if (slash && !text_parse_u64((struct text){slash + 1, text.len - name.len - 1}, &prefix))
        return false;
    if (!slash && !split_port(text, &name, &entry.port))
        return false;
    entry.is_below_only = text_has_prefix(name, "*.");
    while (name.len && (name.ptr[0] == '.' || (entry.is_below_only && name.ptr[0] == '*')))
        name = (struct text){name.ptr + 1, name.len - 1};
    if (!copy_host(name, host))
        return false;
    entry.address = address_of(host);
    entry.prefix_bits = slash ? (int)(prefix > 128 ? 129 : prefix) : entry.address.bits;
    if (entry.address.bits)
        entry.kind = NO_PROXY_NETWORK;
    else
        entry.name = text_of(arena_strdup(arena, host));
    *ret_entry = entry;
    return slash ? entry.address.bits && entry.prefix_bits <= entry.address.bits : true;
}

static bool is_named(struct text host, const struct no_proxy *entry)
{
    struct text name = entry->name;
    if (host.len == name.len)
        return text_eq(host, name) && !entry->is_below_only;
    return host.len > name.len && host.ptr[host.len - name.len - 1] == '.' &&
           memcmp(host.ptr + host.len - name.len, name.ptr, name.len) == 0;
}

static bool is_excepted(const struct proxies *proxies, const char *host, unsigned port)
{
    struct address address = address_of(host);
    for (size_t i = 0; i < proxies->excepted.count; i++) {
        const struct no_proxy *entry = &proxies->excepted.items[i];
        if (entry->port && entry->port != port)
            continue;
        if (entry->kind == NO_PROXY_ALL || (entry->kind == NO_PROXY_NETWORK && is_in_network(&address, entry)) ||
            (entry->kind == NO_PROXY_NAME && !address.bits && is_named(text_of(host), entry)))
            return true;
    }
    return false;
}

/* The host of a URL with a NUL, in lower case, and its port; false when there is none. */
static bool read_host(const char *url, char *ret_host, unsigned *ret_port)
{
    size_t user_len;
    struct text authority = authority_of(url, &user_len), host;
    if (!split_port((struct text){authority.ptr + user_len, authority.len - user_len}, &host, ret_port) ||
        !copy_host(host, ret_host))
        return false;
    *ret_port = *ret_port ? *ret_port : strncasecmp(url, "http://", 7) == 0 ? 80 : 443;
    return true;
}

bool proxy_excepts(const struct proxies *proxies, const char *url)
{
    unsigned port;
    char host[HOST_SIZE];
    return read_host(url, host, &port) && is_excepted(proxies, host, port);
}

const char *proxy_for(const struct proxies *proxies, const char *url)
{
    bool is_plain = strncasecmp(url, "http://", 7) == 0, is_secure = strncasecmp(url, "https://", 8) == 0;
    const char *proxy = is_plain ? proxies->plain : is_secure ? proxies->secure : NULL;
    unsigned port;
    char host[HOST_SIZE];
    if (!proxy || !read_host(url, host, &port))
        return proxy;
    return address_is_loopback(host) || is_excepted(proxies, host, port) ? NULL : proxy;
}

/* The first variable that says something; NULL: none. */
static const char *first_set(const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return value;
    }
    return NULL;
}

/* Reads the entries, and writes those that libcurl understands as we do for it. */
static void read_excepted(struct proxies *proxies, const char *value)
{
    struct arena *arena = &proxies->arena;
    char *words = arena_strdup(arena, value);
    struct text rest, word;
    proxies->listed = "localhost,127.0.0.0/8,::1";
    proxies->listed_alone = "";
    for (char *comma = words; (comma = strchr(comma, ','));)
        *comma = ' ';
    rest = text_of(words);
    while (text_next_word(&rest, &word)) {
        struct no_proxy entry;
        if (!parse_entry(arena, word, &entry))
            continue;
        list_add(arena, &proxies->excepted, entry);
        if (entry.kind == NO_PROXY_ALL)
            proxies->listed = proxies->listed_alone = "*";
        else if (!entry.port && !entry.is_below_only && strcmp(proxies->listed, "*") != 0) {
            proxies->listed = arena_printf(arena, "%s,%.*s", proxies->listed, (int)word.len, word.ptr);
            proxies->listed_alone = arena_printf(arena, "%s%s%.*s", proxies->listed_alone,
                                                 *proxies->listed_alone ? "," : "", (int)word.len, word.ptr);
        }
    }
}

void proxies_read(struct proxies *ret_proxies)
{
    static const char *const plain[] = {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"};
    static const char *const secure[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    static const char *const excepted[] = {"no_proxy", "NO_PROXY"};
    static const char *const of_cgi[] = {"http_proxy", "all_proxy", "ALL_PROXY"};
    struct proxies *proxies = ret_proxies;
    *proxies = (struct proxies){0};
    bool is_cgi = getenv("REQUEST_METHOD") != NULL;
    const char *first = is_cgi ? first_set(of_cgi, ARRAY_COUNT(of_cgi)) : first_set(plain, ARRAY_COUNT(plain));
    const char *value = first_set(excepted, ARRAY_COUNT(excepted));
    proxies->plain = arena_strdup(&proxies->arena, first);
    proxies->secure = arena_strdup(&proxies->arena, first_set(secure, ARRAY_COUNT(secure)));
    proxies->is_plain_mapped = !is_cgi && !first_set(plain, 1) && first_set(plain + 1, 1);
    read_excepted(proxies, value ? value : "");
}

void proxies_wipe(void)
{
    static const char *const names[] = {"http_proxy",  "HTTP_PROXY", "https_proxy",
                                        "HTTPS_PROXY", "all_proxy",  "ALL_PROXY"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        char *value = getenv(names[i]); // NOLINT(concurrency-mt-unsafe): main alone is there
        if (value && strchr(value, '@'))
            explicit_bzero(value, strlen(value));
    }
}

void proxies_done(struct proxies *proxies)
{
    arena_done(&proxies->arena);
    *proxies = (struct proxies){0};
}
