/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/yaml.h"

#include "base/auto.h"
#include "base/map.h"
#include "io/file.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <yaml.h>

/* libyaml's events become nodes on a stack of our own, so that depth costs no C stack and everything that a strict
 * reader refuses is refused at its place. */
#define FILE_BYTES_MAX ((size_t)1024 * 1024)
#define DEPTH_MAX 32
#define ITEMS_MAX 10000
#define NODES_MAX 100000

/* A sequence or mapping that is still open. */
struct frame {
    struct yaml_node *node;
    LIST(struct yaml_node *) keys, items;
    struct map seen; /* keys of a mapping, for duplicates */
};

struct builder {
    struct arena *arena;
    struct yaml_file *file;
    struct frame frames[DEPTH_MAX];
    size_t depth, node_count;
};

const char *yaml_kind_name(enum yaml_kind kind)
{
    switch (kind) {
    case YAML_SCALAR:
        return "a single value";
    case YAML_SEQUENCE:
        return "a list";
    case YAML_MAPPING:
        return "a mapping";
    }
    return "nothing";
}

PRINTF_LIKE(5, 0)
static void fail_at(const char *path, size_t line, size_t column, struct err *err, const char *format, va_list args)
{
    char text[2048];
    (void)vsnprintf(text, sizeof text, format, args);
    err_set(err, ERR_USAGE, "%s:%zu:%zu: %s", path, line, column, text);
}

bool yaml_fail(const struct yaml_node *node, struct err *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail_at(node->file->path, node->line, node->column, err, format, args);
    va_end(args);
    return false;
}

PRINTF_LIKE(4, 5)
static bool fail_mark(const struct yaml_file *file, yaml_mark_t mark, struct err *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail_at(file->path, mark.line + 1, mark.column + 1, err, format, args);
    va_end(args);
    return false;
}

/* Line and column of a byte; columns count characters, as libyaml's do. */
static yaml_mark_t mark_of_offset(struct text bytes, size_t offset)
{
    yaml_mark_t mark = {0};
    for (size_t i = 0; i < offset && i < bytes.len; i++) {
        if (bytes.ptr[i] == '\n') {
            mark.line++;
            mark.column = 0;
        } else if (((unsigned char)bytes.ptr[i] & 0xC0) != 0x80) {
            mark.column++;
        }
    }
    return mark;
}

/* Turns libyaml's error into ours. */
static bool fail_parser(const struct yaml_file *file, const yaml_parser_t *parser, struct err *err)
{
    const char *problem = parser->problem ? parser->problem : "cannot be read";
    if (parser->error == YAML_MEMORY_ERROR)
        memory_abort(file->bytes.len);
    if (parser->error == YAML_READER_ERROR) {
        yaml_mark_t mark = mark_of_offset(file->bytes, parser->problem_offset);
        if (parser->problem_value >= 0)
            return fail_mark(file, mark, err, "%s (0x%02X)", problem, (unsigned)parser->problem_value);
        return fail_mark(file, mark, err, "%s", problem);
    }
    if (parser->context)
        return fail_mark(file, parser->problem_mark, err, "%s (%s)", problem, parser->context);
    return fail_mark(file, parser->problem_mark, err, "%s", problem);
}

static struct yaml_node *node_new(struct builder *builder, enum yaml_kind kind, yaml_mark_t mark)
{
    struct yaml_node *node = arena_new(builder->arena, struct yaml_node);
    *node = (struct yaml_node){.kind = kind, .file = builder->file, .line = mark.line + 1, .column = mark.column + 1};
    return node;
}

static bool add_key(struct builder *builder, struct frame *frame, struct yaml_node *node, struct err *err)
{
    if (node->kind != YAML_SCALAR)
        return yaml_fail(node, err, "a key must be a single value, not %s", yaml_kind_name(node->kind));
    if (!node->is_quoted && strcmp(node->scalar, "<<") == 0)
        return yaml_fail(node, err, "merge keys (<<) are not allowed");
    if (!map_add(&frame->seen, text_of(node->scalar), node)) {
        const struct yaml_node *first = map_get(&frame->seen, text_of(node->scalar));
        return yaml_fail(node, err, "duplicate key '%s' (first in line %zu)",
                         text_printable(builder->arena, text_of(node->scalar)), first->line);
    }
    list_add(builder->arena, &frame->keys, node);
    return true;
}

