#include "cli/locking.h"

#include "base/auto.h"
#include "io/file.h"
#include "line/locked.h"
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

bool locking_begin(struct command *command, const struct strings *names, struct locking *locking, struct err *err)
{
    const struct options *options = &command->options;
    struct arena *arena = &command->arena;
    if (!locking->is_writing && !options->is_locked)
        return true;
    locking->path = path_of(command, arena, names);
    if (!read_lock(arena, locking, err))
        return false;
    if (!locking->is_there && options->is_locked) {
        err_set(err, ERR_USAGE, "--locked: there is no %s; `imgfactory lock` writes it", locking->path);
        return false;
    }
    if (!locking->is_there)
        return true;
    locking->has_pins = true;
    locking->pins = lock_pins(arena, &locking->lock, locking->path, options->is_locked);
    if (strcmp(locking->lock.program, IMGFACTORY_VERSION) != 0)
        log_line(command->log, LOG_NORMAL, "%s was written by imgfactory %s, and this is %s: digests may differ",
                 locking->path, text_printable(arena, text_of(locking->lock.program)), IMGFACTORY_VERSION);
    return true;
}

/* A lock on its way to its place. */
struct writing {
    const char *folder, *name;
    struct text text;
};

static bool write_file(void *argument, struct err *err)
{
    const struct writing *writing = argument;
    AUTO(auto_close_fd) int fd = -1;
    return file_open_dir(writing->folder, &fd, err) &&
           file_write_atomic_at(fd, writing->name, writing->text.ptr, writing->text.len, 0644, true, err);
}

static bool write_lock(struct command *command, const struct locking *locking, struct lock *lock, struct err *err)
{
    AUTO(buf_done) struct buf text;
    const char *folder = folder_of(&command->arena, locking->path);
    struct writing writing = {*folder ? folder : ".", locking->path + strlen(folder), {0}};
    buf_init(&text, LOCK_MAX_BYTES);
    if (!lock_write(lock, &text)) {
        err_set(err, ERR_LOCAL, "%s: the lock is larger than %zu bytes", locking->path, LOCK_MAX_BYTES);
        return false;
    }
    writing.text = buf_text(&text);
    return workers_call(command->keeper, write_file, &writing, err);
}

bool locking_end(struct command *command, struct locking *locking, const struct batch *batch, struct plant *plant,
                 struct err *err)
{
    struct lock lock;
    (void)plant;
    if (command->outcome != ERR_NONE) { /* each error was told */
        log_line(command->log, LOG_QUIET, "%s is not written", locking->path);
        return true;
    }
    locked_of_batch(&command->arena, batch, &lock);
    if (!write_lock(command, locking, &lock, err))
        return false;
    if (!command->options.is_quiet)
        (void)printf("%s: %zu images, %zu packages, %zu indices of %zu repositories\n", locking->path,
                     lock.images.count, lock.packages.count, lock.indices.count, lock.sources.count);
    return true;
}
