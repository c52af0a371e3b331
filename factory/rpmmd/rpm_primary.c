/* SPDX-License-Identifier: Apache-2.0 */
#include "rpmmd/rpm_primary.h"

#include "base/auto.h"
#include "base/checksum.h"
#include "rpmmd/rpm_folders.h"
#include "rpmmd/rpm_href.h"
#include "rpmmd/rpm_rich.h"
#include "rpmmd/xml_stream.h"
#include "source/solv.h"

#define PACKAGES_MAX 500000u
#define RELATIONS_MAX 10000u       /* of one list of a package … */
#define PROVIDES_MAX 50000u        /* … of what it provides: SUSE's kernels list some 20,000 symbols */
#define ALL_RELATIONS_MAX 8000000u /* of all packages; all of Fedora has some 3 million … */
#define ALL_FILES_MAX 8000000u     /* … and less than a million files in primary.xml */
#define NAME_MAX_BYTES 255u
#define SIZE_MAX_BYTES ((uint64_t)64 << 30)
#define SOLV_CAP_BYTES ((size_t)2 << 30)

/* The package that is being read. */
struct package {
    Id id;
    bool has_version, has_checksum, has_size, has_location;
    struct checksum checksum;
    enum checksum_kind kind; /* of the checksum whose digits follow */
};

struct primary {
    Pool *pool;
    Repo *repo;
    Repodata *data;
    struct package package;
    Id relation; /* the list that rpm:entry elements belong to: SOLVABLE_REQUIRES, …; 0 outside */
    size_t relation_count, all_relation_count; /* of that list; of all */
    size_t all_file_count;
    struct rpm_folders folders;
    bool is_no_file;
    Id no_files_key;
    size_t package_count;
    struct buf scratch;
};

static void free_pool(Pool **pool)
{
    pool_free(*pool);
}

static Solvable *solvable(const struct primary *primary)
{
    return pool_id2solvable(primary->pool, primary->package.id);
}

/* A name or version: it goes into reports and file names. */
static bool is_word(struct text word)
{
    for (size_t i = 0; i < word.len; i++) {
        unsigned char c = (unsigned char)word.ptr[i];
        if (c <= 0x20 || c == 0x7F || c == '/' || c == ',' || c == '\\')
            return false;
    }
    return word.len > 0 && word.len <= NAME_MAX_BYTES;
}

static bool fail_package(struct xml_stream *xml, const char *what, struct text value)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct primary *primary = xml->user;
    Id name = solvable(primary)->name;
    return xml_stream_fail(xml, "package %s: %s \"%s\"", name ? pool_id2str(primary->pool, name) : "without a name",
                           what, text_printable(&scratch, value));
}

/* Joins epoch, version and release as rpm writes them; epoch 0 is left out unless the version has a colon. */
static const char *join_evr(struct primary *primary, const char **attributes)
{
    const char *epoch = xml_stream_attribute(attributes, "epoch");
    const char *version = xml_stream_attribute(attributes, "ver"), *release = xml_stream_attribute(attributes, "rel");
    if (epoch && (!*epoch || strcmp(epoch, "0") == 0))
        epoch = NULL;
    size_t digits = version ? strspn(version, "0123456789") : 0;
    if (!epoch && digits && version[digits] == ':')
        epoch = "0";
    primary->scratch.len = 0;
    if (!version || !*version ||
        !buf_printf(&primary->scratch, "%s%s%s%s%s", epoch ? epoch : "", epoch ? ":" : "", version,
                    release && *release ? "-" : "", release ? release : ""))
        return NULL;
    return primary->scratch.bytes;
}

static int relation_flags(const char *flags)
{
    static const struct {
        const char *name;
        int flags;
    } known[] = {{"EQ", REL_EQ},          {"LT", REL_LT},          {"GT", REL_GT},
                 {"LE", REL_LT | REL_EQ}, {"GE", REL_GT | REL_EQ}, {"NE", REL_LT | REL_GT}};
    for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
        if (strcmp(flags, known[i].name) == 0)
            return known[i].flags;
    }
    return 0;
}

