/* SPDX-License-Identifier: Apache-2.0 */
#include "bill/explain.h"

#include "base/auto.h"
#include "base/map.h"
#include "package/path.h"

#include <stdlib.h>

/* More links than this are no chain but a circle. */
#define LINKS_MAX 100

/* Names the packages of the selection that ship the path. */
static void list_shippers(struct arena *arena, const struct explain_packages *packages, struct answer *answer)
{
    for (size_t i = 0; i < packages->count; i++) {
        if (package_find(packages->items[i], answer->path))
            list_add(arena, &answer->packages, arena_strdup(arena, packages->items[i]->name));
    }
}

static void find_given(struct arena *arena, const struct explain_request *request, struct answer *answer)
{
    if (request->base)
        answer->given = request->find_given(request->self, arena, answer->path);
}

/* Looks into the base, into every package of the selection, fetching what was not needed so far, then into the indices. */
static bool find_elsewhere(struct arena *arena, const struct explain_request *request,
                           struct explain_packages *packages, struct answer *answer, struct err *err)
{
    struct err none = {0};
    struct strings owners = {0};
    find_given(arena, request, answer);
    if (answer->given)
        return true;
    if (!packages->count && !request->open_all(request->self, packages, err))
        return false;
    list_shippers(arena, packages, answer);
    if (!answer->packages.count && catalog_owners(request->catalog, arena, answer->path, &owners, NULL, &none))
        answer->offered = owners;
    return true;
}

/* Finds what is asked for below /var/run or /var/lock where these links lead. */
static bool find_below_link(struct arena *arena, const struct bill *bill, const char **path)
{
    const char *end = path_through_run(arena, *path);
    bool is_link = end != *path && !bill_find(bill, "/var/run") && bill_find(bill, end);
    *path = is_link ? end : *path;
    return is_link;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Adds a path that matches. */
static void add_match(const char *glob, const char *path, struct map *seen, struct strings *paths)
{
    if (path_matches(glob, path) && map_add(seen, text_of(path), seen))
        list_add(seen->arena, paths, path);
}

static void add_matches_of(const char *glob, const struct package *package, struct map *seen, struct strings *paths)
{
    for (size_t i = 0; i < package->count; i++) {
        if (package->entries[i].kind != ENTRY_DIRECTORY)
            add_match(glob, package->entries[i].path, seen, paths);
    }
}

/* Lists the files and links of the image, its base and the selected packages that match, sorted. */
static struct strings list_matches(struct arena *arena, const struct explain_request *request,
                                   const struct explain_packages *packages, const char *glob)
{
    struct map seen = {.arena = arena};
    struct strings paths = {0};
    for (size_t i = 0; i < request->bill->files.count; i++)
        add_match(glob, request->bill->files.items[i].path, &seen, &paths);
    for (size_t i = 0; i < packages->count; i++)
        add_matches_of(glob, packages->items[i], &seen, &paths);
    if (request->base)
        add_matches_of(glob, request->base, &seen, &paths);
    if (paths.count)
        qsort(paths.items, paths.count, sizeof *paths.items, compare_paths);
    return paths;
}

/* Answers for all that a glob stands for. */
static bool find_matches(struct arena *arena, const struct explain_request *request, struct explain_packages *packages,
                         const char *glob, struct answers *answers, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    if (!packages->count && !request->open_all(request->self, packages, err))
        return false;
    struct strings paths = list_matches(&scratch, request, packages, glob);
    for (size_t i = 0; i < paths.count; i++) {
        struct answer answer = {.path = arena_strdup(arena, paths.items[i]), .is_of_glob = true};
        if (answers->count >= EXPLAIN_PATHS_MAX) {
            answers->left_out += paths.count - i;
            break;
        }
        bool is_own = bill_find(request->bill, answer.path) != NULL;
        if (!is_own)
            find_given(arena, request, &answer);
        if (!is_own && !answer.given)
            list_shippers(arena, packages, &answer);
        list_add(arena, answers, answer);
    }
    if (!paths.count)
        list_add(arena, answers, (struct answer){.path = glob, .is_of_glob = true});
    return true;
}

bool explain_find(struct arena *arena, const struct explain_request *request, struct answers *ret_answers,
                  struct err *err)
{
    struct explain_packages packages = {0};
    for (size_t i = 0; i < request->paths->count; i++) {
        const char *why, *asked = request->paths->items[i];
        const char *path = path_canonical(arena, text_of(asked), &why);
        struct answer answer = {.path = path && !bill_find(request->bill, asked) ? path : asked};
        if (path_is_glob(answer.path) && !bill_find(request->bill, answer.path)) {
            if (!find_matches(arena, request, &packages, answer.path, ret_answers, err))
                return false;
            continue;
        }
        bool is_shipped = bill_find(request->bill, answer.path) || find_below_link(arena, request->bill, &answer.path);
        if (!is_shipped && !find_elsewhere(arena, request, &packages, &answer, err))
            return false;
        list_add(arena, ret_answers, answer);
    }
    return true;
}

/* The chain that ends at a file, the root first. */
static size_t make_chain(const struct bill *bill, const struct bill_file *file, const struct bill_file **chain)
{
    size_t count = 0;
    for (; file && count < LINKS_MAX; file = file->by ? bill_find(bill, file->by) : NULL)
        chain[count++] = file;
    for (size_t i = 0; i < count / 2; i++) {
        const struct bill_file *other = chain[i];
        chain[i] = chain[count - 1 - i];
        chain[count - 1 - i] = other;
    }
    return count;
}

static void print_chain(FILE *out, const struct bill *bill, const struct bill_file *file)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct bill_file *chain[LINKS_MAX];
    size_t count = make_chain(bill, file, chain);
    for (size_t i = 0; i < count; i++) {
        const struct bill_package *package = bill_find_package(bill, chain[i]->package);
        (void)fprintf(out, "  %s\n    %s\n", text_shown(&scratch, chain[i]->path), text_shown(&scratch, chain[i]->why));
        if (package)
            (void)fprintf(out, "    from %s %s (%s)%s%s\n", package->name, package->version, package->architecture,
                          package->repository ? ", repository " : "", package->repository ? package->repository : "");
        else
            (void)fputs("    made by the factory\n", out);
        const char *giver = bill_wanted_by(bill, chain[i]);
        if (giver && !strstr(chain[i]->why, giver))
            (void)fprintf(out, "    wanted by %s\n", text_shown(&scratch, giver));
    }
}

