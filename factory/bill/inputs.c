/* SPDX-License-Identifier: Apache-2.0 */
#include "bill/inputs.h"

#include "base/auto.h"

#include <stddef.h>

#define INPUT_FIELD(type, member, key, kind, words) {key, kind, offsetof(struct inputs, member), NULL, words},
static const struct record_field fields[] = {INPUTS(INPUT_FIELD)};
#undef INPUT_FIELD

const struct record_table inputs_table = RECORD_TABLE(inputs, fields);

static struct digest key_of(struct inputs inputs, bool has_answers, bool has_catalog)
{
    static const struct digest none;
    AUTO(buf_done) struct buf text;
    buf_init(&text, SIZE_MAX); /* what a repository calls itself is as long as it says */
    if (!has_answers)
        inputs.answers = none;
    if (!has_catalog)
        inputs.catalog = none;
    if (!record_write(&inputs_table, &inputs, &text))
        memory_abort(text.len);
    return digest_of(text.bytes, text.len);
}

struct digest inputs_key(const struct inputs *inputs)
{
    return key_of(*inputs, true, false);
}

struct digest inputs_key_asking(const struct inputs *inputs)
{
    return key_of(*inputs, false, true);
}

struct digest inputs_key_apart(const struct inputs *inputs)
{
    return key_of(*inputs, false, false);
}
