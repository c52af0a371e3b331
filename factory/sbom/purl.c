/* SPDX-License-Identifier: Apache-2.0 */
#include "sbom/purl.h"

#include "source/format.h"

#include <ctype.h>

const char *purl_encode(struct arena *arena, const char *string)
{
    static const char digits[] = "0123456789ABCDEF";
    char *encoded = arena_alloc(arena, strlen(string) * 3 + 1), *to = encoded;
    for (const char *c = string; *c; c++) {
        if (isalnum((unsigned char)*c) || strchr(".-_~:", *c)) {
            *to++ = *c;
        } else {
            *to++ = '%';
            *to++ = digits[(unsigned char)*c >> 4];
            *to++ = digits[(unsigned char)*c & 15];
        }
    }
    return encoded;
}

static const char *lower(struct arena *arena, const char *string)
{
    char *lowered = arena_strndup(arena, string, strlen(string));
    for (char *c = lowered; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return lowered;
}

/* "debian", "redhat": of distributions whose ID is another one. */
static const char *namespace_of(struct arena *arena, const struct sbom *sbom)
{
    if (strcmp(sbom->os_id, "rhel") == 0)
        return "redhat";
    if (strncmp(sbom->os_id, "opensuse", strlen("opensuse")) == 0)
        return "opensuse";
    return lower(arena, *sbom->os_id ? sbom->os_id : "unknown");
}

/* "&distro=debian-12"; scanners split it at the last '-', so that an ID must not end there. */
static const char *distribution_of(struct arena *arena, const struct sbom *sbom)
{
    const char *id = *sbom->os_id ? lower(arena, sbom->os_id) : "";
    if (!*id)
        return "";
    if (strcmp(id, "centos-stream") == 0)
        id = "centos";
    return arena_printf(arena, "&distro=%s%s%s", purl_encode(arena, id), *sbom->os_version ? "-" : "",
                        purl_encode(arena, sbom->os_version));
}

static const char *upstream_of(struct arena *arena, const struct sbom_package *package)
{
    if (!package->source_name)
        return "";
    if (package->format && package->format->purl.source_ending)
        return package->source_version
                   ? arena_printf(
                         arena, "&upstream=%s",
                         purl_encode(arena, arena_printf(arena, "%s-%s%s", package->source_name,
                                                         package->source_version, package->format->purl.source_ending)))
                   : "";
    bool is_other_version = package->source_version && strcmp(package->source_version, package->version) != 0;
    if (strcmp(package->source_name, package->name) == 0 && !is_other_version)
        return "";
    return arena_printf(arena, "&upstream=%s%s%s", purl_encode(arena, package->source_name),
                        is_other_version ? "%40" : "",
                        is_other_version ? purl_encode(arena, package->source_version) : "");
}

static const char *type_of(const struct sbom_package *package)
{
    return package->format ? package->format->name : "generic";
}

const char *purl_of_package(struct arena *arena, const struct sbom *sbom, const struct sbom_package *package)
{
    return arena_printf(arena, "pkg:%s/%s/%s@%s?arch=%s%s%s%s%s", type_of(package),
                        purl_encode(arena, namespace_of(arena, sbom)), purl_encode(arena, package->name),
                        purl_encode(arena, package->version), purl_encode(arena, package->from->architecture),
                        distribution_of(arena, sbom), package->epoch ? "&epoch=" : "",
                        package->epoch ? package->epoch : "", upstream_of(arena, package));
}

const char *purl_of_source(struct arena *arena, const struct sbom *sbom, const struct sbom_package *package)
{
    if (!package->source_name || !package->source_version)
        return NULL;
    return arena_printf(arena, "pkg:%s/%s/%s@%s?arch=%s", type_of(package),
                        purl_encode(arena, namespace_of(arena, sbom)), purl_encode(arena, package->source_name),
                        purl_encode(arena, package->source_version),
                        package->format ? package->format->purl.source_arch : "source");
}

const char *purl_of_digest(struct arena *arena, const char *image, const struct digest *digest)
{
    return arena_printf(arena, "pkg:oci/%s@sha256:%s", purl_encode(arena, lower(arena, image)),
                        digest_hex(digest).chars);
}

struct strings purls_of_name(struct arena *arena, const struct sbom *sbom, const struct sbom_package *package)
{
    struct strings purls = {0};
    list_add(arena, &purls,
             arena_printf(arena, "pkg:%s/%s/%s", type_of(package), purl_encode(arena, namespace_of(arena, sbom)),
                          purl_encode(arena, package->name)));
    if (package->format && package->format->purl.source_ending)
        list_add(arena, &purls, arena_printf(arena, "pkg:%s/%s", type_of(package), purl_encode(arena, package->name)));
    return purls;
}

const char *purl_of_image(struct arena *arena, const struct sbom *sbom)
{
    const char *repository = sbom->image.repository, *tag = sbom->image.tag;
    return arena_printf(
        arena, "pkg:oci/%s@sha256:%s?arch=%s%s%s%s%s", purl_encode(arena, lower(arena, sbom->image.name)),
        digest_hex(&sbom->manifest).chars, purl_encode(arena, sbom->architecture), repository ? "&repository_url=" : "",
        repository ? purl_encode(arena, repository) : "", tag ? "&tag=" : "", tag ? purl_encode(arena, tag) : "");
}
