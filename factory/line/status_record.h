/* SPDX-License-Identifier: Apache-2.0 */
/* status_record.h - the status record of a site: what became of each of its images, and when that was last proven
 *
 * One document (STATUS_TYPE) under one tag of a registry, which all nights of a site write, also those of several machines;
 * `imgfactory status` reads it. JSON by bill/record.h; times are seconds since 1970, 0 means never. factory/registry/README.md
 * describes it.
 * Threads: no state.
 * Owns: nothing; all lives in the arenas given.
 */
#ifndef IMGFACTORY_LINE_STATUS_RECORD_H
#define IMGFACTORY_LINE_STATUS_RECORD_H

#include "base/digest.h"
#include "base/text.h"

#define STATUS_TYPE "application/vnd.imgfactory.status.v1+json"
#define STATUS_FORMAT ((size_t)1)
#define STATUS_MOVES_MAX 30
#define STATUS_IMAGES_MAX 10000
#define STATUS_REPOSITORIES_MAX 32768 /* of all images */
#define STATUS_ERROR_MAX_BYTES ((size_t)300)
/* An image that no night tells of any more, of a machine that is not there any more, is forgotten. */
#define STATUS_FORGOTTEN_SECONDS ((int64_t)30 * 24 * 60 * 60)
/* How far a clock may be ahead of another one. */
#define STATUS_AHEAD_SECONDS ((int64_t)60 * 60)

enum status_outcome {
    STATUS_BUILT,
    STATUS_UNCHANGED,
    STATUS_HELD, /* its architectures differ: what was published before stays */
    STATUS_FAILED,
};

struct status_error {
    const char *kind; /* err_kind_name() */
    uint32_t exit;
    const char *text; /* one line */
};

/* A repository whose signed metadata an image was last made from. */
struct status_repository {
    const char *name;
    int64_t date;
};

struct status_image {
    const char *name, *asked; /* asked: the word of the site file; status_asked() */
    const char *destination;  /* HOST/REPOSITORY; NULL: none, or not known */
    const char *writer;       /* which state directory and site file wrote this last: 16 hexadecimal digits */
    enum status_outcome outcome;
    const struct status_error *error; /* of the last night, if it failed */
    int64_t night;                    /* when that began */
    int64_t good;                     /* when the last one began that found it current or made it so */
    int64_t failing_since;            /* 0: it is not failing */
    struct digest digest;             /* of the index as of `good`; zeros: never */
    struct strings tags, architectures;
    bool is_proven; /* that all in it can start; false: --no-check */
    LIST(struct status_repository) repositories;
};

/* Tags that were moved because metadata had changed. */
struct status_move {
    const char *image, *destination;
    struct strings tags;
    int64_t released; /* the oldest date of the metadata that had changed since the night before */
    int64_t moved;
    uint32_t seconds; /* of it ours: since the run began that moved it */
};

struct status_record {
    size_t format;
    const char *program; /* version of the last writer */
    int64_t night;       /* the newest one */
    const char *writer;  /* of a night's own, as is the next; not written */
    bool is_guarded;     /* it leaves tags at images of newer repositories (status_seen.h) */
    LIST(struct status_image) images;
    LIST(struct status_move) moves; /* the newest first, at most STATUS_MOVES_MAX */
};

enum status_verdict {
    STATUS_IS_READ,
    STATUS_IS_BROKEN, /* not a record, or one with values that no night writes */
    STATUS_IS_NEWER,  /* of a format that this program does not know */
};

/* Reads a record's bytes. */
enum status_verdict status_record_read(struct arena *arena, struct text bytes, struct status_record *ret_record);
/* Appends its JSON; false when the buffer is full. */
bool status_record_write(const struct status_record *record, struct buf *text) MUST_CHECK;
/* Puts a night's images and moves (`ours`, of its writer, but for what it left as another's) over what is there (NULL: nothing): an
 * image of which a newer night tells stays as it is, and of a guarded night what is of newer repositories stays before that; what a failed or held image was before is kept; images of the same writer
 * that it does not have any more go, those of others stay. A night that is more than an hour ahead of `now` counts as none. `ours` may have moves whose
 * `released` is not known (0): it is found here, and a move without is left out. */
void status_record_merge(struct arena *arena, const struct status_record *there, const struct status_record *ours,
                         int64_t now, struct status_record *ret_record);
/* Returns whether a record tells all that this night has to tell, or newer things; an image's night ahead
 * of `now` counts as none. */
bool status_record_has(const struct status_record *record, const struct status_record *ours, int64_t now);
/* Returns whether a record has images of another writer. */
bool status_record_is_shared(const struct status_record *record, const char *writer);
/* Takes the older half of the images of other writers out of a record that is too big; returns how many went. */
size_t status_record_shed(struct arena *arena, struct status_record *record, const char *writer);
/* A repository that is newer for one image than for another. */
struct status_newer {
    const char *name;
    int64_t there, ours;
};

/* Returns whether an image was made for the same architectures from the same repositories as another one, none of them older and one
 * newer: *ret_newer is the first such (the first image's name of it; `there` its date, `ours` that of the other). Dates that are ahead
 * of `now` are no evidence. Where it cannot be told which architecture a date is of, the oldest of the one must not be older than the
 * newest of the other. */
bool status_is_newer(const struct status_image *image, const struct status_image *than, int64_t now,
                     struct status_newer *ret_newer);
/* What a word of the site file is called in records: a path as seen from the file's folder, of another one the last part. */
const char *status_asked(struct arena *arena, const char *word, const char *site_path);

/* How long tags took to follow metadata. */
struct status_delays {
    size_t count;
    int64_t median_seconds, worst_seconds;
    uint32_t worst_own_seconds; /* the longest of the runs that moved them */
};

/* Finds the median and the worst of its newest moves. */
struct status_delays status_delays_of(struct arena *arena, const struct status_record *record);

enum status_state {
    STATUS_CURRENT,
    STATUS_WAITING, /* held, and not stale yet */
    STATUS_STALE,
    STATUS_FAILING,
    STATUS_AHEAD,
    STATUS_MISSING,  /* of an image that no night told of */
    STATUS_REPLACED, /* what was asked for is not what was published last; never of status_state_of() */
};

/* Judges an image: failing when the last night failed of it, stale when it was last proven longer ago than `max_age_seconds`,
 * waiting when the last night held it, ahead when its night is from the future. */
enum status_state status_state_of(const struct status_image *image, int64_t now, int64_t max_age_seconds);
/* Names a state as it is printed. */
const char *status_state_name(enum status_state state);

#endif
