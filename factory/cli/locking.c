/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/locking.h"

#include "base/auto.h"
#include "io/file.h"
#include "line/layering.h"
#include "line/locked.h"
#include "line/vendor.h"
#include "plan/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#define LOCK_NAME "imgfactory.lock"

/* Returns the folder that a file is in, with a '/' behind it, or "" for the present one. */
static const char *folder_of(struct arena *arena, const char *file)
{
    const char *slash = strrchr(file, '/');
    return slash ? arena_strndup(arena, file, (size_t)(slash + 1 - file)) : "";
}

/* Beside the manifest that is named by its path, else beside the site file, else here. */
static const char *path_of(const struct command *command, struct arena *arena, const struct strings *names)
{
    const char *manifest = names->count && yaml_is_path(names->items[0]) ? names->items[0] : NULL;
    const char *beside = manifest && command->options.words.count ? manifest : command->site.path;
    if (command->options.lock_file)
        return command->options.lock_file;
    return arena_printf(arena, "%s" LOCK_NAME, beside ? folder_of(arena, beside) : "");
}

/* Reads the lock; that there is none is an error of who builds from it only. */
static bool read_lock(struct arena *arena, struct locking *locking, struct err *err)
{
    AUTO(buf_done) struct buf text = {0};
    if (!file_read_at(AT_FDCWD, locking->path, LOCK_MAX_BYTES, &text, err)) {
        if (err->kind != ERR_LOCAL || err->detail != ENOENT)
            return false;
        err_clear(err);
        return true;
    }
    locking->is_there = lock_read(arena, locking->path, buf_text(&text), &locking->lock, err);
    return locking->is_there;
}

/* Reads the plan of layers, if there is one. */
static bool read_layer_plan(struct arena *arena, const char *lock, struct locking *locking, struct err *err)
{
    AUTO(buf_done) struct buf text = {0};
    const char *path = arena_printf(arena, "%s" LAYER_PLAN_NAME, folder_of(arena, lock));
    locking->layer_plan_path = path;
    if (!file_read_at(AT_FDCWD, path, LAYER_PLAN_MAX_BYTES, &text, err)) {
        /* A word with a slash may be a program of the image, whose folder is none here. */
        if (err->kind != ERR_LOCAL || (err->detail != ENOENT && err->detail != ENOTDIR))
            return false;
        err_clear(err);
        return true;
    }
    locking->has_layer_plan = layer_plan_read(arena, path, buf_text(&text), &locking->layer_plan, err);
    return locking->has_layer_plan;
}

static bool check_options(const struct command *command, const struct locking *locking, struct err *err)
{
    const struct options *options = &command->options;
    if (options->update && options->is_lock_check)
        err_set(err, ERR_USAGE, "--check looks at what --update would write: give one of the two");
    else if (options->is_lock_check && options->vendor)
        err_set(err, ERR_USAGE, "--check writes nothing, so that --vendor has nothing to write either");
    else if (!locking->is_writing && !options->is_locked && options->vendor)
        err_set(err, ERR_USAGE, "--vendor is for --locked and for `imgfactory lock`");
    return err->kind == ERR_NONE;
}

/* Whether a lock has to be there. */
static bool is_wanted(const struct options *options)
{
    return options->is_locked || options->is_lock_check || (options->update && *options->update);
}

/* Reads the packages of --update=PACKAGES. */
static bool read_update(const struct command *command, struct locking *locking, struct arena *arena, struct err *err)
{
    struct text rest = text_of(command->options.update ? command->options.update : ""), part;
    while (text_next(&rest, ',', &part)) {
        const char *name = text_dup(arena, text_trim(part));
        if (!*name || strings_has(&locking->moving, name))
            continue;
        if (!lock_has_package(&locking->lock, name)) {
            err_set(err, ERR_USAGE, "--update: %s has no package %s", locking->path,
                    text_printable(arena, text_of(name)));
            return false;
        }
        list_add(arena, &locking->moving, name);
    }
    return true;
}

/* Takes words that are packages of the lock from a list. A word that is an image, too, is the image. */
static void take_packages(const struct command *command, struct locking *locking, struct strings *names)
{
    size_t kept = 0;
    for (size_t i = 0; i < names->count; i++) {
        const char *word = names->items[i];
        bool is_image = lock_find_image(&locking->lock, word, NULL) != NULL;
        bool is_package = lock_has_package(&locking->lock, word);
        if (is_image && is_package)
            log_line(command->log, LOG_NORMAL, "--update %s: taken for the image; --update=%s is the package", word,
                     word);
        if (!is_image && !is_package && locking->is_there && !yaml_is_path(word) && !strchr(word, ':'))
            log_line(command->log, LOG_NORMAL,
                     "--update %s: it is no package of %s, and is taken for an image, which is new in it", word,
                     locking->path);
        if (is_image || !is_package)
            names->items[kept++] = word;
        else if (!strings_has(&locking->moving, word))
            list_add((struct arena *)&command->arena, &locking->moving, word);
    }
    names->count = kept;
}

