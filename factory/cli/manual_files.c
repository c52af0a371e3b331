/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/manual_files.h"

#include "cli/manual_texts.h"
#include "cli/page.h"
#include "cli/roff.h"
#include "formats/formats.h"
#include "plan/contract.h"
#include "plan/manifest.h"
#include "plan/services.h"
#include "plan/site.h"

const struct manual_file manual_files[] = {
    {"manifest", "what an image is made of", {{"manifests", NULL, "## Sources"}}},
    {"source", "where packages come from", {{"manifests", "## Sources", NULL}, {"sources", NULL, NULL}}},
    {"site",
     "what is the same for all images of a site",
     {{"registry", "## Where to", "## Credentials and certificates"}, {"pruning", NULL, NULL}}},
    {"report", "what --json prints, and the document beside an image", {{"report", NULL, NULL}}},
    {NULL, NULL, {{0}}},
};

const struct manual_file *manual_file_find(const char *name)
{
    const struct manual_file *file = manual_files;
    while (file->name && strcmp(file->name, name) != 0)
        file++;
    return file->name ? file : NULL;
}

/* What a value of a type is, as people write it. */
static const char *type_words(enum yaml_type type)
{
    switch (type) {
    case YAML_STRING:
        return "a text";
    case YAML_STRINGS:
        return "a list of texts, or one";
    case YAML_BOOL:
        return "`true` or `false`";
    case YAML_NUMBER:
        return "a number";
    case YAML_MODE:
        return "an octal number in quotes, such as `\"0644\"`";
    case YAML_PAIRS:
        return "names to values";
    case YAML_NODE:
        return "a list or a mapping, as told above";
    }
    return "";
}

/* `place` is as in struct yaml_table; "" at the top. */
static void print_keys(FILE *out, const char *place, const struct yaml_field *fields, size_t count)
{
    roff_line(out, ".SS ", *place ? "Keys of " : "Keys at the top", "");
    roff_line(out, "", place, "\n");
    for (size_t i = 0; i < count; i++) {
        roff_term(out, fields[i].key, type_words(fields[i].type));
        if (fields[i].is_required)
            (void)fputs("(has to be there)\n", out);
    }
}

static void print_tables(FILE *out, struct yaml_tables tables)
{
    for (size_t i = 0; i < tables.count; i++)
        print_keys(out, tables.items[i].place, tables.items[i].fields, tables.items[i].count);
}

/* All keys that a file of this kind may have, by the tables that read it. */
static void print_all_keys(FILE *out, const struct manual_file *file)
{
    const struct yaml_field *fields;
    size_t count;
    if (strcmp(file->name, "report") == 0)
        return;
    (void)fputs(".SH ALL KEYS\n", out);
    if (strcmp(file->name, "manifest") == 0) {
        print_tables(out, manifest_tables());
        print_tables(out, contract_tables());
        print_tables(out, system_container_tables());
        print_tables(out, services_tables());
        print_tables(out, volumes_tables());
    } else if (strcmp(file->name, "site") == 0) {
        fields = site_keys(&count);
        print_keys(out, "", fields, count);
        fields = site_image_keys(&count);
        print_keys(out, "images[]", fields, count);
        fields = tag_rules_keys(&count);
        print_keys(out, "tags[]", fields, count);
    } else {
        for (size_t i = 0; formats_at(i); i++) {
            fields = formats_at(i)->source_keys(&count);
            roff_line(out, ".SS Keys with kind: ", formats_at(i)->name, "\n");
            for (size_t j = 0; j < count; j++)
                roff_term(out, fields[j].key, type_words(fields[j].type));
        }
    }
}

void manual_file_print(FILE *out, const struct manual_file *file)
{
    roff_head(out, file->name, '5', file->line);
    (void)fputs(".SH DESCRIPTION\n", out);
    for (const struct manual_part *part = file->parts; part->text; part++) {
        for (size_t i = 0; i < manual_texts_count; i++) {
            struct text whole = {(const char *)manual_texts[i].bytes, manual_texts[i].len};
            if (strcmp(manual_texts[i].name, part->text) == 0)
                page_print(out, page_part(whole, part->from, part->until));
        }
    }
    print_all_keys(out, file);
    (void)fputs(".SH SEE ALSO\n.BR imgfactory (1)", out);
    for (const struct manual_file *other = manual_files; other->name; other++) {
        if (other != file)
            roff_line(out, ",\n.BR imgfactory\\-", other->name, " (5)");
    }
    (void)fputc('\n', out);
}
