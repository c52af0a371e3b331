/* SPDX-License-Identifier: Apache-2.0 */
/* deb_changelog.h - the changelog of a .deb
 *
 * /usr/share/doc/PACKAGE/changelog.Debian.gz, of native packages changelog.gz, and changelog.Debian.ARCH.gz with the entries of
 * binary-only uploads (Debian Policy 12.7; deb-changelog(5)); not compressed, too. The folder or the file may be a link to those
 * of another package. Entries are those that `dpkg-parsechangelog --since VERSION` prints: above the entry of the older version,
 * or else above the first that is older still; a line that is none of a changelog belongs to its entry.
 * Of an image's own files the changelogs of installed packages are read, where they were not removed.
 * Threads: any worker.
 * Fails with: as package.h; ERR_RESOLVE (the package has no changelog).
 */
#ifndef IMGFACTORY_DEB_DEB_CHANGELOG_H
#define IMGFACTORY_DEB_DEB_CHANGELOG_H

#include "package/changelog.h"

/* The function of struct format. */
bool deb_changelog(struct arena *arena, const struct changelog_request *request, struct changelog *ret_changelog,
                   bool *ret_found, struct err *err) MUST_CHECK;
/* Reads the entries out of a changelog's text. */
void deb_changelog_parse(struct arena *arena, const struct changelog_request *request, struct text text,
                         struct changelog *changelog);

#endif
