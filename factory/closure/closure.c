/* SPDX-License-Identifier: Apache-2.0 */
#include "closure/closure_finder.h"

#include "package/path.h"
#include "package/script.h"

#include <elf.h>
#include <stdlib.h>

/* An object file or a core dump is data. */
static bool is_loadable(const struct elf_facts *elf)
{
    return elf->type == ET_EXEC || elf->type == ET_DYN || elf->broken;
}

/* Reports what a script lacks. A lenient one may lack it, but only once all packages were looked into. */
static void report_script(struct finder *finder, const struct start *script, const char *wanted)
{
    if (!script->is_lenient)
        finder_report_missing(finder, wanted, script->file->entry->path, false);
    else if (finder->request->is_partial)
        finder_doubt(finder, wanted, script->file->entry->path, false);
}

/* Follows a path that a script names; keeps and starts what is there. */
static void start_for_script(struct finder *finder, const struct start *script, const char *path, const char *how)
{
    struct arena *arena = finder->loader.arena;
    const char *needed_by = script->file->entry->path;
    struct sourced_list links = {0};
    const struct sourced *file = *path == '/' ? fileset_walk(finder->loader.set, arena, path, &links, NULL) : NULL;
    if (!file || file->entry->kind == ENTRY_DIRECTORY) {
        report_script(finder, script, path);
        return;
    }
    finder_keep_links(finder, &links, file->entry->path);
    finder_keep_file(finder, file, arena_printf(arena, "%s %s", how, needed_by), needed_by);
    finder_start(finder, &(struct start){.file = file,
                                         .path = file->entry->path,
                                         .script_depth = script->script_depth + 1,
                                         .is_lenient = script->is_lenient,
                                         .if_unloadable = script->if_unloadable});
}

static void start_by_env(struct finder *finder, const struct start *script, const char *program)
{
    static const char how[] = "started by env for the script";
    struct arena *arena = finder->loader.arena;
    if (strchr(program, '/')) {
        start_for_script(finder, script, program, how);
        return;
    }
    for (const char *const *dir = script_path_dirs; *dir; dir++) {
        const char *path = arena_printf(arena, "%s/%s", *dir, program);
        const struct sourced *file = fileset_walk(finder->loader.set, arena, path, NULL, NULL);
        if (file && file->entry->kind != ENTRY_DIRECTORY && (file->entry->mode & 0111)) {
            start_for_script(finder, script, path, how);
            return;
        }
    }
    report_script(finder, script, program);
}

static bool start_script(struct finder *finder, const struct start *start, const char *line, struct err *err)
{
    struct arena *arena = finder->loader.arena;
    struct text rest = text_of(line), interpreter;
    if (!text_next_word(&rest, &interpreter))
        return true;
    if (strchr(line, '\r') && !start->is_lenient)
        return finder_refuse(start->file, err, "its #! line has a carriage return, with which no interpreter is found");
    if (start->script_depth >= SCRIPT_DEPTH_MAX)
        return finder_refuse(start->file, err,
                             arena_printf(arena, "more than %d scripts interpret each other", SCRIPT_DEPTH_MAX));
    const char *path = text_dup(arena, interpreter);
    start_for_script(finder, start, path, "interpreter of the script");
    if (strcmp(path_basename(path), "env") != 0)
        return true;
    const char *program = script_env_program(arena, text_trim(rest));
    if (program)
        start_by_env(finder, start, program);
    return true;
}

static bool run_start(struct finder *finder, const struct start *start, struct err *err)
{
    const struct entry *content = sourced_content(start->file);
    if (!content)
        return true;
    finder->if_unloadable = start->if_unloadable;
    if (content->elf)
        return !is_loadable(content->elf) || closure_start_elf(finder, start, content, err);
    if (content->interpreter && (content->mode & 0111))
        return start_script(finder, start, content->interpreter, err);
    return true;
}

/* Returns whether the path itself, behind its directory, is a symlink of the set. */
static bool is_link(struct finder *finder, const char *path)
{
    struct arena *arena = finder->loader.arena;
    const char *dir = NULL;
    (void)fileset_walk(finder->loader.set, arena, path_dirname(arena, path), NULL, &dir);
    const char *own = arena_printf(arena, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir, path_basename(path));
    const struct sourced *file = fileset_find(finder->loader.set, own);
    return file && file->entry->kind == ENTRY_SYMLINK;
}

/* Takes a root that need not be loadable: what becomes of it is known when it was looked at. */
static void hold_root(struct finder *finder, const struct closure_root *root, const struct start *start)
{
    const struct strings *dropped = finder->request->dropped;
    const char *path = start->file->entry->path;
    if (root->if_unloadable == UNLOADABLE_DROPPED && dropped && strings_has(dropped, path))
        return;
    finder_hold_links(finder, &start->links, path);
    finder_hold_file(finder, start->file, root->why);
    finder_start(finder, start);
}

static void add_root(struct finder *finder, const struct closure_root *root)
{
    struct start start = {.path = root->path, .is_lenient = root->is_lenient, .if_unloadable = root->if_unloadable};
    const char *end = NULL;
    start.file = fileset_walk(finder->loader.set, finder->loader.arena, root->path, &start.links, &end);
    bool is_dangling = !start.file && is_link(finder, root->path);
    bool may_dangle = root->is_optional || root->is_alone || root->is_lenient;
    bool may_come = finder->request->is_partial && !root->is_alone; /* from a package that is not in the set yet */
    const struct entry *content = start.file ? sourced_content(start.file) : NULL;
    finder->if_unloadable = root->if_unloadable;
    if (root->if_unloadable && !root->is_alone && content && content->elf && is_loadable(content->elf)) {
        hold_root(finder, root, &start);
        return;
    }
    if (start.file || (is_dangling && may_dangle))
        finder_keep_links(finder, &start.links, end);
    if (start.file) {
        finder_keep_file(finder, start.file, root->why, NULL);
        if (!root->is_alone)
            finder_start(finder, &start);
    } else if (is_dangling && (!may_dangle || may_come)) {
        (may_dangle ? finder_doubt
                    : finder_report_missing)(finder, end, start.links.items[start.links.count - 1]->entry->path, true);
    } else if (!is_dangling && (!root->is_optional || may_come)) {
        (root->is_optional ? finder_doubt : finder_report_missing)(finder, root->path, "the manifest", true);
    }
}

