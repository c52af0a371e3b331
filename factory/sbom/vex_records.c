/* SPDX-License-Identifier: Apache-2.0 */
/* What maintained records say. */
#include "base/auto.h"
#include "ground/ground.h"
#include "package/elf_symbols.h"
#include "package/path.h"
#include "sbom/vex_claims.h"

#include <elf.h>

/* --- reading --- */

/* A record as it is written. */
struct record_form {
    const char *description;
    const struct yaml_node *claims;
};

static const struct yaml_field form_fields[] = {
    YAML_FIELD(YAML_STRING, record_form, "description", description, true, ALTERS_NOTHING),
    YAML_FIELD(YAML_NODE, record_form, "claims", claims, true, ALTERS_NOTHING),
};

static const struct yaml_field claim_fields[] = {
    YAML_FIELD(YAML_STRINGS, vex_record, "cve", cves, true, ALTERS_NOTHING),
    YAML_FIELD(YAML_STRINGS, vex_record, "package", packages, true, ALTERS_NOTHING),
    YAML_FIELD(YAML_STRINGS, vex_record, "paths", paths, false, ALTERS_NOTHING),
    YAML_FIELD(YAML_STRINGS, vex_record, "symbols", symbols, false, ALTERS_NOTHING),
    YAML_FIELD(YAML_STRINGS, vex_record, "distribution", distributions, false, ALTERS_NOTHING),
    YAML_FIELD(YAML_STRING, vex_record, "from", from, true, ALTERS_NOTHING),
};

static bool read_claim(struct arena *arena, const struct yaml_node *node, struct vex_record *record, struct err *err)
{
    if (!yaml_read(arena, node, claim_fields, ARRAY_COUNT(claim_fields), record, err))
        return false;
    if (!record->cves.count || !record->packages.count || !record->paths.count == !record->symbols.count)
        return yaml_fail(node, err, "a claim has cve, package and either paths or symbols");
    for (size_t i = 0; i < record->cves.count; i++) {
        if (!vex_is_cve(record->cves.items[i]))
            return yaml_fail(yaml_item(yaml_get(node, "cve"), i), err, "'%s' is no CVE-YEAR-NUMBER",
                             text_printable(arena, text_of(record->cves.items[i])));
    }
    for (size_t i = 0; i < record->paths.count; i++) {
        if (record->paths.items[i][0] != '/')
            return yaml_fail(yaml_item(yaml_get(node, "paths"), i), err, "'%s' does not begin with /",
                             text_printable(arena, text_of(record->paths.items[i])));
    }
    return true;
}

bool vex_records_read(struct arena *arena, const struct data_folder *folder, struct vex_data *data, struct err *err)
{
    for (size_t i = 0; i < folder->count; i++) {
        struct record_form form = {0};
        if (!yaml_read(arena, folder->items[i].root, form_fields, ARRAY_COUNT(form_fields), &form, err))
            return false;
        if (form.claims->kind != YAML_SEQUENCE)
            return yaml_fail(form.claims, err, "'claims' wants a list");
        for (size_t k = 0; k < form.claims->count; k++) {
            struct vex_record record = {0};
            if (!read_claim(arena, form.claims->items[k], &record, err))
                return false;
            list_add(arena, &data->records, record);
        }
    }
    return true;
}

/* --- where the code is not --- */

/* Returns whether a file of the image is where the code would be: whoever gave it. */
static bool has_path(const struct sbom *sbom, const struct strings *globs)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct package *files = sbom->side.ground.package;
    for (size_t i = 0; i < files->count; i++) {
        const char *why, *path = path_canonical(&scratch, text_of(files->entries[i].path), &why);
        if (files->entries[i].kind == ENTRY_DIRECTORY)
            continue;
        path = path ? path : files->entries[i].path;
        bool is_usr = strncmp(path, "/usr/", 5) == 0; /* "/lib/x" may be written of what is "/usr/lib/x", too */
        for (size_t k = 0; k < globs->count; k++) {
            if (path_matches(globs->items[k], path) || (is_usr && path_matches(globs->items[k], path + 4)))
                return true;
        }
    }
    return false;
}

/* Returns whether a file defines one of the symbols, in whatever version; true, too, where its tables cannot be read. */
static bool defines(struct arena *arena, const struct entry *file, const struct strings *names)
{
    struct elf_symbols symbols;
    elf_symbols_read(arena, (struct text){file->data, (size_t)file->size_bytes}, &symbols);
    for (size_t i = 0; i < symbols.count; i++) {
        struct elf_symbol symbol = elf_symbols_get(&symbols, i);
        if (symbol.section != SHN_UNDEF && symbol.name && strings_has(names, symbol.name))
            return true;
    }
    return symbols.broken != NULL;
}

/* Returns whether a file of the image defines one: whoever gave it. */
static bool has_symbol(const struct sbom *sbom, const struct strings *names)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct package *files = sbom->side.ground.package;
    for (size_t i = 0; i < files->count; i++) {
        const struct entry *entry = &files->entries[i];
        if (entry->kind == ENTRY_FILE && entry->elf && defines(&scratch, entry, names))
            return true;
    }
    return false;
}

static void claim_record(struct vex_claims *claims, size_t platform, const struct sbom_package *package,
                         const struct vex_record *record)
{
    struct arena *arena = claims->arena;
    bool is_path = record->paths.count > 0;
    const char *text =
        arena_printf(arena,
                     is_path ? "The code is in %s, which this image does not have (%s)."
                             : "No file of this image defines %s, where the code is (%s).",
                     strings_join(arena, is_path ? &record->paths : &record->symbols, ", "), record->from);
    for (size_t i = 0; i < record->cves.count; i++)
        vex_claim_add(claims, (struct vex_claim){.cve = record->cves.items[i],
                                                 .package = package->from->name,
                                                 .platform = platform,
                                                 .status = VEX_NO_CODE,
                                                 .text = text});
}

static void look_record(const struct vex_request *request, struct vex_claims *claims, size_t platform,
                        const struct vex_record *record)
{
    const struct sbom *sbom = &request->platforms[platform];
    bool is_known = false, is_there = true;
    if (record->distributions.count && !strings_has(&record->distributions, sbom->os_id))
        return;
    for (size_t i = 0; i < sbom->packages.count; i++) {
        const struct sbom_package *package = &sbom->packages.items[i];
        if (!strings_has(&record->packages, package->from->name))
            continue;
        if (!is_known) /* all files are looked at once, if at all */
            is_there = record->paths.count ? has_path(sbom, &record->paths) : has_symbol(sbom, &record->symbols);
        is_known = true;
        if (!is_there)
            claim_record(claims, platform, package, record);
    }
}

bool vex_claim_records(const struct vex_request *request, struct vex_claims *claims, struct err *err)
{
    for (size_t i = 0; i < request->count; i++) {
        for (size_t k = 0; k < request->data->records.count; k++)
            look_record(request, claims, i, &request->data->records.items[k]);
    }
    if (claims->items.count > VEX_CLAIMS_MAX)
        err_set(err, ERR_MALFORMED, "more than %zu statements", VEX_CLAIMS_MAX);
    return claims->items.count <= VEX_CLAIMS_MAX;
}
