/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/toml.h"

#define FILE_BYTES_MAX (1u << 20)
#define DEPTH_MAX 32
#define NODES_MAX 20000
#define BARE_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
#define OTHER_CHARS BARE_CHARS "+.:"

/* How a table came to be decides what may be added to it later. */
enum {
    BY_PATH = 1,   /* named on the way to another, as `a` in [a.b]: may be defined once */
    BY_HEADER = 2, /* [a]: may not come again */
    BY_DOTS = 4,   /* as `a` in a.b = 1: no header may name it */
    BY_VALUE = 8,  /* { … } or [ … ]: closed */
    BY_ITEM = 16,  /* [[a]]: an array that grows, and its items */
};

struct reader {
    struct arena *arena;
    const char *path, *at; /* the text ends with a NUL */
    size_t line, depth, node_count;
    struct err *err;
};

static bool fail(struct reader *reader, const char *what)
{
    err_set(reader->err, ERR_USAGE, "%s:%zu: %s", reader->path, reader->line, what);
    return false;
}

static bool fail_key(struct reader *reader, const char *key, const char *what)
{
    err_set(reader->err, ERR_USAGE, "%s:%zu: '%s' %s", reader->path, reader->line,
            text_printable(reader->arena, text_of(key)), what);
    return false;
}

static void skip_blanks(struct reader *reader)
{
    reader->at += strspn(reader->at, " \t");
}

static void skip_comment(struct reader *reader)
{
    if (*reader->at == '#')
        reader->at += strcspn(reader->at, "\n");
}

/* Skips blanks, comments and line ends. */
static void skip_lines(struct reader *reader)
{
    for (;;) {
        reader->at += strspn(reader->at, " \t\r");
        skip_comment(reader);
        if (*reader->at != '\n')
            return;
        reader->at++;
        reader->line++;
    }
}

static bool take(struct reader *reader, const char *wanted)
{
    size_t len = strlen(wanted);
    bool is_there = strncmp(reader->at, wanted, len) == 0;
    reader->at += is_there ? len : 0;
    return is_there;
}

static struct toml_node *find(const struct toml_node *table, const char *key)
{
    struct toml_node *node = table->first;
    while (node && strcmp(node->key, key) != 0)
        node = node->next;
    return node;
}

const struct toml_node *toml_get(const struct toml_node *table, const char *key)
{
    return table->kind == TOML_TABLE ? find(table, key) : NULL;
}

static struct toml_node *new_node(struct reader *reader, enum toml_kind kind, unsigned how)
{
    struct toml_node *node = arena_new(reader->arena, struct toml_node);
    node->kind = kind;
    node->how = how;
    node->line = reader->line;
    reader->node_count++;
    return node;
}

static void append(struct toml_node *parent, struct toml_node *child)
{
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
}

/* Writes a code point as UTF-8. */
static char *put_utf8(char *to, uint32_t point)
{
    if (point < 0x80) {
        *to++ = (char)point;
        return to;
    }
    int rest = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    *to++ = (char)((0xFF80u >> rest & 0xFF) | point >> 6 * rest);
    while (rest-- > 0)
        *to++ = (char)(0x80 | (point >> 6 * rest & 0x3F));
    return to;
}

/* \uXXXX or \UXXXXXXXX; NUL is refused, because our strings end there. */
static bool take_unicode(struct reader *reader, size_t digits, char **to)
{
    static const char hex[] = "0123456789abcdef0123456789ABCDEF";
    uint32_t point = 0;
    for (size_t i = 0; i < digits; i++, reader->at++) {
        const char *digit = *reader->at ? strchr(hex, *reader->at) : NULL;
        if (!digit)
            return fail(reader, "a \\u escape wants 4 hex digits, \\U 8");
        point = point << 4 | (uint32_t)(digit - hex) % 16;
    }
    if (!point || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000))
        return fail(reader, "an escape of a character that does not exist");
    *to = put_utf8(*to, point);
    return true;
}

