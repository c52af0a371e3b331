#include "closure/closure_finder.h"

#include "package/path.h"
#include "package/script.h"

#include <elf.h>
#include <stdlib.h>

static const char libc_name[] = "libc.so.6";
static const char libgcc_name[] = "libgcc_s.so.1";
static const char libgcc_why[] = "glibc opens it with dlopen for pthread_exit and pthread_cancel";

static void add_start(struct finder *finder, const struct start *start)
{
    const char *key =
        arena_printf(finder->loader.arena, "%u %d %s", start->script_depth, start->is_lenient, start->path);
    if (map_add(&finder->started, text_of(key), (void *)key))
        list_add(finder->loader.arena, &finder->starts, *start);
}

/* Reports what a script lacks. A lenient one may lack it, but only once all packages were looked into. */
static void report_script(struct finder *finder, const struct start *script, const char *wanted)
{
    if (!script->is_lenient || finder->request->is_partial)
        finder_report_missing(finder, wanted, script->file->entry->path, false);
}

static bool refuse(const struct sourced *file, struct err *err, const char *reason)
{
    err_set(err, ERR_MALFORMED, "%s (package %s): %s", file->entry->path, file->package->name, reason);
    return false;
}

/* Checks an ELF file that is started or opened by its path. */
static bool check_elf(struct finder *finder, const struct sourced *file, const struct elf_facts *elf, struct err *err)
{
    const char *why = loader_why_not(finder->loader.arena, elf, finder->loader.arch);
    return !why || refuse(file, err, why);
}

/* glibc's libc.so.6 opens libgcc_s.so.1 when a thread is cancelled or left, and aborts the process when it is not
 * there. */
static void keep_libgcc(struct finder *finder, const struct loader *loader, struct load_list *list)
{
    struct load_object *libc = loader_find(list, libc_name);
    for (size_t i = 0; !libc && finder->request->is_partial && i < list->count; i++) {
        if (strings_has(&list->items[i]->elf->needed, libc_name))
            libc = list->items[i]; /* libc.so.6 is not unpacked yet */
    }
    if (!libc)
        return;
    size_t first = list->count;
    struct load_need need = loader_open(loader, list, libc, libgcc_name);
    if (need.object || finder->request->is_partial)
        finder_keep_need(finder, &need, libgcc_why, libc->file->entry->path);
    finder_keep_needs(finder, list, first);
}

/* Takes the notes of a process; false when one says that it does not start. */
static bool take_notes(struct finder *finder, const struct load_list *list, struct err *err)
{
    for (size_t i = 0; i < list->notes.count; i++) {
        const struct load_note *note = &list->notes.items[i];
        if (note->is_fatal) {
            err_set(err, ERR_MALFORMED, "%s", note->text);
            return false;
        }
        finder_note(finder, note->text);
    }
    return true;
}

/* Of a library that is kept by itself: what it loads may be a program as well, as libc.so.6 is, and then has an
 * interpreter of its own, which is the loader that a program would have named. */
static void start_programs(struct finder *finder, const struct start *start, const struct load_list *list)
{
    for (size_t i = 1; i < list->count; i++) {
        const struct load_object *object = list->items[i];
        if (object->elf->interp)
            add_start(finder, &(struct start){object->file, object->file->entry->path, 0, start->is_lenient});
    }
}

/* One process on one kind of machine. */
static bool run_process(struct finder *finder, const struct start *start, const struct strings *hwcaps, struct err *err)
{
    struct loader loader = finder->loader;
    struct load_list list;
    loader.hwcaps = *hwcaps;
    loader_load(&loader, start->file, start->path, &list);
    const char *path = start->file->entry->path;
    if (list.interpreter_need.name)
        finder_keep_need(finder, &list.interpreter_need, arena_printf(loader.arena, "interpreter of %s", path), path);
    else
        start_programs(finder, start, &list);
    finder_keep_needs(finder, &list, 0);
    keep_libgcc(finder, &loader, &list);
    closure_follow_notes(finder, &loader, &list);
    return take_notes(finder, &list, err);
}

static bool start_elf(struct finder *finder, const struct start *start, const struct entry *content, struct err *err)
{
    if (content->elf->type != ET_EXEC && content->elf->type != ET_DYN && !content->elf->broken)
        return true; /* an object file or core dump: data */
    if (!check_elf(finder, start->file, content->elf, err))
        return false;
    for (size_t i = 0; i < finder->machine_count; i++) {
        if (!run_process(finder, start, &finder->machines[i], err))
            return false;
    }
    return true;
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
    add_start(finder, &(struct start){file, file->entry->path, script->script_depth + 1, script->is_lenient});
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
        return refuse(start->file, err, "its #! line has a carriage return, with which no interpreter is found");
    if (start->script_depth >= SCRIPT_DEPTH_MAX)
        return refuse(start->file, err,
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
    if (content->elf)
        return start_elf(finder, start, content, err);
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

static void add_root(struct finder *finder, const struct closure_root *root)
{
    struct sourced_list links = {0};
    const char *end = NULL;
    const struct sourced *file = fileset_walk(finder->loader.set, finder->loader.arena, root->path, &links, &end);
    bool is_dangling = !file && is_link(finder, root->path);
    bool may_dangle = root->is_optional || root->is_alone || root->is_lenient;
    bool may_come = finder->request->is_partial && !root->is_alone; /* from a package that is not in the set yet */
    if (file || (is_dangling && may_dangle))
        finder_keep_links(finder, &links, end);
    if (file) {
        finder_keep_file(finder, file, root->why, NULL);
        if (!root->is_alone)
            add_start(finder, &(struct start){file, root->path, 0, root->is_lenient});
    } else if (is_dangling && (!may_dangle || may_come)) {
        finder_report_missing(finder, end, links.items[links.count - 1]->entry->path, true);
    } else if (!is_dangling && (!root->is_optional || may_come)) {
        finder_report_missing(finder, root->path, "the manifest", true);
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

static void finish(const struct finder *finder, struct keep *ret_keep)
{
    size_t count = finder->kept.slots.count;
    struct kept *items = arena_new_array(finder->loader.arena, struct kept, count);
    for (size_t i = 0; i < count; i++)
        items[i] = *(const struct kept *)finder->kept.slots.items[i].value;
    if (count)
        qsort(items, count, sizeof(items[0]), compare_kept);
    *ret_keep = (struct keep){.items = items,
                              .count = count,
                              .missing = finder->missing.items,
                              .missing_count = finder->missing.count,
                              .needs_cache = finder->needs_cache,
                              .cache_dirs = finder->cache_dirs,
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
