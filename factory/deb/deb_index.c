/* SPDX-License-Identifier: Apache-2.0 */
/* One pass over the text: each line is cut with memchr, the key compared with the few wanted ones, and the values are
 * remembered as views; at the end of a stanza they are written out one per line. What is written is never longer than
 * what was read (keys become one letter), so the output is reserved once and written without further checks. */
#include "deb/deb_index.h"

#include "base/auto.h"
#include "deb/deb_relation.h"
#include "source/mapped.h"

#include <assert.h>
#include <stddef.h>
#include <strings.h>

#define MAGIC "IFdebix3"
#define TEXT_CAP_BYTES ((size_t)256 << 20) /* Debian's main has 60 MB */
#define STANZAS_MAX 500000u
#define NAMES_MAX 10000u /* of one relation field */
#define STANZA_SIZE 16
#define ENTRY_SIZE 8

/* What an entry's name is to the stanza: its own, one that it provides, that of its source package when it is another. */
enum name_kind { NAME_REAL, NAME_VIRTUAL, NAME_SOURCE, NAME_KINDS = 4 };

/* Follows each other in the file: header, stanzas, table, starts, entries. */
struct header {
    char magic[8];
    uint32_t order_mark, stanza_count, bucket_count, entry_count, stanzas_len, reserved;
    uint64_t check; /* over the tables */
};

/* The order in which values are written; Package is written first and without a letter. */
static const struct wanted {
    const char *key;
    size_t len;
    char letter;
    size_t offset;
} wanted_fields[] = {
#define WANTED(key, letter, field)                                                                                     \
    {                                                                                                                  \
        key, sizeof(key) - 1, letter, offsetof(struct deb_stanza, field)                                               \
    }
    WANTED("Package", 0, name),
    WANTED("Version", 'V', version),
    WANTED("Architecture", 'A', architecture),
    WANTED("Source", 'S', source),
    WANTED("Section", 's', section),
    WANTED("Priority", 'p', priority),
    WANTED("Multi-Arch", 'M', multi_arch),
    WANTED("Description", 'T', description),
    WANTED("Depends", 'D', depends),
    WANTED("Pre-Depends", 'd', pre_depends),
    WANTED("Recommends", 'R', recommends),
    WANTED("Provides", 'P', provides),
    WANTED("Conflicts", 'C', conflicts),
    WANTED("Breaks", 'B', breaks),
    WANTED("Suggests", 'g', suggests),
    WANTED("Replaces", 'r', replaces),
    WANTED("Enhances", 'e', enhances),
    WANTED("Essential", 'E', essential),
    WANTED("Important", 'I', important),
    WANTED("Protected", 'X', protected),
    WANTED("Filename", 'F', filename),
    WANTED("Size", 'Z', size),
    WANTED("SHA256", 'H', sha256),
    WANTED("SHA512", 'h', sha512),
#undef WANTED
};

struct builder {
    const char *name; /* for messages */
    struct buf *out;
    struct buf table, entries; /* as in the file */
    const struct pin_view *view;
    struct text values[ARRAY_COUNT(wanted_fields)];
    uint32_t is_given, is_folded; /* a bit per value */
    int last; /* index of the field that continuation lines belong to; -1: one that is not wanted; -2: none yet */
    uint32_t line, stanza_line, stanza_count;
    struct err *err;
};

static bool fail(struct builder *builder, const char *what)
{
    err_set(builder->err, ERR_MALFORMED, "%s:%u: %s", builder->name, builder->line, what);
    return false;
}

static void add_name(struct builder *builder, struct text name, enum name_kind kind)
{
    uint32_t entry[2] = {mapped_hash(name), builder->stanza_count * NAME_KINDS + kind};
    if (!buf_add(&builder->entries, entry, sizeof entry))
        memory_abort(sizeof entry);
}

static void add_provided_names(struct builder *builder, struct text provides)
{
    for (struct text clause; text_next(&provides, ',', &clause);) {
        struct text name = deb_relation_name(clause);
        if (name.len)
            add_name(builder, name, NAME_VIRTUAL);
    }
}