/* <rpm:entry name= flags= epoch= ver= rel= pre=/> */
static bool add_relation(struct xml_stream *xml, const char **attributes)
{
    struct primary *primary = xml->user;
    const char *name = xml_stream_attribute(attributes, "name"), *flags = xml_stream_attribute(attributes, "flags");
    const char *pre = xml_stream_attribute(attributes, "pre");
    if (!name || !*name)
        return fail_package(xml, "a relation has no name", TEXT(""));
    if (++primary->relation_count > (primary->relation == SOLVABLE_PROVIDES ? PROVIDES_MAX : RELATIONS_MAX) ||
        ++primary->all_relation_count > ALL_RELATIONS_MAX)
        return fail_package(xml, "too many relations, with", text_of(name));
    if (strncmp(name, "rpmlib(", 7) == 0)
        return true;
    Id id = name[0] == '(' && !flags ? rpm_rich_parse(primary->pool, name) : pool_str2id(primary->pool, name, 1);
    if (!id)
        return fail_package(xml, "a rich dependency that cannot be read", text_of(name));
    if (ISRELDEP(id) && rpm_rich_clause_count(primary->pool, id) > RPM_RICH_CLAUSES_MAX)
        return fail_package(xml, "a rich dependency that makes too many clauses:", text_of(name));
    const char *evr = flags ? join_evr(primary, attributes) : NULL;
    if (evr && relation_flags(flags))
        id = pool_rel2id(primary->pool, id, pool_str2id(primary->pool, evr, 1), relation_flags(flags), 1);
    Id marker = 0;
    if (primary->relation == SOLVABLE_REQUIRES)
        marker = pre && strcmp(pre, "1") == 0 ? 1 : -1; /* those for scripts stand apart */
    solvable_add_deparray(solvable(primary), primary->relation, id, marker);
    return true;
}

static bool set_location(struct xml_stream *xml, const char **attributes)
{
    struct primary *primary = xml->user;
    const char *href = xml_stream_attribute(attributes, "href"), *fault;
    for (const char **pair = attributes; *pair; pair += 2) {
        if (strcmp(pair[0], "xml:base") == 0)
            return fail_package(
                xml, "its location is in another repository (xml:base), which is not supported:", text_of(pair[1]));
    }
    if (!href || !*href)
        return fail_package(xml, "no location href", TEXT(""));
    if ((fault = rpm_href_fault(text_of(href)))) {
        AUTO(arena_done) struct arena scratch = {0};
        return fail_package(xml, arena_printf(&scratch, "its location is refused (%s):", fault), text_of(href));
    }
    repodata_set_location(primary->data, primary->package.id, 0, NULL, href);
    primary->package.has_location = true;
    return true;
}

static bool set_version(struct xml_stream *xml, const char **attributes)
{
    struct primary *primary = xml->user;
    const char *evr = join_evr(primary, attributes);
    if (!evr || !is_word(text_of(evr)))
        return fail_package(xml, "bad version", text_of(evr ? evr : ""));
    solvable(primary)->evr = pool_str2id(primary->pool, evr, 1);
    primary->package.has_version = true;
    return true;
}

static bool set_size(struct xml_stream *xml, const char **attributes)
{
    struct primary *primary = xml->user;
    const char *size = xml_stream_attribute(attributes, "package");
    uint64_t bytes;
    if (!size || !text_parse_u64(text_of(size), &bytes) || !bytes || bytes > SIZE_MAX_BYTES)
        return fail_package(xml, "bad size", text_of(size ? size : ""));
    repodata_set_num(primary->data, primary->package.id, SOLVABLE_DOWNLOADSIZE, bytes);
    primary->package.has_size = true;
    return true;
}

static bool begin_checksum(struct xml_stream *xml, const char **attributes)
{
    struct primary *primary = xml->user;
    const char *type = xml_stream_attribute(attributes, "type");
    if (!type || !checksum_find_kind(text_of(type), &primary->package.kind))
        return fail_package(xml, "its checksum is neither sha256 nor sha512 but", text_of(type ? type : ""));
    xml->is_text_wanted = true;
    return true;
}

/* The lists of relations below <format>; 0 for what is not one. */
static Id find_relation(const char *element)
{
    static const struct {
        const char *name;
        Id key;
    } lists[] = {{"provides", SOLVABLE_PROVIDES},       {"requires", SOLVABLE_REQUIRES},
                 {"conflicts", SOLVABLE_CONFLICTS},     {"obsoletes", SOLVABLE_OBSOLETES},
                 {"recommends", SOLVABLE_RECOMMENDS},   {"suggests", SOLVABLE_SUGGESTS},
                 {"supplements", SOLVABLE_SUPPLEMENTS}, {"enhances", SOLVABLE_ENHANCES}};
    for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
        if (strcmp(element, lists[i].name) == 0)
            return lists[i].key;
    }
    return 0;
}

