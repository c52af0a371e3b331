/* SPDX-License-Identifier: Apache-2.0 */
/* registry_chunks.h - the state of one blob's upload, and sending it in chunks (private to registry_upload.c)
 *
 * Threads: a job belongs to one thread.
 */
#ifndef IMGFACTORY_REGISTRY_REGISTRY_CHUNKS_H
#define IMGFACTORY_REGISTRY_REGISTRY_CHUNKS_H

#include "registry/registry_parts.h"

/* The POST before was answered: a refusal is not likely, so that waiting for "100 Continue" would only cost a round
 * trip. */
#define UPLOAD_OCTETS "Content-Type: application/octet-stream"
#define UPLOAD_NO_WAIT "Expect:"

struct upload_job {
    struct registry *registry;
    struct upload *upload; /* our copy: fd is set when it is opened */
    struct arena *arena;   /* of this session */
    const char *what;      /* for messages */
    const char *url;       /* the session's newest Location */
    uint64_t chunk_bytes, chunk_least_bytes;
    enum upload_mode mode; /* that this session uses */
    struct retry retry;    /* of sessions; never reset, so that it ends */
    unsigned lost_count, break_count;
    bool is_mounted, is_mount_tried, is_rehashed;
};

/* Sends all bytes as chunks; job->url is where to commit then, or *ret_is_refused: `exchange` has the refusal. False: a
 * fault, the session is of no more use. */
bool upload_chunks(struct upload_job *job, struct exchange *exchange, bool *ret_is_refused, struct err *err) MUST_CHECK;

#endif
