/* SPDX-License-Identifier: Apache-2.0 */
#include "system/system_lint_parts.h"

#include "system/system_render.h"
#include "system/system_variables.h"

/* What stands for a variable that nobody gives a value, so that the rest can be judged. */
#define UNKNOWN_VALUE "unknown"

/* Every variable that is used has a value; every default is used. */
static void check_variables(struct lint *lint)
{
    const struct system_manifest *manifest = &lint->manifest;
    struct system_variables used;
    struct err ignored = {0}; /* lint_fill() tells of dollars that are none */
    struct strings names = {0};
    (void)!system_variables_list(lint->arena, lint->request->exports, manifest, &used, &ignored);
    for (size_t i = 0; i < used.count; i++) {
        const struct system_variable *use = &used.items[i];
        list_add(lint->arena, &names, use->name);
        if (system_values_get(&lint->values, use->name))
            continue;
        system_find(lint->findings, false, use->file,
                    use->line ? arena_printf(lint->arena, "line %zu", use->line) : "/renameFiles",
                    "the variable %s has no default in manifest.json", use->name);
        system_values_set(lint->arena, &lint->values, use->name, UNKNOWN_VALUE);
    }
    for (size_t i = 0; i < manifest->defaults.count; i++) {
        const char *name = manifest->defaults.items[i].name;
        if (value_giver_of(name) == VALUE_FORCED)
            system_find(lint->findings, false, system_file_names[SYSTEM_MANIFEST],
                        arena_printf(lint->arena, "/defaultValues/%s", name),
                        "the installer forces this variable; a default has no effect");
        else if (!strings_has(&names, name))
            system_find(lint->findings, true, system_file_names[SYSTEM_MANIFEST],
                        arena_printf(lint->arena, "/defaultValues/%s", name), "no template uses this variable");
    }
}

/* Where a file of hostfs goes, and what is put into it. */
static void check_host_file(struct lint *lint, const struct entry *entry)
{
    const struct system_manifest *manifest = &lint->manifest;
    const char *path, *renamed = system_values_get(&manifest->renames, entry->path);
    struct err err = {0};
    if (!system_rename(lint->arena, manifest, &lint->values, entry->path, &path, &err)) {
        system_find(lint->findings, false, system_file_names[SYSTEM_MANIFEST], "/renameFiles", "%s", err.text);
        return;
    }
    list_add(lint->arena, &lint->made, path);
    if (entry->kind != ENTRY_FILE ||
        (!system_is_template(manifest, entry->path, renamed) && !strings_has(&manifest->templates, path)))
        return;
    const struct system_template source = {arena_printf(lint->arena, "%s%s", SYSTEM_HOSTFS, entry->path),
                                           {entry->data, (size_t)entry->size_bytes},
                                           SYSTEM_TEMPLATE_PLAIN};
    if (entry->size_bytes > SYSTEM_EXPORT_MAX_BYTES)
        system_find(lint->findings, false, source.name, NULL, "is larger than a template may be");
    else
        (void)lint_fill_source(lint, &source);
}

/* Files of hostfs, as the host gets them. */
static void check_hostfs(struct lint *lint)
{
    const struct system_exports *exports = lint->request->exports;
    for (size_t i = 0; i < lint->manifest.templates.count + lint->manifest.renames.count; i++) {
        bool is_rename = i >= lint->manifest.templates.count;
        const char *path = is_rename ? lint->manifest.renames.items[i - lint->manifest.templates.count].name
                                     : lint->manifest.templates.items[i];
        bool is_there = false;
        for (size_t j = 0; j < exports->hostfs_count; j++)
            is_there = is_there || strcmp(exports->hostfs[j]->path, path) == 0;
        /* installedFilesTemplate has the names after renaming */
        for (size_t j = 0; !is_rename && j < lint->manifest.renames.count; j++)
            is_there = is_there || strcmp(lint->manifest.renames.items[j].value, path) == 0;
        if (!is_there)
            system_find(lint->findings, false, system_file_names[SYSTEM_MANIFEST],
                        is_rename ? "/renameFiles" : "/installedFilesTemplate", "%s is not below %s", path,
                        SYSTEM_HOSTFS);
    }
    for (size_t i = 0; i < exports->hostfs_count; i++)
        check_host_file(lint, exports->hostfs[i]);
}

static void check_presence(struct lint *lint)
{
    static const enum system_file wanted[] = {SYSTEM_CONFIG, SYSTEM_SERVICE, SYSTEM_MANIFEST, SYSTEM_TMPFILES};
    const struct system_exports *exports = lint->request->exports;
    bool has_service = !lint->manifest.has_no_service;
    for (size_t i = 0; i < ARRAY_COUNT(wanted); i++) {
        if (exports->files[wanted[i]].ptr || (!has_service && wanted[i] != SYSTEM_MANIFEST))
            continue;
        if (wanted[i] == SYSTEM_CONFIG && exports->files[SYSTEM_CONFIG_PLAIN].ptr)
            system_find(lint->findings, false, system_file_names[SYSTEM_CONFIG_PLAIN], NULL,
                        "no variable is put into it; use config.json.template instead");
        else
            system_find(lint->findings, false, system_file_names[wanted[i]], NULL, "is missing");
    }
}

/* Values as of an installation, so that a template can be judged as what it becomes. */
static void set_samples(struct lint *lint)
{
    const struct system_facts facts = {.name = SYSTEM_LINT_NAME,
                                       .image = "registry.example/image:latest",
                                       .image_id = "sha256:0",
                                       .destination = "/var/lib/containers/atomic/" SYSTEM_LINT_NAME ".0",
                                       .runtime = "/usr/bin/runc",
                                       .uuid = "00000000-0000-4000-8000-000000000000"};
    system_values_complete(lint->arena, &lint->values, &lint->manifest, &facts,
                           lint->request->exports->files[SYSTEM_SERVICE]);
}

void system_lint(const struct lint_request *request, struct system_findings *findings)
{
    struct lint lint = {.request = request, .arena = findings->arena, .findings = findings};
    if (!request->exports->is_there)
        system_find(findings, false, SYSTEM_EXPORTS, NULL, "is missing: this is no system container");
    system_manifest_read(lint.arena, request->exports, findings, &lint.manifest);
    check_presence(&lint);
    set_samples(&lint);
    check_variables(&lint);
    check_hostfs(&lint);
    lint_tmpfiles(&lint);
    lint_service(&lint);
    lint_config(&lint); /* and, with what it says, the image */
}
