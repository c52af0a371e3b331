/* SPDX-License-Identifier: Apache-2.0 */
#include "effect/pam_roots.h"

#include "effect/pam.h"
#include "package/path.h"

#define PAM_DIR "/etc/pam.d/"
#define TEMPLATE_DIR "/usr/share/pam/common-"
#define PROFILE_DIR "/usr/share/pam-configs/"
#define FILES_MAX 256   /* service files, with those that they include */
#define MODULES_MAX 256 /* that they name in all */

/* The service files whose modules are looked for; grows while it is walked. */
struct stacks {
    struct arena *arena;
    const struct roots_request *request;
    const struct fileset *set; /* the request's */
    struct roots *roots;
    struct wishes made;     /* files that are made of templates */
    struct strings files;   /* canonical paths */
    struct strings modules; /* that were looked for */
    struct strings *notes;  /* of modules that no package ships; NULL: an error */
};

static void ask(struct stacks *stacks, const char *path)
{
    if (!strings_has(&stacks->files, path))
        list_add(stacks->arena, &stacks->files, arena_strdup(stacks->arena, path));
}

/* The service files that the image begins with. */
static void ask_first(struct stacks *stacks)
{
    const struct wishes *wishes = stacks->request->wishes;
    const struct strings *binaries = stacks->request->binaries;
    for (size_t i = 0; i < wishes->made.count; i++) {
        if (wishes->made.items[i].kind == MADE_FILE && text_has_prefix(text_of(wishes->made.items[i].path), PAM_DIR))
            ask(stacks, wishes->made.items[i].path);
    }
    for (size_t i = 0; i < binaries->count; i++) {
        const struct sourced *binary = fileset_walk(stacks->set, stacks->arena, binaries->items[i], NULL, NULL);
        for (size_t k = 0; binary && k < binary->package->count; k++) {
            const struct entry *entry = &binary->package->entries[k];
            if (entry->kind == ENTRY_FILE && text_has_prefix(text_of(entry->path), PAM_DIR))
                ask(stacks, entry->path);
        }
    }
}

static struct text text_at(const struct stacks *stacks, const char *path)
{
    const struct sourced *file = fileset_walk(stacks->set, stacks->arena, path, NULL, NULL);
    const struct entry *content = file ? sourced_content(file) : NULL;
    return content ? (struct text){content->data, (size_t)content->size_bytes} : (struct text){0};
}

/* Makes a file of its template; an empty text when there is none. */
static struct text make_common(struct stacks *stacks, const char *path)
{
    const char *type = path + strlen(PAM_DIR "common-");
    struct text template = text_at(stacks, arena_printf(stacks->arena, TEMPLATE_DIR "%s", type));
    LIST(struct pam_profile) profiles = {0};
    fileset_seek(stacks->set, PROFILE_DIR);
    if (!template.len)
        return template;
    for (size_t p = 0; p < stacks->set->package_count; p++) {
        const struct package *package = stacks->set->packages[p];
        for (size_t i = 0; i < package->count; i++) {
            const struct entry *entry = &package->entries[i];
            if (entry->kind == ENTRY_FILE && text_has_prefix(text_of(entry->path), PROFILE_DIR))
                list_add(stacks->arena, &profiles,
                         (struct pam_profile){path_basename(entry->path), {entry->data, (size_t)entry->size_bytes}});
        }
    }
    const char *content = pam_fill_template(stacks->arena, template, type, profiles.items, profiles.count);
    if (!content)
        return (struct text){0};
    struct wish_made made = {.kind = MADE_FILE,
                             .path = arena_strdup(stacks->arena, path),
                             .mode = 0644,
                             .owner = "root",
                             .group = "root",
                             .content = content,
                             .giver = "the feature pam",
                             .why = "made of its template, as pam-auth-update does"};
    list_add(stacks->arena, &stacks->made.made, made);
    return text_of(content);
}

