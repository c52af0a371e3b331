/* rpm_xml.h - RPM-MD's large XML files (primary, filelists) by expat, piece by piece
 *
 * Elements are told by their local names; prefixes are dropped without a look at namespaces, as all readers of RPM-MD
 * do. Document type declarations are refused, so there are no entities to expand. At most RPM_XML_DEPTH_MAX levels,
 * RPM_XML_TOKEN_MAX bytes between two tokens (expat keeps them in memory), RPM_XML_TEXT_MAX bytes of text in an
 * element, RPM_XML_PLAIN_MAX bytes in all. For small files see xml.h.
 * Threads: no shared state.
 * Fails with: ERR_MALFORMED "NAME:LINE: …".
 */
#ifndef IMGFACTORY_SOURCE_RPM_XML_H
#define IMGFACTORY_SOURCE_RPM_XML_H

#include "io/decompress.h"

#define RPM_XML_DEPTH_MAX 8
#define RPM_XML_TOKEN_MAX ((size_t)1 << 20)
#define RPM_XML_TEXT_MAX ((size_t)1 << 16)
#define RPM_XML_PLAIN_MAX ((uint64_t)4 << 30)

/* One reading. Set name, begin, end and user; the rest is rpm_xml_read()'s. begin() and end() return false to end it,
 * with xml->err set; name and line are added. `depth` is 1 at the root, the same in begin() and end(). */
struct rpm_xml {
    const char *name; /* for messages */
    bool (*begin)(struct rpm_xml *xml, const char *element, const char **attributes);
    bool (*end)(struct rpm_xml *xml, const char *element, struct text content);
    void *user;
    bool is_text_wanted; /* begin() sets it for an element whose text end() wants; text of elements within is dropped */
    size_t depth;
    struct err *err;
    void *parser;
    struct buf content;
    uint64_t fed;
};

/* Reads the whole document out of compressed bytes. */
bool rpm_xml_read(struct rpm_xml *xml, enum compression compression, struct text packed, struct err *err) MUST_CHECK;
/* Returns an attribute's value, or NULL. */
const char *rpm_xml_attribute(const char **attributes, const char *name);
/* Sets an ERR_MALFORMED error. Always returns false. */
bool rpm_xml_fail(struct rpm_xml *xml, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
