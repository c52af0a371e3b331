/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/watch.h"

#include "base/auto.h"
#include "base/clock.h"
#include "base/units.h"
#include "cli/build.h"
#include "cli/night_told.h"
#include "io/broker.h"
#include "io/notify.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define INTERVAL_MS ((uint64_t)10 * 60 * 1000)
#define BACK_OFF_MAX_MS ((uint64_t)60 * 60 * 1000)
#define DAY_MS ((uint64_t)24 * 60 * 60 * 1000)
#define TICK_MS ((uint64_t)100)
/* A poll or a night that is not done by then is stuck: systemd is not told any more that all is well. */
#define STUCK_MS (2 * DAY_MS)

struct watch {
    struct command *command;
    struct notify notify;
    struct log *silent; /* of polls: what is wrong with an image or old is told by nights */
    uint64_t interval_ms;
    struct arena site_arena; /* of a site file that was read again */
    struct digest metadata;  /* of the last night */
    bool is_told;            /* by files */
    bool is_night_due;       /* whatever the metadata are */
    unsigned failures;       /* in a row */
    uint64_t night_ms;       /* when the last one began */
    uint64_t alive_ms;       /* when systemd was last told */
};

/* A poll or a night, in a thread of its own: readers are confined for good, with the thread that opens their plant. */
struct turn {
    struct command command; /* with an arena of its own */
    bool is_night;
    bool is_good;
    struct digest metadata;
    struct err err;
    pthread_mutex_t lock;
    pthread_cond_t ended; /* predicate: is_done, guarded by lock */
    bool is_done;
};

uint64_t watch_pause_ms(uint64_t interval_ms, unsigned failures, uint32_t chance)
{
    uint64_t most = interval_ms > BACK_OFF_MAX_MS ? interval_ms : BACK_OFF_MAX_MS, pause = interval_ms;
    for (unsigned i = 0; i < failures && pause < most; i++)
        pause = pause * 2 < most ? pause * 2 : most;
    return pause - pause / 10 + (uint64_t)((double)pause / 5 * chance / UINT32_MAX);
}

static bool is_cancelled(const struct watch *watch)
{
    return atomic_load(watch->command->cancel);
}

/* Tells systemd what goes on. */
static void tell(struct watch *watch, const char *state, const char *text)
{
    AUTO(arena_done) struct arena scratch = {0};
    notify_send(&watch->notify, arena_printf(&scratch, "%sSTATUS=%s\n", state, text_shown(&scratch, text)));
}

static void tell_alive(struct watch *watch)
{
    if (!watch->notify.watchdog_ms || clock_ms() - watch->alive_ms < watch->notify.watchdog_ms / 3)
        return;
    watch->alive_ms = clock_ms();
    notify_send(&watch->notify, "WATCHDOG=1\n");
}

/* --- a poll or a night --- */

static void *turn_thread(void *argument)
{
    struct turn *turn = argument;
    turn->is_good = turn->is_night ? build_run(&turn->command, &turn->err)
                                   : build_poll(&turn->command, &turn->metadata, &turn->err);
    pthread_mutex_lock(&turn->lock);
    turn->is_done = true;
    pthread_cond_signal(&turn->ended);
    pthread_mutex_unlock(&turn->lock);
    return NULL;
}

/* The command for one turn: what a former one left is not in it. */
static struct command command_of(const struct watch *watch, bool is_night)
{
    struct command command = *watch->command;
    if (!is_night && !command.options.is_verbose)
        command.log = command.lock_wait.log = watch->silent;
    command.arena = (struct arena){0};
    command.confined = (struct confine_places){.channel = watch->command->confined.channel};
    command.made = (struct strings){0};
    command.is_told = watch->is_told;
    command.metrics = command.changes = NULL;
    command.pages = NULL;
    command.begun = clock_seconds();
    command.outcome = ERR_NONE;
    command.is_main_left = true; /* which waits for the next turn */
    return command;
}

/* Runs a turn to its end. After a signal it ends by itself, or the process does (signals.h). */
static void run_turn(struct watch *watch, struct turn *turn)
{
    pthread_t thread;
    uint64_t begun = clock_ms();
    turn->command = command_of(watch, turn->is_night);
    int failed = pthread_create(&thread, NULL, turn_thread, turn);
    if (failed) {
        err_set_errno(&turn->err, failed, "cannot start a thread");
        return;
    }
    pthread_mutex_lock(&turn->lock);
    while (!turn->is_done) {
        clock_wait_ms(&turn->ended, &turn->lock, TICK_MS);
        if (clock_ms() - begun < STUCK_MS)
            tell_alive(watch);
    }
    pthread_mutex_unlock(&turn->lock);
    (void)pthread_join(thread, NULL);
}

