/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/reference.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#define NAME_BYTES_MAX 255 /* HOST/REPOSITORY (distribution-spec, "Pulling manifests") */
#define TAG_BYTES_MAX 128
#define DOCKER_HOST "docker.io"
#define DOCKER_API_HOST "registry-1.docker.io"

#define DIGITS "0123456789"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* Returns how many bytes at the front are in `set`. */
static size_t span(struct text a, const char *set)
{
    size_t len = 0;
    while (len < a.len && a.ptr[len] && strchr(set, a.ptr[len]))
        len++;
    return len;
}

static struct text after(struct text a, size_t len)
{
    return (struct text){a.ptr + len, a.len - len};
}

static const char *find(struct text a, char wanted)
{
    return a.len ? memchr(a.ptr, wanted, a.len) : NULL;
}

bool reference_is_tag(const char *tag)
{
    struct text rest = text_of(tag);
    return rest.len > 0 && rest.len <= TAG_BYTES_MAX && tag[0] != '.' && tag[0] != '-' &&
           span(rest, LOWER UPPER DIGITS "._-") == rest.len;
}

/* [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)* */
static bool is_component(struct text part)
{
    for (;;) {
        size_t len = span(part, LOWER DIGITS);
        if (!len)
            return false;
        part = after(part, len);
        if (!part.len)
            return true;
        size_t separator_len = span(part, "._-");
        bool is_good = part.ptr[0] == '-' ? span(part, "-") == separator_len
                                          : separator_len == 1 || (separator_len == 2 && text_has_prefix(part, "__"));
        if (!is_good)
            return false;
        part = after(part, separator_len);
    }
}

static bool is_repository(struct text repository)
{
    struct text part;
    if (!repository.len || repository.ptr[repository.len - 1] == '/')
        return false;
    while (text_next(&repository, '/', &part)) {
        if (!is_component(part))
            return false;
    }
    return true;
}

static bool is_port(struct text port)
{
    uint64_t number;
    return port.len <= 5 && text_parse_u64(port, &number) && number > 0 && number <= 65535;
}

/* Letters, digits and inner '-' between dots. */
static bool is_domain(struct text domain)
{
    struct text label;
    if (!domain.len || domain.ptr[domain.len - 1] == '.')
        return false;
    while (text_next(&domain, '.', &label)) {
        if (!label.len || label.len > 63 || label.ptr[0] == '-' || label.ptr[label.len - 1] == '-' ||
            span(label, LOWER UPPER DIGITS "-") != label.len)
            return false;
    }
    return true;
}

static bool is_ipv6(struct text address)
{
    char string[INET6_ADDRSTRLEN];
    struct in6_addr parsed;
    if (address.len >= sizeof string || span(address, DIGITS "abcdefABCDEF:") != address.len)
        return false;
    memcpy(string, address.ptr, address.len);
    string[address.len] = '\0';
    return inet_pton(AF_INET6, string, &parsed) == 1;
}

/* Splits "[v6]:port" or "name:port"; false when there is no such form. ret_name is without brackets. */
static bool split_host(struct text host, struct text *ret_name, struct text *ret_port)
{
    bool is_bracketed = host.len && host.ptr[0] == '[';
    const char *end = find(host, is_bracketed ? ']' : ':');
    if (is_bracketed && !end)
        return false;
    size_t name_len = end ? (size_t)(end - host.ptr) : host.len;
    *ret_name = is_bracketed ? (struct text){host.ptr + 1, name_len - 1} : (struct text){host.ptr, name_len};
    struct text rest = after(host, is_bracketed ? name_len + 1 : name_len);
    *ret_port = (struct text){0};
    if (rest.len && rest.ptr[0] != ':')
        return false;
    if (rest.len)
        *ret_port = after(rest, 1);
    return !rest.len || is_port(*ret_port);
}

static bool is_host(struct text host)
{
    struct text name, port;
    if (!split_host(host, &name, &port))
        return false;
    return host.ptr[0] == '[' ? is_ipv6(name) : is_domain(name);
}

/* What tells a host from the first part of a repository. */
static bool has_host_look(struct text first)
{
    return first.len &&
           (find(first, '.') || find(first, ':') || first.ptr[0] == '[' || text_is_nocase(first, "localhost"));
}

static const char *lower(struct arena *arena, struct text a)
{
    char *string = text_dup(arena, a);
    for (char *at = string; *at; at++)
        *at = (char)(*at >= 'A' && *at <= 'Z' ? *at - 'A' + 'a' : *at);
    return string;
}

/* Sets the error "'string' is no image reference: why". */
static bool fail(struct arena *arena, const char *string, struct err *err, const char *why)
{
    err_set(err, ERR_USAGE, "'%s' is not an image reference (HOST/REPOSITORY[:TAG][@DIGEST]): %s",
            text_printable(arena, text_of(string)), why);
    return false;
}

