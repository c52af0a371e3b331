/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/history_kept.h"

#include "base/auto.h"
#include "base/date.h"
#include "bill/record.h"

#define SHOWN_MAX 12 /* packages and CVEs of one night, for people; --json has all */

void history_kept_changes(FILE *out, const struct past_record *record)
{
    for (size_t i = 0; i < record->changes.count && i < SHOWN_MAX; i++) {
        AUTO(arena_done) struct arena scratch = {0};
        const struct past_change *change = &record->changes.items[i];
        const char *before = change->before ? text_shown(&scratch, change->before) : "";
        const char *after = change->after ? text_shown(&scratch, change->after) : "";
        (void)fprintf(out, "    %c %s  %s%s%s\n",
                      !change->before  ? '+'
                      : !change->after ? '-'
                                       : '~',
                      text_shown(&scratch, change->package), before, *before && *after ? " → " : "", after);
    }
    if (record->changes.count > SHOWN_MAX)
        (void)fprintf(out, "      and %zu more packages\n", record->changes.count - SHOWN_MAX);
    for (size_t i = 0; i < record->cves.count && i < SHOWN_MAX; i++) {
        AUTO(arena_done) struct arena scratch = {0};
        (void)fprintf(out, "%s%s", i ? ", " : "    fixes ", text_shown(&scratch, record->cves.items[i]));
    }
    if (record->cves.count > SHOWN_MAX)
        (void)fprintf(out, " and %zu more", record->cves.count - SHOWN_MAX);
    if (record->cves.count)
        (void)fputc('\n', out);
}

static void print_record(FILE *out, const struct past_record *record)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *version = past_record_version(record);
    (void)fprintf(out, "  %.16s  %.16s  %-20s %9s  sha256:%s  %s\n", date_print(record->first).chars,
                  date_print(record->last).chars, version ? text_shown(&scratch, version) : "-",
                  text_size(past_record_layer_bytes(record)).chars, digest_hex(&record->digest).chars,
                  text_shown(&scratch, strings_join(&scratch, &record->tags, " ")));
    history_kept_changes(out, record);
}

void history_kept_json(const struct past_record *record, json_t *into)
{
    json_t *changes = json_array(), *platforms = json_array();
    for (size_t i = 0; i < record->changes.count; i++) {
        const struct past_change *change = &record->changes.items[i];
        json_array_append_new(changes, json_pack("{s:o, s:o, s:o}", "package", record_text(change->package), "before",
                                                 record_text(change->before), "after", record_text(change->after)));
    }
    for (size_t i = 0; i < record->platforms.count; i++) {
        const struct past_platform *platform = &record->platforms.items[i];
        json_array_append_new(
            platforms, json_pack("{s:o, s:o, s:o, s:I, s:I}", "arch", record_text(platform->arch), "digest",
                                 json_sprintf("sha256:%s", digest_hex(&platform->manifest).chars), "version",
                                 record_text(platform->version), "compressed_bytes", (json_int_t)platform->layer_bytes,
                                 "unpacked_bytes", (json_int_t)platform->unpacked_bytes));
    }
    json_object_set_new(into, "first", json_integer((json_int_t)record->first));
    json_object_set_new(into, "last", json_integer((json_int_t)record->last));
    json_object_set_new(into, "architectures", platforms);
    json_object_set_new(into, "changes", changes);
    json_object_set_new(into, "cves", record_strings(&record->cves));
}

static json_t *record_json(const struct past_record *record)
{
    json_t *json =
        json_pack("{s:o, s:o, s:o, s:I}", "digest", json_sprintf("sha256:%s", digest_hex(&record->digest).chars),
                  "tags", record_strings(&record->tags), "version", record_text(past_record_version(record)), "created",
                  (json_int_t)record->created);
    history_kept_json(record, json);
    return json;
}

static const char *name_of(const struct past_images *images, size_t number)
{
    return images->items[number].nights.items[0].name;
}

