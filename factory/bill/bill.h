/* SPDX-License-Identifier: Apache-2.0 */
/* bill.h - what is in one image for one architecture, and why: one document for all who ask
 *
 * The JSON report is made of it (line/report), `why` reads it, finished products are kept as it (line/kept), and the
 * layout has it beside the image (oci/layout.h), where the last night's is found without the cache. Its table (bill.c)
 * is the definition of the document; report.md and report.schema.json tell what the keys mean. A change of the
 * table's shape raises BILL_FORMAT (tests/unit/test_bill.c notices).
 * Threads: belongs to its order's thread, then const.
 * Owns: nothing; strings live in the arena given.
 */
#ifndef IMGFACTORY_BILL_BILL_H
#define IMGFACTORY_BILL_BILL_H

#include "bill/inputs.h"
#include "oci/layout.h"
#include "oci/oci.h"
#include "proof/openers.h"
#include "source/origin.h"

#define BILL_FORMAT 11
/* What is written, and what is read; an image of 100,000 files has 33 MB and 1.4 million. The second bounds the memory of
 * the parser, which needs a hundredfold of its input's bytes for "[{},{},…". */
#define BILL_MAX_BYTES ((size_t)48 << 20)
#define BILL_MAX_VALUES ((size_t)2 << 20) /* of commas and brackets, wherever they stand */

/* A package of the selection. */
struct bill_package {
    const char *name, *version, *architecture, *url;
    const char *source_package, *source_version;
    const char *license;    /* as the package itself says (format.h); NULL: it says none, or was not opened */
    const char *repository; /* its name */
    uint64_t size_bytes;
    struct digest digest; /* zeros in a dry run, when the index has only a SHA-512 */
    bool has_given;       /* files of it are in the image */
};

/* A file, directory or link of the image and why it is there; package is NULL for what the factory itself made, `by`
 * (the path of the file because of which it is there) for what manifest, recipe or factory want themselves. */
struct bill_file {
    const char *path, *package, *why, *by;
    enum node_kind kind;
    uint32_t mode, uid, gid;
    uint64_t size_bytes;    /* of a file's bytes */
    struct digest digest;   /* of a file's bytes; zeros for all else */
    const char *target;     /* of links, as they are written; else NULL */
    const char *capability; /* value of security.capability in hex, or NULL */
};

struct bill_files {
    struct bill_file *items;
    size_t count, capacity;
};

/* A file that other files need by a name (DT_SONAME). */
struct bill_soname {
    const char *path, *soname;
};

/* Which package was taken for a path of the manifest. */
struct bill_choice {
    const char *path, *package, *why;
    struct strings others;
};

/* What somebody wants to be in the image. */
enum bill_wish_kind {
    BILL_BINARY,
    BILL_FILE, /* of packages; the name may be a glob */
    BILL_PACKAGE,
    BILL_MADE_DIRECTORY,
    BILL_MADE_FILE,
    BILL_MADE_SYMLINK,
    BILL_USER,
    BILL_GROUP,
    BILL_VARIABLE
};

struct bill_wish {
    enum bill_wish_kind kind;
    const char *name;
    struct strings from; /* BILL_FILE: of these packages only, when given */
    const char *by;      /* "the manifest", "the recipe chrony" */
};

struct bill_layer {
    struct layer layer;
    const char *encoder; /* that made it (struct layer_encoder) */
    struct digest encoder_code;
};

struct bill_layers {
    struct bill_layer *items;
    size_t count, capacity;
};

struct bill_proof {
    uint64_t file_count, symbol_count; /* what was looked at */
    struct strings notes;              /* what is no violation, for people */
};

/* A file that a repository lists, and that was asked for. */
struct bill_index {
    const char *path;
    const char *checksum; /* "sha256:…" or "sha512:…" */
    uint64_t size_bytes;  /* 0 where the list does not say */
};

struct bill_repository {
    const char *name, *uri, *codename, *signed_by; /* uri as people may see it; the last two may be NULL */
    int64_t date;                                  /* of the metadata: seconds since the epoch */
    struct digest digest;
    /* What a lock has of it besides (lock.h, struct lock_source). */
    const char *place; /* its first configured URI, as people may see it; NULL: not known */
    const char *suite, *from, *distribution, *version; /* each may be NULL */
    struct digest file, signature;                     /* zeros: none */
    bool is_bare, is_extra, is_stand_in;
    LIST(struct bill_index) indices;
};

/* An optional repository that could not be reached. */
struct bill_absent {
    const char *place, *suite;
};

/* Where the packages come from, as the run that wrote the bill saw it. */
struct bill_source {
    const char *name; /* "host", or the name of the source file without its folder */
    LIST(struct bill_repository) repositories;
    struct strings trusted, left_out; /* names of repositories (struct origins) */
    LIST(struct bill_absent) absent;  /* those left out, as a lock names them */
};

/* What the image stands on. */
struct bill_base {
    const char *name;
    const char *written;            /* as the manifest names it; NULL: another image of the run */
    struct digest digest, manifest; /* of what the name means; of the platform */
    size_t layer_count;             /* below ours */
    bool is_unsigned;               /* nobody checked a signature: it is taken on its registry's word */
    struct digest moved_from;       /* where the tag was when it was last asked for; zeros: there, or never asked */
};

