/* SPDX-License-Identifier: Apache-2.0 */
/* origin.h - one repository as an order sees it, whatever its kind: where its packages are, and what vouches for them
 *
 * Threads: const once its catalog is open.
 * Owns: nothing; strings live with the catalog.
 */
#ifndef IMGFACTORY_SOURCE_ORIGIN_H
#define IMGFACTORY_SOURCE_ORIGIN_H

#include "source/listed_file.h"
#include "source/pins.h"
#include "source/source.h"

struct format;
struct generations;
struct http_access;
struct keyrings;

struct origin {
    const struct format *format;     /* of its packages */
    const char *name;                /* for messages, without user info */
    const char *identity;            /* as that, but the same whichever mirror answers; NULL: the name is */
    const char *uri;                 /* of the mirror that answered, ending in '/': package paths are relative to it */
    struct strings uris;             /* all mirrors, in order of preference; the one that answered among them */
    int64_t date;                    /* of the metadata: seconds since the epoch */
    struct digest digest;            /* names the generation of the metadata */
    struct generations *generations; /* where it is noted when what it lists is not there; may be NULL */
    const char *distribution, *version, *codename; /* what the metadata says of itself, each may be NULL */
    bool is_security;                              /* it is for security updates, as it says itself */
    const char *signed_by;                         /* fingerprint of the key that signed the metadata, or NULL */
    const struct http_access *access;              /* what its transfers want; NULL: nothing beyond the environment */
    const struct keyrings *package_keys; /* every package must be signed by one of these (rpm, gpgcheck); NULL: its
                                            digest in the metadata is enough */
    struct strings keys;                 /* files and URLs of the keys that may sign the metadata or the packages */
    bool is_stand_in;                    /* its packages stand in for its metadata, which are gone (stand_in.h) */
    struct pin pin;                      /* what a lock says of the metadata; uri NULL: they came without (tests) */
    LIST(struct listed_file) indices;    /* all that the metadata list of what is asked for this architecture */
};

struct origins {
    const struct source *source;
    struct origin *items;
    size_t count;
    struct strings trusted;  /* names of repositories from which packages are taken without any signature */
    LIST(struct pin) absent; /* what a lock says of the next */
    struct strings left_out; /* names of optional repositories that could not be reached */
};

/* Names a repository as it is called whichever of its mirrors answered. */
const char *origin_identity(const struct origin *origin);
/* Feeds what the bill of an image says of its packages' repositories: names, and the mirrors that answered as people may
 * see them. Part of a catalog's digest: a finished product of another mirror has another bill. */
void origins_feed(const struct origins *origins, struct digest_stream *stream);

#endif
