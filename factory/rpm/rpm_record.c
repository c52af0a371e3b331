/* SPDX-License-Identifier: Apache-2.0 */
#include "rpm/rpm_record.h"

#include "rpm/rpm_archive.h"

bool rpm_record(struct arena *arena, struct text bytes, const struct unpack_limits *limits, struct record *ret_record,
                struct err *err)
{
    struct rpm_archive archive;
    (void)limits;
    if (!rpm_archive_read(arena, bytes, &archive, err))
        return false;
    struct record_item header = {RPM_RECORD_HEADER, 0644, archive.header},
                       signature = {RPM_RECORD_SIGNATURE, 0644, archive.signature.bytes};
    list_add(arena, ret_record, header);
    list_add(arena, ret_record, signature);
    return true;
}
