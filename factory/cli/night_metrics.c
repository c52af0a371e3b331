#include "cli/night_metrics.h"

#include "base/auto.h"
#include "base/clock.h"
#include "io/file.h"
#include "line/metrics.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder of a file, and its name there. */
static const char *folder_of(struct arena *arena, const char *path, const char **ret_name)
{
    const char *slash = strrchr(path, '/');
    *ret_name = slash ? slash + 1 : path;
    return !slash ? "." : slash == path ? "/" : arena_strndup(arena, path, (size_t)(slash - path));
}

bool night_metrics_check(const struct command *command, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *path = command->options.metrics, *name;
    if (!path)
        return true;
    const char *folder = folder_of(&scratch, path, &name);
    struct stat status;
    bool is_file = lstat(path, &status) != 0 || S_ISREG(status.st_mode) || S_ISLNK(status.st_mode);
    bool is_good = is_file && *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
                   access(folder, W_OK | X_OK) == 0 && access(arena_printf(&scratch, "%s/.", path), F_OK) != 0;
    if (!is_good)
        err_set(err, ERR_USAGE, "--metrics: %s cannot be written: it has to be a file in a folder that is there", path);
    return is_good;
}

void night_metrics_note(struct command *command, const struct batch *batch)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = command->is_metered ? open_memstream(&text, &len) : NULL;
    if (!command->is_metered)
        return;
    if (!out)
        memory_abort(len);
    metrics_print_batch(out, batch);
    if (fclose(out) != 0)
        memory_abort(len);
    command->metrics = arena_strndup(&command->arena, text, len);
    free(text);
}

bool night_metrics_write(struct command *command, struct err *err)
{
    AUTO(auto_close_fd) int fd = -1;
    AUTO(auto_free) char *text = NULL;
    size_t len = 0;
    const char *name;
    if (!command->is_metered)
        return true;
    const char *folder = folder_of(&command->arena, command->options.metrics, &name);
    FILE *out = open_memstream(&text, &len);
    if (!out)
        memory_abort(len);
    struct metrics_run run = {.version = IMGFACTORY_VERSION,
                              .ended = clock_date(),
                              .seconds = clock_seconds() - command->begun,
                              .outcome = command->outcome};
    metrics_print_run(out, &run);
    (void)fputs(command->metrics ? command->metrics : "", out);
    if (fclose(out) != 0)
        memory_abort(len);
    bool is_written = file_open_dir(folder, &fd, err) && file_write_atomic_at(fd, name, text, len, 0644, false, err);
    if (!is_written)
        err_wrap(err, "--metrics");
    return is_written;
}