/* A backslash at the end of a line takes away all blanks and lines after it. */
static bool take_line_end(struct reader *reader)
{
    const char *end = reader->at + strspn(reader->at, " \t\r");
    if (*end != '\n')
        return false;
    for (; *reader->at && strchr(" \t\r\n", *reader->at); reader->at++)
        reader->line += *reader->at == '\n';
    return true;
}

static bool take_escape(struct reader *reader, bool is_multi, char **to)
{
    static const char names[] = "btnfr\"\\", values[] = "\b\t\n\f\r\"\\";
    if (is_multi && take_line_end(reader))
        return true;
    char name = *reader->at;
    if (!name || name == '\n')
        return fail(reader, "a backslash at the end of a line");
    reader->at++;
    if (name == 'u' || name == 'U')
        return take_unicode(reader, name == 'u' ? 4 : 8, to);
    const char *found = strchr(names, name);
    if (!found)
        return fail(reader, "an unknown escape in a string");
    *(*to)++ = values[found - names];
    return true;
}

/* Up to two quotes may stand right before the three that end a multi-line string. */
static bool is_end(const char *at, char quote, bool is_multi)
{
    if (*at != quote)
        return false;
    return !is_multi || (at[1] == quote && at[2] == quote && at[3] != quote);
}

/* Returns how many bytes of the text the string takes. */
static size_t string_length(const char *at, char quote, bool is_multi)
{
    size_t len = 0;
    while (at[len] && !is_end(at + len, quote, is_multi))
        len += at[len] == '\\' && quote == '"' && at[len + 1] ? 2 : 1;
    return len;
}

/* Any of the four forms of strings; `at` is on the first quote. What comes out is never longer than what went in. */
static bool take_string(struct reader *reader, const char **ret_string)
{
    char quote = *reader->at, three[] = {quote, quote, quote, '\0'};
    bool is_multi = take(reader, three);
    reader->at += !is_multi;
    if (is_multi) {
        (void)take(reader, "\r");
        reader->line += *reader->at == '\n';
        (void)take(reader, "\n");
    }
    char *string = arena_alloc(reader->arena, string_length(reader->at, quote, is_multi) + 1), *to = string;
    while (!is_end(reader->at, quote, is_multi)) {
        char byte = *reader->at;
        if (!byte || (byte == '\n' && !is_multi))
            return fail(reader, "a string that does not end");
        reader->at++;
        reader->line += byte == '\n';
        if (byte != '\\' || quote == '\'')
            *to++ = byte;
        else if (!take_escape(reader, is_multi, &to))
            return false;
    }
    *to = '\0';
    reader->at += is_multi ? 3 : 1;
    *ret_string = string;
    return true;
}

/* One part of a key: bare or quoted (on one line). */
static bool take_key(struct reader *reader, const char **ret_key)
{
    size_t len = strspn(reader->at, BARE_CHARS);
    if (len) {
        *ret_key = arena_strndup(reader->arena, reader->at, len);
        reader->at += len;
        return true;
    }
    if ((*reader->at == '"' || *reader->at == '\'') && strncmp(reader->at, "\"\"\"", 3) != 0 &&
        strncmp(reader->at, "'''", 3) != 0)
        return take_string(reader, ret_key);
    return fail(reader, "a key is wanted here");
}

/* The parts of a dotted key. */
static bool take_path(struct reader *reader, struct strings *ret_parts)
{
    *ret_parts = (struct strings){0};
    do {
        const char *part;
        skip_blanks(reader);
        if (ret_parts->count == DEPTH_MAX)
            return fail(reader, "a key of more than 32 parts");
        if (!take_key(reader, &part))
            return false;
        list_add(reader->arena, ret_parts, part);
        skip_blanks(reader);
    } while (take(reader, "."));
    return true;
}

static bool take_value(struct reader *reader, struct toml_node **ret_node);