/* The nights of one name, from *number on, which is moved behind them. */
static json_t *name_json(const struct past_images *images, size_t *number)
{
    const char *name = name_of(images, *number);
    json_t *places = json_array();
    for (; *number < images->count && strcmp(name_of(images, *number), name) == 0; ++*number) {
        const struct past_records *records = &images->items[*number].nights;
        json_t *nights = json_array();
        for (size_t k = 0; k < records->count; k++)
            json_array_append_new(nights, record_json(&records->items[k]));
        json_array_append_new(places, json_pack("{s:o, s:o}", "destination", record_text(records->items[0].destination),
                                                "nights", nights));
    }
    return json_pack("{s:o, s:o}", "image", record_text(name), "places", places);
}

static void print_json(FILE *out, json_t *json)
{
    (void)json_dumpf(json, out, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    (void)fputc('\n', out);
    json_decref(json);
}

/* What a tag that was moved by hand made of it (past_keep_return()). */
static void print_return(FILE *out, const struct past_records *records, size_t number)
{
    const struct past_record *record = &records->items[number];
    for (size_t i = number + 1; !record->changes.count && i < records->count; i++) {
        if (digest_eq(&records->items[i].digest, &record->digest)) {
            (void)fprintf(out, "    back to the image of %.16s\n", date_print(records->items[i].first).chars);
            return;
        }
    }
}

void history_kept_print(FILE *out, const struct past_images *images, bool is_json)
{
    size_t first = 0;
    if (is_json) {
        print_json(out, name_json(images, &first));
        return;
    }
    for (size_t i = 0; i < images->count; i++) {
        AUTO(arena_done) struct arena scratch = {0};
        const struct past_records *records = &images->items[i].nights;
        const struct past_record *newest = &records->items[0];
        const char *place = newest->destination ? newest->destination : "in the output";
        (void)fprintf(out, "%s  %s\n  %-16s  %-16s  %-20s %9s  %-71s  %s\n", text_shown(&scratch, newest->name),
                      text_shown(&scratch, place), "SINCE", "LAST NIGHT", "VERSION", "SIZE", "DIGEST", "TAGS");
        for (size_t k = 0; k < records->count; k++) {
            print_record(out, &records->items[k]);
            print_return(out, records, k);
        }
    }
}

void history_kept_print_all(FILE *out, const struct past_images *images, bool is_json)
{
    if (is_json) {
        json_t *json = json_array();
        for (size_t i = 0; i < images->count;)
            json_array_append_new(json, name_json(images, &i));
        print_json(out, json);
        return;
    }
    (void)fprintf(out, "%-16s %6s  %-16s  %-16s %9s  %s\n", "IMAGE", "NIGHTS", "SINCE", "LAST NIGHT", "SIZE",
                  "PUBLISHED");
    for (size_t i = 0; i < images->count; i++) {
        AUTO(arena_done) struct arena scratch = {0};
        const struct past_records *records = &images->items[i].nights;
        const struct past_record *newest = &records->items[0];
        const char *place = newest->destination ? newest->destination : "in the output";
        (void)fprintf(out, "%-16s %6zu  %.16s  %.16s %9s  %s%ssha256:%.12s\n", text_shown(&scratch, newest->name),
                      records->count, date_print(newest->first).chars, date_print(newest->last).chars,
                      text_size(past_record_layer_bytes(newest)).chars, text_shown(&scratch, place),
                      newest->destination ? "@" : ", ", digest_hex(&newest->digest).chars);
    }
}

const struct past_record *history_kept_find(const struct past_images *images, const char *destination,
                                            const struct digest *digest)
{
    const struct past_record *found = NULL;
    for (size_t i = 0; i < images->count; i++) {
        const struct past_records *records = &images->items[i].nights;
        if (!text_same(records->items[0].destination, destination))
            continue;
        for (size_t k = 0; k < records->count; k++) {
            const struct past_record *record = &records->items[k];
            if (!digest_eq(&record->digest, digest))
                continue;
            if (record->changes.count)
                return record;
            found = found ? found : record;
        }
    }
    return found;
}
