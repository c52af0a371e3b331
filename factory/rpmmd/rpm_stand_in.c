/* SPDX-License-Identifier: Apache-2.0 */
/* As createrepo_c writes them, as far as rpm_primary.c and rpm_filelists.c read them. */
#include "rpmmd/rpm_stand_in.h"

#include "base/auto.h"
#include "rpm/rpm_listed.h"
#include "rpm/rpm_signature.h"
#include "rpm/rpm_tags.h"
#include "rpmmd/rpm_catalog_parts.h"
#include "trust/small_file.h"

#include <inttypes.h>

#define XML_MAX_BYTES ((size_t)256 << 20)
#define MODE_KIND 0170000u
#define MODE_DIRECTORY 0040000u

struct making {
    const struct rpm_stand_in *stand_in;
    struct arena arena;
    struct buf primary, filelists;
    struct strings refused;
};

/* One package on its way. */
struct describing {
    struct making *making;
    const struct stand_in_package *given;
    struct arena arena;
    struct rpm_header header;
    const char *name, *arch, *epoch, *version, *release;
};

static bool fail_large(struct err *err)
{
    err_set(err, ERR_MALFORMED, "with it an index would be larger than %zu bytes", XML_MAX_BYTES);
    return false;
}

/* A text within XML. Bytes that XML cannot have are no names of anything: the package is refused. */
static bool escape(struct describing *describing, const char *text, const char **ret_escaped, struct err *err)
{
    AUTO(buf_done) struct buf out = {0};
    buf_init(&out, XML_MAX_BYTES);
    for (const char *at = text; *at; at++) {
        const char *entity = *at == '&'   ? "&amp;"
                             : *at == '<' ? "&lt;"
                             : *at == '>' ? "&gt;"
                             : *at == '"' ? "&quot;"
                                          : NULL;
        if ((unsigned char)*at < 0x20) {
            err_set(err, ERR_MALFORMED, "a name in it has control characters");
            return false;
        }
        if (!(entity ? buf_add(&out, entity, strlen(entity)) : buf_add(&out, at, 1)))
            return fail_large(err);
    }
    *ret_escaped = out.len ? arena_strndup(&describing->arena, out.bytes, out.len) : "";
    return true;
}

/* "1:2-3" as its three parts; what is not there is "". */
static void split_evr(struct arena *arena, const char *evr, const char *ret_parts[3])
{
    size_t digits = strspn(evr, "0123456789");
    bool has_epoch = evr[digits] == ':';
    const char *version = has_epoch ? evr + digits + 1 : evr, *dash = strrchr(version, '-');
    ret_parts[0] = has_epoch && digits ? arena_strndup(arena, evr, digits) : "0";
    ret_parts[1] = dash ? arena_strndup(arena, version, (size_t)(dash - version)) : version;
    ret_parts[2] = dash ? dash + 1 : "";
}

static const char *compare_word(uint64_t sense)
{
    static const char *const words[] = {NULL, "LT", "GT", "NE", "EQ", "LE", "GE", NULL};
    unsigned which =
        (sense & RPM_SENSE_LESS ? 1u : 0) | (sense & RPM_SENSE_GREATER ? 2u : 0) | (sense & RPM_SENSE_EQUAL ? 4u : 0);
    return words[which];
}

static bool print_relation(struct describing *describing, const char *name, uint64_t sense, const char *evr,
                           struct err *err)
{
    static const uint64_t for_scripts = RPM_SENSE_SCRIPT_PRE | RPM_SENSE_SCRIPT_POST | (1u << 6); /* RPMSENSE_PREREQ */
    struct buf *out = &describing->making->primary;
    const char *shown, *shown_evr, *word = *evr ? compare_word(sense) : NULL, *parts[3];
    if (!escape(describing, name, &shown, err) || !escape(describing, evr, &shown_evr, err))
        return false;
    split_evr(&describing->arena, shown_evr, parts);
    bool is_printed = buf_printf(out, "<rpm:entry name=\"%s\"", shown) &&
                      (!word || buf_printf(out, " flags=\"%s\" epoch=\"%s\" ver=\"%s\"", word, parts[0], parts[1])) &&
                      (!word || !*parts[2] || buf_printf(out, " rel=\"%s\"", parts[2])) &&
                      buf_printf(out, "%s/>\n", sense & for_scripts ? " pre=\"1\"" : "");
    return is_printed || fail_large(err);
}

