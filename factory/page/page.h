/* SPDX-License-Identifier: Apache-2.0 */
/* page.h - a run as static pages: one for all, and one for each image
 *
 * HTML by templates (template.h), pictures as SVG within it; no scripts, nothing from elsewhere. What came from outside is
 * escaped, and lists are cut at bounds, so that a page has at most some hundred kB whatever is in an image. Equal input gives equal
 * bytes: no clock is asked, and nothing stands in an order of chance.
 * Threads: no state.
 * Owns: nothing; all lives in the arena given.
 */
#ifndef IMGFACTORY_PAGE_PAGE_H
#define IMGFACTORY_PAGE_PAGE_H

#include "change/change.h"
#include "past/past.h"

#define PAGE_NIGHTS 30 /* of the line of sizes */
#define PAGE_MAX_BYTES ((size_t)16 << 20)
#define PAGE_MARK "<meta name=\"generator\" content=\"imgfactory" /* all pages have it among their first 1,000 bytes */
#define PAGE_MARK_WITHIN ((size_t)1000)

enum page_status { PAGE_FAILED, PAGE_HELD, PAGE_PARTLY, PAGE_BUILT, PAGE_UNCHANGED, PAGE_DRY_RUN };

/* One architecture. */
struct page_platform {
    const char *arch;
    const char *error;    /* NULL: it was made */
    bool is_previous;     /* it failed, and what was published before is in the image */
    struct digest digest; /* of the manifest; zeros: there is none */
    const char *version;  /* may be NULL */
    uint64_t layer_bytes, unpacked_bytes;
    size_t package_count, file_count;
    double seconds;
    struct past_bill brief; /* what is in it; bytes NULL: not known */
};

struct page_image {
    const char *name;
    enum page_status status;
    const char *error;                /* one line; of one that is held for its own lags NULL */
    const char *destination, *layout; /* may be NULL */
    struct digest digest, before;     /* of the index, and what was there before; zeros: none */
    struct strings tags;
    int64_t created; /* 0: not known */
    double seconds;
    const char *parity;  /* a word: "exact", "source", "off"; NULL: not compared */
    struct strings lags; /* in what the architectures differ: sentences */
    LIST(struct page_platform) platforms;
    const struct change *changes; /* change_count of them */
    size_t change_count;
    struct strings cves;               /* that are fixed */
    const struct past_records *nights; /* the newest first; may be NULL */
};

struct page_run {
    const char *program; /* version */
    bool is_night;       /* of a site */
    int64_t date;        /* seconds since 1970: when it was */
    double seconds;
    struct page_image *images;
    size_t count;
};

/* A file: `name` is its path below the folder, of one or two components. */
struct page_file {
    const char *name;
    struct text bytes;
};

struct page_files {
    struct page_file *items;
    size_t count, capacity;
};

/* Makes index.html, the page of the run as a whole; what is in the images is not looked at. */
void page_make_run(struct arena *arena, const struct page_run *run, struct page_files *files);
/* Makes image/NAME.html of one image of the run. */
void page_make_image(struct arena *arena, const struct page_run *run, const struct page_image *image,
                     struct page_files *files);

#endif
