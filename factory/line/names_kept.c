/* SPDX-License-Identifier: Apache-2.0 */
#include "line/names_kept.h"

#include "base/auto.h"
#include "source/catalog.h"

#define KIND "name"
#define FORMAT "name 3"
#define NONE "-" /* a string that is absent; others begin with '+' */

static struct digest key_of(const struct plant *plant, const struct catalog *catalog,
                            const struct name_question *question)
{
    struct digest_stream stream;
    digest_begin(&stream);
    digest_feed(&stream, FORMAT, sizeof FORMAT);
    digest_feed(&stream, plant->inputs.program.bytes, DIGEST_BYTES);
    digest_feed(&stream, catalog->digest.bytes, DIGEST_BYTES);
    digest_feed(&stream, catalog->arch->digest.bytes, DIGEST_BYTES);
    digest_feed(&stream, &plant->inputs.is_older_fine, sizeof plant->inputs.is_older_fine);
    digest_feed(&stream, question->word, strlen(question->word) + 1);
    for (size_t i = 0; question->manifests && i < question->manifests->count; i++)
        digest_feed(&stream, question->manifests->items[i], strlen(question->manifests->items[i]) + 1);
    return digest_end(&stream);
}

/* Where the strings are in the struct, in the order of the file's lines. */
static const char **field(struct names_kept *kept, size_t number)
{
    const char **const fields[] = {&kept->way,   &kept->path,        &kept->package,          &kept->by,
                                   &kept->whole, &kept->description, &kept->is_package_needed};
    return number < ARRAY_COUNT(fields) ? fields[number] : NULL;
}

bool names_kept_find(const struct plant *plant, const struct catalog *catalog, const struct name_question *question,
                     struct arena *arena, struct names_kept *ret_kept)
{
    AUTO(view_done) struct view view = {0};
    struct digest key = key_of(plant, catalog, question);
    struct names_kept kept = {0};
    struct err err = {0};
    bool is_found;
    if (!store_map_derived(plant->store, KIND, &key, &view, &is_found, &err) || !is_found)
        return false;
    struct text rest = {view.ptr, view.len}, line;
    size_t number = 0;
    for (; field(&kept, number) && text_next(&rest, '\n', &line); number++) {
        if (line.len && line.ptr[0] == '+')
            *field(&kept, number) = text_dup(arena, (struct text){line.ptr + 1, line.len - 1});
    }
    if (field(&kept, number) || !kept.way || !kept.path || !kept.package || !kept.is_package_needed)
        return false;
    *ret_kept = kept;
    return true;
}

void names_kept_store(const struct plant *plant, const struct catalog *catalog, const struct name_question *question,
                      const struct names_kept *kept)
{
    AUTO(buf_done) struct buf text;
    AUTO(blob_abandon) struct blob blob = {0};
    struct digest key = key_of(plant, catalog, question);
    struct names_kept copy = *kept;
    struct err err = {0};
    buf_init(&text, 1 << 16);
    for (size_t i = 0; field(&copy, i); i++) {
        const char *string = *field(&copy, i);
        if ((string && strchr(string, '\n')) || !buf_printf(&text, "%s%s\n", string ? "+" : NONE, string ? string : ""))
            return;
    }
    if (!blob_begin(plant->store, &blob, &err) || !blob_write(&blob, text.bytes, text.len, &err) ||
        !blob_commit_derived(&blob, KIND, &key, &err))
        log_line(plant->log, LOG_VERBOSE, "what %s means is not kept for the next run: %s", question->word, err.text);
}
