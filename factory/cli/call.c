/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/call.h"

#include "base/clock.h"
#include "base/units.h"
#include "cli/build.h"
#include "cli/confinement.h"
#include "cli/help.h"
#include "cli/night_metrics.h"
#include "cli/night_pages.h"
#include "cli/night_told.h"
#include "cli/terminal.h"
#include "cli/told_file.h"
#include "cli/versions.h"
#include "io/confine.h"
#include "io/file.h"
#include "package/elf.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

/* A duration of the environment, for machines that are odd and tests that are in a hurry. */
static bool read_duration(const char *name, uint64_t *ret_ms, struct err *err)
{
    const char *value = getenv(name);
    *ret_ms = 0;
    if (!value || !*value || (units_parse_duration(text_of(value), ret_ms) && *ret_ms > 0))
        return true;
    err_set(err, ERR_USAGE, "%s is \"%s\", not a duration such as 90s or 10m", name, value);
    return false;
}

/* Sets what bounds all waiting. */
static bool set_limits(struct command *command, struct err *err)
{
    uint64_t slow_after_ms;
    command->lock_wait = (struct lock_wait){.log = command->log, .cancel = command->cancel};
    if (!read_duration("IMGFACTORY_LOCK_WAIT", &command->lock_wait.limit_ms, err) ||
        !read_duration("IMGFACTORY_SLOW_AFTER", &slow_after_ms, err))
        return false;
    command->slow_after_ms = slow_after_ms < UINT32_MAX ? (unsigned)slow_after_ms : UINT32_MAX;
    if (command_timeout_ms(command))
        signals_limit_ms(command->signals, command_timeout_ms(command));
    return true;
}

/* What one order has open at once, the libraries and gpgv included: with less, anything could fail anywhere, also in other
 * programs' words. */
#define DESCRIPTORS_MIN 24

/* Does the work of the call; on false err says why. */
static bool run(struct command *command, int argc, char **argv, struct err *err)
{
    struct commands commands = command->commands = commands_all();
    if (!options_parse(&command->arena, commands, argc, argv, &command->options, err))
        return false;
    const struct options *options = &command->options;
    if (options->is_help) {
        (options->is_help_brief ? help_print_brief : help_print)(stdout, commands, options->command);
        return true;
    }
    if (options->is_version) {
        versions_print(stdout, options->is_verbose);
        return true;
    }
    log_close(command->log);
    command->log = log_open(options->is_quiet ? LOG_QUIET : options->is_verbose ? LOG_VERBOSE : LOG_NORMAL);
    log_set_color(command->log, terminal_is_colored(options->color));
    if (!file_check_room(DESCRIPTORS_MIN, err))
        return false;
    if (options->is_list)
        return build_list(command, err);
    if (options->command->kind & COMMANDS_OF_ITSELF)
        return options->command->run(command, err);
    if (!night_metrics_check(command, err) || !told_file_check("--changes", options->changes, err))
        return false;
    command->is_told = options->command->kind == COMMAND_BUILD;
    if (!site_load(&command->arena, options->config, &command->site, err))
        return false;
    if (command->is_told && !night_pages_check(command, err))
        return false;
    if (command->site.path)
        log_line(command->log, LOG_VERBOSE, "site file: %s", command->site.path);
    if (!set_limits(command, err))
        return false;
    confinement_start(command);
    return options->command->run(command, err);
}

/* Returns whether all that was printed went out. Who closed a pipe early (`| head`) has seen enough, and is told nothing. */
static bool end_output(struct log *log)
{
    struct err err = {0};
    if (fflush(stdout) != 0 && errno != EPIPE)
        err_set_errno(&err, errno, "the report could not be written to standard output");
    struct pollfd output = {.fd = STDOUT_FILENO};
    bool is_lost = ferror(stdout) != 0, is_closed = poll(&output, 1, 0) == 1 && (output.revents & POLLERR);
    if (is_lost && !is_closed)
        log_line(log, LOG_QUIET, "error: %s",
                 err.kind ? err.text : "the report could not be written to standard output");
    return !is_lost;
}

int call_run(int argc, char **argv)
{
    struct command command = {.log = log_open(LOG_NORMAL), .begun = clock_seconds()};
    struct err err = {0};
    log_set_color(command.log, terminal_is_colored(NULL)); /* until --color is known */
    confine_secrets();
    sign_key_wipe_freed();
    elf_init();
    bool is_good = signals_start(&command.signals, &err);
    if (is_good) {
        command.cancel = signals_cancel(command.signals);
        is_good = run(&command, argc, argv, &err);
    }
    if (!is_good) {
        command_tell_timeout(&command, &err);
        command.outcome = err.kind;
        (void)fflush(stdout); /* what was printed before stands before it where both go to one file */
        log_line(command.log, LOG_QUIET, "error: %s", err.text);
    }
    if (!end_output(command.log) && command.outcome == ERR_NONE)
        command.outcome = ERR_LOCAL;
    night_told_write(&command);
    if (command.is_abandoned || (command.outcome == ERR_CANCELLED && signals_caught(command.signals)))
        signals_end(command.signals, (int)command.outcome);
    confinement_stop(&command);
    signers_close(&command.signers);
    signals_stop(command.signals);
    log_close(command.log);
    arena_done(&command.arena);
    return (int)command.outcome;
}
