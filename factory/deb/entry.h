/* SPDX-License-Identifier: Apache-2.0 */
/* entry.h - one configured entry (a `deb` line, a .sources stanza, a mapping of a source file) to repositories
 *
 * An entry names URIs x suites; each pair becomes a struct deb_repository. All three formats end here, so that they mean
 * the same and are checked once.
 * Threads: no shared state.
 * Fails with: ERR_USAGE, texts begin with the entry's place; ERR_LOCAL.
 */
#ifndef IMGFACTORY_DEB_ENTRY_H
#define IMGFACTORY_DEB_ENTRY_H

#include "deb/deb_source.h"

struct entry {
    const char *place; /* "FILE:LINE" */
    const char *name;  /* for messages in place of "SUITE of URI", or NULL */
    struct strings types, uris, suites, components, architectures;
    struct strings without; /* architectures that are not wanted of it */
    struct strings keyrings, inline_keys, fingerprints;
    struct strings release_names;
    uint64_t max_age_days;
    const char *snapshot; /* or NULL */
    bool is_disabled, is_trusted, is_valid_until_ignored, is_by_hash_off;
    const char *site;     /* set by entry_expand() */
    bool is_mirror_group; /* the URIs are mirrors of one repository; else each is a repository of its own, as in apt */
};

/* Sets one option of apt's by its deb822 field name (without case); what apt ignores is ignored. */
bool entry_set(struct arena *arena, struct entry *entry, struct text name, struct text value,
               struct err *err) MUST_CHECK;
/* Checks the entry and appends its repositories to the source; disabled entries, entries without type deb and CD-ROM
 * URIs add none. Without keyrings and inline keys the repository gets `default_keyrings`. */
bool entry_expand(struct arena *arena, const struct entry *entry, const struct strings *default_keyrings,
                  struct deb_source *source, struct err *err) MUST_CHECK;
/* Lists apt's own keyrings: trusted.gpg and trusted.gpg.d/{*.gpg,*.asc} below `apt_dir`, sorted; absent ones are no
 * error. */
bool entry_default_keyrings(struct arena *arena, const char *apt_dir, struct strings *ret_paths,
                            struct err *err) MUST_CHECK;

#endif