static void print_given(FILE *out, const struct bill *bill, const struct answer *answer)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *where = strcmp(answer->given, answer->path) == 0 ? "" : text_shown(&scratch, answer->given);
    (void)fprintf(out, "  in the base%s%s%s%s\n", bill->base ? " " : "", bill->base ? bill->base->name : "",
                  *where ? ", as " : "", where);
}

static void print_absent(FILE *out, const struct manifest *manifest, const struct answer *answer)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *advice = manifest->named ? "begin a manifest with imgfactory new and name it there under files"
                                         : arena_printf(&scratch, "name it in %s under files", manifest->path);
    if (answer->packages.count)
        (void)fprintf(out,
                      "  not in the image: %s, which is selected, ships it, but nothing that is kept needs it.\n"
                      "  To have it, %s.\n",
                      strings_join(&scratch, &answer->packages, ", "), advice);
    else if (answer->offered.count)
        (void)fprintf(out,
                      "  not in the image: %s ships it and is not among the selected packages.\n"
                      "  To have it, %s.\n",
                      strings_join(&scratch, &answer->offered, ", "), advice);
    else if (answer->is_of_glob)
        (void)fprintf(
            out, "  nothing in the image and in the selected packages matches; all packages: imgfactory find '%s'\n",
            answer->path);
    else
        (void)fputs("  not in the image, and no package of the source ships it\n", out);
}

void explain_print(FILE *out, const struct explained *explained)
{
    for (size_t i = 0; i < explained->answers->count; i++) {
        AUTO(arena_done) struct arena scratch = {0};
        const struct answer *answer = &explained->answers->items[i];
        const struct bill_file *file = bill_find(explained->bill, answer->path);
        (void)fprintf(out, "%s %s: %s\n", explained->manifest->name, explained->arch->name,
                      text_shown(&scratch, answer->path));
        if (file)
            print_chain(out, explained->bill, file);
        else if (answer->given)
            print_given(out, explained->bill, answer);
        else
            print_absent(out, explained->manifest, answer);
    }
    if (explained->answers->left_out)
        (void)fprintf(out, "%s %s: and %zu more, which are not told\n", explained->manifest->name,
                      explained->arch->name, explained->answers->left_out);
}

static json_t *chain_json(const struct bill *bill, const struct bill_file *file)
{
    const struct bill_file *chain[LINKS_MAX];
    size_t count = make_chain(bill, file, chain);
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        const struct bill_package *package = bill_find_package(bill, chain[i]->package);
        json_array_append_new(array, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "path", record_text(chain[i]->path),
                                               "why", record_text(chain[i]->why), "wanted_by",
                                               record_text(bill_wanted_by(bill, chain[i])), "package",
                                               record_text(chain[i]->package), "version",
                                               record_text(package ? package->version : NULL), "repository",
                                               record_text(package ? package->repository : NULL)));
    }
    return array;
}

void explain_json(const struct explained *explained, json_t *array)
{
    for (size_t i = 0; i < explained->answers->count; i++) {
        const struct answer *answer = &explained->answers->items[i];
        const struct bill_file *file = bill_find(explained->bill, answer->path);
        json_array_append_new(
            array, json_pack("{s:s, s:s, s:o, s:b, s:o, s:o, s:o, s:o}", "image", explained->manifest->name, "arch",
                             explained->arch->name, "path", record_text(answer->path), "shipped", file != NULL, "chain",
                             chain_json(explained->bill, file), "packaged_in", record_strings(&answer->packages),
                             "offered_by", record_strings(&answer->offered), "in_base", record_text(answer->given)));
    }
}