static bool begin_package(struct xml_stream *xml)
{
    struct primary *primary = xml->user;
    if (++primary->package_count > PACKAGES_MAX)
        return xml_stream_fail(xml, "more than %u packages", PACKAGES_MAX);
    primary->package = (struct package){.id = repo_add_solvable(primary->repo)};
    return true;
}

/* Elements of a package: its own (level 3) and those of <format> (level 4 and 5). */
static bool begin_inside(struct xml_stream *xml, const char *element, const char **attributes)
{
    struct primary *primary = xml->user;
    if (xml->depth == 3) {
        if (strcmp(element, "version") == 0)
            return set_version(xml, attributes);
        if (strcmp(element, "checksum") == 0)
            return begin_checksum(xml, attributes);
        if (strcmp(element, "size") == 0)
            return set_size(xml, attributes);
        if (strcmp(element, "location") == 0)
            return set_location(xml, attributes);
        xml->is_text_wanted = strcmp(element, "name") == 0 || strcmp(element, "arch") == 0;
    } else if (xml->depth == 4) {
        const char *type = strcmp(element, "file") == 0 ? xml_stream_attribute(attributes, "type") : NULL;
        primary->is_no_file = type && strcmp(type, "file") != 0;
        primary->relation = find_relation(element);
        primary->relation_count = 0;
        xml->is_text_wanted = strcmp(element, "file") == 0 || strcmp(element, "sourcerpm") == 0;
    } else if (primary->relation && strcmp(element, "entry") == 0) {
        return add_relation(xml, attributes);
    }
    return true;
}

static bool begin(struct xml_stream *xml, const char *element, const char **attributes)
{
    struct primary *primary = xml->user;
    if (xml->depth == 1)
        return strcmp(element, "metadata") == 0 || xml_stream_fail(xml, "this is not a list of packages");
    if (xml->depth == 2)
        return strcmp(element, "package") != 0 || begin_package(xml);
    return !primary->package.id || begin_inside(xml, element, attributes);
}

static bool set_word(struct xml_stream *xml, const char *element, struct text content)
{
    struct primary *primary = xml->user;
    bool is_name = strcmp(element, "name") == 0;
    if (!is_word(content))
        return fail_package(xml, is_name ? "bad name" : "bad architecture", content);
    Id id = pool_strn2id(primary->pool, content.ptr, (unsigned int)content.len, 1);
    if (is_name)
        solvable(primary)->name = id;
    else
        solvable(primary)->arch = id;
    return true;
}

static bool set_checksum(struct xml_stream *xml, struct text content)
{
    struct primary *primary = xml->user;
    struct package *package = &primary->package;
    if (!checksum_parse(package->kind, content, &package->checksum))
        return fail_package(xml, "bad checksum", content);
    repodata_set_bin_checksum(primary->data, package->id, SOLVABLE_CHECKSUM,
                              package->kind == CHECKSUM_SHA512 ? REPOKEY_TYPE_SHA512 : REPOKEY_TYPE_SHA256,
                              package->checksum.bytes);
    package->has_checksum = true;
    return true;
}

static bool add_file(struct xml_stream *xml, struct text content)
{
    struct primary *primary = xml->user;
    primary->scratch.len = 0;
    if (!content.len || content.ptr[0] != '/' || memchr(content.ptr, '\0', content.len) ||
        !buf_add(&primary->scratch, content.ptr, content.len))
        return fail_package(xml, "bad file name", content);
    if (++primary->all_file_count > ALL_FILES_MAX)
        return fail_package(xml, "too many files, with", content);
    if (primary->is_no_file)
        repodata_add_poolstr_array(primary->data, primary->package.id, primary->no_files_key, primary->scratch.bytes);
    char *base = strrchr(primary->scratch.bytes, '/');
    *base++ = '\0';
    Id dir = rpm_folders_add(&primary->folders, *primary->scratch.bytes ? primary->scratch.bytes : "/");
    if (!dir)
        return fail_package(xml, "too many folders beside each other, with", content);
    repodata_add_dirstr(primary->data, primary->package.id, SOLVABLE_FILELIST, dir, base);
    return true;
}