static struct turn *new_turn(bool is_night)
{
    struct turn *turn = calloc(1, sizeof *turn);
    if (!turn)
        memory_abort(sizeof *turn);
    turn->is_night = is_night;
    pthread_mutex_init(&turn->lock, NULL);
    clock_cond_init(&turn->ended);
    return turn;
}

/* Frees what a turn made, but for what threads that were left alone still use: then the process ends. */
static void end_turn(struct watch *watch, struct turn *turn)
{
    pthread_mutex_destroy(&turn->lock);
    pthread_cond_destroy(&turn->ended);
    watch->command->is_abandoned = turn->command.is_abandoned;
    if (turn->command.is_abandoned)
        return;
    arena_done(&turn->command.arena);
    free(turn);
}

static void tell_error(const struct watch *watch, const struct err *err)
{
    if (!is_cancelled(watch))
        log_line(watch->command->log, LOG_QUIET, "error: %s", err->text);
}

/* Asks for the metadata. Returns whether that could be done. */
static bool poll_metadata(struct watch *watch, struct digest *ret_metadata)
{
    struct turn *turn = new_turn(false);
    run_turn(watch, turn);
    bool is_good = turn->is_good;
    *ret_metadata = turn->metadata;
    if (!is_good)
        tell_error(watch, &turn->err);
    end_turn(watch, turn);
    return is_good;
}

/* Makes a night; returns whether all of it is good. */
static bool make_night(struct watch *watch)
{
    struct turn *turn = new_turn(true);
    watch->night_ms = clock_ms();
    tell(watch, "", "a night is being made");
    if (command_timeout_ms(watch->command))
        signals_limit_ms(watch->command->signals, command_timeout_ms(watch->command));
    run_turn(watch, turn);
    signals_limit_ms(watch->command->signals, 0);
    if (!turn->is_good) {
        turn->command.outcome = turn->err.kind;
        command_tell_timeout(watch->command, &turn->err);
        tell_error(watch, &turn->err);
    }
    (void)fflush(stdout);
    night_told_write(&turn->command);
    bool is_good = turn->command.outcome == ERR_NONE;
    watch->metadata = turn->command.metadata;
    end_turn(watch, turn);
    return is_good;
}

/* --- without end --- */

/* A site that can be watched names its images. */
static bool check_images(const struct site *site, struct err *err)
{
    if (!site->images.count)
        err_set(err, ERR_USAGE, "--watch is for a site that names its images: %s",
                site->path ? "the site file has no images:" : "no site file is there");
    return site->images.count;
}

static bool is_other(const char *one, const char *two)
{
    return one && two ? strcmp(one, two) != 0 : one != two;
}

/* Whether two site files differ in what the process that has the network was started with. */
static bool have_other_networks(const struct site *one, const struct site *two)
{
    bool is_same = !is_other(one->authfile, two->authfile) && one->is_tls_verify_off == two->is_tls_verify_off &&
                   one->has_retries == two->has_retries && one->retries == two->retries &&
                   one->max_rate == two->max_rate && one->max_connections == two->max_connections &&
                   one->token_origins.count == two->token_origins.count;
    for (size_t i = 0; is_same && i < one->token_origins.count; i++)
        is_same = strcmp(one->token_origins.items[i], two->token_origins.items[i]) == 0;
    return !is_same;
}

/* Reads the site file again; one with a mistake, or that is gone for a moment, changes nothing. */
static void reload(struct watch *watch)
{
    struct command *command = watch->command;
    struct arena arena = {0};
    struct site site;
    struct err err = {0};
    tell(watch, "RELOADING=1\n", "reading the site file again");
    if (site_load(&arena, command->options.config, &site, &err) && check_images(&site, &err)) {
        if (command->broker && have_other_networks(&command->site, &site))
            log_line(
                command->log, LOG_QUIET,
                "warning: what the site file says now of authfile, tls-verify, token-origins, retries, max-rate and "
                "max-connections counts when the watch is started again");
        command->site = site;
        arena_done(&watch->site_arena);
        watch->site_arena = arena;
        watch->is_night_due = true;
        log_line(command->log, LOG_NORMAL, "the site file was read again");
    } else {
        log_line(command->log, LOG_QUIET, "error: %s; it stays as it was", err.text);
        arena_done(&arena);
    }
    tell(watch, "READY=1\n", "watching");
}

