/* SPDX-License-Identifier: Apache-2.0 */
/* repomd.h - repomd.xml: which files the metadata of an RPM-MD repository consist of
 *
 * Format: createrepo_c's repomd.xml (http://linux.duke.edu/metadata/repo). Refused: a data element without type,
 * location or strong checksum (SHA-256, SHA-512), a type twice, an href that rpm_href.h refuses, another base
 * (xml:base), numbers that are none. Elements that are not known are passed over.
 * Threads: no shared state.
 * Fails with: ERR_MALFORMED; ERR_TRUST for weak checksums.
 */
#ifndef IMGFACTORY_RPMMD_REPOMD_H
#define IMGFACTORY_RPMMD_REPOMD_H

#include "rpmmd/rpm_metadata.h"

#define REPOMD_MAX_BYTES (4u << 20)

struct repomd {
    struct {
        struct rpm_metadata_file *items;
        size_t count, capacity;
    } files;
    int64_t date;                       /* the newest timestamp of the files, else a revision that is one, else 0 */
    const char *distribution, *version; /* of the first tags/distro: its text, the version of its cpeid; NULL */
    struct strings distros, cpes;       /* of all tags/distro: texts, cpeids */
    struct strings contents, repos;     /* of all tags/content and tags/repo: texts */
};

/* Parses; `name` is for messages, the results live in the arena. */
bool repomd_parse(struct arena *arena, const char *name, struct text bytes, struct repomd *ret_repomd,
                  struct err *err) MUST_CHECK;

#endif