/* One list of relations: the tags of names, flags and versions. */
static bool print_relations(struct describing *describing, const char *element, const uint32_t tags[3], struct err *err)
{
    struct buf *out = &describing->making->primary;
    struct strings names, versions;
    struct rpm_numbers flags;
    if (!rpm_header_strings(&describing->arena, &describing->header, tags[0], &names, err) ||
        !rpm_header_numbers(&describing->arena, &describing->header, tags[1], &flags, err) ||
        !rpm_header_strings(&describing->arena, &describing->header, tags[2], &versions, err))
        return false;
    if (!names.count)
        return true;
    if (!buf_printf(out, "<rpm:%s>\n", element))
        return fail_large(err);
    for (size_t i = 0; i < names.count; i++) {
        uint64_t sense = i < flags.count ? flags.items[i] : 0;
        if (!*names.items[i] || (sense & RPM_SENSE_RPMLIB))
            continue;
        if (!print_relation(describing, names.items[i], sense, i < versions.count ? versions.items[i] : "", err))
            return false;
    }
    return buf_printf(out, "</rpm:%s>\n", element) || fail_large(err);
}

static bool print_all_relations(struct describing *describing, struct err *err)
{
    static const struct {
        const char *element;
        uint32_t tags[3];
    } lists[] = {{"provides", {RPM_TAG_PROVIDENAME, RPM_TAG_PROVIDEFLAGS, RPM_TAG_PROVIDEVERSION}},
                 {"requires", {RPM_TAG_REQUIRENAME, RPM_TAG_REQUIREFLAGS, RPM_TAG_REQUIREVERSION}},
                 {"conflicts", {RPM_TAG_CONFLICTNAME, RPM_TAG_CONFLICTFLAGS, RPM_TAG_CONFLICTVERSION}},
                 {"obsoletes", {RPM_TAG_OBSOLETENAME, RPM_TAG_OBSOLETEFLAGS, RPM_TAG_OBSOLETEVERSION}},
                 {"recommends", {RPM_TAG_RECOMMENDNAME, RPM_TAG_RECOMMENDNAME + 2, RPM_TAG_RECOMMENDNAME + 1}},
                 {"suggests", {RPM_TAG_SUGGESTNAME, RPM_TAG_SUGGESTNAME + 2, RPM_TAG_SUGGESTNAME + 1}},
                 {"supplements", {RPM_TAG_SUPPLEMENTNAME, RPM_TAG_SUPPLEMENTNAME + 2, RPM_TAG_SUPPLEMENTNAME + 1}},
                 {"enhances", {RPM_TAG_ENHANCENAME, RPM_TAG_ENHANCENAME + 2, RPM_TAG_ENHANCENAME + 1}}};
    for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
        if (!print_relations(describing, lists[i].element, lists[i].tags, err))
            return false;
    }
    return true;
}

