/* SPDX-License-Identifier: Apache-2.0 */
/* xml.h - small XML files (repomd.xml, metalinks): elements by their path, over xml_stream.h
 *
 * At most XML_ELEMENTS_MAX elements and the caps of xml_stream.h; the caller caps the size of the whole.
 * Threads: no shared state.
 * Fails with: ERR_MALFORMED "NAME:LINE: …".
 */
#ifndef IMGFACTORY_RPMMD_XML_H
#define IMGFACTORY_RPMMD_XML_H

#include "base/text.h"

#define XML_ELEMENTS_MAX 100000u

/* An element: where it is, and what it says. */
struct xml_element {
    const char *path;              /* local names from the root: "repomd/data/checksum" */
    const char *const *attributes; /* name, value, …, NULL; in begin() only */
    struct text content;           /* trimmed, of the last run between tags; in end() only */
};

/* What happens with elements; each may be NULL. A false ends the reading with the error that was set, to which name and
 * line are added. */
struct xml_handler {
    bool (*begin)(void *user, const struct xml_element *element, struct err *err);
    bool (*end)(void *user, const struct xml_element *element, struct err *err);
    void *user;
};

/* Reads the whole document; `name` is for messages. */
bool xml_read(const char *name, struct text bytes, const struct xml_handler *handler, struct err *err) MUST_CHECK;
/* Returns an attribute's value, or NULL. */
const char *xml_attribute(const struct xml_element *element, const char *name);

#endif