/* Hangs a node into the innermost open collection. */
static bool attach(struct builder *builder, struct yaml_node *node, struct err *err)
{
    if (++builder->node_count > NODES_MAX)
        return yaml_fail(node, err, "more than %d values in one file", NODES_MAX);
    if (!builder->depth) {
        builder->file->root = node;
        return true;
    }
    struct frame *frame = &builder->frames[builder->depth - 1];
    if (frame->items.count == ITEMS_MAX)
        return yaml_fail(node, err, "more than %d items in one list or mapping", ITEMS_MAX);
    if (frame->node->kind == YAML_MAPPING && frame->keys.count == frame->items.count)
        return add_key(builder, frame, node, err);
    list_add(builder->arena, &frame->items, node);
    return true;
}

static bool add_scalar(struct builder *builder, const yaml_event_t *event, struct err *err)
{
    const char *value = (const char *)event->data.scalar.value;
    struct yaml_node *node = node_new(builder, YAML_SCALAR, event->start_mark);
    if (memchr(value, '\0', event->data.scalar.length))
        return yaml_fail(node, err, "a value must not hold a NUL character");
    node->scalar = arena_strndup(builder->arena, value, event->data.scalar.length);
    node->is_quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return attach(builder, node, err);
}

static bool open_collection(struct builder *builder, enum yaml_kind kind, yaml_mark_t mark, struct err *err)
{
    struct yaml_node *node = node_new(builder, kind, mark);
    if (builder->depth == DEPTH_MAX)
        return yaml_fail(node, err, "nested more than %d deep", DEPTH_MAX);
    if (!attach(builder, node, err))
        return false;
    builder->frames[builder->depth++] = (struct frame){.node = node, .seen.arena = builder->arena};
    return true;
}

static void close_collection(struct builder *builder)
{
    assert(builder->depth > 0); /* libyaml's events are balanced */
    struct frame *frame = &builder->frames[--builder->depth];
    frame->node->count = frame->items.count;
    frame->node->keys = frame->keys.items;
    frame->node->items = frame->items.items;
}

/* Refuses anchors and tags: both make a value mean something else than it says at its place. */
static bool is_plain_node(const struct yaml_file *file, const yaml_event_t *event, const yaml_char_t *anchor,
                          const yaml_char_t *tag, struct err *err)
{
    if (anchor)
        return fail_mark(file, event->start_mark, err, "anchors (&) are not allowed");
    if (tag)
        return fail_mark(file, event->start_mark, err, "tags (!) are not allowed");
    return true;
}

static bool take_event(struct builder *builder, const yaml_event_t *event, struct err *err)
{
    const struct yaml_file *file = builder->file;
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return fail_mark(file, event->start_mark, err, "aliases (*) are not allowed");
    case YAML_DOCUMENT_START_EVENT:
        if (file->root)
            return fail_mark(file, event->start_mark, err, "more than one document in a file");
        return true;
    case YAML_SCALAR_EVENT:
        return is_plain_node(file, event, event->data.scalar.anchor, event->data.scalar.tag, err) &&
               add_scalar(builder, event, err);
    case YAML_SEQUENCE_START_EVENT:
        return is_plain_node(file, event, event->data.sequence_start.anchor, event->data.sequence_start.tag, err) &&
               open_collection(builder, YAML_SEQUENCE, event->start_mark, err);
    case YAML_MAPPING_START_EVENT:
        return is_plain_node(file, event, event->data.mapping_start.anchor, event->data.mapping_start.tag, err) &&
               open_collection(builder, YAML_MAPPING, event->start_mark, err);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        close_collection(builder);
        return true;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return true;
    }
    return true;
}