struct bill {
    uint32_t format;
    struct inputs inputs;
    struct digest key;              /* of the inputs */
    struct digest manifest, config; /* of the image's documents; zeros before they are made, and in a dry run */
    const struct bill_source *source;
    const struct bill_base *base;       /* NULL: made from scratch */
    const char *named;                  /* how a name was taken that is no manifest's (line/names.h); or NULL */
    LIST(struct bill_package) packages; /* the whole selection, by name */
    struct bill_files files;            /* files and links, by path */
    struct bill_files directories;      /* by path */
    LIST(struct bill_choice) choices;   /* in the manifest's order */
    LIST(struct bill_wish) wanted;      /* in the order of the kinds */
    struct strings recipes;             /* names of those that apply */
    struct manifest_config process;  /* of the image's configuration, what is started; without labels and annotations */
    const struct contract *contract; /* how it is run; NULL: not said */
    struct strings notes;            /* what people should know of the image: sentences for log and report */
    struct strings unloadable; /* paths of files that nobody named and that cannot be loaded: `check` takes them so */
    LIST(struct bill_soname) sonames; /* of files, by path */
    const struct bill_proof *proof;   /* NULL: --no-check */
    struct openers openers;           /* files that open others at run time, of which not all are in the image */
    struct oci_facts facts;
    struct bill_layers layers;        /* the lowest first */
    struct bill_layers second_layers; /* the same in zstd:chunked, of the image that the index lists besides; or none */
    struct digest second;             /* of its manifest; zeros: there is none */
    uint64_t unpacked_bytes;
    size_t package_count; /* of those that gave files */
    size_t file_count;    /* of `files` */
    struct text rest; /* of a document of which the head alone was read: choices, directories, wanted, packages, files,
                             sonames and proof, which then are empty here; else ptr is NULL */
};

/* Notes a sentence for log and report, copied into the arena, once. */
void bill_note(struct arena *arena, struct bill *bill, const char *note);
/* Describes what an order was given, for a bill or for the report of an order that failed. Strings of `origins` are
 * borrowed. */
struct bill_source *bill_source_of(struct arena *arena, const struct origins *origins);
/* Finds what is said of a path: of a file, link or directory; NULL when the image has none. */
const struct bill_file *bill_find(const struct bill *bill, const char *path);
/* Finds whose wish a file is that is there for itself (`by` is NULL): the first that names it or its package, as the
 * closure takes it; NULL when nobody's. */
const char *bill_wanted_by(const struct bill *bill, const struct bill_file *file);
/* Finds what is said of a package; NULL when `name` is NULL or none of the selection. */
const struct bill_package *bill_find_package(const struct bill *bill, const char *name);
/* Returns the layers' descriptors for the image's documents / the sum of their compressed bytes. */
struct layers bill_layers(struct arena *arena, const struct bill *bill);
uint64_t bill_layer_bytes(const struct bill *bill);
/* Appends the document, one line of JSON; false when the buffer is full. */
bool bill_write(const struct bill *bill, struct buf *text) MUST_CHECK;
/* The same in the arena; false when it is more than may be read again. */
bool bill_text(struct arena *arena, const struct bill *bill, struct text *ret_text) MUST_CHECK;
/* Appends the source as the document has it. */
bool bill_source_write(const struct bill_source *source, struct buf *text) MUST_CHECK;
/* Append the two parts of the document that bill_read_head() takes: what every run needs, and the long lists. */
bool bill_write_head(const struct bill *bill, struct buf *text) MUST_CHECK;
bool bill_write_rest(const struct bill *bill, struct buf *text) MUST_CHECK;
/* Reads the head alone, and borrows the rest as it is; both have to be of our own making. */
bool bill_read_head(struct arena *arena, struct text head, struct text rest, struct bill *ret_bill) MUST_CHECK;
/* Reads the rest, if it was not. */
bool bill_complete(struct arena *arena, struct bill *bill) MUST_CHECK;
/* Reads a document; false when it is another format, too much, or anything is missing, unknown or mistyped. */
bool bill_read(struct arena *arena, struct text text, struct bill *ret_bill) MUST_CHECK;
/* Returns whether a layout has the bill of a manifest, at layout_beside_path(). What cannot be read or tells of another
 * manifest is none; a layout may come from anywhere, and its bills are what their writer says. */
bool bill_is_beside(const char *layout, const struct digest *manifest);
/* The same, and reads it. */
bool bill_read_beside(struct arena *arena, const char *layout, const struct digest *manifest,
                      struct bill *ret_bill) MUST_CHECK;
/* Keeps a bill in the cache under its manifest, for images that are in no layout any more; that it cannot be kept is no
 * failure. / Reads it there. */
void bill_keep(struct store *store, const struct digest *manifest, struct text text);
bool bill_read_kept(struct arena *arena, struct store *store, const struct digest *manifest,
                    struct bill *ret_bill) MUST_CHECK;
/* Names the document's shape (record_shape()), for the test that notices when it changes and BILL_FORMAT does not. */
bool bill_shape(struct buf *text) MUST_CHECK;

#endif
