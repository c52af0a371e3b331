/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/diff_parts.h"

#include "base/auto.h"
#include "bill/record.h"
#include "change/change_json.h"
#include "change/change_print.h"

static json_t *end_json(const struct diff_end *end)
{
    if (!end->digest)
        return json_null();
    return json_pack("{s:o, s:o}", "name", record_text(end->name), "digest",
                     json_sprintf("sha256:%s", digest_hex(end->digest).chars));
}

static void add_json(struct differ *differ, const struct compared *compared)
{
    json_t *platforms = json_array();
    for (size_t i = 0; i < compared->changes.count; i++)
        json_array_append_new(platforms, change_json(&compared->changes.items[i]));
    const char *change = compared->is_same          ? "none"
                         : !compared->before.digest ? "came"
                         : !compared->after.digest  ? "went"
                                                    : "changed";
    json_array_append_new(differ->report, json_pack("{s:o, s:s, s:o, s:o, s:o}", "image", record_text(compared->name),
                                                    "change", change, "before", end_json(&compared->before), "after",
                                                    end_json(&compared->after), "platforms", platforms));
}

static void print_end(const struct differ *differ, const char *label, const struct diff_end *end)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *shown = text_shown(&scratch, end->name);
    const char *digest = end->digest ? arena_printf(&scratch, "sha256:%s", digest_hex(end->digest).chars) : "none";
    if (differ->form == DIFF_MARKDOWN)
        (void)printf("- %s: `%s` %s\n", label, shown, digest);
    else
        (void)printf("%-7s %s  %s\n", label, shown, digest);
}

static void print_image(struct differ *differ, const struct compared *compared)
{
    AUTO(arena_done) struct arena scratch = {0};
    bool is_markdown = differ->form == DIFF_MARKDOWN;
    const char *name = compared->name ? text_shown(&scratch, compared->name) : NULL;
    if (compared->is_same && (compared->name || differ->options->is_quiet))
        return;
    if (name)
        (void)printf(is_markdown ? "## %s\n" : "%s\n", name);
    print_end(differ, "before", &compared->before);
    print_end(differ, "after", &compared->after);
    (void)putchar('\n');
    if (compared->is_same)
        (void)puts("nothing changed");
    for (size_t i = 0; !compared->is_same && i < compared->changes.count; i++) {
        if (is_markdown)
            change_print_markdown(stdout, &compared->changes.items[i]);
        else
            change_print_text(stdout, &compared->changes.items[i]);
    }
    if (name && !is_markdown)
        (void)putchar('\n');
}

void diff_report(struct differ *differ, const struct compared *compared)
{
    differ->same_count += compared->is_same;
    differ->other_count += !compared->is_same;
    if (differ->form == DIFF_JSON)
        add_json(differ, compared);
    else
        print_image(differ, compared);
}

void diff_print_json(const struct differ *differ)
{
    json_auto_t *json = json_pack("{s:s, s:b, s:O}", "imgfactory", IMGFACTORY_VERSION, "differ",
                                  differ->other_count != 0, "compared", differ->report);
    (void)json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    (void)putchar('\n');
}