/* Writes one value, unfolded. The room was reserved. */
static void write_value(struct builder *builder, size_t i)
{
    struct buf *out = builder->out;
    if (wanted_fields[i].letter)
        out->bytes[out->len++] = wanted_fields[i].letter;
    char *at = out->bytes + out->len;
    memcpy(at, builder->values[i].ptr, builder->values[i].len);
    if (builder->is_folded & (1u << i)) {
        for (char *fold = at; (fold = memchr(fold, '\n', builder->values[i].len - (size_t)(fold - at)));)
            *fold = ' ';
    }
    out->len += builder->values[i].len;
    out->bytes[out->len++] = '\n';
}

/* A SHA-512 beside a SHA-256 is of no use. */
static bool is_superfluous(const struct builder *builder, size_t i)
{
    return wanted_fields[i].letter == 'h' && builder->values[i - 1].len > 0;
}

static bool is_relation(char letter)
{
    return letter && strchr("DdRPCBgre", letter);
}

/* Whether a relation field has too many names; those of usual length need not be counted. */
static bool has_too_many_names(struct text field)
{
    size_t count = 1;
    if (field.len < NAMES_MAX)
        return false;
    for (size_t i = 0; i < field.len; i++)
        count += field.ptr[i] == ',' || field.ptr[i] == '|';
    return count > NAMES_MAX;
}

static bool check_caps(struct builder *builder)
{
    const struct text *name = &builder->values[0];
    if (builder->stanza_count >= STANZAS_MAX)
        return fail(builder, "more packages than an index may have (500,000)");
    for (size_t i = 0; i < ARRAY_COUNT(wanted_fields); i++) {
        if (!is_relation(wanted_fields[i].letter) || !has_too_many_names(builder->values[i]))
            continue;
        AUTO(arena_done) struct arena scratch = {0};
        return fail(builder, arena_printf(&scratch, "package %s: more than %u names in %s",
                                          text_printable(&scratch, *name), NAMES_MAX, wanted_fields[i].key));
    }
    return true;
}

static bool end_stanza(struct builder *builder)
{
    if (builder->last == -2)
        return true;
    builder->last = -2;
    enum { PACKAGE, VERSION };
    if (!builder->values[PACKAGE].len || !builder->values[VERSION].len) {
        builder->line = builder->stanza_line;
        return fail(builder, builder->values[PACKAGE].len ? "stanza without Version" : "stanza without Package");
    }
    if (!check_caps(builder))
        return false;
    if (builder->view && !pin_view_shows(builder->view, builder->values[PACKAGE]))
        return true;
    size_t begin = builder->out->len;
    for (size_t i = 0; i < ARRAY_COUNT(wanted_fields); i++) {
        struct text value = builder->values[i], source;
        if (value.len && !is_superfluous(builder, i))
            write_value(builder, i);
        if (value.len && wanted_fields[i].letter == 'P')
            add_provided_names(builder, value);
        if (wanted_fields[i].letter == 'S' && text_next_word(&value, &source))
            add_name(builder, source, NAME_SOURCE);
    }
    add_name(builder, builder->values[PACKAGE], NAME_REAL);
    struct text written = {builder->out->bytes + begin, builder->out->len - begin};
    uint32_t row[4] = {(uint32_t)(begin - sizeof(struct header)), (uint32_t)written.len,
                       (uint32_t)mapped_check(written), builder->stanza_line};
    if (!buf_add(&builder->table, row, sizeof row))
        memory_abort(sizeof row);
    builder->stanza_count++;
    return true;
}

static int find_wanted(struct text key)
{
    char first = (char)(key.ptr[0] | 0x20);
    for (size_t i = 0; i < ARRAY_COUNT(wanted_fields); i++) {
        const struct wanted *wanted = &wanted_fields[i];
        if (wanted->len == key.len && (wanted->key[0] | 0x20) == first &&
            strncasecmp(wanted->key, key.ptr, key.len) == 0)
            return (int)i;
    }
    return -1;
}

