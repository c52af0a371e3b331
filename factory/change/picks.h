/* SPDX-License-Identifier: Apache-2.0 */
/* picks.h - CVE, advisory and bug numbers in the text of a changelog
 *
 * CVE-YEAR-NUMBER; DSA-, DLA-, USN-, RHSA-, RHBA-, RHEA-, ELSA-, ALSA- and FEDORA-… of advisories; bugs that an entry closes: "Closes:
 * #1, #2" of Debian (deb-changelog(5)), "LP: #1" of Ubuntu, "rhbz#1", "bsc#1", "boo#1", "bnc#1" and "RHEL-1" of RPM packages. CVEs and
 * advisories are given in capitals, bugs as "#1", "LP#1", "rhbz#1".
 * Threads: no state.
 */
#ifndef IMGFACTORY_CHANGE_PICKS_H
#define IMGFACTORY_CHANGE_PICKS_H

#include "base/map.h"

/* What was picked, each once, in the order of the text. Zero-initialise with both maps' arena set. */
struct picks {
    struct strings cves, advisories, bugs;
    struct map seen;
};

/* Adds what a text has. */
void picks_take(struct arena *arena, struct text text, struct picks *picks);

#endif