/* What is written anew as a whole need not have been good. */
static bool forgive(const struct command *command, const struct locking *locking, struct err *err)
{
    const char *update = command->options.update;
    if (!update || *update || (err->kind != ERR_TRUST && err->kind != ERR_MALFORMED))
        return false;
    log_line(command->log, LOG_QUIET, "warning: nothing of the former lock is kept: %s was damaged", locking->path);
    err_clear(err);
    return true;
}

bool locking_words(struct command *command, struct strings *names, struct locking *locking, struct err *err)
{
    struct options *options = &command->options;
    struct arena *arena = &command->arena;
    if (!check_options(command, locking, err))
        return false;
    const char *path = path_of(command, arena, names);
    if (!read_layer_plan(arena, path, locking, err))
        return false;
    if (!locking->is_writing && !options->is_locked)
        return true;
    locking->path = path;
    if (!read_lock(arena, locking, err) && !forgive(command, locking, err))
        return false;
    if (!locking->is_there && is_wanted(options)) {
        err_set(err, ERR_USAGE, "there is no %s; `imgfactory lock` writes it", locking->path);
        return false;
    }
    if (!options->update)
        return true;
    if (!read_update(command, locking, arena, err))
        return false;
    if (!*options->update)
        take_packages(command, locking, names);
    bool is_all = locking->moving.count && !names->count && !command->site.images.count;
    for (size_t i = 0; is_all && i < locking->lock.images.count; i++) {
        if (!strings_has(names, locking->lock.images.items[i].image))
            list_add(arena, names, locking->lock.images.items[i].image);
    }
    return true;
}

void locking_begin(struct command *command, struct locking *locking)
{
    const struct options *options = &command->options;
    struct arena *arena = &command->arena;
    if (!locking->path)
        return;
    const struct strings *moving = locking->moving.count ? &locking->moving : NULL;
    locking->has_pins = locking->is_there && (!options->update || moving) && !options->is_lock_check;
    if (!locking->has_pins)
        return;
    locking->pins = lock_pins(arena, &locking->lock, locking->path, moving, options->is_locked);
    locking->pins.is_vouching = options->is_locked && options->is_lock_vouching;
    locking->pins.vendor = options->is_locked || moving ? options->vendor : NULL;
    if (strcmp(locking->lock.program, IMGFACTORY_VERSION) != 0)
        log_line(command->log, LOG_NORMAL, "%s was written by imgfactory %s, and this is %s: digests may differ",
                 locking->path, text_printable(arena, text_of(locking->lock.program)), IMGFACTORY_VERSION);
}

bool locking_take(struct command *command, const struct locking *locking, struct plant *plant, struct err *err)
{
    const struct pins *pins = &locking->pins;
    return (!pins->vendor || vendor_take(plant, &locking->lock, pins->vendor, err)) &&
           (!command->options.is_locked || locked_hold(plant, &locking->lock, locking->path, err));
}

/* A lock on its way to its place, and the plan of layers beside it. */
struct writing {
    const char *folder;
    struct file_content files[2]; /* the lock last, since nothing else says that all is done */
    size_t count;
};

static bool write_files(void *argument, struct err *err)
{
    const struct writing *writing = argument;
    AUTO(auto_close_fd) int fd = -1;
    return file_open_dir(writing->folder, &fd, err) &&
           file_write_several_at(fd, writing->files, writing->count, 0644, true, err);
}

/* Prints which source packages get layers of their own, when an image of the batch wants to know. */
static bool print_layer_plan(struct command *command, const struct locking *locking, const struct batch *batch,
                             struct buf *text, size_t *ret_lines, struct err *err)
{
    struct layer_plan plan;
    bool is_all = !command->options.words.count,
         is_wanted = layering_plan(&command->arena, batch, &locking->layer_plan, is_all, &plan);
    *ret_lines = plan.count;
    if (!is_wanted || layer_plan_write(&plan, text))
        return true;
    err_set(err, ERR_LOCAL, "%s: the plan is larger than %zu bytes", locking->layer_plan_path, LAYER_PLAN_MAX_BYTES);
    return false;
}

/* Lets the keeper write the lock, and the plan of layers where one is wanted. */
static bool write_lock(struct command *command, const struct locking *locking, const struct batch *batch,
                       struct lock *lock, struct err *err)
{
    AUTO(buf_done) struct buf text, plan;
    const char *folder = folder_of(&command->arena, locking->path);
    struct writing writing = {.folder = *folder ? folder : "."};
    size_t lines;
    buf_init(&text, LOCK_MAX_BYTES);
    buf_init(&plan, LAYER_PLAN_MAX_BYTES);
    if (!lock_write(lock, &text)) {
        err_set(err, ERR_LOCAL, "%s: the lock is larger than %zu bytes", locking->path, LOCK_MAX_BYTES);
        return false;
    }
    if (!print_layer_plan(command, locking, batch, &plan, &lines, err))
        return false;
    if (plan.len)
        writing.files[writing.count++] = (struct file_content){LAYER_PLAN_NAME, buf_text(&plan)};
    writing.files[writing.count++] = (struct file_content){locking->path + strlen(folder), buf_text(&text)};
    if (!workers_call(command->keeper, write_files, &writing, err))
        return false;
    if (plan.len && !command->options.is_quiet)
        (void)printf("%s: lines %zu\n", locking->layer_plan_path, lines);
    return true;
}

