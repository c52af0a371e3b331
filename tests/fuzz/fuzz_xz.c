/* Any chunks of LZMA2 and any .xz file are decoded within their bounds, and come to an end. */
#include "fuzz.h"

#include "io/lzma2.h"
#include "io/xz_file.h"

#include <assert.h>

#define OUTPUT_BYTES_MAX ((size_t)4 << 20)
#define DICTIONARY_BYTES 5000 /* small, so that it is gone round */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct text input = {(const char *)bytes, len}, piece;
    struct lzma2 *lzma2 = lzma2_open(DICTIONARY_BYTES, UINT64_MAX);
    lzma2_begin(lzma2, input);
    for (size_t made = 0; made < OUTPUT_BYTES_MAX && !lzma2_next(lzma2, &piece) && piece.len;)
        made += piece.len;
    assert(lzma2_used(lzma2) <= len);
    lzma2_close(lzma2);

    struct xz_needs needs;
    struct err err = {0};
    if (!xz_check_dictionaries(input, "x", &needs, &err) || !needs.is_lzma2_only)
        return 0;
    struct xz_file *file = xz_file_open(input, &needs);
    for (size_t made = 0; made < OUTPUT_BYTES_MAX && !xz_file_next(file, &piece) && piece.len;)
        made += piece.len;
    xz_file_close(file);
    return 0;
}
