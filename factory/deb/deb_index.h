/* SPDX-License-Identifier: Apache-2.0 */
/* deb_index.h - a Packages file as a compact mapped table: name → stanzas, with the few fields that the factory needs
 *
 * Input: Debian Policy 5.1 and https://wiki.debian.org/DebianRepository/Format, "Packages" indices. Output (own
 * format, version in DEB_INDEX_FORMAT): header, stanzas (the name, then a letter and a value per line), table of
 * stanzas, hash table of real and provided names and of sources. Numbers are in the machine's byte order. Whatever is read from it is
 * bound-checked, and each stanza has a check of its own, so that opening does not have to read all of it.
 * Threads: building uses no shared state; an open index is const for all threads.
 * Owns: nothing: an index borrows the mapped bytes.
 * Fails with: ERR_MALFORMED ("NAME:LINE: …").
 */
#ifndef IMGFACTORY_DEB_DEB_INDEX_H
#define IMGFACTORY_DEB_DEB_INDEX_H

#include "source/pins.h"

#define DEB_INDEX_FORMAT "deb-index 4"

struct deb_index {
    struct text stanzas; /* text of all stanzas */
    const char *table;   /* per stanza: offset, length, check, line (u32 each) */
    const char *starts;  /* per bucket and one more: first entry (u32) */
    const char *entries; /* hash, stanza number * 4 + kind of the name (u32 each) */
    uint32_t stanza_count, bucket_count, entry_count;
};

/* Fields that are absent are empty. Borrowed from the index. */
struct deb_stanza {
    struct text name, version, architecture, source, section, priority, multi_arch;
    struct text description; /* its first line */
    struct text depends, pre_depends, recommends, provides, conflicts, breaks, suggests, replaces, enhances;
    struct text essential, important, protected;
    struct text filename, size, sha256, sha512; /* sha512 only where there is no sha256 */
    uint32_t line;                              /* in the Packages file, from 1 */
};

/* A walk over the stanzas of one name, in the order of the file. */
struct deb_hits {
    const struct deb_index *index;
    struct text name;
    uint32_t hash, at, end;
    bool is_source; /* the name is a source package's */
    bool is_loose;  /* set by the caller: a few stanzas may come that do not provide the name; much cheaper */
};

/* Builds the index of a whole Packages text, or (view not NULL) of what is seen of it; `name` is for messages. The caller calls buf_done(). A stanza without
 * Package or Version, a line that is no field, and a field given twice are errors. */
bool deb_index_build(struct text packages, const char *name, const struct pin_view *view, struct buf *ret_bytes,
                     struct err *err) MUST_CHECK;
/* Opens built bytes. False when they are not such an index, of another version, or damaged. */
bool deb_index_open(struct text bytes, struct deb_index *ret_index) MUST_CHECK;
/* Reads stanza `number`. False when it is damaged. */
bool deb_index_read(const struct deb_index *index, uint32_t number, struct deb_stanza *ret_stanza) MUST_CHECK;
/* Returns where stanza `number` begins in `stanzas`, unchecked; behind the last one the end. */
size_t deb_index_begin(const struct deb_index *index, uint32_t number);
/* Returns the name of stanza `number`, unchecked; empty when there is none. */
struct text deb_index_name(const struct deb_index *index, uint32_t number);
/* Begins / continues the walk over all stanzas that are called `name` or provide it. A stanza may come twice. A damaged
 * one comes too, so that the caller notices when reading it. */
struct deb_hits deb_index_find(const struct deb_index *index, struct text name);
bool deb_index_next(struct deb_hits *hits, uint32_t *ret_number, bool *ret_is_virtual);
/* Begins the walk over all stanzas whose source package is called `source`; none of them is virtual. */
struct deb_hits deb_index_find_source(const struct deb_index *index, struct text source);
/* Returns the name of the source package of a stanza: what `Source` begins with, else the package's own name. */
struct text deb_stanza_source(const struct deb_stanza *stanza);

#endif
