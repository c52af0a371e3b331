/* SPDX-License-Identifier: Apache-2.0 */
#include "rpmmd/xml.h"

#include "rpmmd/xml_stream.h"

#include <stdio.h>

#define PATH_BYTES 512

struct reading {
    const struct xml_handler *handler;
    char path[PATH_BYTES];
    size_t path_lens[XML_STREAM_DEPTH_MAX]; /* the path's length at each level, to cut it back */
    size_t element_count;
};

static bool on_begin(struct xml_stream *stream, const char *name, const char **attributes)
{
    struct reading *reading = stream->user;
    const struct xml_handler *handler = reading->handler;
    size_t len = strlen(reading->path);
    if (++reading->element_count > XML_ELEMENTS_MAX)
        return xml_stream_fail(stream, "more elements than are allowed");
    if (len + strlen(name) + 2 > sizeof reading->path)
        return xml_stream_fail(stream, "elements with names that are too long");
    reading->path_lens[stream->depth - 1] = len;
    (void)snprintf(reading->path + len, sizeof reading->path - len, "%s%s", len ? "/" : "", name);
    stream->is_text_wanted = true;
    struct xml_element element = {.path = reading->path, .attributes = (const char *const *)attributes};
    return !handler->begin || handler->begin(handler->user, &element, stream->err);
}

static bool on_end(struct xml_stream *stream, const char *name, struct text content)
{
    struct reading *reading = stream->user;
    const struct xml_handler *handler = reading->handler;
    struct xml_element element = {.path = reading->path, .content = content};
    (void)name;
    if (handler->end && !handler->end(handler->user, &element, stream->err))
        return false;
    reading->path[reading->path_lens[stream->depth - 1]] = '\0';
    return true;
}

bool xml_read(const char *name, struct text bytes, const struct xml_handler *handler, struct err *err)
{
    struct reading reading = {.handler = handler};
    struct xml_stream stream = {.name = name, .begin = on_begin, .end = on_end, .user = &reading};
    return xml_stream_read(&stream, COMPRESSION_NONE, bytes, err);
}

const char *xml_attribute(const struct xml_element *element, const char *name)
{
    return element->attributes ? xml_stream_attribute((const char **)element->attributes, name) : NULL;
}
