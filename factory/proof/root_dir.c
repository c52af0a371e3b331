/* SPDX-License-Identifier: Apache-2.0 */
/* The directories of one depth are read at once, by readers that take one after the other; then those below them. Each
 * directory is sorted for itself: "a/x" comes behind "a-b", so a directory has two places, its own and, as "a/", that of
 * all below it. */
#include "proof/root_dir.h"

#include "base/auto.h"
#include "base/each.h"
#include "package/elf.h"
#include "package/path.h"
#include "proof/root_dir_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#define THREADS_MAX 16

/* The directories of one depth while they are read. */
struct level {
    const struct folders *folders;
    atomic_size_t next;
};

/* One reader's share of a level. */
struct share {
    struct root_dir_reader *reader;
    size_t failed; /* number of the folder that could not be read, which was its last; or the count of all */
    struct err err;
};

/* Reads folders until there are none left or one fails. Folders are handed out in their order, so the first one that
 * fails is read whatever the others do. */
static bool read_share(void *context, void *item, struct err *err)
{
    struct level *level = context;
    struct share *share = item;
    (void)err; /* the caller picks the first by number */
    share->failed = level->folders->count;
    for (size_t i; (i = atomic_fetch_add(&level->next, 1)) < level->folders->count;) {
        if (!root_dir_reader_read(share->reader, level->folders->items[i], &share->err)) {
            share->failed = i;
            break;
        }
    }
    return true;
}

static bool read_level(struct root_dir *root, const struct folders *folders, struct share *shares, struct err *err)
{
    struct level level = {.folders = folders};
    const struct share *failed = NULL;
    struct each_items items = {.items = shares,
                               .count = root->reader_count,
                               .each_bytes = sizeof *shares,
                               .threads_max =
                                   folders->count < root->reader_count ? folders->count : root->reader_count};
    if (!each_run(items, read_share, &level, err))
        return false;
    for (size_t i = 0; i < root->reader_count; i++) {
        if (shares[i].failed < (failed ? failed->failed : folders->count))
            failed = &shares[i];
    }
    if (failed)
        *err = failed->err;
    return !failed;
}

static int compare_folders(const void *a, const void *b)
{
    return strcmp((*(const struct folder *const *)a)->path, (*(const struct folder *const *)b)->path);
}

/* Reads all levels; *ret_all gets all folders. */
static bool read_levels(struct root_dir *root, struct folder *first, struct folders *ret_all, struct err *err)
{
    struct arena *arena = &root->readers[0].scratch;
    struct share *shares = arena_new_array(arena, struct share, root->reader_count);
    struct folders level = {0};
    list_add(arena, &level, first);
    for (size_t i = 0; i < root->reader_count; i++)
        shares[i].reader = &root->readers[i];
    while (level.count) {
        if (!read_level(root, &level, shares, err))
            return false;
        for (size_t i = 0; i < level.count; i++)
            list_add(arena, ret_all, level.items[i]);
        level.count = 0;
        for (size_t i = 0; i < root->reader_count; i++) {
            struct folders *found = &root->readers[i].found;
            for (size_t j = 0; j < found->count; j++)
                list_add(arena, &level, found->items[j]);
            found->count = 0;
        }
        if (level.count) /* so that of several errors always the same is told */
            qsort(level.items, level.count, sizeof level.items[0], compare_folders);
    }
    return true;
}

static void add_wanted(struct map *wanted, const char *path)
{
    const char *name = path_basename(path);
    if (root_dir_reader_is_left(name))
        (void)map_add(wanted, text_of(name), wanted);
}

/* Collects names of data under which the loader may look for a file: what links lead to, and what is needed. */
static void find_wanted(const struct folders *folders, struct map *wanted)
{
    for (size_t i = 0; i < folders->count; i++) {
        const struct folder *folder = folders->items[i];
        for (size_t j = 0; j < folder->names.count; j++) {
            const struct node *node = &folder->names.items[j].node;
            if (node->target)
                add_wanted(wanted, node->target);
            for (size_t k = 0; node->elf && k < node->elf->needed.count; k++)
                add_wanted(wanted, node->elf->needed.items[k]);
            if (node->elf && node->elf->interp)
                add_wanted(wanted, node->elf->interp);
        }
    }
}

