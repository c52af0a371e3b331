/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are a bill or refused; what is read can be written, and is then read as the same. */
#include "fuzz.h"

#include "bill/bill.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena arena = {0};
    struct bill bill, again;
    struct text first, second;
    if (bill_read(&arena, (struct text){(const char *)bytes, len}, &bill)) {
        if (!bill_text(&arena, &bill, &first) || !bill_read(&arena, first, &again) ||
            !bill_text(&arena, &again, &second) || !text_eq(first, second))
            abort();
    }
    arena_done(&arena);
    return 0;
}