static bool build(struct builder *builder, yaml_parser_t *parser, struct err *err)
{
    for (;;) {
        AUTO(yaml_event_delete) yaml_event_t event = {0};
        if (!yaml_parser_parse(parser, &event))
            return fail_parser(builder->file, parser, err);
        if (!take_event(builder, &event, err))
            return false;
        if (event.type == YAML_STREAM_END_EVENT)
            return true;
    }
}

bool yaml_parse(struct arena *arena, const char *path, struct text bytes, struct yaml_file **ret_file, struct err *err)
{
    struct yaml_file *file = arena_new(arena, struct yaml_file);
    file->path = arena_strdup(arena, path);
    if (bytes.len > FILE_BYTES_MAX)
        return fail_mark(file, (yaml_mark_t){0}, err, "larger than %zu bytes", FILE_BYTES_MAX);
    file->bytes = (struct text){arena_strndup(arena, bytes.ptr, bytes.len), bytes.len};
    file->digest = digest_of(bytes.ptr, bytes.len);
    if (text_has_prefix(bytes, "\xEF\xBB\xBF"))
        return fail_mark(file, (yaml_mark_t){0}, err, "begins with a byte order mark; save it as plain UTF-8");
    AUTO(yaml_parser_delete) yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        memory_abort(sizeof parser);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)file->bytes.ptr, bytes.len);
    struct builder builder = {.arena = arena, .file = file};
    if (!build(&builder, &parser, err))
        return false;
    *ret_file = file;
    return true;
}

static bool read_bytes(const char *path, struct buf *bytes, struct err *err)
{
    buf_init(bytes, FILE_BYTES_MAX);
    if (file_read_at(AT_FDCWD, path, FILE_BYTES_MAX, bytes, err))
        return true;
    bool is_absent = err->kind == ERR_LOCAL && err->detail == ENOENT;
    if (err->kind != ERR_MALFORMED && !is_absent)
        return false;
    struct err cause = *err;
    err_clear(err);
    if (is_absent)
        err_set(err, ERR_USAGE, "%s: no such file", path);
    else
        err_set(err, ERR_USAGE, "%s:1:1: %s", path, cause.text);
    err->detail = cause.detail;
    return false;
}

bool yaml_digest(const char *path, struct digest *ret_digest, struct err *err)
{
    AUTO(buf_done) struct buf bytes;
    if (!read_bytes(path, &bytes, err))
        return false;
    *ret_digest = digest_of(bytes.bytes ? bytes.bytes : "", bytes.len);
    return true;
}

bool yaml_load(struct arena *arena, const char *path, struct yaml_file **ret_file, struct err *err)
{
    AUTO(buf_done) struct buf bytes;
    if (!read_bytes(path, &bytes, err))
        return false;
    return yaml_parse(arena, path, (struct text){bytes.bytes ? bytes.bytes : "", bytes.len}, ret_file, err);
}

static void close_dir(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool yaml_is_path(const char *name)
{
    struct text whole = text_of(name);
    return strchr(name, '/') || text_has_suffix(whole, ".yaml") || text_has_suffix(whole, ".yml");
}

bool yaml_stems(struct arena *arena, const char *dir, struct strings *ret_stems, struct err *err)
{
    AUTO(close_dir) DIR *stream = opendir(dir);
    if (!stream) {
        err_set_errno(err, errno, "%s: cannot be listed", dir);
        return false;
    }
    struct strings stems = {0};
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(stream); // NOLINT(concurrency-mt-unsafe): the stream is ours alone
        if (!entry)
            break;
        struct text name = text_of(entry->d_name);
        if (name.ptr[0] != '.' && text_has_suffix(name, ".yaml"))
            list_add(arena, &stems, arena_strndup(arena, name.ptr, name.len - strlen(".yaml")));
    }
    if (errno) {
        err_set_errno(err, errno, "%s: cannot be listed", dir);
        return false;
    }
    if (stems.count)
        qsort(stems.items, stems.count, sizeof stems.items[0], compare_names);
    *ret_stems = stems;
    return true;
}