static bool take_array(struct reader *reader, struct toml_node *array)
{
    for (;;) {
        struct toml_node *item;
        skip_lines(reader);
        if (take(reader, "]"))
            return true;
        if (!take_value(reader, &item))
            return false;
        append(array, item);
        skip_lines(reader);
        if (*reader->at != ']' && !take(reader, ","))
            return fail(reader, "an array wants ',' or ']' here");
    }
}

/* Walks to the table that holds the last part of `a.b.c = …`, making tables on the way. */
static struct toml_node *walk_dots(struct reader *reader, struct toml_node *table, const struct strings *parts)
{
    for (size_t i = 0; i + 1 < parts->count; i++) {
        struct toml_node *next = find(table, parts->items[i]);
        if (next && (next->kind != TOML_TABLE || next->how != BY_DOTS))
            return NULL;
        if (!next) {
            next = new_node(reader, TOML_TABLE, BY_DOTS);
            next->key = parts->items[i];
            append(table, next);
        }
        table = next;
    }
    return find(table, parts->items[parts->count - 1]) ? NULL : table;
}

static bool take_pair(struct reader *reader, struct toml_node *table)
{
    struct strings parts;
    struct toml_node *value;
    if (!take_path(reader, &parts))
        return false;
    if (!take(reader, "="))
        return fail(reader, "a key wants '=' after it");
    skip_blanks(reader);
    struct toml_node *into = walk_dots(reader, table, &parts);
    if (!into)
        return fail_key(reader, parts.items[parts.count - 1], "comes twice, or is below something that is no table");
    if (!take_value(reader, &value))
        return false;
    value->key = parts.items[parts.count - 1];
    append(into, value);
    return true;
}

static bool take_inline_table(struct reader *reader, struct toml_node *table)
{
    skip_blanks(reader);
    if (take(reader, "}"))
        return true;
    for (;;) {
        if (!take_pair(reader, table))
            return false;
        skip_blanks(reader);
        if (take(reader, "}"))
            return true;
        if (!take(reader, ","))
            return fail(reader, "an inline table wants ',' or '}' here");
    }
}

/* true, false, or a number or date, which are kept as they are. A date may have a blank before the time. */
static bool take_word(struct reader *reader, struct toml_node *node)
{
    size_t len = strspn(reader->at, OTHER_CHARS);
    const char *digits = reader->at + strspn(reader->at, "+-");
    bool is_other = len && *digits &&
                    (strchr("0123456789", *digits) || strncmp(digits, "inf", 3) == 0 || strncmp(digits, "nan", 3) == 0);
    if (len == 10 && reader->at[4] == '-' && reader->at[10] == ' ' && reader->at[11] >= '0' && reader->at[11] <= '9')
        len += 1 + strspn(reader->at + 11, OTHER_CHARS);
    const char *word = arena_strndup(reader->arena, reader->at, len);
    node->is_true = strcmp(word, "true") == 0;
    if (node->is_true || strcmp(word, "false") == 0)
        node->kind = TOML_BOOL;
    else if (!is_other)
        return fail(reader, "a value is wanted here (strings need quotes)");
    node->string = word;
    reader->at += len;
    return true;
}

static bool take_value(struct reader *reader, struct toml_node **ret_node)
{
    bool is_good;
    struct toml_node *node = new_node(reader, TOML_OTHER, BY_VALUE);
    *ret_node = node;
    if (reader->depth == DEPTH_MAX)
        return fail(reader, "values are nested deeper than 32");
    if (reader->node_count > NODES_MAX)
        return fail(reader, "there are more than 20,000 values");
    reader->depth++;
    if (*reader->at == '"' || *reader->at == '\'') {
        node->kind = TOML_STRING;
        is_good = take_string(reader, &node->string);
    } else if (take(reader, "[")) {
        node->kind = TOML_ARRAY;
        is_good = take_array(reader, node);
    } else if (take(reader, "{")) {
        node->kind = TOML_TABLE;
        is_good = take_inline_table(reader, node);
    } else {
        is_good = take_word(reader, node);
    }
    reader->depth--;
    return is_good;
}

