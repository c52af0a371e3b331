/* SPDX-License-Identifier: Apache-2.0 */
/* deb_pins.h - the host's choices among versions: apt's preferences and APT::Default-Release, and what they mean
 *
 * apt_preferences(5), as apt 2.6 and 3.0 read it (apt-pkg/policy.cc, versionmatch.cc). A pin without names is of all packages: the
 * first that fits an index gives its priority; Default-Release comes before all, "never" before that. A pin of names is of versions, and goes before; of
 * several the first that fits a version counts.
 * Threads: made by main before other threads start, then const for all.
 * Fails with: ERR_USAGE ("FILE:LINE: …"), ERR_LOCAL.
 */
#ifndef IMGFACTORY_DEB_DEB_PINS_H
#define IMGFACTORY_DEB_DEB_PINS_H

#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/text.h"

#define DEB_PIN_NEVER INT16_MIN /* of a version that must not be taken, whatever other pins say */
#define DEB_PIN_DEFAULT_RELEASE 990

enum deb_pin_kind { DEB_PIN_VERSION, DEB_PIN_RELEASE, DEB_PIN_ORIGIN };

struct deb_pin {
    const char *place; /* "FILE:LINE" */
    const char *name;  /* a name, glob or /expression/; NULL: of all packages */
    const char *arch;  /* of the packages; NULL: the image's */
    bool is_of_source; /* the name is a source package's */
    enum deb_pin_kind kind;
    const char *what; /* behind the kind: "a=stable, o=Debian" */
    int priority;
};

struct deb_pins {
    const char *default_release; /* NULL: none */
    struct deb_pin *items;
    size_t count, capacity;
};

/* What a release pin can ask of an index. Absent is NULL. */
struct deb_pin_index {
    const char *archive, *codename, *version, *origin, *label; /* of its Release */
    const char *component, *architecture;                      /* NULL in a flat repository */
    const char *site;                                          /* the host's name; "" of a local one */
    bool is_not_automatic, is_but_automatic_upgrades;
};

/* What a pin of names can ask of a version. */
struct deb_pin_version {
    struct text name, source, version;
    const char *arch; /* of the image: packages for all count as its own */
};

/* Reads APT::Default-Release, preferences and preferences.d below `apt_dir`. */
bool deb_pins_load(struct arena *arena, const char *apt_dir, struct deb_pins *ret_pins, struct err *err) MUST_CHECK;
/* Returns whether an index is of the release that APT::Default-Release names. "a=…" needs none. */
bool deb_pins_is_default(const struct deb_pins *pins, const struct deb_pin_index *index);
/* Returns the priority of an index's versions, of which no pin of names says otherwise. */
int deb_pins_index_priority(const struct deb_pins *pins, const struct deb_pin_index *index);
/* Finds the first pin from number `*at` on whose names fit a version, and moves `*at` behind it; NULL when there is none. */
const struct deb_pin *deb_pins_next(const struct deb_pins *pins, const struct deb_pin_version *version, size_t *at);
/* Returns whether a pin is one of the version itself, and fits. */
bool deb_pin_fits_version(const struct deb_pin *pin, struct text version);
/* Returns whether a pin is one of repositories, and fits an index that has the version. */
bool deb_pin_fits_index(const struct deb_pin *pin, const struct deb_pin_index *index);
/* Feeds all that priorities depend on; nothing when there are no pins. */
void deb_pins_feed(const struct deb_pins *pins, struct digest_stream *stream);

#endif
