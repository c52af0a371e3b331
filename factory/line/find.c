/* SPDX-License-Identifier: Apache-2.0 */
#include "line/find.h"

#include "base/auto.h"
#include "base/each.h"
#include "bill/record.h"
#include "package/path.h"

#include <jansson.h>
#include <stdlib.h>

/* One word for one architecture. */
struct finding {
    struct plant *plant;
    const struct find_request *request;
    const char *word;
    size_t arch; /* number */
    struct arena arena;
    struct catalog *catalog;
    const char *glob;           /* canonical; NULL: a package is asked for */
    struct text prefix, suffix; /* letters before its first and behind its last glob character */
    struct found_paths found;
};

static bool is_match(const struct finding *finding, struct text path)
{
    if (!finding->glob)
        return true;
    if (path.len < finding->prefix.len + (finding->suffix.len ? 1 : 0) || path.len < finding->suffix.len ||
        memcmp(path.ptr, finding->prefix.ptr, finding->prefix.len) != 0 ||
        memcmp(path.ptr + path.len - finding->suffix.len, finding->suffix.ptr, finding->suffix.len) != 0)
        return false;
    AUTO(arena_done) struct arena scratch = {0};
    return path_matches(finding->glob, text_dup(&scratch, path));
}

static bool take(void *taker, struct text path, struct text package)
{
    struct finding *finding = taker;
    if (!is_match(finding, path))
        return true;
    const char *name = text_dup(&finding->arena, package);
    if (!catalog_has(finding->catalog, name, false))
        return true;
    finding->found.is_cut = finding->found.count >= FIND_MAX;
    if (!finding->found.is_cut)
        list_add(&finding->arena, &finding->found,
                 (struct found_path){
                     .path = text_dup(&finding->arena, path), .package = name, .arches = (uint64_t)1 << finding->arch});
    return !finding->found.is_cut;
}

/* Says what a word asks for. */
static bool read_word(struct finding *finding, struct err *err)
{
    const char *word = finding->word, *why;
    bool is_glob = strchr(word, '/') || path_is_glob(word);
    if (!is_glob && catalog_has(finding->catalog, word, false))
        return true;
    const char *whole = word[0] == '/' ? word : arena_printf(&finding->arena, "/**/%s", word);
    finding->glob = path_canonical(&finding->arena, text_of(whole), &why);
    if (!finding->glob) {
        err_set(err, ERR_USAGE, "'%s' is no path: %s", text_printable(&finding->arena, text_of(word)), why);
        return false;
    }
    static const char special[] = "*?[";
    const char *last = finding->glob + strlen(finding->glob);
    finding->prefix = (struct text){finding->glob, strcspn(finding->glob, special)};
    while (last > finding->glob && last[-1] != '*' && last[-1] != '?' && last[-1] != ']')
        last--;
    finding->suffix = finding->glob[finding->prefix.len] ? text_of(last) : (struct text){last, 0};
    return true;
}

/* One path is looked up; a scan would take seconds. */
static bool find_owners(struct finding *finding, struct err *err)
{
    struct strings owners = {0};
    if (!catalog_owners(finding->catalog, &finding->arena, finding->glob, &owners, NULL, err))
        return false;
    for (size_t i = 0; i < owners.count; i++)
        (void)take(finding, text_of(finding->glob), text_of(owners.items[i]));
    return true;
}

static bool find(void *context, void *item, struct err *err)
{
    struct finding *finding = item;
    const struct find_request *request = context;
    struct catalog_scan scan = {.take = take, .taker = finding};
    if (!plant_catalog(finding->plant, request->source, request->arches[finding->arch], &finding->catalog, err) ||
        !read_word(finding, err) || !catalog_accept(finding->catalog, err))
        return false;
    scan.package = finding->glob ? NULL : finding->word;
    if (finding->glob && !path_is_glob(finding->glob))
        return find_owners(finding, err);
    return catalog_scan(finding->catalog, &scan, err) && !plant_is_cancelled(finding->plant, err);
}

static int compare_paths(const void *a, const void *b)
{
    const struct found_path *left = a, *right = b;
    int order = strcmp(left->path, right->path);
    return order ? order : strcmp(left->package, right->package);
}

