#include "bill/inputs.h"

#include "base/auto.h"

#include <stddef.h>

#define INPUT_FIELD(type, member, key, kind, words) {key, kind, offsetof(struct inputs, member), NULL, words},
static const struct record_field fields[] = {INPUTS(INPUT_FIELD)};
#undef INPUT_FIELD

const struct record_table inputs_table = RECORD_TABLE(inputs, fields);

struct digest inputs_key(const struct inputs *inputs)
{
    AUTO(buf_done) struct buf text;
    buf_init(&text, SIZE_MAX); /* what a repository calls itself is as long as it says */
    if (!record_write(&inputs_table, inputs, &text))
        memory_abort(text.len);
    return digest_of(text.bytes, text.len);
}
