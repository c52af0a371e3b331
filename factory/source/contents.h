/* SPDX-License-Identifier: Apache-2.0 */
/* contents.h - who ships a path: a Contents file as a compact mapped table of the paths that programs live in
 *
 * Input: https://wiki.debian.org/DebianRepository/Format, "Contents" indices: "PATH <blanks> SECTION/PACKAGE[,…]"
 * lines, paths with blanks in them included; the head of old files is passed over. Output (own format, version in
 * CONTENTS_FORMAT): header, strings, hash table by base name, in which packages' names lead to the services that they ship,
 * and a few folders, of which all files count together, to the packages that have files there.
 * Paths are canonical: relative to the root and as after
 * the /usr merge ("usr/bin/x" for /bin/x). The text is fed in pieces, so that it never has to be in memory as a whole.
 * Threads: a reader or builder belongs to one thread; an open struct contents is const for all.
 * Owns: struct contents borrows the mapped bytes; a builder owns memory until contents_builder_done().
 * Fails with: ERR_MALFORMED.
 */
#ifndef IMGFACTORY_SOURCE_CONTENTS_H
#define IMGFACTORY_SOURCE_CONTENTS_H

#include "base/map.h"
#include "source/pins.h"

#define CONTENTS_FORMAT "contents 3"

struct interned;

/* Called with each line, without its end. */
typedef void contents_take(void *taker, struct text line);

/* Cuts pieces into lines; zero-initialise, then set name, take and taker. */
struct contents_reader {
    const char *name; /* for messages */
    contents_take *take;
    void *taker;
    struct buf carry; /* the begun line at the end of the last piece */
};

struct contents_builder {
    struct contents_reader reader;
    struct arena arena;
    struct map dirs, merged_dirs, owners; /* text in the file → struct interned */
    const struct interned *last_dir, *last_merged_dir, *last_owners;
    struct buf pool, entries;
    bool is_too_big;
    bool keeps_all;              /* set after contents_builder_begin(): no line is passed over for its path */
    const struct pin_view *view; /* likewise: only owners that are seen count; NULL: all */
};

/* Looks for one path in a text that is fed: for paths that the table does not keep. */
struct contents_scan {
    struct contents_reader reader;
    struct arena *arena;
    struct text path;            /* canonical */
    const struct pin_view *view; /* set after contents_scan_begin(): only owners that are seen count; NULL: all */
    struct strings owners;       /* result: package names */
};

struct contents {
    struct text pool;
    const char *starts, *entries;
    uint32_t bucket_count, entry_count;
};

/* One path of the table. */
struct contents_place {
    const char *dir;    /* "usr/sbin" */
    const char *owners; /* names, joined by commas */
};

/* Makes a path canonical: no slashes in front or doubled, "bin/x" becomes "usr/bin/x". */
const char *contents_canonical(struct arena *arena, const char *path);
/* Returns whether the table has all that Contents says about this canonical path (false: scan the text). */
bool contents_keeps(struct text path);
/* The same for a path (or a line that begins with it) as it stands in the file; *ret_is_merged: it lacks "usr/". */
bool contents_keeps_raw(struct text path, bool *ret_is_merged);

/* Cuts a line into path (without slashes in front) and owners; empty ones when it has not both. */
void contents_split(struct text line, struct text *ret_path, struct text *ret_owners);
/* Returns the package's name of an owner, "section/name". */
struct text contents_owner_name(struct text owner);
/* Feeds a piece of any size / says that the text is at its end. Fails when a line is longer than 1 MiB. */
bool contents_feed(struct contents_reader *reader, struct text piece, struct err *err) MUST_CHECK;
void contents_feed_end(struct contents_reader *reader);
/* Frees the begun line. */
void contents_reader_done(struct contents_reader *reader);

/* Begins a table; feed builder->reader. */
void contents_builder_begin(struct contents_builder *builder, const char *name);
/* Ends it. The caller calls buf_done() on the bytes. */
bool contents_builder_end(struct contents_builder *builder, struct buf *ret_bytes, struct err *err) MUST_CHECK;
/* Frees it. For AUTO(). */
void contents_builder_done(struct contents_builder *builder);
/* Begins a scan; feed scan->reader, and free that with contents_reader_done(). */
void contents_scan_begin(struct contents_scan *scan, struct arena *arena, const char *name, const char *path);

/* Opens built bytes. False when they are not such a table, of another version, or damaged. */
bool contents_open(struct text bytes, struct contents *ret_contents) MUST_CHECK;
/* Adds the names of the packages that ship the canonical path, those that are not there yet. */
void contents_find(const struct contents *contents, struct arena *arena, const char *path, struct strings *names);
/* Calls `take` for each path of that base name; both strings are borrowed from the table. */
typedef void contents_take_place(void *taker, const struct contents_place *place);
void contents_each(const struct contents *contents, const char *base, contents_take_place *take, void *taker);
/* Adds the canonical paths of the services that a package ships, those that are not there yet: systemd's units for the
 * system that start something by themselves or by a socket (.service, .socket), and init scripts; at most 1,000. */
void contents_services(const struct contents *contents, struct arena *arena, const char *package,
                       struct strings *paths);
/* Adds the names of the packages that ship files in a folder ("etc/ld.so.conf.d", "usr/share/pam-configs": other folders are
 * not told), those that are not there yet. */
void contents_find_in_folder(const struct contents *contents, struct arena *arena, const char *folder,
                             struct strings *names);
/* Returns the folder of which a path as it stands in the file is a member, without the slash behind it; NULL for any
 * other path. */
const char *contents_folder_of(struct text path);
/* Returns whether a canonical path is such a service. */
bool contents_is_service(struct text path);
/* The same for a path as it stands in the file; is_merged as contents_keeps_raw() tells. */
bool contents_is_service_raw(struct text path, bool is_merged);
/* Adds "/PATH is in PACKAGE" for paths of the same base name, while there are fewer than `most`. */
void contents_find_alike(const struct contents *contents, struct arena *arena, const char *path, size_t most,
                         struct strings *hints);

#endif