/* Finds the text of a service file, and makes sure that the file will be in the image. */
static bool get_text(struct stacks *stacks, const char *path, struct text *ret_text, struct err *err)
{
    const struct wish_made *made = wishes_made(stacks->request->wishes, path);
    if (made && made->kind == MADE_FILE) {
        *ret_text = text_of(made->content);
        return true;
    }
    if (fileset_walk(stacks->set, stacks->arena, path, NULL, NULL)) {
        *ret_text = text_at(stacks, path);
        list_add(stacks->arena, stacks->roots,
                 (struct closure_root){.path = path, .why = "PAM service file", .is_alone = true});
        return true;
    }
    *ret_text = (struct text){0};
    if (text_has_prefix(text_of(path), PAM_DIR "common-"))
        *ret_text = make_common(stacks, path);
    if (!ret_text->len)
        err_set(err, ERR_RESOLVE, "feature pam: no selected package ships %s, which a PAM service includes", path);
    return ret_text->len != 0;
}

static bool add_module(struct stacks *stacks, const struct pam_module *module, const char *service, struct err *err)
{
    bool is_found = false;
    const char *glob = arena_printf(stacks->arena, "/usr/lib*/**/security/%s", module->name);
    if (module->name[0] == '/')
        glob = module->name;
    fileset_seek(stacks->set, module->name);
    for (size_t p = 0; p < stacks->set->package_count; p++) {
        const struct package *package = stacks->set->packages[p];
        for (size_t i = 0; i < package->count; i++) {
            const char *path = package->entries[i].path;
            if (!path_matches(glob, path))
                continue;
            const char *why = arena_printf(stacks->arena, "PAM module of %s", service);
            list_add(stacks->arena, stacks->roots, (struct closure_root){.path = path, .why = why});
            is_found = true;
        }
    }
    if (!is_found && !module->is_optional && stacks->notes) {
        list_add(stacks->arena, stacks->notes,
                 arena_printf(stacks->arena, "no selected package ships %s, which %s names: who logs in by it cannot",
                              module->name, service));
        return true;
    }
    if (!is_found && !module->is_optional)
        err_set(err, ERR_RESOLVE, "feature pam: no selected package ships %s, which %s names", module->name, service);
    return is_found || module->is_optional;
}

static bool follow(struct stacks *stacks, const char *path, struct err *err)
{
    struct text text;
    struct pam_stack stack;
    if (!get_text(stacks, path, &text, err))
        return false;
    pam_read(stacks->arena, text, &stack);
    for (size_t i = 0; i < stack.includes.count; i++) {
        const char *name = stack.includes.items[i];
        ask(stacks, *name == '/' ? name : arena_printf(stacks->arena, PAM_DIR "%s", name));
    }
    for (size_t i = 0; i < stack.modules.count; i++) {
        if (strings_has(&stacks->modules, stack.modules.items[i].name))
            continue;
        list_add(stacks->arena, &stacks->modules, stack.modules.items[i].name);
        if (!add_module(stacks, &stack.modules.items[i], path, err))
            return false;
    }
    return true;
}

bool pam_roots_add(struct arena *arena, const struct roots_request *request, struct roots *roots,
                   struct wishes *ret_wishes, struct strings *notes, struct err *err)
{
    struct stacks stacks = {.arena = arena, .request = request, .set = request->set, .roots = roots, .notes = notes};
    *ret_wishes = (struct wishes){0};
    if (!request->wishes->follows_pam)
        return true;
    ask_first(&stacks);
    for (size_t i = 0; i < stacks.files.count; i++) {
        if (!follow(&stacks, stacks.files.items[i], err))
            return false;
        if (stacks.files.count > FILES_MAX || stacks.modules.count > MODULES_MAX) {
            err_set(err, ERR_MALFORMED, "feature pam: more than %d service files or %d modules, at the latest in %s",
                    FILES_MAX, MODULES_MAX, stacks.files.items[i]);
            return false;
        }
    }
    *ret_wishes = stacks.made;
    return true;
}
