/* SPDX-License-Identifier: Apache-2.0 */
/* together.h - how the architectures of an image are kept together: `parity` and `on-missing`, of a site or a call
 *
 * Threads: no state.
 */
#ifndef IMGFACTORY_PLAN_TOGETHER_H
#define IMGFACTORY_PLAN_TOGETHER_H

#include <stdbool.h>

/* What the architectures of an image must have in common. */
enum parity {
    PARITY_UNASKED, /* nobody asked: nothing is compared */
    PARITY_OFF,     /* nothing, but differences are told */
    PARITY_SOURCE, /* source packages of the same version: rebuilds of one architecture alone (Debian's +b1) are alike */
    PARITY_EXACT,  /* packages of the same version */
};

/* What becomes of an image of which some architectures could not be built. */
enum on_missing {
    MISSING_HOLD,     /* it fails, and no tag moves */
    MISSING_PREVIOUS, /* it goes out with what its tag has for them in the registry */
    MISSING_PUBLISH,  /* it goes out without them */
};

/* Both, for one image. */
struct together {
    enum parity parity;
    enum on_missing on_missing;
};

/* Tells why a text is no value of `parity` / `on-missing`, or NULL. */
const char *together_why_not_parity(const char *word);
const char *together_why_not_missing(const char *word);
/* Returns what a word of these means; of NULL what nobody asked for. */
enum parity together_parity(const char *word);
enum on_missing together_missing(const char *word);
/* Names a parity as the site file does; that which nobody asked for is "off". */
const char *together_parity_name(enum parity parity);

#endif