static bool take_field(struct builder *builder, struct text line)
{
    const char *colon = memchr(line.ptr, ':', line.len);
    if (!colon || colon == line.ptr)
        return fail(builder, "not a field (\"Name: value\")");
    if (builder->last == -2) {
        memset(builder->values, 0, sizeof builder->values);
        builder->is_given = builder->is_folded = 0;
        builder->stanza_line = builder->line;
    }
    size_t key_len = (size_t)(colon - line.ptr);
    builder->last = find_wanted((struct text){line.ptr, key_len});
    if (builder->last < 0)
        return true;
    uint32_t bit = 1u << builder->last;
    if (builder->is_given & bit)
        return fail(builder, "a field that the stanza has already");
    builder->is_given |= bit;
    builder->values[builder->last] = text_trim((struct text){colon + 1, line.len - key_len - 1});
    return true;
}

static bool take_continuation(struct builder *builder, struct text line)
{
    struct text value = text_trim(line);
    if (!value.len) /* only blanks: separates stanzas too (Policy 5.1) */
        return end_stanza(builder);
    if (builder->last == -2)
        return fail(builder, "a continuation line before the first field of a stanza");
    if (builder->last < 0 || wanted_fields[builder->last].letter == 'T')
        return true;
    struct text *field = &builder->values[builder->last];
    if (!field->len)
        *field = value;
    else
        field->len = (size_t)(value.ptr + value.len - field->ptr);
    builder->is_folded |= 1u << builder->last;
    return true;
}

static bool take_lines(struct builder *builder, struct text packages)
{
    for (struct text rest = packages; rest.len;) {
        const char *end = memchr(rest.ptr, '\n', rest.len);
        struct text line = {rest.ptr, end ? (size_t)(end - rest.ptr) : rest.len};
        size_t step = line.len + (end != NULL);
        rest = (struct text){rest.ptr + step, rest.len - step};
        builder->line++;
        bool is_good = !line.len ? end_stanza(builder)
                       : line.ptr[0] == ' ' || line.ptr[0] == '\t' || line.ptr[0] == '\r'
                           ? take_continuation(builder, line)
                           : take_field(builder, line);
        if (!is_good)
            return false;
    }
    return end_stanza(builder);
}

/* Sorts the names into buckets, keeping their order, and appends the tables. */
static void write_tables(struct builder *builder, struct header *header)
{
    AUTO(arena_done) struct arena arena = {0};
    uint32_t count = (uint32_t)(builder->entries.len / ENTRY_SIZE), buckets = 64;
    while (buckets < count / 2)
        buckets *= 2;
    uint32_t *starts = arena_new_array(&arena, uint32_t, (size_t)buckets + 1);
    uint32_t *next = arena_new_array(&arena, uint32_t, buckets);
    char *sorted = arena_alloc_array(&arena, count, ENTRY_SIZE);
    for (uint32_t i = 0; i < count; i++)
        starts[(mapped_u32(builder->entries.bytes + (size_t)i * ENTRY_SIZE) & (buckets - 1)) + 1]++;
    for (uint32_t i = 0; i < buckets; i++) {
        starts[i + 1] += starts[i];
        next[i] = starts[i];
    }
    for (uint32_t i = 0; i < count; i++) {
        const char *entry = builder->entries.bytes + (size_t)i * ENTRY_SIZE;
        memcpy(sorted + (size_t)next[mapped_u32(entry) & (buckets - 1)]++ * ENTRY_SIZE, entry, ENTRY_SIZE);
    }
    size_t tables_at = builder->out->len;
    if (!buf_add(builder->out, builder->table.bytes, builder->table.len) ||
        !buf_add(builder->out, starts, ((size_t)buckets + 1) * sizeof *starts) ||
        !buf_add(builder->out, sorted, (size_t)count * ENTRY_SIZE))
        memory_abort(builder->out->len);
    struct text tables = {builder->out->bytes + tables_at, builder->out->len - tables_at};
    *header = (struct header){.order_mark = MAPPED_ORDER_MARK,
                              .stanza_count = builder->stanza_count,
                              .bucket_count = buckets,
                              .entry_count = count,
                              .stanzas_len = (uint32_t)(tables_at - sizeof *header),
                              .check = mapped_check(tables)};
    memcpy(header->magic, MAGIC, sizeof header->magic);
}