/* Checks what the kernel will want of a program; one that is missing is reported elsewhere. */
static bool check_program(const struct finder *finder, const struct closure_root *root, struct err *err)
{
    const struct sourced *file = fileset_walk(finder->loader.set, finder->loader.arena, root->path, NULL, NULL);
    const struct entry *content = file ? sourced_content(file) : NULL;
    const char *why = NULL;
    if (!file)
        return true;
    if (!content)
        why = "not a regular file";
    else if (!(content->mode & 0111))
        why = "not executable";
    else if (!content->elf && (!content->interpreter || !*content->interpreter))
        why = "neither an ELF file nor a script with an interpreter";
    if (why)
        err_set(err, ERR_RESOLVE, "%s (package %s) is no program that could be started: %s", file->entry->path,
                file->package->name, why);
    return !why;
}

/* Makes the cache that ldconfig would have made on an installed system, unless it lists built-in directories only. */
static void prepare_cache(struct finder *finder)
{
    struct loader *loader = &finder->loader;
    struct strings others = {0};
    ld_conf_read(loader->arena, loader->set, &finder->conf);
    for (size_t i = 0; i < finder->conf.dirs.count; i++) {
        const char *dir = finder->conf.dirs.items[i];
        if (!loader_is_builtin(loader, dir))
            list_add(loader->arena, &others, dir);
        list_add(loader->arena, &finder->cache_dirs, dir);
    }
    for (size_t i = 0; i < loader->dirs.count; i++)
        list_add(loader->arena, &finder->cache_dirs, loader->dirs.items[i]);
    ld_cache_collect(loader->arena, loader->set, loader->arch, &others, NULL, &finder->cache);
    if (!finder->cache.count)
        return;
    ld_cache_collect(loader->arena, loader->set, loader->arch, &finder->cache_dirs, NULL, &finder->cache);
    loader->cache = &finder->cache;
}

static void prepare(struct finder *finder, struct arena *arena, const struct fileset *set)
{
    static const struct strings none;
    const struct closure_request *request = finder->request;
    loader_prepare(arena, request->arch, set, &finder->loader);
    loader_machines(arena, request->arch, request->hwcaps ? request->hwcaps : &none, &finder->machines,
                    &finder->machine_count);
    prepare_cache(finder);
}

/* The configuration goes with the cache that is made of it. */
static void keep_configuration(struct finder *finder)
{
    if (!finder->needs_cache)
        return;
    for (size_t i = 0; i < finder->conf.files.count; i++)
        finder_keep_file(finder, finder->conf.files.items[i], "names directories of " LD_CACHE_PATH, NULL);
    for (size_t i = 0; i < finder->conf.notes.count; i++)
        finder_note(finder, finder->conf.notes.items[i]);
}

static int compare_kept(const void *a, const void *b)
{
    const struct kept *left = a, *right = b;
    return strcmp(left->file->entry->path, right->file->entry->path);
}

static void finish(struct finder *finder, struct keep *ret_keep)
{
    size_t count = 0;
    struct unloadable_files unloadable;
    closure_settle_failed(finder, &unloadable);
    struct kept *items = arena_new_array(finder->loader.arena, struct kept, finder->kept.slots.count);
    for (size_t i = 0; i < finder->kept.slots.count; i++) {
        const struct held *held = finder->kept.slots.items[i].value;
        if (held->is_kept)
            items[count++] = held->kept;
    }
    if (count)
        qsort(items, count, sizeof(items[0]), compare_kept);
    *ret_keep = (struct keep){.items = items,
                              .count = count,
                              .missing = finder->missing.items,
                              .missing_count = finder->missing.count,
                              .needs_cache = finder->needs_cache,
                              .cache_dirs = finder->cache_dirs,
                              .unloadable = unloadable,
                              .notes = finder->notes};
}

bool closure_find(struct arena *arena, const struct fileset *set, const struct closure_request *request,
                  struct keep *ret_keep, struct err *err)
{
    struct finder finder = {.request = request,
                            .kept = {.arena = arena},
                            .started = {.arena = arena},
                            .reported = {.arena = arena},
                            .opened = {.arena = arena},
                            .noted = {.arena = arena}};
    prepare(&finder, arena, set);
    for (size_t i = 0; i < request->root_count; i++) {
        if (request->roots[i].is_program && !check_program(&finder, &request->roots[i], err))
            return false;
        add_root(&finder, &request->roots[i]);
    }
    for (size_t i = 0; i < finder.starts.count; i++) {
        struct start start = finder.starts.items[i]; /* the list may move */
        if (!run_start(&finder, &start, err))
            return false;
    }
    keep_configuration(&finder);
    finish(&finder, ret_keep);
    return true;
}

bool keep_lacks(const struct keep *keep)
{
    for (size_t i = 0; i < keep->missing_count; i++) {
        if (!keep->missing[i].is_optional)
            return true;
    }
    return false;
}
