/* SPDX-License-Identifier: Apache-2.0 */
/* plant.h - what all orders of one run share: network, store, workers, indices, packages
 *
 * Threads: opened and closed by main; everything in it may be used by every order's thread.
 * Owns: all it holds, until plant_close().
 */
#ifndef IMGFACTORY_LINE_PLANT_H
#define IMGFACTORY_LINE_PLANT_H

#include "base/flight.h"
#include "bill/inputs.h"
#include "bill/lock.h"
#include "layer/archive_write.h"
#include "layer/layer.h"
#include "line/progress.h"
#include "line/publish.h"
#include "line/supply.h"
#include "plan/arch.h"
#include "plan/data_folders.h"
#include "plan/features.h"
#include "plan/layer_plan.h"
#include "source/env.h"

#include <pthread.h>

struct status_seen; /* status_seen.h */
struct sbom_seen;   /* sbom/sbom_sums.h */
struct signers;     /* sign/signer.h */
struct attest;      /* sbom/attest.h */
struct sharding;    /* sharding.h */

/* What the command line says about a whole run: what changes the bytes of products is in `inputs` (of which the fields
 * of the run are filled in), what only says how the run goes beside it. */
struct run_options {
    struct inputs inputs;
    const char *cache_dir, *state_dir, *output_dir;
    const struct archive_target *archive; /* the one image goes there, in place of a layout; NULL: to output_dir */
    const char *tree_dir;                 /* NULL: trees are not exported */
    const char *record;                   /* the site's status record, which indexes name; NULL: none */
    size_t jobs;                          /* workers */
    bool is_packing_given;                /* the call says how layers are compressed, whatever manifests say */
    bool is_layers_given;                 /* and how many there are */
    const struct layer_plan *layer_plan;  /* which ones, as inputs.layer_plan has it; NULL: nothing says */
    const char *layer_plan_path;          /* where it would be */
    bool is_locking;                      /* the run writes a lock, and the plan of layers with it */
    bool is_dry_run, is_rebuild, is_cache_only;
    bool is_bill_told;             /* all of the bills, as the JSON report and explanations have it */
    bool is_history_pushed;        /* images have their bills beside them in the registry (history: registry) */
    bool are_changes_told;         /* what changed since the last run is found: a run that leaves images */
    bool is_change_accepted;       /* --accept-release-change */
    struct data_folders *folders;  /* where the next four are loaded when a catalog is prepared */
    struct hashed **hashed;        /* taken over when the plant is opened; may be NULL */
    const struct recipes *recipes; /* whose digest is an input, as are those of the others */
    const struct families *families;
    const struct foregrounds *foregrounds;
    const struct interpreters *interpreters;
    const struct features *features;
    const struct arches *arches;
    const char *call_options, *call_arch; /* as struct fewer_call has them */
    const struct strings *explained;      /* paths to be explained instead of writing the image, or NULL */
    int64_t now;                          /* seconds since the epoch, for freshness */
    const atomic_bool *cancel;            /* set by a signal */
    struct http_options http;             /* how the network is used */
    uint64_t cache_limit;                 /* bytes; UINT64_MAX: none */
    const struct registry_options *registry;
    const struct base_rules *base_rules; /* what is asked of bases' signatures (base_rules.h); NULL: nothing */
    struct push_policy push_policy;
    const struct signers *signers;   /* what is pushed is signed by these; NULL: by nobody */
    const struct attest *attest;     /* what is attached to it besides, without store and signers; NULL: nothing */
    const struct lock_wait *wait;    /* how locks are waited for; may be NULL */
    const struct lock *lock;         /* what all must be (--locked), with `pins`; NULL: nothing of the kind */
    const struct sharding *sharding; /* a plan that several machines share; NULL: all is made and published here */
    const struct pins *pins;         /* generations that are taken, whatever newer ones there are; may be NULL */
    uint64_t sync_wait_ms;           /* how long mirrors in the middle of an update are waited for */
    /* What the threads of the plant, and the one that opens it, may open from then on, cache and state among it. NULL:
     * anything. */
    const struct confine_places *confined;
};

struct plant {
    const struct run_options *options;
    struct log *log;
    struct store *store;
    struct http *http;
    struct workers *workers;
    struct supply *supply;
    struct sbom_seen *sums_seen; /* what SBOMs ask of files that were summed up */
    struct status_seen *seen;    /* the site's status record, before tags move; NULL: nothing is asked */
    struct source_env env;
    struct flight *sources, *catalogs; /* struct shared_source, struct catalog by key */
    struct flight *prepared;           /* catalogs by themselves */
    struct flight *bases;              /* struct shared_standing by what manifests call them */
    struct inputs inputs; /* the options', with the encoder: products of another build are not used again */
    pthread_mutex_t lock; /* guards arena, the three lists and what `looks` says */
    struct arena arena;
    struct shared_source *opened_sources;
    struct shared_catalog *opened_catalogs;
    struct shared_standing *opened_bases;
    struct source_look *looks;
};

/* Puts into inputs how many layers an image gets at most, as the call says, else the manifest, else the site; and the lines of the plan,
 * when that is needed for so many. */
void plant_set_layers(const struct run_options *options, const struct manifest *manifest, struct inputs *inputs);
/* Returns how the layers of an image are compressed: as the call says, else the manifest, else the site. */
enum packing plant_packing(const struct run_options *options, const struct manifest *manifest);
/* Puts into inputs how layers are compressed, and by which library. */
void plant_set_packing(struct arena *arena, enum packing packing, struct inputs *inputs);
/* Starts threads and opens the store. Where confined places are given the calling thread is confined to them, too. */
bool plant_open(const struct run_options *options, struct log *log, struct plant *ret_plant,
                struct err *err) MUST_CHECK;
/* Gets the catalog of a source for an architecture, not prepared yet; opened once. Blocks. */
bool plant_find_catalog(struct plant *plant, const struct source *source, const struct arch *arch,
                        struct catalog **ret_catalog, struct err *err) MUST_CHECK;
/* Loads what an order needs that asks or makes something: the data folders, the catalog's family and indices; once. Blocks. */
bool plant_prepare(struct plant *plant, struct catalog *catalog, struct err *err) MUST_CHECK;
/* Both. */
bool plant_catalog(struct plant *plant, const struct source *source, const struct arch *arch,
                   struct catalog **ret_catalog, struct err *err) MUST_CHECK;
/* Returns which look at a source's metadata is the present one, for plant_look_again(). */
size_t plant_look(struct plant *plant, const struct source *source);
/* After an error: returns whether the source is to be looked at anew, since its mirrors are in the middle of an update. The next
 * plant_find_catalog() of whoever asks then gives the catalog of another generation. First the generations that other mirrors have
 * now; then, as long as the run waits for that, those that come: this blocks. In the end those again that lack something, for
 * whoever needs nothing of it. `look` is what plant_look() said before. `first`, zeroed
 * before the first call, is what to tell in the end: on true err is cleared, on false it names the file that was not there. */
bool plant_look_again(struct plant *plant, const struct source *source, size_t look, struct err *first,
                      struct err *err) MUST_CHECK;
/* Sets ERR_CANCELLED and returns true when a signal asked to stop. */
bool plant_is_cancelled(const struct plant *plant, struct err *err);
/* Stops threads, closes everything. Accepts a zeroed one. */
void plant_close(struct plant *plant);

#endif