bool deb_index_build(struct text packages, const char *name, const struct pin_view *view, struct buf *ret_bytes,
                     struct err *err)
{
    if (packages.len > TEXT_CAP_BYTES) {
        err_set(err, ERR_MALFORMED, "%s: %zu bytes are more than a Packages file may have (%zu)", name, packages.len,
                TEXT_CAP_BYTES);
        return false;
    }
    if (packages.len && memchr(packages.ptr, '\0', packages.len)) {
        err_set(err, ERR_MALFORMED, "%s: NUL bytes in a text file", name);
        return false;
    }
    AUTO(buf_done) struct buf out = {0};
    AUTO(buf_done) struct buf table = {0};
    AUTO(buf_done) struct buf entries = {0};
    buf_init(&out, SIZE_MAX / 2);
    struct builder builder = {.name = name, .out = &out, .view = view, .last = -2, .err = err};
    buf_init(&builder.table, SIZE_MAX / 2);
    buf_init(&builder.entries, SIZE_MAX / 2);
    struct header header = {0};
    bool is_good = buf_add(&out, &header, sizeof header) && buf_reserve(&out, packages.len + 1);
    assert(is_good);
    is_good = take_lines(&builder, packages);
    table = builder.table;
    entries = builder.entries;
    if (!is_good)
        return false;
    write_tables(&builder, &header);
    memcpy(out.bytes, &header, sizeof header);
    *ret_bytes = out;
    out = (struct buf){0};
    return true;
}

bool deb_index_open(struct text bytes, struct deb_index *ret_index)
{
    struct header header;
    if (bytes.len < sizeof header)
        return false;
    memcpy(&header, bytes.ptr, sizeof header);
    size_t table_len = (size_t)header.stanza_count * STANZA_SIZE;
    size_t starts_len = ((size_t)header.bucket_count + 1) * sizeof(uint32_t);
    size_t entries_len = (size_t)header.entry_count * ENTRY_SIZE;
    if (memcmp(header.magic, MAGIC, sizeof header.magic) != 0 || header.order_mark != MAPPED_ORDER_MARK ||
        !header.bucket_count || (header.bucket_count & (header.bucket_count - 1)) ||
        bytes.len != sizeof header + header.stanzas_len + table_len + starts_len + entries_len)
        return false;
    const char *table = bytes.ptr + sizeof header + header.stanzas_len;
    if (mapped_check((struct text){table, table_len + starts_len + entries_len}) != header.check)
        return false;
    *ret_index = (struct deb_index){.stanzas = {bytes.ptr + sizeof header, header.stanzas_len},
                                    .table = table,
                                    .starts = table + table_len,
                                    .entries = table + table_len + starts_len,
                                    .stanza_count = header.stanza_count,
                                    .bucket_count = header.bucket_count,
                                    .entry_count = header.entry_count};
    return true;
}

/* Finds the bytes of a stanza, unchecked but inside the text. */
static struct text stanza_bytes(const struct deb_index *index, uint32_t number)
{
    if (number >= index->stanza_count)
        return (struct text){0};
    const char *row = index->table + (size_t)number * STANZA_SIZE;
    uint32_t offset = mapped_u32(row), len = mapped_u32(row + 4);
    if (offset > index->stanzas.len || len > index->stanzas.len - offset)
        return (struct text){0};
    return (struct text){index->stanzas.ptr + offset, len};
}

size_t deb_index_begin(const struct deb_index *index, uint32_t number)
{
    return number < index->stanza_count ? mapped_u32(index->table + (size_t)number * STANZA_SIZE) : index->stanzas.len;
}

static void set_field(struct deb_stanza *stanza, char letter, struct text value)
{
    for (size_t i = 1; i < ARRAY_COUNT(wanted_fields); i++) {
        if (wanted_fields[i].letter == letter)
            memcpy((char *)stanza + wanted_fields[i].offset, &value, sizeof value);
    }
}

