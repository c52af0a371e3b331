/* SPDX-License-Identifier: Apache-2.0 */
/* Building: lines whose path is not kept are told from their first letters, which is most of them. Directories and
 * owners repeat from line to line, so they are interned; base names are not. Entries are sorted into hash buckets at
 * the end. */
#include "source/contents.h"

#include "base/auto.h"
#include "source/mapped.h"

#define MAGIC "IFconte3"
#define POOL_CAP_BYTES ((size_t)1 << 30)
#define ENTRY_SIZE 12

/* The "directory" of entries whose name is a package's, and whose owners are the path of a service that it ships. No
 * canonical path has it. */
#define SERVICES_DIR "/"
#define SERVICES_MAX 1000 /* of one package */
/* The same for entries whose name is a folder, and whose owners have a file there. */
#define FOLDERS_DIR "//"

/* Follow each other in the file: header, pool, starts, entries. */
struct header {
    char magic[8];
    uint32_t order_mark, pool_len, bucket_count, entry_count;
    uint64_t check; /* over all that follows */
};

/* A string that was written to the pool before. */
struct interned {
    struct text key; /* as in the file */
    uint32_t offset;
};

/* One path while building; the file has it without the hash. All but the hash are offsets in the pool. */
struct entry {
    uint32_t hash, name, dir, owners;
};

static uint32_t add_string(struct contents_builder *builder, const char *prefix, struct text string)
{
    size_t offset = builder->pool.len;
    if (!buf_add(&builder->pool, prefix, strlen(prefix)) || !buf_add(&builder->pool, string.ptr, string.len) ||
        !buf_add(&builder->pool, "", 1)) {
        builder->is_too_big = true;
        return 0;
    }
    return (uint32_t)offset;
}

/* Writes the names of "section/name,section/name", joined by commas. */
static uint32_t add_owner_names(struct contents_builder *builder, struct text owners)
{
    AUTO(buf_done) struct buf names = {0};
    buf_init(&names, POOL_CAP_BYTES);
    for (struct text owner; text_next(&owners, ',', &owner);) {
        const char *slash = memrchr(owner.ptr, '/', owner.len);
        size_t skip = slash ? (size_t)(slash + 1 - owner.ptr) : 0;
        if ((names.len && !buf_add(&names, ",", 1)) || !buf_add(&names, owner.ptr + skip, owner.len - skip))
            builder->is_too_big = true;
    }
    return add_string(builder, "", (struct text){names.bytes ? names.bytes : "", names.len});
}

/* Finds or makes a repeated string; most often it is that of the line before. */
static uint32_t intern(struct contents_builder *builder, struct map *map, const struct interned **last, struct text key,
                       const char *dir_prefix)
{
    if (*last && text_eq(key, (*last)->key))
        return (*last)->offset;
    struct interned *known = map_get(map, key);
    if (!known) {
        known = arena_new(&builder->arena, struct interned);
        known->key = text_of(text_dup(&builder->arena, key));
        known->offset = dir_prefix ? add_string(builder, dir_prefix, key) : add_owner_names(builder, key);
        (void)map_add(map, known->key, known);
    }
    *last = known;
    return known->offset;
}

/* Adds an entry per owner of a service. There are some thousand services in a distribution. */
static void add_service(struct contents_builder *builder, struct text path, bool is_merged, struct text owners)
{
    struct entry entry = {.dir = intern(builder, &builder->dirs, &builder->last_dir, TEXT(SERVICES_DIR), "")};
    entry.owners = add_string(builder, is_merged ? "usr/" : "", path);
    for (struct text owner; text_next(&owners, ',', &owner);) {
        const char *slash = memrchr(owner.ptr, '/', owner.len);
        struct text name = {slash ? slash + 1 : owner.ptr, owner.len - (slash ? (size_t)(slash + 1 - owner.ptr) : 0)};
        const char *end = memchr(name.ptr, '=', name.len); /* an RPM package's checksum follows */
        name.len = end ? (size_t)(end - name.ptr) : name.len;
        entry.hash = mapped_hash(name);
        entry.name = add_string(builder, "", name);
        if (!buf_add(&builder->entries, &entry, sizeof entry))
            builder->is_too_big = true;
    }
}

