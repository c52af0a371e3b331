/* SPDX-License-Identifier: Apache-2.0 */
/* xml_stream.h - XML by expat, piece by piece: RPM-MD's large files (primary, filelists), and what xml.h is made of
 *
 * https://www.w3.org/TR/xml/, UTF-8 only. Elements are told by their local names; prefixes are dropped without a look at
 * namespaces, as all readers of RPM-MD do. Document type declarations are refused, so there are no entities to expand. At most XML_STREAM_DEPTH_MAX levels,
 * XML_STREAM_TOKEN_MAX bytes between two tokens (expat keeps them in memory), XML_STREAM_TEXT_MAX bytes of text in an
 * element, XML_STREAM_PLAIN_MAX bytes in all. For small files see xml.h.
 * Threads: no shared state.
 * Fails with: ERR_MALFORMED "NAME:LINE: …".
 */
#ifndef IMGFACTORY_RPMMD_XML_STREAM_H
#define IMGFACTORY_RPMMD_XML_STREAM_H

#include "io/decompress.h"

#define XML_STREAM_DEPTH_MAX 8
#define XML_STREAM_TOKEN_MAX ((size_t)1 << 20)
#define XML_STREAM_TEXT_MAX ((size_t)1 << 16)
#define XML_STREAM_PLAIN_MAX ((uint64_t)4 << 30)

/* One reading. Set name, begin, end and user; the rest is xml_stream_read()'s. begin() and end() return false to end it,
 * with xml->err set; name and line are added. `depth` is 1 at the root, the same in begin() and end(). */
struct xml_stream {
    const char *name; /* for messages */
    bool (*begin)(struct xml_stream *xml, const char *element, const char **attributes);
    bool (*end)(struct xml_stream *xml, const char *element, struct text content);
    void *user;
    bool is_text_wanted; /* begin() sets it for an element whose text end() wants; text of elements within is dropped */
    size_t depth;
    struct err *err;
    void *parser;
    struct buf content;
    uint64_t fed;
};

/* Reads the whole document out of compressed bytes. */
bool xml_stream_read(struct xml_stream *xml, enum compression compression, struct text packed,
                     struct err *err) MUST_CHECK;
/* Returns an attribute's value, or NULL. */
const char *xml_stream_attribute(const char **attributes, const char *name);
/* Sets an ERR_MALFORMED error. Always returns false. */
bool xml_stream_fail(struct xml_stream *xml, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
