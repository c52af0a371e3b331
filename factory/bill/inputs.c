#include "bill/inputs.h"

#include "base/auto.h"

#include <stddef.h>

#define TEXT_MAX_BYTES ((size_t)64 << 10)

#define INPUT_FIELD(type, member, key, kind, words) {key, kind, offsetof(struct inputs, member), NULL, words},
static const struct record_field fields[] = {INPUTS(INPUT_FIELD)};
#undef INPUT_FIELD

const struct record_table inputs_table = RECORD_TABLE(inputs, fields);

struct digest inputs_key(const struct inputs *inputs)
{
    AUTO(buf_done) struct buf text;
    buf_init(&text, TEXT_MAX_BYTES);
    if (!record_write(&inputs_table, inputs, &text))
        memory_abort(TEXT_MAX_BYTES);
    return digest_of(text.bytes, text.len);
}
