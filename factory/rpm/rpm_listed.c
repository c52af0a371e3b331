/* SPDX-License-Identifier: Apache-2.0 */
#include "rpm/rpm_listed.h"

#include "rpm/rpm_tags.h"

#define TAG_DIRINDEXES 1116u
#define PATH_MAX_BYTES 4096u

bool rpm_listed_read(struct arena *arena, const struct rpm_header *header, struct rpm_listed *ret_listed,
                     struct err *err)
{
    struct rpm_listed listed;
    if (!rpm_header_strings(arena, header, RPM_TAG_DIRNAMES, &listed.folders, err) ||
        !rpm_header_strings(arena, header, RPM_TAG_BASENAMES, &listed.names, err) ||
        !rpm_header_numbers(arena, header, TAG_DIRINDEXES, &listed.indices, err) ||
        !rpm_header_numbers(arena, header, RPM_TAG_FILEFLAGS, &listed.flags, err))
        return false;
    bool is_good =
        listed.names.count == listed.indices.count && (!listed.flags.count || listed.flags.count == listed.names.count);
    for (size_t i = 0; is_good && i < listed.indices.count; i++)
        is_good = listed.indices.items[i] < listed.folders.count;
    for (size_t i = 0; is_good && i < listed.folders.count; i++)
        is_good = strlen(listed.folders.items[i]) < PATH_MAX_BYTES;
    for (size_t i = 0; is_good && i < listed.names.count; i++)
        is_good = strlen(listed.names.items[i]) < PATH_MAX_BYTES;
    if (!is_good) {
        err_set(err, ERR_MALFORMED, "the files of its header have no folders, or names that are too long");
        return false;
    }
    *ret_listed = listed;
    return true;
}

const char *rpm_listed_path(struct arena *arena, const struct rpm_listed *listed, size_t index)
{
    return arena_printf(arena, "%s%s", listed->folders.items[listed->indices.items[index]], listed->names.items[index]);
}
