/* SPDX-License-Identifier: Apache-2.0 */
/* An rpmdb.sqlite of any bytes is read or refused; one that is made of the headers that were read is read as the same rows.
 * An input with 0x01 in front is one header instead, of which a database is made. */
#include "fuzz.h"

#include "rpm/rpm_header.h"
#include "rpm/rpm_sqlite.h"

#include <stdlib.h>

static void make_and_read(const struct rpm_sqlite_rows *rows)
{
    AUTO(arena_done) struct arena arena = {0};
    struct rpm_sqlite_rows again;
    struct text made;
    struct err err = {0};
    if (!rpm_sqlite_write(&arena, rows, false, &made, &err))
        return;
    if (!rpm_sqlite_read(&arena, "made", made, &again, &err) || again.count != rows->count)
        abort();
    for (size_t i = 0; i < rows->count; i++) {
        if (again.items[i].number != rows->items[i].number || !text_eq(again.items[i].header, rows->items[i].header))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(arena_done) struct arena arena = {0};
    struct rpm_sqlite_rows rows = {0};
    struct err err = {0};
    struct text text = {(const char *)bytes, len};
    if (len && bytes[0] == 1) {
        list_add(&arena, &rows, ((struct rpm_sqlite_row){1, {text.ptr + 1, len - 1}}));
        make_and_read(&rows);
    } else if (rpm_sqlite_read(&arena, "it", text, &rows, &err)) {
        make_and_read(&rows);
    }
    return 0;
}