/* Adds what was found for one word, that of all architectures in one. */
static void merge(struct arena *arena, const struct finding *findings, size_t count, struct found_paths *into)
{
    AUTO(arena_done) struct arena scratch = {0};
    LIST(struct found_path) all = {0};
    for (size_t i = 0; i < count; i++) {
        into->is_cut = into->is_cut || findings[i].found.is_cut;
        for (size_t k = 0; k < findings[i].found.count; k++)
            list_add(&scratch, &all, findings[i].found.items[k]);
    }
    if (all.count)
        qsort(all.items, all.count, sizeof *all.items, compare_paths);
    for (size_t i = 0; i < all.count; i++) {
        struct found_path *before = i ? &into->items[into->count - 1] : NULL;
        if (before && compare_paths(before, &all.items[i]) == 0) {
            before->arches |= all.items[i].arches;
            continue;
        }
        list_add(arena, into,
                 (struct found_path){.path = arena_strdup(arena, all.items[i].path),
                                     .package = arena_strdup(arena, all.items[i].package),
                                     .arches = all.items[i].arches});
    }
}

/* Finds what one word asks for. */
static bool find_word(struct plant *plant, struct arena *arena, const struct find_request *request, const char *word,
                      struct found_paths *into, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct finding *findings = arena_new_array(&scratch, struct finding, request->arch_count);
    struct each_items items = {.items = findings, .count = request->arch_count, .each_bytes = sizeof *findings};
    size_t before = into->count;
    for (size_t i = 0; i < request->arch_count; i++)
        findings[i] = (struct finding){.plant = plant, .request = request, .word = word, .arch = i};
    bool is_good = each_run(items, find, (void *)request, err);
    if (is_good)
        merge(arena, findings, request->arch_count, into);
    for (size_t i = 0; i < request->arch_count; i++)
        arena_done(&findings[i].arena);
    if (is_good && into->count == before) {
        err_set(err, ERR_RESOLVE, "no package of %s is called %s, and none ships such a path", request->source->name,
                text_printable(&scratch, text_of(word)));
        return false;
    }
    return is_good;
}

bool find_paths(struct plant *plant, struct arena *arena, const struct find_request *request,
                struct found_paths *ret_found, struct err *err)
{
    struct found_paths found = {0};
    for (size_t i = 0; i < request->words->count; i++) {
        if (!find_word(plant, arena, request, request->words->items[i], &found, err))
            return false;
    }
    if (found.is_cut)
        log_line(plant->log, LOG_QUIET, "warning: more than %u paths; the rest is left out", FIND_MAX);
    *ret_found = found;
    return true;
}

static struct strings arches_of(struct arena *arena, const struct find_request *request, const struct found_path *found)
{
    struct strings names = {0};
    for (size_t i = 0; i < request->arch_count; i++) {
        if (found->arches >> i & 1)
            list_add(arena, &names, request->arches[i]->name);
    }
    return names;
}

static void print_json(FILE *out, const struct find_request *request, const struct found_paths *found)
{
    AUTO(arena_done) struct arena scratch = {0};
    (void)fputs("[", out);
    for (size_t i = 0; i < found->count; i++) {
        struct strings arches = arches_of(&scratch, request, &found->items[i]);
        json_auto_t *json = json_pack("{s:o, s:o, s:o}", "package", record_text(found->items[i].package), "path",
                                      record_text(found->items[i].path), "architectures", record_strings(&arches));
        (void)fputs(i ? ",\n " : "\n ", out);
        (void)json_dumpf(json, out, JSON_ENSURE_ASCII);
        arena_done(&scratch);
    }
    (void)fputs("\n]\n", out);
}

void find_print(FILE *out, const struct find_request *request, const struct found_paths *found, bool is_json)
{
    if (is_json) {
        print_json(out, request, found);
        return;
    }
    for (size_t i = 0; i < found->count; i++) {
        AUTO(arena_done) struct arena scratch = {0};
        struct strings arches = arches_of(&scratch, request, &found->items[i]);
        const char *only = arches.count == request->arch_count
                               ? ""
                               : arena_printf(&scratch, " (%s)", strings_join(&scratch, &arches, ", "));
        char *line = arena_printf(&scratch, "%s: %s%s", found->items[i].package, found->items[i].path, only);
        text_flatten(line);
        (void)fprintf(out, "%s\n", line);
    }
}