/* Adds an entry for the folder of a file. There are some dozens in a distribution. */
static void add_to_folder(struct contents_builder *builder, const char *folder, uint32_t owners)
{
    struct entry entry = {.hash = mapped_hash(text_of(folder)), .name = add_string(builder, "", text_of(folder))};
    entry.dir = intern(builder, &builder->dirs, &builder->last_dir, TEXT(FOLDERS_DIR), "");
    entry.owners = owners;
    if (!buf_add(&builder->entries, &entry, sizeof entry))
        builder->is_too_big = true;
}

/* Leaves of a line's owners those that are seen; empty: none is. */
static struct text seen_owners(struct contents_builder *builder, struct text owners)
{
    struct text rest = owners, owner;
    const char *seen = "";
    while (text_next(&rest, ',', &owner)) {
        if (pin_view_shows(builder->view, contents_owner_name(owner)))
            seen = arena_printf(&builder->arena, "%s%s%.*s", seen, *seen ? "," : "", (int)owner.len, owner.ptr);
    }
    return text_of(seen);
}

static void take_line(void *taker, struct text line)
{
    struct contents_builder *builder = taker;
    while (line.len && (line.ptr[0] == '/' || text_has_prefix(line, "./")))
        line = (struct text){line.ptr + 1, line.len - 1};
    bool is_merged;
    if (!contents_keeps_raw(line, &is_merged) && !builder->keeps_all)
        return;
    line = text_trim(line);
    size_t split = line.len;
    while (split && line.ptr[split - 1] != ' ' && line.ptr[split - 1] != '\t')
        split--;
    struct text path = text_trim((struct text){line.ptr, split});
    struct text owners = {line.ptr + split, line.len - split};
    const char *slash = path.len ? memrchr(path.ptr, '/', path.len) : NULL;
    if (builder->view)
        owners = seen_owners(builder, owners);
    if (!slash || !owners.len || slash + 1 == path.ptr + path.len || builder->is_too_big)
        return;
    struct text base = {slash + 1, (size_t)(path.ptr + path.len - slash - 1)};
    struct text dir = {path.ptr, (size_t)(slash - path.ptr)};
    struct entry entry = {.hash = mapped_hash(base), .name = add_string(builder, "", base)};
    entry.dir = intern(builder, is_merged ? &builder->merged_dirs : &builder->dirs,
                       is_merged ? &builder->last_merged_dir : &builder->last_dir, dir, is_merged ? "usr/" : "");
    entry.owners = intern(builder, &builder->owners, &builder->last_owners, owners, NULL);
    if (!buf_add(&builder->entries, &entry, sizeof entry))
        builder->is_too_big = true;
    if (contents_is_service_raw(path, is_merged))
        add_service(builder, path, is_merged, owners);
    const char *folder = contents_folder_of(path);
    if (folder)
        add_to_folder(builder, folder, entry.owners);
}

void contents_builder_begin(struct contents_builder *builder, const char *name)
{
    *builder = (struct contents_builder){.reader = {.name = name, .take = take_line, .taker = builder}};
    builder->dirs.arena = builder->merged_dirs.arena = builder->owners.arena = &builder->arena;
    buf_init(&builder->pool, POOL_CAP_BYTES);
    buf_init(&builder->entries, POOL_CAP_BYTES);
}

