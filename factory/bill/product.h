/* product.h - what one order produced, as values: for the report, and kept in the store to be used again
 *
 * The stored form (derived/product/<key>, JSON) lets a run over unchanged inputs skip everything between the indices
 * and the image documents. What cannot be read back is made again.
 * Threads: belongs to its order's thread, then const.
 * Owns: nothing; strings live in the arena given.
 */
#ifndef IMGFACTORY_BILL_PRODUCT_H
#define IMGFACTORY_BILL_PRODUCT_H

#include "oci/oci.h"
#include "proof/openers.h"

#include <jansson.h>

/* A package of the selection. */
struct product_package {
    const char *name, *version, *architecture, *url;
    const char *repository; /* its name */
    uint64_t size_bytes;
    struct digest digest; /* zeros in a dry run, when the index has only a SHA-512 */
    bool has_given;       /* files of it are in the image */
};

/* A file of the image and why it is there; package is NULL for what the factory itself made, `by` (the path of the file
 * because of which it is there) for what manifest, recipe or factory want themselves. */
struct product_file {
    const char *path, *package, *why, *by;
};

struct product_files {
    struct product_file *items;
    size_t count, capacity;
};

/* Which package was taken for a path of the manifest. */
struct product_choice {
    const char *path, *package, *why;
    struct strings others;
};

struct product {
    struct {
        struct product_package *items;
        size_t count, capacity;
    } packages;                       /* the whole selection, by name */
    struct product_files files;       /* files and links, by path */
    struct product_files directories; /* by path */
    struct {
        struct product_choice *items;
        size_t count, capacity;
    } choices;              /* in the manifest's order */
    struct strings recipes; /* names of those that apply */
    struct yaml_pairs env;  /* of the image's configuration: the manifest's and the recipes' */
    struct strings notes;   /* what people should know of the image: sentences for log and report */
    struct {
        bool is_made;                      /* false: --no-check */
        uint64_t file_count, symbol_count; /* what was looked at */
        struct strings notes;              /* what is no violation, for people */
    } proof;
    struct openers openers; /* files that open others at run time, of which not all are in the image */
    struct oci_facts facts;
    struct layer layer;
    struct layer_encoder encoder; /* that made it */
    uint64_t unpacked_bytes;
    size_t package_count; /* of those that gave files */
};

/* Notes a sentence for log and report, copied into the arena, once. */
void product_note(struct arena *arena, struct product *product, const char *note);
/* Returns the product as a new JSON object: the caller's reference. */
json_t *product_to_json(const struct product *product);
/* Reads it back; false when anything is missing or mistyped. Name and arch of the facts are the caller's to set. */
bool product_from_json(struct arena *arena, const json_t *json, struct product *ret_product);

#endif
