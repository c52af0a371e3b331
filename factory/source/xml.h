/* xml.h - small XML files (repomd.xml, metalinks) by expat, element by element, with caps
 *
 * https://www.w3.org/TR/xml/, with namespaces checked and then dropped: handlers see local names. UTF-8. Document type
 * declarations are refused, so there are no entities to expand. At most XML_DEPTH_MAX levels, XML_ELEMENTS_MAX
 * elements, XML_TEXT_MAX bytes of text in one element; the caller caps the size of the whole.
 * Threads: no shared state.
 * Fails with: ERR_MALFORMED "NAME:LINE: …".
 */
#ifndef IMGFACTORY_SOURCE_XML_H
#define IMGFACTORY_SOURCE_XML_H

#include "base/text.h"

#define XML_DEPTH_MAX 16
#define XML_ELEMENTS_MAX 100000u
#define XML_TEXT_MAX 65536u

/* An element: where it is, and what it says. */
struct xml_element {
    const char *path;              /* local names from the root: "repomd/data/checksum" */
    const char *const *attributes; /* name, value, …, NULL; in begin() only */
    struct text content;           /* trimmed, without that of elements within; in end() only */
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