/* Writes entries in the order of their buckets. `starts` has one more item than there are buckets. */
static char *sort_entries(const struct contents_builder *builder, struct arena *arena, uint32_t *starts,
                          uint32_t buckets)
{
    size_t count = builder->entries.len / sizeof(struct entry);
    const struct entry *entries = (const void *)builder->entries.bytes;
    uint32_t *next = arena_new_array(arena, uint32_t, buckets);
    char *sorted = arena_alloc_array(arena, count, ENTRY_SIZE);
    for (size_t i = 0; i < count; i++)
        starts[(entries[i].hash & (buckets - 1)) + 1]++;
    for (uint32_t i = 0; i < buckets; i++) {
        starts[i + 1] += starts[i];
        next[i] = starts[i];
    }
    for (size_t i = 0; i < count; i++)
        memcpy(sorted + (size_t)next[entries[i].hash & (buckets - 1)]++ * ENTRY_SIZE, &entries[i].name, ENTRY_SIZE);
    return sorted;
}

bool contents_builder_end(struct contents_builder *builder, struct buf *ret_bytes, struct err *err)
{
    contents_feed_end(&builder->reader);
    if (builder->is_too_big) {
        err_set(err, ERR_MALFORMED, "%s: more names than a Contents file may have (%zu bytes)", builder->reader.name,
                POOL_CAP_BYTES);
        return false;
    }
    AUTO(arena_done) struct arena arena = {0};
    uint32_t count = (uint32_t)(builder->entries.len / sizeof(struct entry)), buckets = 64;
    while (buckets < count / 2)
        buckets *= 2;
    uint32_t *starts = arena_new_array(&arena, uint32_t, (size_t)buckets + 1);
    char *sorted = sort_entries(builder, &arena, starts, buckets);
    struct header header = {.order_mark = MAPPED_ORDER_MARK,
                            .pool_len = (uint32_t)builder->pool.len,
                            .bucket_count = buckets,
                            .entry_count = count};
    memcpy(header.magic, MAGIC, sizeof header.magic);
    buf_init(ret_bytes, SIZE_MAX / 2);
    if (!buf_add(ret_bytes, &header, sizeof header) || !buf_add(ret_bytes, builder->pool.bytes, builder->pool.len) ||
        !buf_add(ret_bytes, starts, ((size_t)buckets + 1) * sizeof *starts) ||
        !buf_add(ret_bytes, sorted, (size_t)count * ENTRY_SIZE))
        memory_abort(ret_bytes->len);
    header.check = mapped_check((struct text){ret_bytes->bytes + sizeof header, ret_bytes->len - sizeof header});
    memcpy(ret_bytes->bytes, &header, sizeof header);
    return true;
}

void contents_builder_done(struct contents_builder *builder)
{
    contents_reader_done(&builder->reader);
    buf_done(&builder->pool);
    buf_done(&builder->entries);
    arena_done(&builder->arena);
}

bool contents_open(struct text bytes, struct contents *ret_contents)
{
    struct header header;
    if (bytes.len < sizeof header)
        return false;
    memcpy(&header, bytes.ptr, sizeof header);
    size_t starts_len = ((size_t)header.bucket_count + 1) * sizeof(uint32_t);
    if (memcmp(header.magic, MAGIC, sizeof header.magic) != 0 || header.order_mark != MAPPED_ORDER_MARK ||
        !header.bucket_count || (header.bucket_count & (header.bucket_count - 1)) ||
        bytes.len != sizeof header + header.pool_len + starts_len + (size_t)header.entry_count * ENTRY_SIZE ||
        mapped_check((struct text){bytes.ptr + sizeof header, bytes.len - sizeof header}) != header.check)
        return false;
    const char *pool = bytes.ptr + sizeof header;
    if (header.pool_len && pool[header.pool_len - 1] != '\0')
        return false;
    *ret_contents = (struct contents){.pool = {pool, header.pool_len},
                                      .starts = pool + header.pool_len,
                                      .entries = pool + header.pool_len + starts_len,
                                      .bucket_count = header.bucket_count,
                                      .entry_count = header.entry_count};
    return true;
}