/* Takes "@sha256:HEX" off the end. */
static const char *take_digest(struct text *rest, struct reference *reference)
{
    const char *at = find(*rest, '@');
    if (!at)
        return NULL;
    struct text digest = {at + 1, rest->len - (size_t)(at + 1 - rest->ptr)};
    rest->len = (size_t)(at - rest->ptr);
    if (!text_has_prefix(digest, "sha256:"))
        return "its digest must be sha256:…";
    digest = after(digest, strlen("sha256:"));
    if (span(digest, DIGITS "abcdef") != digest.len || !digest_parse(digest, &reference->digest))
        return "its digest must have 64 lower-case hex digits";
    reference->has_digest = true;
    return NULL;
}

/* Takes ":TAG" off the end of a repository. */
static const char *take_tag(struct arena *arena, struct text *rest, struct reference *reference)
{
    const char *colon = find(*rest, ':');
    if (!colon)
        return NULL;
    reference->tag = text_dup(arena, (struct text){colon + 1, rest->len - (size_t)(colon + 1 - rest->ptr)});
    rest->len = (size_t)(colon - rest->ptr);
    return reference_is_tag(reference->tag) ? NULL : "its tag must be [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}";
}

/* The names that people write for Docker's registry, and where its API is. */
static void map_docker(struct arena *arena, struct reference *reference)
{
    if (strcmp(reference->host, "index.docker.io") == 0)
        reference->host = DOCKER_HOST;
    reference->api_host = reference->host;
    if (strcmp(reference->host, DOCKER_HOST) != 0)
        return;
    reference->api_host = DOCKER_API_HOST;
    if (!strchr(reference->repository, '/'))
        reference->repository = arena_printf(arena, "library/%s", reference->repository);
}

bool reference_has_host(const char *string)
{
    const char *slash = strchr(string, '/');
    return slash && has_host_look((struct text){string, (size_t)(slash - string)});
}

/* What is to be pulled may be meant as docker would read it. */
static const char *why_not_host(struct arena *arena, const char *string, struct text host, bool is_pull)
{
    if (!has_host_look(host))
        return arena_printf(arena, "it has no host; for example %s%s",
                            !is_pull   ? "quay.io/"
                            : host.len ? "docker.io/"
                                       : "docker.io/library/",
                            text_printable(arena, text_of(string)));
    return is_host(host) ? NULL : "its host is not NAME[:PORT]";
}

static bool parse(struct arena *arena, const char *string, bool is_pull, struct reference *reference, struct err *err)
{
    struct text rest = text_of(string);
    const char *slash = find(rest, '/');
    struct text host = {string, slash ? (size_t)(slash - string) : 0};
    const char *why = why_not_host(arena, string, host, is_pull);
    if (why)
        return fail(arena, string, err, why);
    reference->host = lower(arena, host);
    rest = after(rest, host.len + 1);
    why = take_digest(&rest, reference);
    if (!why)
        why = take_tag(arena, &rest, reference);
    if (!why && !is_repository(rest))
        why = "its repository must be [a-z0-9]+([._-][a-z0-9]+)* between slashes, in lower case";
    if (why)
        return fail(arena, string, err, why);
    reference->repository = text_dup(arena, rest);
    map_docker(arena, reference);
    if (strlen(reference->host) + 1 + strlen(reference->repository) > NAME_BYTES_MAX)
        return fail(arena, string, err, "host and repository are longer than 255 bytes");
    return true;
}

bool reference_parse(struct arena *arena, const char *string, bool is_tag_default, struct reference *ret_reference,
                     struct err *err)
{
    struct reference reference = {0};
    const char *scheme = strstr(string, "://"), *at = strchr(string, '@');
    const char *slash = strchr(scheme ? scheme + 3 : string, '/');
    bool is_user_info = at && (slash ? at < slash : strncmp(at, "@sha256:", strlen("@sha256:")) != 0);
    if (is_user_info) { /* it may hold a password: repeat nothing of it */
        err_set(err, ERR_USAGE, "an image reference holds no user name or password: use imgfactory login");
        return false;
    }
    if (scheme)
        return fail(arena, string, err, "write it without the part up to '://'");
    if (!parse(arena, string, is_tag_default, &reference, err))
        return false;
    if (is_tag_default && !reference.tag && !reference.has_digest)
        reference.tag = "latest";
    *ret_reference = reference;
    return true;
}

const char *reference_print(struct arena *arena, const struct reference *reference)
{
    return arena_printf(arena, "%s/%s%s%s%s%s", reference->host, reference->repository, reference->tag ? ":" : "",
                        reference->tag ? reference->tag : "", reference->has_digest ? "@sha256:" : "",
                        reference->has_digest ? digest_hex(&reference->digest).chars : "");
}

bool reference_is_loopback(const struct reference *reference)
{
    struct text name, port;
    char string[INET6_ADDRSTRLEN];
    struct in_addr v4;
    struct in6_addr v6;
    if (!split_host(text_of(reference->host), &name, &port))
        return false;
    if (text_is_nocase(name, "localhost"))
        return true;
    if (name.len >= sizeof string)
        return false;
    memcpy(string, name.ptr, name.len);
    string[name.len] = '\0';
    if (reference->host[0] == '[')
        return inet_pton(AF_INET6, string, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
    return inet_pton(AF_INET, string, &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}