/* The table that `name` stands for on the way through a header: of an array of tables the last item. */
static struct toml_node *step(struct reader *reader, struct toml_node *table, const char *name)
{
    struct toml_node *next = find(table, name);
    if (!next) {
        next = new_node(reader, TOML_TABLE, BY_PATH);
        next->key = name;
        append(table, next);
    }
    if (next->kind == TOML_ARRAY && next->how == BY_ITEM)
        next = next->last;
    return next->kind == TOML_TABLE && next->how != BY_VALUE ? next : NULL;
}

/* [name] */
static struct toml_node *open_table(struct reader *reader, struct toml_node *parent, const char *name)
{
    struct toml_node *table = find(parent, name);
    if (table && (table->kind != TOML_TABLE || table->how != BY_PATH))
        return NULL;
    if (!table) {
        table = new_node(reader, TOML_TABLE, BY_HEADER);
        table->key = name;
        append(parent, table);
    }
    table->how = BY_HEADER;
    return table;
}

/* [[name]] */
static struct toml_node *open_item(struct reader *reader, struct toml_node *parent, const char *name)
{
    struct toml_node *array = find(parent, name);
    if (array && (array->kind != TOML_ARRAY || array->how != BY_ITEM))
        return NULL;
    if (!array) {
        array = new_node(reader, TOML_ARRAY, BY_ITEM);
        array->key = name;
        append(parent, array);
    }
    struct toml_node *item = new_node(reader, TOML_TABLE, BY_ITEM);
    append(array, item);
    return item;
}

static bool take_header(struct reader *reader, struct toml_node *root, struct toml_node **ret_table)
{
    struct strings parts;
    struct toml_node *parent = root;
    bool is_item = take(reader, "[[");
    if (!is_item)
        reader->at++;
    if (!take_path(reader, &parts))
        return false;
    if (!take(reader, is_item ? "]]" : "]"))
        return fail(reader, "a table's header wants ']' (an array's ']]') here");
    const char *name = parts.items[parts.count - 1];
    for (size_t i = 0; parent && i + 1 < parts.count; i++)
        parent = step(reader, parent, parts.items[i]);
    *ret_table = !parent ? NULL : is_item ? open_item(reader, parent, name) : open_table(reader, parent, name);
    return *ret_table || fail_key(reader, name, "cannot be opened here: it is there already");
}

static bool take_document(struct reader *reader, struct toml_node *root)
{
    struct toml_node *table = root;
    for (;;) {
        skip_lines(reader);
        if (!*reader->at)
            return true;
        bool is_good = *reader->at == '[' ? take_header(reader, root, &table) : take_pair(reader, table);
        if (!is_good)
            return false;
        skip_blanks(reader);
        skip_comment(reader);
        (void)take(reader, "\r");
        if (*reader->at && *reader->at != '\n')
            return fail(reader, "there is something more on the line");
    }
}

/* Control characters (but tab and line ends) and bytes that UTF-8 never has are refused. */
static bool check_bytes(struct reader *reader, struct text bytes)
{
    size_t line = 1;
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char byte = (unsigned char)bytes.ptr[i];
        bool is_control = (byte < ' ' && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F;
        line += byte == '\n';
        reader->line = line;
        if (is_control || byte == 0xC0 || byte == 0xC1 || byte > 0xF4)
            return fail(reader, "has a control character, or is not UTF-8");
    }
    reader->line = 1;
    return true;
}

bool toml_parse(struct arena *arena, const char *path, struct text bytes, struct toml_node **ret_root, struct err *err)
{
    struct reader reader = {.arena = arena, .path = path, .line = 1, .err = err};
    if (bytes.len > FILE_BYTES_MAX)
        return fail(&reader, "is larger than 1 MiB");
    if (!check_bytes(&reader, bytes))
        return false;
    reader.at = text_dup(arena, bytes);
    *ret_root = new_node(&reader, TOML_TABLE, BY_HEADER);
    return take_document(&reader, *ret_root);
}
