/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/confinement.h"

#include "base/auto.h"
#include "base/err.h"
#include "registry/registry_serve.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_wanted(const struct command *command)
{
    unsigned kind = command->options.command->kind;
    return !command->options.is_unconfined && !command->site.is_unconfined &&
           !(kind & (COMMAND_LOGIN | COMMAND_LOGOUT | COMMAND_CLEAN | COMMAND_KEY));
}

static void fill_options(void *owner, struct http_options *ret_options)
{
    *ret_options = command_http_options(owner);
}

/* What the call may ever want of a registry: who reads hostile bytes is not let delete, or change, for it. */
static enum registry_access most_of(const struct command *command)
{
    const unsigned reading = COMMAND_PULL | COMMAND_INSPECT | COMMAND_CHECK | COMMAND_WHY | COMMAND_FIND |
                             COMMAND_DIFF | COMMAND_SBOM | COMMAND_PROVENANCE | COMMAND_VEX | COMMAND_UNIT;
    unsigned kind = command->options.command->kind;
    const unsigned deleting = COMMAND_PRUNE | COMMAND_ASSEMBLE | (command->site.path ? COMMAND_BUILD : 0);
    return kind & reading ? REGISTRY_PULL : kind & deleting ? REGISTRY_DELETE : REGISTRY_PUSH;
}

/* What the broker does, until the other process ends. */
static void serve(struct channel *channel, void *owner)
{
    struct command *command = owner;
    struct http_serving serving = {.options = fill_options, .owner = command};
    struct http_serve *network = http_serve_new(channel, &serving);
    struct registry_serve *registries =
        registry_serve_new(channel, network, command_registry_options(command), most_of(command));
    struct frame frame;
    while (channel_receive(channel, BROKER_FRAME_MAX_BYTES, &frame)) {
        bool is_known = http_serve_take(network, &frame) || registry_serve_take(registries, &frame);
        frame_done(&frame);
        if (!is_known)
            break;
    }
}

void confinement_start(struct command *command)
{
    struct err err = {0};
    if (!is_wanted(command))
        return;
    if (!confine_is_possible())
        log_line(command->log, LOG_VERBOSE, "readers are not confined: this kernel has neither Landlock nor seccomp");
    else if (!broker_start(command->log, serve, command, &command->broker, &err) ||
             !workers_start(1, &command->keeper, &err))
        log_line(command->log, LOG_VERBOSE, "readers are not confined: %s", err.text);
    if (command->broker)
        command->confined.channel = broker_channel(command->broker);
    command->lock_wait.keeper = command->keeper;
}

void confinement_read(struct command *command, const char *path)
{
    if (command->keeper && path)
        list_add(&command->arena, &command->confined.readable, path);
}

/* Adds the links of a directory, if it is one. */
static void add_links(struct command *command, const char *dir, struct strings *paths)
{
    DIR *stream = opendir(dir);
    const struct dirent *entry;
    if (!stream && errno_is_shortage(errno))
        command->confined.shortage = errno;
    while (stream && (entry = readdir(stream))) {
        if (entry->d_type == DT_LNK)
            list_add(&command->arena, paths, arena_printf(&command->arena, "%s/%s", dir, entry->d_name));
    }
    if (stream)
        (void)closedir(stream);
}

void confinement_read_linked(struct command *command, const char *dir)
{
    confinement_read(command, dir);
    if (command->keeper && dir)
        add_links(command, dir, &command->confined.readable);
}

void confinement_read_source(struct command *command, const char *path)
{
    struct confine_places *places = &command->confined;
    size_t before = places->readable.count;
    confinement_read_linked(command, path);
    for (size_t i = before; i < places->readable.count; i++)
        list_add(&command->arena, &places->local, places->readable.items[i]);
}

/* Makes a folder and those above it, and notes which: a run that comes to nothing leaves none behind. */
static void make(struct command *command, const char *path, mode_t mode)
{
    struct arena *arena = &command->arena;
    for (const char *end = path + strspn(path, "/"); *end;) {
        end += strcspn(end, "/");
        const char *part = arena_strndup(arena, path, (size_t)(end - path));
        if (mkdir(part, mode) == 0)
            list_add(arena, &command->made, part);
        end += strspn(end, "/");
    }
}

void confinement_write(struct command *command, const char *dir, mode_t mode)
{
    if (!command->keeper || !dir)
        return;
    make(command, dir, mode);
    list_add(&command->arena, &command->confined.writable, dir);
    add_links(command, dir, &command->confined.writable);
}

const struct confine_places *confinement_places(struct command *command)
{
    return command->keeper ? &command->confined : NULL;
}

void confinement_enter(struct command *command)
{
    command->is_confined = true;
    if (command->keeper)
        broker_seal(command->broker, &command->confined);
    const char *lacking = command->keeper ? confine_readers(&command->arena, &command->confined) : NULL;
    if (lacking)
        log_line(command->log, LOG_VERBOSE, "readers are not confined as they should be: %s", lacking);
}

static bool remove_empty(void *argument, struct err *err)
{
    const struct command *command = argument;
    (void)err;
    for (size_t i = command->made.count; i--;)
        (void)rmdir(command->made.items[i]);
    return true;
}

void confinement_stop(struct command *command)
{
    struct err none = {0};
    if (command->is_abandoned)
        return;
    broker_stop(command->broker);
    command->broker = NULL;
    if (!command->keeper)
        return;
    (void)!workers_call(command->keeper, remove_empty, command, &none);
    workers_stop(command->keeper);
    command->keeper = NULL;
}
