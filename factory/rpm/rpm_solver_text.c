/* SPDX-License-Identifier: Apache-2.0 */
/* What the solver needs of installed packages, as text, a line each; columns are parted by tabs:
 *   p NAME EVR ARCHITECTURE        a package begins
 *   P|R|C|O NAME [FLAGS EVR]       it provides, requires, conflicts with, obsoletes; FLAGS are libsolv's (1 >, 2 =, 4 <)
 *   d FOLDER                       the folder, with its slash, of …
 *   f NAME                         … the files that follow
 * What only installing asks for (rpmlib(…)) is left out, as in repositories. */
#include "rpm/rpm_installed.h"
#include "rpm/rpm_listed.h"
#include "rpm/rpm_tags.h"

#include "base/auto.h"

#define TEXT_MAX ((size_t)256 << 20)
#define FILES_MAX 4000000u

struct printing {
    struct arena *arena;
    struct buf *text;
    size_t file_count;
    struct err *err;
};

/* A line break or tab in it would make other lines. */
static bool is_line(const char *string)
{
    return !strpbrk(string, "\t\n\r");
}

static bool too_long(const struct printing *printing)
{
    err_set(printing->err, ERR_MALFORMED, "the base's packages list more than can be read: %zu bytes, %u files",
            TEXT_MAX, FILES_MAX);
    return false;
}

static unsigned solver_flags(uint64_t flags)
{
    return (flags & RPM_SENSE_GREATER ? 1u : 0) | (flags & RPM_SENSE_EQUAL ? 2u : 0) |
           (flags & RPM_SENSE_LESS ? 4u : 0);
}

static bool print_relations(const struct printing *printing, const struct rpm_header *header, char kind,
                            uint32_t name_tag, uint32_t flags_tag)
{
    struct strings names, versions;
    struct rpm_numbers flags;
    uint32_t version_tag =
        flags_tag + 1 == name_tag ? name_tag + 1 : flags_tag + 1; /* those that came later stand apart */
    if (!rpm_header_strings(printing->arena, header, name_tag, &names, printing->err) ||
        !rpm_header_strings(printing->arena, header, version_tag, &versions, printing->err) ||
        !rpm_header_numbers(printing->arena, header, flags_tag, &flags, printing->err))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        uint64_t sense = i < flags.count ? flags.items[i] : 0;
        const char *version = i < versions.count ? versions.items[i] : "";
        unsigned relation = *version ? solver_flags(sense) : 0;
        if ((sense & RPM_SENSE_RPMLIB) || strncmp(names.items[i], "rpmlib(", 7) == 0)
            continue;
        if (!*names.items[i] || !is_line(names.items[i]) || !is_line(version)) {
            err_set(printing->err, ERR_MALFORMED, "a relation of it is no word");
            return false;
        }
        if (!(relation ? buf_printf(printing->text, "%c\t%s\t%u\t%s\n", kind, names.items[i], relation, version)
                       : buf_printf(printing->text, "%c\t%s\n", kind, names.items[i])))
            return too_long(printing);
    }
    return true;
}

static bool print_files(struct printing *printing, const struct rpm_header *header)
{
    struct rpm_listed listed;
    uint64_t folder = UINT64_MAX;
    if (!rpm_listed_read(printing->arena, header, &listed, printing->err))
        return false;
    for (size_t i = 0; i < listed.names.count; i++) {
        const char *name = listed.names.items[i], *place = listed.folders.items[listed.indices.items[i]];
        if (!is_line(name) || !is_line(place) || !*name)
            continue; /* nothing depends on such a path */
        if (++printing->file_count > FILES_MAX ||
            (listed.indices.items[i] != folder && !buf_printf(printing->text, "d\t%s\n", place)) ||
            !buf_printf(printing->text, "f\t%s\n", name))
            return too_long(printing);
        folder = listed.indices.items[i];
    }
    return true;
}

static bool print_package(struct printing *printing, const struct rpm_installed_package *package)
{
    static const struct {
        char kind;
        uint32_t name, flags;
    } lists[] = {{'P', RPM_TAG_PROVIDENAME, RPM_TAG_PROVIDEFLAGS},
                 {'R', RPM_TAG_REQUIRENAME, RPM_TAG_REQUIREFLAGS},
                 {'C', RPM_TAG_CONFLICTNAME, RPM_TAG_CONFLICTFLAGS},
                 {'O', RPM_TAG_OBSOLETENAME, RPM_TAG_OBSOLETEFLAGS}};
    if (!buf_printf(printing->text, "p\t%s\t%s\t%s\n", package->name, package->evr, package->architecture))
        return too_long(printing);
    for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
        if (!print_relations(printing, &package->header, lists[i].kind, lists[i].name, lists[i].flags))
            return false;
    }
    return print_files(printing, &package->header);
}

bool rpm_solver_text(struct arena *arena, const struct rpm_installed *installed, struct text *ret_text, struct err *err)
{
    struct buf text AUTO(buf_done);
    struct printing printing = {.arena = arena, .text = &text, .err = err};
    buf_init(&text, TEXT_MAX);
    for (size_t i = 0; i < installed->packages.count; i++) {
        const struct rpm_installed_package *package = &installed->packages.items[i];
        if (!*package->architecture || print_package(&printing, package))
            continue;
        err_wrap(err, "the base's package %s", package->name);
        return false;
    }
    if (!text.len)
        *ret_text = TEXT("\n");
    else
        *ret_text = (struct text){arena_strndup(arena, text.bytes, text.len), text.len};
    return true;
}
