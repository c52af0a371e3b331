/* SPDX-License-Identifier: Apache-2.0 */
/* expiry.h - deleting from a repository what no rule keeps: digests that were published with a stamp (stamp.h), and what is theirs alone
 *
 * The list of tags tells by its stamps what was published when, and so when each digest was superseded. A digest goes when it is not
 * the newest, no `keep` has it any more, and nothing that stays needs it: no tag that is not ours, no index, no tagged manifest with
 * a `subject`. With it go its manifests that nothing else needs, and what is about them: their referrers, by the referrers API and by
 * the tags "sha256-…" (distribution-spec, "Referrers Tag Schema"; cosign's ".sig", ".att" and others). factory/registry/prune.md
 * describes the rules.
 * Order: indices, then their manifests, then referrers, then the tags that name referrers, so that what a tag is at is whole at
 * any instant; what the registry refuses to delete keeps all that is its own. What is about to go is noted in the memory first: who was
 * killed goes on the next time.
 * Requests: those of the list, and nothing more when nothing has to go. Else one for each tag that is not read by its name, one for each
 * image that the memory does not know yet, with the referrers API one for each subject, and one for each deletion.
 * Threads: blocks; requests run on threads of its own.
 * Fails with: as registry.h; ERR_PUBLISH when the registry does not delete, or refuses some.
 */
#ifndef IMGFACTORY_REGISTRY_EXPIRY_H
#define IMGFACTORY_REGISTRY_EXPIRY_H

#include "plan/tag_rules.h"
#include "registry/registry.h"

/* What may go. */
struct expiry_rules {
    const struct tag_rules *entries; /* of `tags:`; may be NULL */
    struct tag_keep keep;            /* of all digests; KEEP_UNSAID: as long as any of the entries says */
    const struct strings *globs;     /* further tags, as patterns of fnmatch(3), that keep nothing; may be NULL */
    const char *name;                /* what {name} stands for; may be NULL */
};

struct expiry_request {
    struct expiry_rules rules;
    int64_t now; /* seconds since 1970 */
    bool is_dry_run;
    const char *memory_dir; /* where is noted what images consist of (made when needed); NULL: nowhere */
};

struct expiry_digests {
    struct digest *items;
    size_t count, capacity;
};

/* A digest that was published. */
struct expiry_image {
    bool is_known;    /* what it consists of is: the next two are filled in */
    bool is_recalled; /* out of the memory */
    struct digest digest;
    struct expiry_digests manifests; /* all below it */
    const char *part;                /* the first characters of its digest */
    struct strings tags;             /* that are at it, the stamps first */
    int64_t published, superseded;   /* its last stamp; when the next one was published, 0: it is the newest */
    size_t rank;                     /* how many digests were published after it */
    bool is_old;                     /* no `keep` has it any more */
    bool has_strayed;                /* somebody moved one of its tags: it is looked at anew each time */
    const char *kept_by;             /* what needs it although it is old: a tag, or an image; or NULL */
    bool is_deleted;
};

enum expiry_kind { EXPIRY_IMAGE, EXPIRY_MANIFEST, EXPIRY_REFERRER, EXPIRY_REFERRERS_TAG };

/* One thing that goes, in the order of deletion. */
struct expiry_item {
    enum expiry_kind kind;
    const char *name;                 /* "sha256:…" */
    struct digest digest;             /* that */
    const struct digest *subject;     /* what it is about; NULL: an image, or a manifest of one */
    const char *tag;                  /* EXPIRY_REFERRERS_TAG: its tag; else NULL */
    const struct expiry_image *image; /* EXPIRY_IMAGE */
    bool is_deleted, was_gone;
    bool is_spared;  /* it stays, since the registry refused to delete what needs it, or what it is about */
    struct err *err; /* why it was refused; NULL: it was not */
};

struct expiry_result {
    size_t tag_count;                   /* of the repository */
    size_t foreign_count;               /* of them: those that no rule of ours makes, which keep what they are at */
    double list_seconds;                /* that listing them took */
    LIST(struct expiry_image *) images; /* the newest first */
    LIST(struct expiry_item) items;
    size_t image_count;   /* digests that were deleted; of a dry run, that would be */
    size_t deleted_count; /* what was deleted, of all kinds */
    const char *ahead;    /* a stamp of a time to come: some clock was wrong; or NULL */
    const char *stopped;  /* why the rest was left for the next time; or NULL */
};

/* Prunes the repository, which is open for REGISTRY_DELETE (of a dry run for REGISTRY_PULL). On failure the result tells how far it
 * came; it lies in the arena. */
bool expiry_run(struct registry *registry, struct arena *arena, const struct expiry_request *request,
                struct expiry_result *ret_result, struct err *err) MUST_CHECK;

#endif