/* All paths go into filelists.xml, and those that primary.xml has as a rule into that, too. */
static bool print_files(struct describing *describing, struct err *err)
{
    struct making *making = describing->making;
    struct rpm_listed listed;
    struct rpm_numbers modes;
    if (!rpm_listed_read(&describing->arena, &describing->header, &listed, err) ||
        !rpm_header_numbers(&describing->arena, &describing->header, RPM_TAG_FILEMODES, &modes, err))
        return false;
    for (size_t i = 0; i < listed.names.count; i++) {
        const char *path = rpm_listed_path(&describing->arena, &listed, i), *shown;
        bool is_folder = i < modes.count && (modes.items[i] & MODE_KIND) == MODE_DIRECTORY;
        const char *type = is_folder ? " type=\"dir\"" : "";
        if (!escape(describing, path, &shown, err))
            return false;
        if ((rpm_pool_has_path(path) && !buf_printf(&making->primary, "<file%s>%s</file>\n", type, shown)) ||
            !buf_printf(&making->filelists, "<file%s>%s</file>\n", type, shown))
            return fail_large(err);
    }
    return true;
}

/* Believes the header when its signature is good, or need not be; *ret_vouched is false when nothing vouches. */
static bool open_header(struct describing *describing, bool *ret_vouched, struct err *err)
{
    const struct rpm_stand_in *stand_in = describing->making->stand_in;
    struct rpm_archive archive;
    bool covers_payload;
    *ret_vouched = stand_in->keys || stand_in->is_trusted;
    if (!*ret_vouched)
        return true;
    return rpm_archive_read(&describing->arena, describing->given->bytes, &archive, err) &&
           (!stand_in->keys ||
            rpm_signature_check(&describing->arena, &archive, stand_in->keys, false, &covers_payload, err)) &&
           rpm_header_read(&describing->arena, archive.header, RPM_HEADER_MAIN, &describing->header, err);
}

/* Reads what the package calls itself, which has to be what the lock calls it. */
static bool read_names(struct describing *describing, struct err *err)
{
    const struct rpm_header *header = &describing->header;
    const struct pin_package *wanted = describing->given->package;
    uint64_t epoch;
    if (!rpm_header_string(header, RPM_TAG_NAME, &describing->name, err) ||
        !rpm_header_string(header, RPM_TAG_VERSION, &describing->version, err) ||
        !rpm_header_string(header, RPM_TAG_RELEASE, &describing->release, err) ||
        !rpm_header_string(header, RPM_TAG_ARCH, &describing->arch, err) ||
        !rpm_header_number(header, RPM_TAG_EPOCH, 0, &epoch, err))
        return false;
    if (!describing->name || !describing->version || !describing->release || !describing->arch) {
        err_set(err, ERR_MALFORMED, "it has no name, version, release or architecture");
        return false;
    }
    describing->epoch = arena_printf(&describing->arena, "%" PRIu64, epoch);
    const char *evr = arena_printf(&describing->arena, "%s%s%s-%s", epoch ? describing->epoch : "", epoch ? ":" : "",
                                   describing->version, describing->release);
    if (strcmp(describing->name, wanted->name) == 0 && strcmp(evr, wanted->version) == 0 &&
        strcmp(describing->arch, wanted->architecture) == 0)
        return true;
    err_set(err, ERR_TRUST, "the lock says %s %s for %s of it; it is %s %s for %s", wanted->name, wanted->version,
            wanted->architecture, text_printable(&describing->arena, text_of(describing->name)),
            text_printable(&describing->arena, text_of(evr)),
            text_printable(&describing->arena, text_of(describing->arch)));
    return false;
}

