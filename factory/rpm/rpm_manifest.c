/* SPDX-License-Identifier: Apache-2.0 */
#include "rpm/rpm_installed.h"
#include "rpm/rpm_unpack.h"

#define PACKAGES_MAX 100000u

/* The fields of a line, with tabs between them. */
enum { NAME, VERSION, INSTALLED, BUILT, VENDOR, EPOCH, SIZE, ARCH, EPOCH_NUMBER, SOURCE, FIELDS };

/* Splits a line; false when it has another number of fields, or is of a key, which has no architecture. */
static bool split(struct text line, struct text fields[FIELDS])
{
    struct text field;
    size_t count = 0;
    while (text_next(&line, '\t', &field)) {
        if (count == FIELDS)
            return false;
        fields[count++] = field;
    }
    return count == FIELDS && fields[NAME].len && fields[VERSION].len && fields[ARCH].len &&
           !text_is(fields[ARCH], "(none)");
}

static struct installed_package package_of(struct arena *arena, const struct text fields[FIELDS])
{
    const char *version = text_dup(arena, fields[VERSION]), *epoch = text_dup(arena, fields[EPOCH_NUMBER]);
    bool has_epoch = *epoch && strspn(epoch, "0123456789") == strlen(epoch) && strspn(epoch, "0") != strlen(epoch);
    struct installed_package package = {.name = text_dup(arena, fields[NAME]),
                                        .version = has_epoch ? arena_printf(arena, "%s:%s", epoch, version) : version,
                                        .architecture = text_dup(arena, fields[ARCH])};
    rpm_installed_source(arena, text_dup(arena, fields[SOURCE]), &package);
    return package;
}

bool rpm_manifest_read(struct arena *arena, const struct ground *ground, struct installed *ret_installed,
                       bool *ret_found, struct err *err)
{
    struct text rest, line, fields[FIELDS];
    if (!ground_read(ground, RPM_LIST_DIR "/container-manifest-2", &rest, ret_found, err))
        return false;
    while (*ret_found && text_next(&rest, '\n', &line)) {
        if (!split(line, fields))
            continue;
        if (ret_installed->packages.count == PACKAGES_MAX) {
            err_set(err, ERR_MALFORMED, RPM_LIST_DIR " lists more than %u packages", PACKAGES_MAX);
            return false;
        }
        list_add(arena, &ret_installed->packages, package_of(arena, fields));
    }
    return true;
}