/* Prints what differs; ERR_RESOLVE when anything does. */
static bool tell_differences(const struct command *command, const struct locking *locking, const struct lock *now,
                             struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct strings lines;
    struct lock_part part = {.is_some = command->options.words.count > 0};
    lock_differences(&scratch, &locking->lock, now, part, &lines);
    for (size_t i = 0; i < lines.count; i++)
        (void)printf("%s\n", text_shown(&scratch, lines.items[i]));
    if (!lines.count && !command->options.is_quiet)
        (void)printf("%s: nothing else would be taken\n", locking->path);
    if (lines.count)
        err_set(err, ERR_RESOLVE, "%s: %zu difference%s; `imgfactory lock --update` writes what is new", locking->path,
                lines.count, lines.count == 1 ? "" : "s");
    return !lines.count;
}

/* Tells what an update of packages moved, and what with it. */
static void tell_moved(const struct command *command, const struct locking *locking, const struct lock *now)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct strings moved, asked = {0}, others = {0};
    lock_moved(&scratch, &locking->lock, now, &moved);
    for (size_t i = 0; i < moved.count; i++) {
        struct strings *names = strings_has(&locking->moving, moved.items[i]) ? &asked : &others;
        list_add(&scratch, names, moved.items[i]);
    }
    if (command->options.is_quiet)
        return;
    if (!moved.count)
        (void)printf("%s: there is nothing newer of %s\n", locking->path,
                     text_shown(&scratch, strings_join(&scratch, &locking->moving, ", ")));
    if (asked.count)
        (void)printf("%s: moved %s\n", locking->path, text_shown(&scratch, strings_join(&scratch, &asked, ", ")));
    if (others.count)
        (void)printf("%s: with it had to move %s\n", locking->path,
                     text_shown(&scratch, strings_join(&scratch, &others, ", ")));
}

/* Of a repository a lock has one first generation, and of a package's name one place: a part of its images alone cannot move. */
static bool check_others(const struct command *command, const struct locking *locking, const struct lock *now,
                         struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct strings others = {0}, moved = {0};
    if (!command->options.update)
        return true;
    lock_other_images(&scratch, &locking->lock, now, &others);
    if (locking->moving.count)
        moved = locking->moving;
    else
        lock_source_differences(&scratch, &locking->lock, now, &moved);
    if (others.count && moved.count)
        err_set(err, ERR_USAGE,
                "--update: %s has other images of these repositories (or architectures, --arch), which would have to "
                "move, too: %s; name all, or in a site none",
                locking->path, text_printable(&scratch, text_of(strings_join(&scratch, &others, ", "))));
    return !others.count || !moved.count;
}

/* Writes the lock, and what goes with it. */
static bool write_all(struct command *command, const struct locking *locking, const struct batch *batch,
                      struct plant *plant, struct lock *lock, struct err *err)
{
    const char *vendor = command->options.vendor;
    if ((vendor && !vendor_fill(plant, batch, vendor, err)) || !write_lock(command, locking, batch, lock, err) ||
        !locked_hold(plant, lock, locking->path, err))
        return false;
    if (!command->options.is_quiet)
        (void)printf("%s: images and architectures %zu, packages %zu, indices %zu, repositories %zu\n", locking->path,
                     lock->images.count, lock->packages.count, lock->indices.count, lock->sources.count);
    return true;
}

bool locking_end(struct command *command, struct locking *locking, const struct batch *batch, struct plant *plant,
                 struct err *err)
{
    const struct options *options = &command->options;
    struct lock lock;
    if (command->outcome != ERR_NONE) { /* each error was told */
        log_line(command->log, LOG_QUIET, "%s is not written", locking->path);
        return true;
    }
    locked_of_batch(&command->arena, batch, &lock);
    if (options->is_lock_check)
        return tell_differences(command, locking, &lock, err);
    if (locking->has_pins)
        lock_settle(&lock, &locking->lock);
    if (options->words.count && locking->is_there && !check_others(command, locking, &lock, err))
        return false;
    if (options->words.count && locking->is_there)
        lock_add_others(&command->arena, &lock, &locking->lock);
    lock_drop_unused(&lock);
    if (!write_all(command, locking, batch, plant, &lock, err))
        return false;
    if (locking->moving.count)
        tell_moved(command, locking, &lock);
    return true;
}
