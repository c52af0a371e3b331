/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/confinement.h"

#include "base/auto.h"
#include "base/err.h"
#include "cli/night_pages.h"
#include "cli/passphrase.h"
#include "io/errand_serve.h"
#include "io/proxy.h"
#include "registry/registry_serve.h"
#include "sign/sign_serve.h"

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
    struct sign_serve *signers = sign_serve_new(channel, network);
    struct frame frame;
    while (channel_receive(channel, BROKER_FRAME_MAX_BYTES, &frame)) {
        bool is_known = http_serve_take(network, &frame) || registry_serve_take(registries, &frame) ||
                        errand_serve_take(channel, network, &frame) || sign_serve_take(signers, &frame);
        frame_done(&frame);
        if (!is_known)
            break;
    }
}

static bool start_broker(struct command *command, struct err *err)
{
    signals_pause(command->signals);
    bool is_started = broker_start(command->log, serve, command, &command->broker, err);
    signals_resume(command->signals);
    return is_started;
}

void confinement_start(struct command *command)
{
    struct err err = {0};
    if (!is_wanted(command))
        return;
    if (!confine_is_possible())
        log_line(command->log, LOG_VERBOSE, "readers are not confined: this kernel has neither Landlock nor seccomp");
    else if (!start_broker(command, &err) || !workers_start(1, &command->keeper, &err))
        log_line(command->log, LOG_VERBOSE, "readers are not confined: %s", err.text);
    if (command->broker)
        command->confined.channel = broker_channel(command->broker);
    command->lock_wait.broker = command->keeper ? command->broker : NULL;
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

void confinement_keep(struct command *command, const char *file)
{
    const char *slash = file ? strrchr(file, '/') : NULL;
    if (command->keeper && file)
        list_add(&command->arena, &command->kept.changeable,
                 !slash          ? "."
                 : slash == file ? "/"
                                 : arena_strndup(&command->arena, file, (size_t)(slash - file)));
}

static void add_all(struct arena *arena, const struct strings *from, struct strings *to)
{
    for (size_t i = 0; i < from->count; i++)
        list_add(arena, to, from->items[i]);
}

/* The files that the call is told in, the folders that it may leave empty. */
static void gather_kept(struct command *command)
{
    struct confine_places *kept = &command->kept;
    struct arena *arena = &command->arena;
    const char *pages = command->is_told ? night_pages_folder(command) : NULL;
    add_all(arena, &command->confined.readable, &kept->readable);
    add_all(arena, &command->confined.writable, &kept->writable);
    confinement_keep(command, command->options.metrics);
    confinement_keep(command, command->options.changes);
    if (pages)
        list_add(arena, &kept->writable, pages);
    for (size_t i = 0; i < command->made.count; i++) {
        const char *made = command->made.items[i], *slash = strrchr(made, '/');
        list_add(arena, &kept->removable,
                 !slash          ? "."
                 : slash == made ? "/"
                                 : arena_strndup(arena, made, (size_t)(slash - made)));
    }
    kept->channel = command->confined.channel;
}

static void confine_keeper(void *item)
{
    const struct command *command = item;
    AUTO(arena_done) struct arena scratch = {0};
    (void)confine_readers(&scratch, &command->kept); /* what could not be had is told where the others are confined */
}

/* Whether a command signs that is not the broker's: it needs what its makers know. */
static bool has_signing_command(const struct command *command)
{
    for (size_t i = 0; i < command->signers.count; i++) {
        if (command->signers.items[i].command.count && !command->signers.items[i].broker)
            return true;
    }
    return false;
}

void confinement_close(struct command *command)
{
    void *items[] = {command};
    bool is_left = command->is_main_left || has_signing_command(command) ||
                   command->options.command->kind == COMMAND_SYSTEM; /* all of a host, and systemctl */
    if (!command->keeper || is_left || command->is_keeper_confined)
        return;
    command->is_keeper_confined = true;
    passphrases_wipe();
    proxies_wipe();
    gather_kept(command);
    workers_run_all(command->keeper, confine_keeper, items, ARRAY_COUNT(items));
}

void confinement_settle(struct command *command)
{
    struct err err = {0};
    if (command->keeper && !command->is_main_left && !signals_renew(command->signals, &err))
        log_line(command->log, LOG_VERBOSE, "the thread for signals is not confined: %s", err.text);
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
    confinement_close(command);
    const char *lacking = command->keeper ? confine_readers(&command->arena, &command->confined) : NULL;
    if (lacking)
        log_line(command->log, LOG_VERBOSE, "readers are not confined as they should be: %s", lacking);
    confinement_settle(command);
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
