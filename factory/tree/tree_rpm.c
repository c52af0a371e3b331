/* The package database of RPM images without rpm, as CBL-Mariner's and Azure Linux' distroless images have it, where
 * trivy and syft read it: container-manifest-1 is the output of `rpm -qa`, container-manifest-2 of `rpm -qa
 * --queryformat "%{NAME}\t%{VERSION}-%{RELEASE}\t%{INSTALLTIME}\t%{BUILDTIME}\t%{VENDOR}\t%{EPOCH}\t%{SIZE}\t%{ARCH}\t
 * %{EPOCHNUM}\t%{SOURCERPM}\n"`. Installed means when the image was created. */
#include "base/auto.h"
#include "tree/tree_draft.h"

#define LIST_DIR "/var/lib/rpmmanifest"
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

static bool print_package(struct arena *arena, const struct package *package, int64_t installed, struct buf *names,
                          struct buf *facts)
{
    const struct rpm_facts *rpm = &package->rpm;
    const char *name = field(arena, package->name), *arch = field(arena, package->architecture);
    const char *version = field(arena, rpm->version), *release = field(arena, rpm->release);
    return buf_printf(names, "%s-%s-%s.%s\n", name, version, release, arch) &&
           buf_printf(facts, "%s\t%s-%s\t%jd\t%jd\t%s\t%s\t%ju\t%s\t%s\t%s\n", name, version, release,
                      (intmax_t)installed, (intmax_t)package->build_time, field(arena, rpm->vendor),
                      field(arena, rpm->epoch), (uintmax_t)rpm->size_bytes, arch,
                      rpm->epoch && *rpm->epoch ? field(arena, rpm->epoch) : "0", field(arena, rpm->source_rpm));
}

bool drafts_add_rpm_list(struct drafts *drafts, const struct tree *tree, struct err *err)
{
    struct buf names AUTO(buf_done), facts AUTO(buf_done);
    buf_init(&names, LIST_MAX);
    buf_init(&facts, LIST_MAX);
    for (size_t i = 0; i < tree->package_count; i++) {
        if (tree->packages[i]->format != PACKAGE_RPM ||
            print_package(drafts->arena, tree->packages[i], tree->created_time, &names, &facts))
            continue;
        err_set(err, ERR_MALFORMED, "package %s: the list of packages in " LIST_DIR " gets too big",
                tree->packages[i]->name);
        return false;
    }
    if (!names.len)
        return true;
    return drafts_add_text(drafts, LIST_DIR "/container-manifest-1",
                           arena_strndup(drafts->arena, names.bytes, names.len), err) &&
           drafts_add_text(drafts, LIST_DIR "/container-manifest-2",
                           arena_strndup(drafts->arena, facts.bytes, facts.len), err);
}
