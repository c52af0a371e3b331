/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/night_pages.h"

#include "base/auto.h"
#include "base/clock.h"
#include "io/file.h"
#include "io/lock.h"
#include "line/paged.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "image"

const char *night_pages_folder(const struct command *command)
{
    const struct options *options = &command->options;
    bool is_night = !options->words.count && command->site.images.count && !options->is_dry_run;
    return options->report ? options->report : is_night ? command->site.report : NULL;
}

/* Returns whether a name is free, or a folder and no link to one. */
static bool may_be_folder(int dir_fd, const char *name)
{
    struct stat status;
    return fstatat(dir_fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0 || S_ISDIR(status.st_mode);
}

/* Returns whether a name is free, or has a page of ours. */
static bool is_ours(int dir_fd, const char *name)
{
    char bytes[PAGE_MARK_WITHIN];
    AUTO(auto_close_fd) int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat status;
    if (fd < 0)
        return faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
    ssize_t len = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) ? read(fd, bytes, sizeof bytes) : -1;
    return len > 0 && memmem(bytes, (size_t)len, PAGE_MARK, strlen(PAGE_MARK)) != NULL;
}

bool night_pages_check(const struct command *command, struct err *err)
{
    AUTO(auto_close_fd) int fd = -1;
    const char *folder = night_pages_folder(command);
    if (!folder)
        return true;
    if (!*folder || !file_make_dirs(folder, 0755, err) || !file_open_dir(folder, &fd, err)) {
        struct err why = *err;
        err_clear(err);
        err_set(err, ERR_USAGE, "--report: %s is no folder that pages can be written to%s%s", folder,
                why.kind ? ": " : "", why.kind ? why.text : "");
        return false;
    }
    if (faccessat(fd, ".", W_OK | X_OK, 0) != 0)
        err_set(err, ERR_USAGE, "--report: %s cannot be written to", folder);
    else if (!is_ours(fd, "index.html"))
        err_set(err, ERR_USAGE,
                "--report: %s/index.html is no page of imgfactory, and stays as it is; name a folder of its own",
                folder);
    else if (!may_be_folder(fd, FOLDER))
        err_set(err, ERR_USAGE, "--report: %s/" FOLDER " is no folder, and stays as it is; name a folder of its own",
                folder);
    return err->kind == ERR_NONE;
}

void night_pages_note(struct command *command, const struct batch *batch, const struct run_options *options,
                      bool is_night)
{
    if (!night_pages_folder(command))
        return;
    struct paged_run run = {.batch = batch,
                            .options = options,
                            .is_night = is_night,
                            .is_dry_run = options->is_dry_run,
                            .seconds = clock_seconds() - command->begun};
    command->pages = arena_new(&command->arena, struct page_files);
    paged_make(&command->arena, &run, command->pages);
}

/* Returns whether the run has a page of this name in the folder of images. */
static bool is_present(const struct page_files *pages, const char *name)
{
    for (size_t i = 0; i < pages->count; i++) {
        const char *slash = strchr(pages->items[i].name, '/');
        if (slash && strcmp(slash + 1, name) == 0)
            return true;
    }
    return false;
}

/* Removes pages of ours of images that are not there any more, and what a killed run left. */
static void remove_old(int images_fd, const struct page_files *pages)
{
    int again = openat(images_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = again >= 0 ? fdopendir(again) : NULL;
    const struct dirent *entry;
    if (!dir) {
        auto_close_fd(&again);
        return;
    }
    while ((entry = readdir(dir)) != NULL) {
        if (text_has_suffix(text_of(entry->d_name), ".html") && !is_present(pages, entry->d_name) &&
            is_ours(images_fd, entry->d_name))
            (void)unlinkat(images_fd, entry->d_name, 0);
    }
    (void)closedir(dir);
    file_remove_left_overs(images_fd);
}

static bool write_page(int dir_fd, int images_fd, const char *folder, const struct page_file *page, struct err *err)
{
    const char *slash = strchr(page->name, '/');
    int fd = slash ? images_fd : dir_fd;
    const char *name = slash ? slash + 1 : page->name;
    if (!is_ours(fd, name)) {
        err_set(err, ERR_LOCAL, "%s/%s is no page of imgfactory, and stays as it is", folder, page->name);
        return false;
    }
    return file_write_atomic_at(fd, name, page->bytes.ptr, page->bytes.len, 0644, false, err);
}

/* Two runs that write to one folder would mix their pages, and remove what the other is about to put into place. Where a file system
 * has no locks of folders nobody waits. */
static bool lock_folder(const struct command *command, int dir_fd, const char *folder, struct err *err)
{
    struct lock_wait wait = command->lock_wait;
    if (lock_take(dir_fd, false, folder, &wait, err))
        return true;
    if (err->kind == ERR_CANCELLED || err->detail == EWOULDBLOCK)
        return false;
    err_clear(err);
    return true;
}

static bool open_folders(const struct command *command, const char *folder, int *ret_dir_fd, int *ret_images_fd,
                         struct err *err)
{
    if (!file_open_dir(folder, ret_dir_fd, err) || !lock_folder(command, *ret_dir_fd, folder, err))
        return false;
    (void)mkdirat(*ret_dir_fd, FOLDER, 0755);
    *ret_images_fd = openat(*ret_dir_fd, FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (*ret_images_fd < 0)
        err_set(err, ERR_LOCAL, "%s/" FOLDER " is no folder", folder);
    return *ret_images_fd >= 0;
}

bool night_pages_write(const struct command *command, struct err *err)
{
    AUTO(auto_close_fd) int dir_fd = -1;
    AUTO(auto_close_fd) int images_fd = -1;
    const struct page_files *pages = command->pages;
    const char *folder = night_pages_folder(command);
    if (!pages || !folder)
        return true;
    bool is_good = open_folders(command, folder, &dir_fd, &images_fd, err);
    for (size_t i = pages->count; is_good && i-- > 0;) /* the first leads to the others */
        is_good = write_page(dir_fd, images_fd, folder, &pages->items[i], err);
    if (is_good) {
        remove_old(images_fd, pages);
        file_remove_left_overs(dir_fd);
    } else {
        err_wrap(err, "--report");
    }
    return is_good;
}