static void set_source(struct primary *primary, struct text content)
{
    primary->scratch.len = 0;
    if (content.len && is_word(content) && buf_add(&primary->scratch, content.ptr, content.len))
        repodata_set_sourcepkg(primary->data, primary->package.id, primary->scratch.bytes);
}

static bool end_package(struct xml_stream *xml)
{
    struct primary *primary = xml->user;
    const struct package *package = &primary->package;
    Pool *pool = primary->pool;
    Solvable *item = solvable(primary);
    const char *lacks = !item->name              ? "name"
                        : !item->arch            ? "architecture"
                        : !package->has_version  ? "version"
                        : !package->has_checksum ? "checksum"
                        : !package->has_size     ? "size"
                        : !package->has_location ? "location"
                                                 : NULL;
    if (lacks)
        return fail_package(xml, "it lacks its", text_of(lacks));
    if (item->arch == ARCH_SRC || item->arch == ARCH_NOSRC)
        (void)repo_free_solvable(primary->repo, package->id, 1);
    else
        solvable_add_deparray(item, SOLVABLE_PROVIDES, pool_rel2id(pool, item->name, item->evr, REL_EQ, 1), 0);
    primary->package = (struct package){0};
    return true;
}

static bool end(struct xml_stream *xml, const char *element, struct text content)
{
    struct primary *primary = xml->user;
    if (!primary->package.id)
        return true;
    if (xml->depth == 2)
        return end_package(xml);
    if (xml->depth == 3 && (strcmp(element, "name") == 0 || strcmp(element, "arch") == 0))
        return set_word(xml, element, content);
    if (xml->depth == 3 && strcmp(element, "checksum") == 0)
        return set_checksum(xml, content);
    if (xml->depth == 4) {
        primary->relation = 0;
        if (strcmp(element, "file") == 0)
            return add_file(xml, content);
        if (strcmp(element, "sourcerpm") == 0)
            set_source(primary, content);
    }
    return true;
}

/* All data are kept in memory: libsolv's own choice leaves file lists and checksums in the file, to be read by pages. */
static int keep_in_core(Repo *repo, Repokey *key, void *user)
{
    (void)repo;
    (void)key;
    (void)user;
    return KEY_STORAGE_INCORE;
}

static bool write_solv(Repo *repo, const char *name, struct buf *ret_solv, struct err *err)
{
    AUTO(auto_free) char *bytes = NULL;
    size_t len = 0;
    FILE *stream = open_memstream(&bytes, &len);
    if (!stream)
        memory_abort(SOLV_CAP_BYTES);
    int failed = repo_write_filtered(repo, stream, keep_in_core, NULL, NULL);
    if (fclose(stream) != 0 || failed) {
        err_set(err, ERR_LOCAL, "%s: its index could not be written: %s", name, pool_errstr(repo->pool));
        return false;
    }
    buf_init(ret_solv, SOLV_CAP_BYTES);
    if (buf_add(ret_solv, bytes, len))
        return true;
    err_set(err, ERR_MALFORMED, "%s: its index would be larger than %zu bytes", name, SOLV_CAP_BYTES);
    return false;
}

bool rpm_primary_build(const char *name, enum compression compression, struct text packed, struct buf *ret_solv,
                       struct err *err)
{
    AUTO(free_pool) Pool *pool = pool_create();
    (void)pool_setdisttype(pool, DISTTYPE_RPM);
    struct primary primary = {.pool = pool, .repo = repo_create(pool, "primary")};
    AUTO(arena_done) struct arena counts = {0};
    primary.data = repo_add_repodata(primary.repo, 0);
    primary.folders = (struct rpm_folders){.arena = &counts, .data = primary.data};
    primary.no_files_key = pool_str2id(pool, RPM_PRIMARY_NO_FILES, 1);
    buf_init(&primary.scratch, XML_STREAM_TOKEN_MAX);
    struct xml_stream xml = {.name = name, .begin = begin, .end = end, .user = &primary};
    bool is_good = xml_stream_read(&xml, compression, packed, err);
    buf_done(&primary.scratch);
    if (!is_good)
        return false;
    repodata_internalize(primary.data);
    return write_solv(primary.repo, name, ret_solv, err);
}