/* One look, and a night when there is cause. */
static void look(struct watch *watch)
{
    struct log *log = watch->command->log;
    struct digest metadata;
    bool is_due = watch->is_night_due || clock_ms() - watch->night_ms >= DAY_MS;
    if (!is_due) {
        tell(watch, "", "asking for signed metadata");
        if (!poll_metadata(watch, &metadata)) {
            watch->failures++;
            return;
        }
        watch->failures = 0;
        is_due = !digest_eq(&metadata, &watch->metadata);
    }
    if (!is_due) {
        log_line(log, LOG_VERBOSE, "the signed metadata are the same as before");
        return;
    }
    bool is_good = make_night(watch);
    watch->is_night_due = !is_good;
    watch->failures = is_good ? 0 : watch->failures + 1;
}

/* Waits for the next look, or for a signal. */
static void wait_for_next(struct watch *watch)
{
    AUTO(arena_done) struct arena scratch = {0};
    uint64_t pause_ms = watch_pause_ms(watch->interval_ms, watch->failures, command_chance()),
             end_ms = clock_ms() + pause_ms;
    const char *told = arena_printf(&scratch, "%s; the next look is in %s",
                                    watch->failures ? "the last look or night failed" : "all is current",
                                    units_duration(pause_ms).chars);
    tell(watch, "", told);
    log_line(watch->command->log, LOG_VERBOSE, "%s", told);
    for (uint64_t now; !is_cancelled(watch) && (now = clock_ms()) < end_ms;) {
        tell_alive(watch);
        if (signals_take_hangup(watch->command->signals)) {
            reload(watch);
            return;
        }
        clock_sleep_ms(end_ms - now < TICK_MS ? end_ms - now : TICK_MS);
    }
}

static bool check(struct watch *watch, struct err *err)
{
    const struct options *options = &watch->command->options;
    const char *word = options->watch;
    const char *odd = options->words.count     ? "names"
                      : options->is_dry_run    ? "--dry-run"
                      : options->is_cache_only ? "--cache-only"
                      : options->is_locked     ? "--locked"
                                               : NULL;
    if (*word && !(units_parse_duration(text_of(word), &watch->interval_ms) && watch->interval_ms))
        err_set(err, ERR_USAGE, "--watch=%s is not a duration with its unit: 90s, 10m, 1h", word);
    else if (odd)
        err_set(err, ERR_USAGE, "--watch makes nights of a site; it takes no %s", odd);
    return err->kind == ERR_NONE && check_images(&watch->command->site, err);
}

static bool watch_site(struct command *command, struct err *err)
{
    struct watch watch = {.command = command, .interval_ms = INTERVAL_MS, .is_night_due = true};
    if (!check(&watch, err))
        return false;
    watch.is_told = command->is_told;
    command->is_told = false; /* each night writes its own */
    signals_limit_ms(command->signals, 0);
    signals_catch_hangups(command->signals);
    watch.silent = log_open(LOG_SILENT);
    notify_open(&watch.notify);
    tell(&watch, "READY=1\n", "watching");
    while (!is_cancelled(&watch) && err->kind == ERR_NONE) {
        look(&watch);
        if (command->broker && broker_is_gone(command->broker))
            broker_set_gone(err); /* no look would succeed any more: whoever supervises this starts it again */
        else
            wait_for_next(&watch);
    }
    notify_send(&watch.notify, "STOPPING=1\n");
    notify_close(&watch.notify);
    command->site = (struct site){0};
    if (err->kind == ERR_NONE)
        command->outcome = signals_is_timed_out(command->signals) ? ERR_NETWORK : ERR_CANCELLED;
    if (!command->is_abandoned) { /* else threads that hang may have use for both until the process ends */
        arena_done(&watch.site_arena);
        log_close(watch.silent);
    }
    return err->kind == ERR_NONE;
}

bool watch_build(struct command *command, struct err *err)
{
    return command->options.watch ? watch_site(command, err) : build_run(command, err);
}
