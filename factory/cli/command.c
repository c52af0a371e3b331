/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#include "base/clock.h"
#include "base/units.h"
#include "cli/places.h"
#include "io/owner.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define CACHE_LIMIT_BYTES ((uint64_t)8 << 30)
#define JITTER_TICK_MS ((uint64_t)200)
#define SITE_SYNC_WAIT_MS                                                                                              \
    ((uint64_t)10 * 60 * 1000) /* with a site file: nobody sits before it, and mirrors take minutes */

const char *command_first(const char *option, const char *site, const char *standard)
{
    return option ? option : site ? site : standard;
}

const char *command_line(struct arena *arena, const struct strings *words)
{
    const char *line = "";
    for (size_t i = 0; i < words->count; i++)
        line = arena_printf(arena, "%s %s", line, text_shell_word(arena, words->items[i]));
    return line;
}

const char *command_state_dir(struct command *command)
{
    const char *state = command->options.state;
    struct err ignored = {0};
    bool is_known =
        state || places_user_dir(&command->arena, "XDG_STATE_HOME", ".local/state", "/var/lib", &state, &ignored);
    return is_known ? state : NULL;
}

/* Where something is remembered of registries; without a home nothing is. */
static const char *remembering_dir(struct command *command, const char *name)
{
    const char *state = command_state_dir(command);
    struct err ignored = {0};
    if (!state)
        return NULL;
    if (!owner_check(state, &ignored)) {
        log_line(command->log, LOG_VERBOSE, "what was pushed before is not believed: %s", ignored.text);
        return NULL;
    }
    return arena_printf(&command->arena, "%s/v1/%s", state, name);
}

const char *command_prune_dir(struct command *command)
{
    return remembering_dir(command, "pruned");
}

bool command_is_site_file(const char *word)
{
    struct stat status;
    struct text text = text_of(word);
    return text_has_suffix(text, ".yaml") || text_has_suffix(text, ".yml") ||
           (stat(word, &status) == 0 && S_ISREG(status.st_mode));
}

/* Tries after the first. */
static unsigned retries_of(const struct command *command)
{
    const struct options *options = &command->options;
    const struct site *site = &command->site;
    return (unsigned)(!options->has_retries && site->has_retries ? site->retries : options->retries);
}

const struct registry_options *command_registry_options(struct command *command)
{
    const struct options *options = &command->options;
    const struct site *site = &command->site;
    struct registry_options *registry = arena_new(&command->arena, struct registry_options);
    struct strings *origins = arena_new(&command->arena, struct strings);
    for (size_t i = 0; i < site->token_origins.count; i++)
        list_add(&command->arena, origins, site->token_origins.items[i]);
    for (size_t i = 0; i < options->token_origins.count; i++)
        list_add(&command->arena, origins, options->token_origins.items[i]);
    *registry = (struct registry_options){.log = command->log,
                                          .authfile = options->authfile ? options->authfile : site->authfile,
                                          .cert_dir = options->cert_dir,
                                          .is_verify_off = options->is_tls_verify_off || site->is_tls_verify_off,
                                          .token_origins = origins,
                                          .retries = retries_of(command),
                                          .keeper = command->keeper,
                                          .broker = command->keeper ? command->broker : NULL,
                                          .cancel = command->cancel};
    return registry;
}

struct push_policy command_push_policy(struct command *command)
{
    return (struct push_policy){.receipts_dir = remembering_dir(command, "pushed"),
                                .is_look_forced = command->options.is_look_forced,
                                .may_lose_platforms = command->options.may_lose_platforms,
                                .are_tags_kept = command->options.are_tags_kept || command->site.are_tags_kept};
}

uint32_t command_chance(void)
{
    uint32_t value;
    return getrandom(&value, sizeof value, 0) == sizeof value ? value : UINT32_MAX / 2;
}

void command_jitter(const struct command *command, bool is_night)
{
    uint64_t most_ms = command->options.jitter_ms ? command->options.jitter_ms : is_night ? command->site.jitter_ms : 0;
    uint64_t wait_ms = (uint64_t)((double)most_ms * command_chance() / UINT32_MAX), end_ms = clock_ms() + wait_ms;
    if (!most_ms)
        return;
    log_line(command->log, LOG_VERBOSE, "begins in %s (jitter)", units_duration(wait_ms).chars);
    for (uint64_t now; !atomic_load(command->cancel) && (now = clock_ms()) < end_ms;)
        clock_sleep_ms(end_ms - now < JITTER_TICK_MS ? end_ms - now : JITTER_TICK_MS);
}

const char *command_cache_from(const struct command *command)
{
    return command->options.cache_from ? command->options.cache_from : command->site.cache_from;
}

struct http_options command_http_options(const struct command *command)
{
    const struct options *options = &command->options;
    const struct site *site = &command->site;
    unsigned retries = retries_of(command);
    uint64_t rate = options->max_rate ? options->max_rate : site->max_rate,
             connections = options->max_connections ? options->max_connections : site->max_connections;
    return (struct http_options){.rate_per_host = rate == UINT64_MAX ? 0 : rate,
                                 .connections_per_host = (size_t)connections,
                                 .retry_count = retries ? retries : HTTP_NO_RETRY,
                                 .slow_after_ms = command->slow_after_ms,
                                 .cancel = command->cancel,
                                 .keeper = command->keeper,
                                 .confined = command->keeper ? &command->confined : NULL,
                                 .broker = command->keeper ? command->broker : NULL,
                                 .log = command->log};
}

uint64_t command_cache_limit(const struct command *command)
{
    const struct options *options = &command->options;
    const struct site *site = &command->site;
    return options->has_cache_limit ? options->cache_limit
           : site->has_cache_limit  ? site->cache_limit
                                    : CACHE_LIMIT_BYTES;
}

uint64_t command_timeout_ms(const struct command *command)
{
    return command->options.timeout_ms ? command->options.timeout_ms : command->site.timeout_ms;
}

uint64_t command_sync_wait_ms(const struct command *command)
{
    const struct site *site = &command->site;
    return command->options.sync_wait_ms != UINT64_MAX ? command->options.sync_wait_ms
           : site->has_sync_wait                       ? site->sync_wait_ms
           : site->path                                ? SITE_SYNC_WAIT_MS
                                                       : 0;
}

void command_tell_timeout(const struct command *command, struct err *err)
{
    if (err->kind != ERR_CANCELLED || !signals_is_timed_out(command->signals))
        return;
    err->kind = ERR_NETWORK;
    err->detail = 0;
    err_add(err, ": not done within --timeout %s", units_duration(command_timeout_ms(command)).chars);
}

bool command_record(struct command *command, const char **ret_reference, struct err *err)
{
    const char *status = command->site.status;
    struct reference reference;
    *ret_reference = NULL;
    if (!status)
        return true;
    bool is_good = reference_parse(&command->arena, status, true, &reference, err);
    if (is_good && reference.has_digest) {
        err_set(err, ERR_USAGE, "%s: a record has a tag, and no digest", status);
        is_good = false;
    }
    if (!is_good)
        err_wrap(err, "%s: status", command->site.path);
    else
        *ret_reference = reference_print(&command->arena, &reference);
    return is_good;
}

static size_t processor_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int count = CPU_COUNT(&set);
    return count < 1 ? 1 : count > 256 ? 256 : (size_t)count;
}

size_t command_jobs(const struct command *command)
{
    uint64_t jobs = command->options.jobs ? command->options.jobs : command->site.jobs;
    return jobs ? (size_t)jobs : processor_count();
}
