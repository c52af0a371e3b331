/* SPDX-License-Identifier: Apache-2.0 */
/* command.h - what all commands work with, and what they take from options, site file and environment
 *
 * Threads: main only.
 */
#ifndef IMGFACTORY_CLI_COMMAND_H
#define IMGFACTORY_CLI_COMMAND_H

#include "base/log.h"
#include "cli/options.h"
#include "cli/signals.h"
#include "io/confine.h"
#include "page/page.h"
#include "plan/site.h"
#include "registry/push.h"
#include "sign/signer.h"

/* What every command works with; all memory in `arena`. */
struct command {
    struct arena arena;
    struct commands commands; /* the table, for functions that are in it themselves */
    struct options options;
    struct site site;
    struct log *log;
    struct signals *signals;
    const atomic_bool *cancel; /* set by a signal, or when the time is up */
    struct lock_wait lock_wait;
    unsigned slow_after_ms;   /* http.h; 0: the standard */
    double begun;             /* clock_seconds() */
    bool is_told;             /* a run that begins: --metrics, --changes and --report are written */
    const char *metrics;      /* what is told there of the images; NULL: nothing yet */
    const char *changes;      /* the same for --changes */
    struct page_files *pages; /* the same for --report */
    struct digest metadata;   /* of a night: all signed metadata that it was made from, as build_poll() gives them */
    enum err_kind outcome;    /* the exit class of a command that ran to its end */
    struct broker *broker;    /* the process that has the network (io/broker.h); NULL: nothing is confined */
    struct workers *keeper;   /* confinement.h; NULL: nothing is confined */
    struct confine_places confined;
    struct confine_places kept; /* what the keeper may besides */
    bool is_confined;
    bool is_keeper_confined;
    bool is_main_left; /* main and others go on to do more than what is confined now: they are not confined with it */
    struct signers signers; /* signing.h: open until the process ends */
    struct strings made;    /* folders that were made to be confined to */
    bool is_abandoned;      /* threads are still at work: nothing is freed, the process ends where it stands */
};

/* Returns the first path that is set: a command-line option's, the site file's, the default. */
const char *command_first(const char *option, const char *site, const char *standard);
/* Returns words as a shell reads them, each with a blank before it. */
const char *command_line(struct arena *arena, const struct strings *words);
/* Makes what all commands that talk to registries take from options and site file; it lives as long as the command. */
const struct registry_options *command_registry_options(struct command *command);
/* Fills what is wanted of every push, from options and site file. */
struct push_policy command_push_policy(struct command *command);
/* Returns where the state is: --state, else the user's; NULL without a home. */
const char *command_state_dir(struct command *command);
/* Returns a number by chance. */
uint32_t command_chance(void);
/* Waits for a random time of at most --jitter, of a night else the site file's; a signal ends it. */
void command_jitter(const struct command *command, bool is_night);
/* Returns the cache that is looked into before files are fetched (io/shared_cache.h): --cache-from, else the site file's; or NULL. */
const char *command_cache_from(const struct command *command);
/* Fills what the network thread takes from options, site file and environment. */
struct http_options command_http_options(const struct command *command);
/* Returns how many bytes the cache may keep: as asked for, else the standard; UNITS_NONE: any number. */
uint64_t command_cache_limit(const struct command *command);
/* Returns --timeout, else the site file's; 0: none. */
uint64_t command_timeout_ms(const struct command *command);
/* Returns how long mirrors in the middle of an update are waited for: --sync-wait, else the site file's, else 10 minutes with a site
 * file, and not at all without. */
uint64_t command_sync_wait_ms(const struct command *command);
/* Says of an error that came because the time was up what it is: class ERR_NETWORK, naming --timeout. */
void command_tell_timeout(const struct command *command, struct err *err);
/* Finds the site's status record (status:) as "HOST/REPOSITORY:TAG"; NULL when the site has none. ERR_USAGE naming the file. */
bool command_record(struct command *command, const char **ret_reference, struct err *err) MUST_CHECK;
/* Returns whether a word of a command on registries names a site file: nothing else that these work on is a file. */
bool command_is_site_file(const char *word);
/* Returns where is remembered what images of registries consist of (registry/expiry.h); NULL: nowhere. */
const char *command_prune_dir(struct command *command);
/* Returns how many threads compute: as asked for, else one per processor. */
size_t command_jobs(const struct command *command);

#endif