bool deb_index_read(const struct deb_index *index, uint32_t number, struct deb_stanza *ret_stanza)
{
    struct text bytes = stanza_bytes(index, number), line;
    const char *row = index->table + (size_t)number * STANZA_SIZE;
    if (!bytes.len || (uint32_t)mapped_check(bytes) != mapped_u32(row + 8))
        return false;
    struct deb_stanza stanza = {.line = mapped_u32(row + 12)};
    if (!text_next(&bytes, '\n', &stanza.name))
        return false;
    while (text_next(&bytes, '\n', &line)) {
        if (line.len)
            set_field(&stanza, line.ptr[0], (struct text){line.ptr + 1, line.len - 1});
    }
    *ret_stanza = stanza;
    return true;
}

struct text deb_index_name(const struct deb_index *index, uint32_t number)
{
    struct text bytes = stanza_bytes(index, number), name = {0};
    (void)(bytes.len && text_next(&bytes, '\n', &name));
    return name;
}

struct deb_hits deb_index_find(const struct deb_index *index, struct text name)
{
    struct deb_hits hits = {.index = index, .name = name, .hash = mapped_hash(name)};
    uint32_t bucket = hits.hash & (index->bucket_count - 1);
    hits.at = mapped_u32(index->starts + (size_t)bucket * 4);
    hits.end = mapped_u32(index->starts + (size_t)bucket * 4 + 4);
    if (hits.end > index->entry_count)
        hits.end = index->entry_count;
    return hits;
}

static bool is_called(const struct deb_hits *hits, uint32_t number)
{
    struct text bytes = stanza_bytes(hits->index, number);
    return bytes.len > hits->name.len && bytes.ptr[hits->name.len] == '\n' &&
           memcmp(bytes.ptr, hits->name.ptr, hits->name.len) == 0;
}

static bool provides(const struct deb_hits *hits, uint32_t number)
{
    struct deb_stanza stanza;
    if (!deb_index_read(hits->index, number, &stanza))
        return true; /* damaged: the caller shall see it */
    for (struct text clause; text_next(&stanza.provides, ',', &clause);) {
        if (text_eq(deb_relation_name(clause), hits->name))
            return true;
    }
    return false;
}

struct text deb_stanza_source(const struct deb_stanza *stanza)
{
    struct text rest = stanza->source, name;
    return text_next_word(&rest, &name) ? name : stanza->name;
}

struct deb_hits deb_index_find_source(const struct deb_index *index, struct text source)
{
    struct deb_hits hits = deb_index_find(index, source);
    hits.is_source = true;
    return hits;
}

/* Whether the source package of a stanza has the name. */
static bool is_built_of(const struct deb_hits *hits, uint32_t number)
{
    struct deb_stanza stanza;
    return !deb_index_read(hits->index, number, &stanza) || text_eq(deb_stanza_source(&stanza), hits->name);
}

/* Whether the stanza of an entry of the right hash is one that the walk is over. */
static bool is_hit(const struct deb_hits *hits, uint32_t number, enum name_kind kind)
{
    if (hits->is_source)
        return (kind == NAME_SOURCE || (kind == NAME_REAL && is_called(hits, number))) && is_built_of(hits, number);
    return kind == NAME_VIRTUAL ? hits->is_loose || provides(hits, number)
                                : kind == NAME_REAL && is_called(hits, number);
}

bool deb_index_next(struct deb_hits *hits, uint32_t *ret_number, bool *ret_is_virtual)
{
    while (hits->at < hits->end) {
        const char *entry = hits->index->entries + (size_t)hits->at++ * ENTRY_SIZE;
        uint32_t number = mapped_u32(entry + 4) / NAME_KINDS;
        enum name_kind kind = mapped_u32(entry + 4) % NAME_KINDS;
        if (mapped_u32(entry) != hits->hash || !is_hit(hits, number, kind))
            continue;
        *ret_number = number;
        *ret_is_virtual = kind == NAME_VIRTUAL;
        return true;
    }
    return false;
}
