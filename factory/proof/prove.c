/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/prove.h"

#include "package/path.h"

/* Where a key of the manifest's config stands, for messages. */
static const char *place_of(struct arena *arena, const struct manifest_config *config, const char *key)
{
    const struct yaml_node *node = config->node ? yaml_get(config->node, key) : NULL;
    if (!node)
        return arena_printf(arena, "config.%s", key);
    return arena_printf(arena, "%s:%zu:%zu: config.%s", node->file->path, node->line, node->column, key);
}

static struct launch_words one_word(struct arena *arena, const char *place, const char *word)
{
    struct launch_words words = {.place = place};
    if (word)
        list_add(arena, &words.words, word);
    return words;
}

/* The process that the image's configuration will start. */
static struct launch launch_of(struct arena *arena, const struct manifest_config *config)
{
    struct launch launch = {
        .entrypoint = {place_of(arena, config, "entrypoint"), config->entrypoint},
        .cmd = {place_of(arena, config, "cmd"), config->cmd},
        .volumes = {place_of(arena, config, "volumes"), config->volumes},
        .env.place = place_of(arena, config, "env"),
        .user = one_word(arena, place_of(arena, config, "user"), config->user),
        .working_dir = one_word(arena, place_of(arena, config, "working-dir"), config->working_dir),
    };
    if (config->contract)
        launch.probe = (struct launch_words){"run.health.command", config->contract->health.command};
    for (size_t i = 0; i < config->env.count; i++)
        list_add(arena, &launch.env.words,
                 arena_printf(arena, "%s=%s", config->env.items[i].key, config->env.items[i].value));
    return launch;
}

void prove_tree(struct arena *arena, const struct prove_request *request, struct proof *ret_proof)
{
    struct launch launch = launch_of(arena, request->config);
    struct proof_request of_proof = {.tree = request->tree,
                                     .arches = &request->arch,
                                     .arch_count = 1,
                                     .programs = request->manifest->binaries,
                                     .launch = &launch,
                                     .spare = request->spare,
                                     .interpreters = request->interpreters};
    proof_check(arena, &of_proof, ret_proof);
}

/* Finds a package of the selection with that library or path, or what a glob matches. */
static const char *find_selected(const struct fileset *set, const char *wanted)
{
    bool is_glob = path_is_glob(wanted);
    for (size_t i = 0; i < set->package_count; i++) {
        const struct package *package = set->packages[i];
        for (size_t j = 0; j < package->count; j++) {
            const struct entry *entry = &package->entries[j];
            bool is_it = strcmp(entry->path, wanted) == 0 || (is_glob && path_matches(wanted, entry->path)) ||
                         strcmp(path_basename(entry->path), wanted) == 0 ||
                         (entry->elf && entry->elf->soname && strcmp(entry->elf->soname, wanted) == 0);
            if (is_it && entry->kind != ENTRY_DIRECTORY)
                return package->name;
        }
    }
    return NULL;
}

/* Asks the file indices who ships a path, or a library in one of the loader's directories; NULL when nobody does. */
static const char *find_in_catalog(struct arena *arena, const struct prove_request *request, const char *wanted)
{
    const struct strings *dirs = &request->arch->library_dirs;
    size_t count = path_is_glob(wanted) ? 0 : *wanted == '/' ? 1 : dirs->count;
    for (size_t i = 0; i < count; i++) {
        struct strings names = {0};
        struct err ignored = {0};
        const char *path = *wanted == '/' ? wanted : arena_printf(arena, "%s/%s", dirs->items[i], wanted);
        if (catalog_owners(request->catalog, arena, path, &names, NULL, &ignored) && names.count)
            return strings_join(arena, &names, ", ");
    }
    return NULL;
}

/* Copies the violations, and adds to each that is listed who could provide what is missing. */
static struct proof_findings with_hints(struct arena *arena, const struct prove_request *request,
                                        const struct proof_findings *violations)
{
    struct proof_findings hinted = {0};
    for (size_t i = 0; i < violations->count; i++) {
        struct proof_finding finding = violations->items[i];
        const char *wanted = i < PROOF_LISTED_MAX ? finding.wanted : NULL;
        const char *selected = wanted ? find_selected(request->set, wanted) : NULL;
        const char *name = wanted && !selected ? find_in_catalog(arena, request, wanted) : selected;
        if (name)
            finding.text = arena_printf(arena, "%s (%s is in package %s%s)", finding.text, wanted, name,
                                        selected ? " of the selection" : "");
        list_add(arena, &hinted, finding);
    }
    return hinted;
}

bool prove_verdict(struct arena *arena, const struct prove_request *request, const struct proof *proof, struct err *err)
{
    struct proof hinted = *proof;
    hinted.violations = with_hints(arena, request, &proof->violations);
    return proof_verdict(&hinted, err);
}
