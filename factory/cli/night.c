/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/night.h"

#include "base/auto.h"
#include "cli/places.h"
#include "io/file.h"
#include "io/owner.h"

#include <errno.h>

/* How long a night waits for the one before it: nothing that is still at work then will end. */
#define NIGHT_WAIT_MS ((uint64_t)24 * 60 * 60 * 1000)
#define LOCK_NAME "night.lock"

/* Opens the file that is locked. */
static bool open_lock(struct command *command, int *ret_fd, struct err *err)
{
    AUTO(auto_close_fd) int dir_fd = -1;
    const char *state = command->options.state;
    if (!state && !places_user_dir(&command->arena, "XDG_STATE_HOME", ".local/state", "/var/lib", &state, err))
        return false;
    const char *dir = arena_printf(&command->arena, "%s/v1", state);
    if (!owner_check(dir, err) || !file_make_dirs(dir, 0700, err) || !file_open_dir(dir, &dir_fd, err))
        return false;
    *ret_fd = lock_open_at(dir_fd, LOCK_NAME);
    if (*ret_fd < 0)
        err_set_errno(err, errno, "cannot open %s/" LOCK_NAME, dir);
    return *ret_fd >= 0;
}

bool night_begin(struct command *command, int *ret_fd, struct err *err)
{
    AUTO(auto_close_fd) int fd = -1;
    struct lock_wait wait = command->lock_wait;
    const char *word = command_first(command->options.if_running, command->site.if_running, "wait");
    bool is_waited_for = strcmp(word, "wait") == 0;
    wait.limit_ms = wait.limit_ms ? wait.limit_ms : NIGHT_WAIT_MS;
    if (!open_lock(command, &fd, err))
        return false;
    if (!(is_waited_for ? lock_take(fd, false, "the lock of another night", &wait, err)
                        : lock_take_now(fd, "the lock of another night", err)))
        return false;
    *ret_fd = take_fd(&fd);
    return true;
}
