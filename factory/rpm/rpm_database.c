/* SPDX-License-Identifier: Apache-2.0 */
/* The package database of RPM images without rpm, as CBL-Mariner's and Azure Linux' distroless images have it, where
 * trivy and syft read it: container-manifest-1 is the output of `rpm -qa`, container-manifest-2 of `rpm -qa
 * --queryformat "%{NAME}\t%{VERSION}-%{RELEASE}\t%{INSTALLTIME}\t%{BUILDTIME}\t%{VENDOR}\t%{EPOCH}\t%{SIZE}\t%{ARCH}\t
 * %{EPOCHNUM}\t%{SOURCERPM}\n"`. Installed means when the image was created. A package that names no source package (rpmbuild makes
 * none such) stands as its own: rpm prints (none), for which trivy takes nothing of the list. */
#include "base/auto.h"
#include "rpm/rpm_facts.h"
#include "rpm/rpm_unpack.h"

#define LIST_MAX ((size_t)16 << 20)

/* A value as one field: rpm prints (none) for what a header has not; separators would forge fields. */
static const char *field(struct arena *arena, const char *value)
{
    if (!value || !*value)
        return "(none)";
    char *copy = arena_strdup(arena, value);
    for (char *c = copy; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            *c = ' ';
    }
    return copy;
}

static const char *fact(struct arena *arena, const struct package *package, const char *name)
{
    return field(arena, package_fact(package, name));
}

static void add_file(struct arena *arena, struct database_files *files, const char *path, const struct buf *text)
{
    struct database_file file = {path, arena_strndup(arena, text->bytes, text->len), true};
    list_add(arena, files, file);
}

static const char *source_of(struct arena *arena, const struct package *package, const char *version,
                             const char *release)
{
    const char *source = package_fact(package, RPM_SOURCE);
    return source && *source ? field(arena, source)
                             : arena_printf(arena, "%s-%s-%s.src.rpm", field(arena, package->name), version, release);
}

static bool print_package(struct arena *arena, const struct package *package, int64_t installed, struct buf *names,
                          struct buf *facts)
{
    const char *name = field(arena, package->name), *arch = field(arena, package->architecture);
    const char *version = fact(arena, package, RPM_VERSION), *release = fact(arena, package, RPM_RELEASE);
    const char *epoch = package_fact(package, RPM_EPOCH), *size = package_fact(package, RPM_SIZE);
    return buf_printf(names, "%s-%s-%s.%s\n", name, version, release, arch) &&
           buf_printf(facts, "%s\t%s-%s\t%jd\t%jd\t%s\t%s\t%s\t%s\t%s\t%s\n", name, version, release,
                      (intmax_t)installed, (intmax_t)package->build_time, fact(arena, package, RPM_VENDOR),
                      field(arena, epoch), size ? size : "0", arch, epoch && *epoch ? field(arena, epoch) : "0",
                      source_of(arena, package, version, release));
}

bool rpm_database(struct arena *arena, const struct database_request *request, struct database_files *ret_files,
                  struct err *err)
{
    struct buf names AUTO(buf_done), facts AUTO(buf_done);
    buf_init(&names, LIST_MAX);
    buf_init(&facts, LIST_MAX);
    for (size_t i = 0; i < request->count; i++) {
        const struct package *package = request->packages[i];
        if (print_package(arena, package, request->installed_time, &names, &facts))
            continue;
        err_set(err, ERR_MALFORMED, "package %s: the list of packages in " RPM_LIST_DIR " gets too big", package->name);
        return false;
    }
    if (names.len) {
        add_file(arena, ret_files, RPM_LIST_DIR "/container-manifest-1", &names);
        add_file(arena, ret_files, RPM_LIST_DIR "/container-manifest-2", &facts);
    }
    return true;
}
