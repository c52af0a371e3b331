/* SPDX-License-Identifier: Apache-2.0 */
/* Packages of which nothing is in an image. */
#include "base/auto.h"
#include "ground/ground.h"
#include "sbom/vex_claims.h"
#include "source/format.h"

#define STANZAS "/var/lib/dpkg/status.d/" /* of images without a package manager: a file for each package */

/* Returns the value of a field of a stanza with its further lines; empty: it has none. */
static struct text field_of(struct text stanza, const char *name)
{
    size_t len = strlen(name);
    for (size_t at = 0; at < stanza.len;) {
        const char *newline = memchr(stanza.ptr + at, '\n', stanza.len - at);
        size_t end = newline ? (size_t)(newline - stanza.ptr) : stanza.len;
        if (end - at > len && strncasecmp(stanza.ptr + at, name, len) == 0 && stanza.ptr[at + len] == ':') {
            size_t begin = at + len + 1;
            while (end + 1 < stanza.len && (stanza.ptr[end + 1] == ' ' || stanza.ptr[end + 1] == '\t')) {
                newline = memchr(stanza.ptr + end + 1, '\n', stanza.len - end - 1);
                end = newline ? (size_t)(newline - stanza.ptr) : stanza.len;
            }
            return (struct text){stanza.ptr + begin, end - begin};
        }
        at = end + 1;
    }
    return TEXT("");
}

/* Returns whether a list of relations names a source: "glibc (= 2.36-9), gcc-12 (= 12.2.0-14)". */
static bool names_source(struct text list, const char *source)
{
    size_t len = strlen(source);
    for (size_t at = 0; at < list.len;) {
        while (at < list.len && memchr(" \t\n,", list.ptr[at], 4))
            at++;
        size_t end = at;
        while (end < list.len && !memchr(" \t\n,(:", list.ptr[end], 6))
            end++;
        if (end - at == len && memcmp(list.ptr + at, source, len) == 0)
            return true;
        while (end < list.len && list.ptr[end] != ',')
            end++;
        at = end;
    }
    return false;
}

/* Returns whether a source may be within the files of a package: it says so, or nobody can tell. */
static bool may_hold(const struct sbom *sbom, const struct sbom_package *holder, const char *source)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct err ignored = {0};
    struct text stanza;
    bool is_found;
    if (!ground_read(&sbom->side.ground, arena_printf(&scratch, STANZAS "%s", holder->from->name), &stanza, &is_found,
                     &ignored) ||
        !is_found)
        return true;
    return names_source(field_of(stanza, "Built-Using"), source) ||
           names_source(field_of(stanza, "Static-Built-Using"), source);
}

bool vex_is_absent(const struct sbom *sbom, const struct sbom_package *package)
{
    if (!package->format || package->format->purl.source_ending || !package->source_name)
        return false; /* RPMs do not tell what is statically within them */
    for (size_t i = 0; i < sbom->packages.count; i++) {
        const struct sbom_package *other = &sbom->packages.items[i];
        if (strcmp(other->from->name, package->from->name) == 0 ||
            (other->source_name && strcmp(other->source_name, package->source_name) == 0) ||
            may_hold(sbom, other, package->source_name))
            return false;
    }
    return true;
}
