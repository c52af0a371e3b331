/* SPDX-License-Identifier: Apache-2.0 */
#include "rpmmd/xml_stream.h"

#include "base/auto.h"

#include <expat.h>
#include <stdarg.h>

#define PIECE_BYTES ((size_t)1 << 16)

/* expat 2.9 has these in 64 bits for every machine, and declares the older ones deprecated. */
#if XML_MAJOR_VERSION > 2 || (XML_MAJOR_VERSION == 2 && XML_MINOR_VERSION >= 9)
#define LINE_OF XML_GetCurrentLineNumber64
#define INDEX_OF XML_GetCurrentByteIndex64
#else
#define LINE_OF XML_GetCurrentLineNumber
#define INDEX_OF XML_GetCurrentByteIndex
#endif

static const char *local_name(const char *name)
{
    const char *colon = strchr(name, ':');
    return colon ? colon + 1 : name;
}

static void stop(struct xml_stream *xml)
{
    (void)XML_StopParser(xml->parser, XML_FALSE);
}

bool xml_stream_fail(struct xml_stream *xml, const char *format, ...)
{
    va_list arguments;
    char *text = NULL;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        memory_abort(strlen(format));
    va_end(arguments);
    err_set(xml->err, ERR_MALFORMED, "%s", text);
    free(text);
    return false;
}

static void on_begin(void *user, const XML_Char *name, const XML_Char **attributes)
{
    struct xml_stream *xml = user;
    if (xml->err->kind) /* a stopped expat may still hand over what it had read */
        return;
    xml->content.len = 0;
    xml->is_text_wanted = false;
    if (++xml->depth > XML_STREAM_DEPTH_MAX) {
        (void)xml_stream_fail(xml, "elements are nested deeper than %d levels", XML_STREAM_DEPTH_MAX);
        stop(xml);
    } else if (!xml->begin(xml, local_name(name), attributes)) {
        stop(xml);
    }
}

static void on_end(void *user, const XML_Char *name)
{
    struct xml_stream *xml = user;
    struct text content = {xml->content.len ? xml->content.bytes : "", xml->content.len};
    if (xml->err->kind)
        return;
    if (!xml->end(xml, local_name(name), text_trim(content)))
        stop(xml);
    xml->depth--;
    xml->content.len = 0;
    xml->is_text_wanted = false;
}

static void on_text(void *user, const XML_Char *bytes, int len)
{
    struct xml_stream *xml = user;
    if (xml->is_text_wanted && !buf_add(&xml->content, bytes, (size_t)len) && !xml->err->kind) {
        (void)xml_stream_fail(xml, "an element has more than %zu bytes of text", XML_STREAM_TEXT_MAX);
        stop(xml);
    }
}

static void on_doctype(void *user, const XML_Char *name, const XML_Char *system_id, const XML_Char *public_id,
                       int has_internal_subset)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_internal_subset;
    struct xml_stream *xml = user;
    if (!xml->err->kind)
        (void)xml_stream_fail(xml, "it has a document type declaration, which is not allowed here");
    stop(xml);
}

/* Adds name and line to what went wrong. Always returns false. */
static bool fail_here(struct xml_stream *xml)
{
    if (!xml->err->kind)
        err_set(xml->err, ERR_MALFORMED, "not well-formed XML: %s", XML_ErrorString(XML_GetErrorCode(xml->parser)));
    err_wrap(xml->err, "%s:%lu", xml->name, (unsigned long)LINE_OF(xml->parser));
    return false;
}

/* decompress_take: hands a piece to expat, in parts, so that what expat has to keep stays small. */
static bool feed(void *taker, struct text piece, struct err *err)
{
    struct xml_stream *xml = taker;
    (void)err; /* is xml->err */
    while (piece.len) {
        size_t len = piece.len < PIECE_BYTES ? piece.len : PIECE_BYTES;
        if (XML_Parse(xml->parser, piece.ptr, (int)len, XML_FALSE) != XML_STATUS_OK)
            return fail_here(xml);
        xml->fed += len;
        int64_t index = INDEX_OF(xml->parser);
        if (index >= 0 && xml->fed - (uint64_t)index > XML_STREAM_TOKEN_MAX) {
            (void)xml_stream_fail(xml, "a tag or text longer than %zu bytes", XML_STREAM_TOKEN_MAX);
            return fail_here(xml);
        }
        piece = (struct text){piece.ptr + len, piece.len - len};
    }
    return true;
}

static void free_parser(XML_Parser *parser)
{
    XML_ParserFree(*parser);
}

bool xml_stream_read(struct xml_stream *xml, enum compression compression, struct text packed, struct err *err)
{
    AUTO(free_parser) XML_Parser parser = XML_ParserCreate("UTF-8");
    if (!parser)
        memory_abort(sizeof *xml);
    xml->parser = parser;
    xml->err = err;
    buf_init(&xml->content, XML_STREAM_TEXT_MAX);
    XML_SetUserData(parser, xml);
    XML_SetElementHandler(parser, on_begin, on_end);
    XML_SetCharacterDataHandler(parser, on_text);
    XML_SetStartDoctypeDeclHandler(parser, on_doctype);
    bool is_good = compression == COMPRESSION_NONE
                       ? feed(xml, packed, err)
                       : decompress_pieces(compression, packed, XML_STREAM_PLAIN_MAX, xml->name, feed, xml, err);
    if (is_good && XML_Parse(parser, "", 0, XML_TRUE) != XML_STATUS_OK)
        is_good = fail_here(xml);
    buf_done(&xml->content);
    xml->parser = NULL;
    return is_good;
}

const char *xml_stream_attribute(const char **attributes, const char *name)
{
    for (const char **pair = attributes; *pair; pair += 2) {
        if (strcmp(local_name(pair[0]), name) == 0)
            return pair[1];
    }
    return NULL;
}