/* The pool ends with a NUL, so that each offset inside it is a string. */
static const char *pool_string(const struct contents *contents, const char *number)
{
    uint32_t offset = mapped_u32(number);
    return offset < contents->pool.len ? contents->pool.ptr + offset : "";
}

/* A walk over the entries of one base name. */
struct hits {
    const struct contents *contents;
    const char *base;
    uint32_t at, end;
    const char *dir, *owners; /* of the entry that next_hit() found */
};

static struct hits find_base(const struct contents *contents, const char *base)
{
    struct hits hits = {.contents = contents, .base = base};
    uint32_t bucket = mapped_hash(text_of(base)) & (contents->bucket_count - 1);
    hits.at = mapped_u32(contents->starts + (size_t)bucket * 4);
    hits.end = mapped_u32(contents->starts + (size_t)bucket * 4 + 4);
    if (hits.end > contents->entry_count)
        hits.end = contents->entry_count;
    return hits;
}

static bool next_hit(struct hits *hits)
{
    while (hits->at < hits->end) {
        const char *entry = hits->contents->entries + (size_t)hits->at++ * ENTRY_SIZE;
        if (strcmp(pool_string(hits->contents, entry), hits->base) != 0)
            continue;
        hits->dir = pool_string(hits->contents, entry + 4);
        hits->owners = pool_string(hits->contents, entry + 8);
        return true;
    }
    return false;
}

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Adds the owners of what is called so in a directory. */
static void find_in(const struct contents *contents, struct arena *arena, struct text dir, const char *base,
                    struct strings *names)
{
    struct hits hits = find_base(contents, base);
    while (next_hit(&hits)) {
        struct text owners = text_of(hits.owners);
        for (struct text owner; text_is(dir, hits.dir) && text_next(&owners, ',', &owner);) {
            const char *name = text_dup(arena, owner);
            if (*name && !strings_has(names, name))
                list_add(arena, names, name);
        }
    }
}

void contents_find(const struct contents *contents, struct arena *arena, const char *path, struct strings *names)
{
    const char *base = base_of(path);
    if (base != path)
        find_in(contents, arena, (struct text){path, (size_t)(base - path - 1)}, base, names);
}

void contents_find_in_folder(const struct contents *contents, struct arena *arena, const char *folder,
                             struct strings *names)
{
    find_in(contents, arena, TEXT(FOLDERS_DIR), folder, names);
}

/* Whether a "directory" is none that a path has. */
static bool is_mark(const char *dir)
{
    return dir[0] == '/';
}

void contents_each(const struct contents *contents, const char *base, contents_take_place *take, void *taker)
{
    struct hits hits = find_base(contents, base);
    while (next_hit(&hits)) {
        struct contents_place place = {hits.dir, hits.owners};
        if (!is_mark(hits.dir))
            take(taker, &place);
    }
}

void contents_services(const struct contents *contents, struct arena *arena, const char *package, struct strings *paths)
{
    struct hits hits = find_base(contents, package);
    while (paths->count < SERVICES_MAX && next_hit(&hits)) {
        if (strcmp(hits.dir, SERVICES_DIR) == 0 && !strings_has(paths, hits.owners))
            list_add(arena, paths, arena_strdup(arena, hits.owners));
    }
}

static bool is_program_dir(const char *dir)
{
    return text_has_suffix(text_of(dir), "bin");
}

void contents_find_alike(const struct contents *contents, struct arena *arena, const char *path, size_t most,
                         struct strings *hints)
{
    for (int round = 0; round < 2; round++) { /* what looks like a program first */
        struct hits hits = find_base(contents, base_of(path));
        while (hints->count < most && next_hit(&hits)) {
            if (is_program_dir(hits.dir) == (round == 0) && !is_mark(hits.dir))
                list_add(arena, hints, arena_printf(arena, "/%s/%s is in %s", hits.dir, hits.base, hits.owners));
        }
    }
}