static bool print_package(struct describing *describing, struct err *err)
{
    struct buf *primary = &describing->making->primary, *filelists = &describing->making->filelists;
    const struct stand_in_package *given = describing->given;
    struct digest_hex hex = digest_hex(&given->package->digest);
    const char *source, *texts[6];
    if (!read_names(describing, err) || !rpm_header_string(&describing->header, RPM_TAG_SOURCERPM, &source, err))
        return false;
    const char *const raw[6] = {describing->name,    describing->arch,     describing->version,
                                describing->release, source ? source : "", given->path};
    for (size_t i = 0; i < ARRAY_COUNT(raw); i++) {
        if (!escape(describing, raw[i], &texts[i], err))
            return false;
    }
    if (!buf_printf(
            primary,
            "<package type=\"rpm\"><name>%s</name><arch>%s</arch><version epoch=\"%s\" ver=\"%s\" rel=\"%s\"/>"
            "<checksum type=\"sha256\" pkgid=\"YES\">%s</checksum><size package=\"%zu\"/><location href=\"%s\"/>"
            "<format><rpm:sourcerpm>%s</rpm:sourcerpm>\n",
            texts[0], texts[1], describing->epoch, texts[2], texts[3], hex.chars, given->bytes.len, texts[5],
            texts[4]) ||
        !buf_printf(filelists, "<package pkgid=\"%s\" name=\"%s\" arch=\"%s\">\n", hex.chars, texts[0], texts[1]))
        return fail_large(err);
    if (!print_all_relations(describing, err) || !print_files(describing, err))
        return false;
    return (buf_printf(primary, "</format></package>\n") && buf_printf(filelists, "</package>\n")) || fail_large(err);
}

static bool take(void *taker, const struct stand_in_package *given, struct err *err)
{
    struct making *making = taker;
    struct describing describing = {.making = making, .given = given};
    bool is_vouched = false;
    bool is_good = open_header(&describing, &is_vouched, err) && (!is_vouched || print_package(&describing, err));
    if (!is_good)
        err_wrap(err, "package %s %s", text_printable(&describing.arena, text_of(given->package->name)),
                 text_printable(&describing.arena, text_of(given->package->version)));
    if (is_good && !is_vouched)
        stand_in_note(&making->arena, given->package, &making->refused);
    arena_done(&describing.arena);
    return is_good;
}

/* Keeps a file, and lists it. */
static bool list_file(const struct making *making, struct arena *arena, const struct buf *bytes, const char *type,
                      struct rpm_metadata_file *ret_file, struct err *err)
{
    struct digest digest;
    if (!small_file_keep(making->stand_in->base.env, bytes, &digest, err))
        return false;
    *ret_file = (struct rpm_metadata_file){.type = type,
                                           .href = arena_printf(arena, "repodata/%s.xml", type),
                                           .checksum = checksum_of_digest(&digest),
                                           .size_bytes = bytes->len};
    return true;
}

static bool make(struct making *making, struct arena *arena, struct rpm_metadata_file ret_files[2], struct err *err)
{
    static const char primary_begin[] = "<metadata xmlns=\"http://linux.duke.edu/metadata/common\" "
                                        "xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\">\n",
                      filelists_begin[] = "<filelists xmlns=\"http://linux.duke.edu/metadata/filelists\">\n";
    if (!buf_printf(&making->primary, "%s", primary_begin) || !buf_printf(&making->filelists, "%s", filelists_begin))
        return fail_large(err);
    if (!stand_in_each(&making->stand_in->base, take, making, err))
        return false;
    if (making->refused.count) {
        stand_in_refuse(&making->stand_in->base, &making->refused,
                        "its packages are not checked by their own signatures: `gpgcheck`, or `trusted: true` of the "
                        "source, takes what the lock names",
                        err);
        return false;
    }
    if (!buf_printf(&making->primary, "</metadata>\n") || !buf_printf(&making->filelists, "</filelists>\n"))
        return fail_large(err);
    return list_file(making, arena, &making->primary, "primary", &ret_files[0], err) &&
           list_file(making, arena, &making->filelists, "filelists", &ret_files[1], err);
}

bool rpm_stand_in_make(const struct rpm_stand_in *stand_in, struct arena *arena, struct rpm_metadata_file ret_files[2],
                       struct err *err)
{
    struct making making = {.stand_in = stand_in};
    buf_init(&making.primary, XML_MAX_BYTES);
    buf_init(&making.filelists, XML_MAX_BYTES);
    bool is_good = make(&making, arena, ret_files, err);
    buf_done(&making.primary);
    buf_done(&making.filelists);
    arena_done(&making.arena);
    return is_good;
}
