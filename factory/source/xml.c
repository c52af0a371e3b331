#include "source/xml.h"

#include <expat.h>
#include <limits.h>

#include "base/auto.h"

#define PATH_BYTES 512
#define NAMESPACE_SEPARATOR '\n' /* cannot stand in a name */

struct reading {
    XML_Parser parser;
    const struct xml_handler *handler;
    char path[PATH_BYTES];
    size_t path_lens[XML_DEPTH_MAX]; /* the path's length at each level, to cut it back */
    size_t depth, element_count;
    struct buf content;
    struct err *err;
};

static void free_parser(XML_Parser *parser)
{
    XML_ParserFree(*parser);
}

static void stop(struct reading *reading)
{
    (void)XML_StopParser(reading->parser, XML_FALSE);
}

static void refuse(struct reading *reading, const char *why)
{
    if (!reading->err->kind)
        err_set(reading->err, ERR_MALFORMED, "%s", why);
    stop(reading);
}

static const char *local_name(const char *name)
{
    const char *separator = strrchr(name, NAMESPACE_SEPARATOR);
    return separator ? separator + 1 : name;
}

/* Goes one level down; false when that is too deep. */
static bool push(struct reading *reading, const char *name)
{
    size_t len = strlen(reading->path);
    if (reading->depth == XML_DEPTH_MAX || len + strlen(name) + 2 > sizeof reading->path)
        return false;
    reading->path_lens[reading->depth++] = len;
    (void)snprintf(reading->path + len, sizeof reading->path - len, "%s%s", len ? "/" : "", name);
    return true;
}

static void on_begin(void *user, const XML_Char *name, const XML_Char **attributes)
{
    struct reading *reading = user;
    if (reading->err->kind) /* a stopped expat may still hand over what it had read */
        return;
    if (++reading->element_count > XML_ELEMENTS_MAX) {
        refuse(reading, "more elements than are allowed");
        return;
    }
    if (!push(reading, local_name(name))) {
        refuse(reading, "elements are nested too deep");
        return;
    }
    reading->content.len = 0;
    struct xml_element element = {.path = reading->path, .attributes = (const char *const *)attributes};
    const struct xml_handler *handler = reading->handler;
    if (handler->begin && !handler->begin(handler->user, &element, reading->err))
        stop(reading);
}

static void on_end(void *user, const XML_Char *name)
{
    struct reading *reading = user;
    const struct xml_handler *handler = reading->handler;
    struct text content = {reading->content.len ? reading->content.bytes : "", reading->content.len};
    struct xml_element element = {.path = reading->path, .content = text_trim(content)};
    (void)name;
    if (reading->err->kind)
        return;
    if (handler->end && !handler->end(handler->user, &element, reading->err))
        stop(reading);
    reading->path[reading->path_lens[--reading->depth]] = '\0';
    reading->content.len = 0;
}

static void on_text(void *user, const XML_Char *bytes, int len)
{
    struct reading *reading = user;
    if (!reading->err->kind && !buf_add(&reading->content, bytes, (size_t)len))
        refuse(reading, "an element has more text than is allowed");
}

static void on_doctype(void *user, const XML_Char *name, const XML_Char *system_id, const XML_Char *public_id,
                       int has_internal_subset)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_internal_subset;
    refuse(user, "it has a document type declaration, which is not allowed here");
}

static bool parse(struct reading *reading, struct text bytes)
{
    XML_Parser parser = reading->parser;
    XML_SetUserData(parser, reading);
    XML_SetElementHandler(parser, on_begin, on_end);
    XML_SetCharacterDataHandler(parser, on_text);
    XML_SetStartDoctypeDeclHandler(parser, on_doctype);
    return XML_Parse(parser, bytes.ptr, (int)bytes.len, XML_TRUE) == XML_STATUS_OK;
}

bool xml_read(const char *name, struct text bytes, const struct xml_handler *handler, struct err *err)
{
    AUTO(free_parser) XML_Parser parser = XML_ParserCreateNS("UTF-8", NAMESPACE_SEPARATOR);
    struct reading reading = {.parser = parser, .handler = handler, .err = err};
    AUTO(buf_done) struct buf content;
    if (!parser)
        memory_abort(0);
    if (bytes.len > INT_MAX) {
        err_set(err, ERR_MALFORMED, "%s: larger than an XML file may be here", name);
        return false;
    }
    buf_init(&reading.content, XML_TEXT_MAX);
    bool is_good = parse(&reading, bytes);
    content = reading.content;
    if (is_good)
        return true;
    if (!err->kind)
        err_set(err, ERR_MALFORMED, "not well-formed XML: %s", XML_ErrorString(XML_GetErrorCode(parser)));
    err_wrap(err, "%s:%lu", name, (unsigned long)XML_GetCurrentLineNumber(parser));
    return false;
}

const char *xml_attribute(const struct xml_element *element, const char *name)
{
    for (const char *const *pair = element->attributes; pair && *pair; pair += 2) {
        if (strcmp(local_name(pair[0]), name) == 0)
            return pair[1];
    }
    return NULL;
}