/* Opens what was left and is wanted, until that makes nothing else wanted. */
static bool open_wanted(struct root_dir *root, const struct folders *folders, struct err *err)
{
    struct root_dir_reader *reader = &root->readers[0];
    struct map wanted = {.arena = &reader->scratch};
    size_t had;
    find_wanted(folders, &wanted);
    do {
        had = wanted.slots.count;
        for (size_t i = 0; had && i < folders->count; i++) {
            struct folder *folder = folders->items[i];
            for (size_t j = 0; j < folder->names.count; j++) {
                struct folder_name *name = &folder->names.items[j];
                if (name->is_left && map_get(&wanted, text_of(path_basename(name->node.path))) &&
                    !root_dir_reader_open(reader, folder, name, err))
                    return false;
                for (size_t k = 0; name->node.elf && k < name->node.elf->needed.count; k++)
                    add_wanted(&wanted, name->node.elf->needed.items[k]);
            }
        }
    } while (wanted.slots.count > had);
    return true;
}

/* A place in the sorted tree: a name, or all below it. */
struct place {
    const struct folder_name *name;
    const char *base;
    bool is_below;
};

static int compare_places(const void *a, const void *b)
{
    const struct place *left = a, *right = b;
    const unsigned char *one = (const unsigned char *)left->base, *other = (const unsigned char *)right->base;
    while (*one && *one == *other) {
        one++;
        other++;
    }
    return (*one || !left->is_below ? *one : '/') - (*other || !right->is_below ? *other : '/');
}

/* Adds a folder's nodes in the order of the tree. Recursion ends at PATH_MAX_DEPTH. */
static void add_nodes(struct arena *scratch, const struct folder *folder, struct tree *tree)
{
    size_t count = 0;
    struct place *places = arena_new_array(scratch, struct place, folder->names.count * 2);
    for (size_t i = 0; i < folder->names.count; i++) {
        const struct folder_name *name = &folder->names.items[i];
        const char *base = path_basename(name->node.path);
        places[count++] = (struct place){name, base, false};
        if (name->below && name->below->names.count)
            places[count++] = (struct place){name, base, true};
    }
    qsort(places, count, sizeof places[0], compare_places);
    for (size_t i = 0; i < count; i++) {
        const struct folder_name *name = places[i].name;
        if (places[i].is_below) {
            add_nodes(scratch, name->below, tree);
            continue;
        }
        tree->nodes[tree->count++] = name->node;
    }
}

static void make_tree(struct root_dir *root, const struct folder *first, const struct folders *folders)
{
    size_t count = 0;
    for (size_t i = 0; i < folders->count; i++)
        count += folders->items[i]->names.count;
    root->tree.nodes = arena_new_array(&root->arena, struct node, count);
    add_nodes(&root->readers[0].scratch, first, &root->tree);
}

bool root_dir_read(const char *path, const char *left_out, size_t thread_count, struct root_dir *ret_root,
                   struct err *err)
{
    AUTO(auto_close_fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct folder first = {.path = ""};
    struct folders all = {0};
    atomic_size_t count = 0;
    *ret_root = (struct root_dir){.reader_count = thread_count < THREADS_MAX ? thread_count : THREADS_MAX};
    if (fd < 0) {
        err_set_errno(err, errno, "cannot read %s of the directory that is checked", path);
        return false;
    }
    ret_root->seen = arena_new(&ret_root->arena, struct seen_files);
    pthread_mutex_init(&ret_root->seen->lock, NULL);
    ret_root->seen->by_inode.arena = &ret_root->seen->arena;
    ret_root->readers = arena_new_array(&ret_root->arena, struct root_dir_reader, ret_root->reader_count);
    for (size_t i = 0; i < ret_root->reader_count; i++) {
        ret_root->readers[i].root = fd;
        ret_root->readers[i].left_out = left_out;
        ret_root->readers[i].count = &count;
        ret_root->readers[i].seen = ret_root->seen;
    }
    bool is_read = read_levels(ret_root, &first, &all, err) && open_wanted(ret_root, &all, err);
    if (is_read)
        make_tree(ret_root, &first, &all);
    for (size_t i = 0; i < ret_root->reader_count; i++)
        root_dir_reader_trim(&ret_root->readers[i]);
    if (!is_read)
        root_dir_done(ret_root);
    return is_read;
}

void root_dir_done(struct root_dir *root)
{
    for (size_t i = 0; i < root->reader_count; i++)
        root_dir_reader_done(&root->readers[i]);
    if (root->seen) {
        pthread_mutex_destroy(&root->seen->lock);
        arena_done(&root->seen->arena);
    }
    struct arena arena = root->arena; /* has the readers */
    *root = (struct root_dir){0};
    arena_done(&arena);
}
