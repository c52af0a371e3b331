/* SPDX-License-Identifier: Apache-2.0 */
/* Every leniency in which libraries and their versions differ is decided once, here, for packages and for layers. */
#include "check.h"

#include "base/auto.h"
#include "deb/deb_tar.h"
#include "deb_maker.h"
#include "package/layer_reader.h"

/* The archive in pieces of some size, to see that no border matters. */
struct stream {
    struct text bytes;
    size_t piece;
};

static bool feed(void *user, struct text *ret_bytes, struct err *err)
{
    (void)err;
    struct stream *stream = user;
    size_t len = stream->bytes.len < stream->piece ? stream->bytes.len : stream->piece;
    *ret_bytes = (struct text){stream->bytes.ptr, len};
    stream->bytes = (struct text){stream->bytes.ptr + len, stream->bytes.len - len};
    return true;
}

/* Lists an archive as "kind:path>target=bytes " for each entry. */
static bool list(const struct buf *tar, const struct tar_rules *rules, size_t piece, struct buf *ret_list,
                 struct err *err)
{
    struct stream stream = {{tar->len ? tar->bytes : "", tar->len}, piece};
    AUTO(tar_reader_done) struct tar_reader reader;
    struct tar_entry entry;
    tar_reader_init(&reader, rules, feed, &stream);
    for (bool is_end = false;;) {
        struct text run;
        if (!tar_reader_next(&reader, &entry, &is_end, err))
            return false;
        if (is_end)
            return true;
        assert_true(
            buf_printf(ret_list, "%c:%s>%s=", "fdlhs"[entry.kind], entry.path, entry.target ? entry.target : ""));
        do {
            if (!tar_reader_read(&reader, &run, err))
                return false;
            assert_true(buf_add(ret_list, run.ptr, run.len));
        } while (run.len);
        assert_true(buf_add(ret_list, " ", 1));
    }
}

/* What comes of a tar: a list for those who take it, else part of the error. */
struct verdict {
    const char *list, *fault;
};

static void judge(const struct buf *tar, const struct tar_rules *rules, struct verdict verdict)
{
    static const size_t pieces[] = {1, 511, 512, 513, (size_t)1 << 20};
    for (size_t i = 0; i < ARRAY_COUNT(pieces); i++) {
        AUTO(buf_done) struct buf seen;
        struct err err = {0};
        buf_init(&seen, MAKER_CAP_BYTES);
        if (pieces[i] < 511 && tar->len > 100000)
            continue;
        bool is_good = list(tar, rules, pieces[i], &seen, &err);
        if (verdict.fault) {
            assert_false(is_good);
            CHECK_ERR(&err, ERR_MALFORMED, verdict.fault);
        } else {
            CHECK_OK(is_good, &err);
            assert_string_equal(seen.len ? seen.bytes : "", verdict.list);
        }
    }
}

static void judge_both(const struct buf *tar, struct verdict verdict)
{
    judge(tar, &deb_tar_rules, verdict);
    judge(tar, &layer_tar_rules, verdict);
}

#define FILE_A                                                                                                         \
    {                                                                                                                  \
        .name = "a", .type = '0', .mode = 0644, .data = "x"                                                            \
    }
#define LIST_A "f:a>=x "

/* A tar of these items with its end mark. */
static void make(struct buf *ret_tar, const struct tar_item *items, size_t count)
{
    buf_init(ret_tar, MAKER_CAP_BYTES);
    for (size_t i = 0; i < count; i++)
        tar_put(ret_tar, items[i]);
    tar_end(ret_tar);
}

/* One tar of items, and what comes of it by the rules of packages and of layers. */
#define ITEMS(deb, layer, ...)                                                                                         \
    do {                                                                                                               \
        const struct tar_item items_[] = {__VA_ARGS__};                                                                \
        AUTO(buf_done) struct buf tar_;                                                                                \
        make(&tar_, items_, ARRAY_COUNT(items_));                                                                      \
        judge(&tar_, &deb_tar_rules, (struct verdict)deb);                                                             \
        judge(&tar_, &layer_tar_rules, (struct verdict)layer);                                                         \
    } while (0)
#define REFUSED(part)                                                                                                  \
    {                                                                                                                  \
        .fault = (part)                                                                                                \
    }
#define TAKEN(listed)                                                                                                  \
    {                                                                                                                  \
        .list = (listed)                                                                                               \
    }
#define LONG(kind, bytes)                                                                                              \
    {                                                                                                                  \
        .name = "././@LongLink", .type = (kind), .data = (bytes), .size = sizeof(bytes)                                \
    }
#define PAX(kind, bytes)                                                                                               \
    {                                                                                                                  \
        .name = "./PaxHeaders/a", .type = (kind), .data = (bytes)                                                      \
    }
#define BOTH(verdict, ...) ITEMS(verdict, verdict, __VA_ARGS__)

static void long_names_stand_before_exactly_one_entry(void **state)
{
    (void)state;
    static const char nul[2] = "";
    BOTH(TAKEN("f:long>=x "), LONG('L', "long"), FILE_A);
    BOTH(TAKEN("l:long>far= "), LONG('L', "long"), LONG('K', "far"), {.name = "a", .type = '2', .link = "b"});
    BOTH(REFUSED("empty long name"), {.name = "l", .type = 'L'}, FILE_A);
    BOTH(REFUSED("empty long name"), {.name = "l", .type = 'L', .data = nul, .size = 1}, FILE_A);
    BOTH(REFUSED("empty long name"), {.name = "l", .type = 'K'}, {.name = "a", .type = '2', .link = "b"});
    BOTH(REFUSED("without an entry"), FILE_A, LONG('L', "long"));
    BOTH(REFUSED("without an entry"), FILE_A, LONG('K', "long"));
    BOTH(REFUSED("second long name"), LONG('L', "one"), LONG('L', "two"), FILE_A);
    BOTH(REFUSED("second long name"), LONG('K', "one"), LONG('K', "two"), {.name = "a", .type = '2', .link = "b"});
    BOTH(REFUSED("bytes after the end of its long name"), LONG('L', "one\0two"), FILE_A);
    BOTH(REFUSED("what is no link"), LONG('K', "far"), FILE_A);
}

static void a_long_name_of_more_than_a_mebibyte_is_refused(void **state)
{
    (void)state;
    static char name[(1 << 20) + 1];
    memset(name, 'n', sizeof name - 1);
    BOTH(REFUSED("more than 1 MiB"), {.name = "l", .type = 'L', .data = name, .size = sizeof name}, FILE_A);
    BOTH(REFUSED("more than 1 MiB"), {.name = "l", .type = 'L', .size_field = "77777777777"}, FILE_A);
}

/* Returns "LENGTH PAIR\n" behind another such record, in one of eight places. */
static const char *pax(const char *former, const char *pair)
{
    static char places[8][1024];
    static unsigned next;
    char *place = places[next++ % 8];
    size_t len = strlen(pair) + 3;
    while (len != (size_t)snprintf(place, 1024, "%zu %s\n", len, pair))
        len = strlen(place);
    (void)snprintf(place, 1024, "%s%zu %s\n", former, len, pair);
    return place;
}

#define NO_PAX REFUSED("pax header")
#define ONE_PAX(layer, records, ...) ITEMS(NO_PAX, layer, PAX('x', records), __VA_ARGS__)

static void pax_headers_are_for_layers_only(void **state)
{
    (void)state;
    ONE_PAX(TAKEN("f:b>=x "), pax("", "path=b"), FILE_A);
    ONE_PAX(TAKEN("f:c>=x "), pax(pax("", "path=b"), "path=c"), FILE_A);
    ONE_PAX(TAKEN("f:a>=x "), pax(pax("", "mtime=-1.5"), "SCHILY.xattr.user.x=a=b"), FILE_A);
    ONE_PAX(TAKEN("l:a>far= "), pax("", "linkpath=far"), {.name = "a", .type = '2', .link = "b"});
    ONE_PAX(TAKEN(LIST_A), pax("", "size=1"), {.name = "a", .type = '0', .data = "x", .size_field = "00000000000"});
    ITEMS(NO_PAX, TAKEN(LIST_A), PAX('g', pax("", "comment=a commit")), FILE_A);
    ITEMS(NO_PAX, TAKEN("f:b>=x "), PAX('x', pax("", "path=b")), PAX('g', pax("", "comment=c")), FILE_A);
}

static void malformed_pax_records_are_refused(void **state)
{
    (void)state;
    static const char *const broken[] = {"x path=b\n",  "9 path=bb\n", "8 path=b\n", "9 path=b ",
                                         "-9 path=b\n", "9path=bc\n",  "5 =b\n",     "99 path=b\n",
                                         "9 path:b\n",  "0 path=b\n",  "3 \n",       "99999999999999999999999 a=b\n"};
    static const char *const values[] = {
        "path=",    "linkpath=", "size=",     "size=-1",   "size=0x1", "size=99999999999999999999",
        "size=1.5", "uid=root",  "mtime=now", "mtime=1.x", "mtime=--1"};
    for (size_t i = 0; i < ARRAY_COUNT(broken); i++)
        ONE_PAX(REFUSED("malformed"), broken[i], FILE_A);
    for (size_t i = 0; i < ARRAY_COUNT(values); i++)
        ONE_PAX(REFUSED("cannot be"), pax("", values[i]), FILE_A);
    ITEMS(NO_PAX, REFUSED("empty"), {.name = "p", .type = 'x'}, FILE_A);
    ITEMS(NO_PAX, REFUSED("cannot be"), {.name = "p", .type = 'x', .data = "12 path=a\0b\n", .size = 12}, FILE_A);
}

static void what_pax_headers_may_not_do_is_refused(void **state)
{
    (void)state;
    ITEMS(NO_PAX, REFUSED("second pax header"), PAX('x', pax("", "uid=1")), PAX('x', pax("", "gid=1")), FILE_A);
    ITEMS(NO_PAX, REFUSED("without an entry"), FILE_A, PAX('x', pax("", "path=b")));
    ITEMS(NO_PAX, REFUSED("one name both"), PAX('x', pax("", "path=b")), LONG('L', "c"), FILE_A);
    ITEMS(NO_PAX, REFUSED("one name both"), LONG('K', "c"), PAX('x', pax("", "linkpath=b")),
          {.name = "a", .type = '2', .link = "b"});
    ITEMS(NO_PAX, REFUSED("global"), PAX('g', pax("", "path=b")), FILE_A);
    ITEMS(NO_PAX, REFUSED("global"), PAX('g', pax("", "size=0")), FILE_A);
    ONE_PAX(REFUSED("what is no link"), pax("", "linkpath=b"), FILE_A);
    ONE_PAX(REFUSED("cut off"), pax("", "size=9223372036854775807"), FILE_A);
    ONE_PAX(REFUSED("bytes but is not a file"), pax("", "size=5"), {.name = "h", .type = '1', .link = "a"});
}

static void sparse_files_are_refused_in_all_their_forms(void **state)
{
    (void)state;
    BOTH(REFUSED("sparse"), {.name = "a", .type = 'S'});
    ONE_PAX(REFUSED("sparse"), pax("", "GNU.sparse.size=10"), FILE_A);
    ONE_PAX(REFUSED("sparse"), pax(pax("", "GNU.sparse.major=1"), "GNU.sparse.minor=0"), FILE_A);
    ONE_PAX(REFUSED("sparse"), pax("", "SUN.holesdata= 0 5"), FILE_A);
}

static void types_that_readers_do_not_agree_on_are_refused(void **state)
{
    (void)state;
    static const char types[] = "89AbDINMVXZaQ@";
    for (const char *type = types; *type; type++) {
        BOTH(REFUSED("type is unknown"), FILE_A, {.name = "t", .type = *type});
        BOTH(REFUSED("type is unknown"), FILE_A, {.name = "t", .type = *type, .data = "some"});
    }
    for (const char *type = "346"; *type; type++)
        ITEMS(REFUSED("device node"), TAKEN("s:t>= "), {.name = "t", .type = *type});
    BOTH(TAKEN(LIST_A "f:t>=y "), FILE_A, {.name = "t", .type = '7', .data = "y"});
    BOTH(TAKEN(LIST_A "f:t>=y "), FILE_A, {.name = "t", .type = '\0', .data = "y"});
}

static void only_files_have_bytes(void **state)
{
    (void)state;
    BOTH(REFUSED("bytes but is not a file"), FILE_A, {.name = "h", .type = '1', .link = "a", .data = "x"});
    BOTH(TAKEN(LIST_A "h:h>a= "), FILE_A, {.name = "h", .type = '1', .link = "a"});
    for (const char *type = "25"; *type; type++)
        ITEMS(REFUSED("bytes but is not a file"), REFUSED("checksum"),
              {.name = "d", .type = *type, .link = "l", .data = "x"});
    ITEMS(REFUSED("bytes but is not a file"), TAKEN("d:d/>= " LIST_A),
          {.name = "d/", .type = '5', .size_field = "00000001000"}, FILE_A);
}

static void names_are_there_and_of_their_kind(void **state)
{
    (void)state;
    BOTH(REFUSED("empty name"), {.name = "", .type = '0', .data = "x"});
    BOTH(REFUSED("without target"), {.name = "a", .type = '2'});
    BOTH(REFUSED("without target"), {.name = "a", .type = '1'});
    BOTH(REFUSED("ends in '/'"), {.name = "a/", .type = '0', .data = "x"});
    BOTH(TAKEN("d:a/>= "), {.name = "a/", .type = '\0'});
    BOTH(TAKEN("f:../x>=x "), {.name = "../x", .type = '0', .data = "x"}); /* the callers' to judge, by path.h */
}

static void numbers_are_octal_or_base_256_and_sizes_not_negative(void **state)
{
    (void)state;
    BOTH(TAKEN(LIST_A), {.name = "a", .type = '0', .data = "x", .size_field = "          1"});
    BOTH(TAKEN(LIST_A), {.name = "a", .type = '0', .data = "x", .size_field = "1          "});
    BOTH(REFUSED("size is not a number"), {.name = "a", .type = '0', .data = "x", .size_field = "0000000001x"});
    BOTH(REFUSED("size is not a number"), {.name = "a", .type = '0', .data = "x", .size_field = "-0000000001"});
    BOTH(REFUSED("size is not a number"), {.name = "a", .type = '0', .data = "x", .size_field = "0x000000001"});
    BOTH(REFUSED("size is not a number"), {.name = "a", .type = '0', .data = "x", .size_field = "00000000019"});
    BOTH(REFUSED("size is negative"),
         {.name = "a", .type = '0', .size_field = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"});
    BOTH(REFUSED("size is not a number"),
         {.name = "a", .type = '0', .size_field = "\x80\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01"});
    BOTH(REFUSED("cut off"), {.name = "a", .type = '0', .size_field = "77777777777"});
}

/* Changes a header after it was made; its checksum is made anew unless that was changed. */
static void refused_when(size_t at, const char *bytes, size_t len, struct verdict verdict)
{
    AUTO(buf_done) struct buf tar;
    const struct tar_item item = {.name = "a", .type = '0', .mode = 0644, .data = "x", .is_posix = true};
    make(&tar, &item, 1);
    memcpy(tar.bytes + at, bytes, len);
    if (at < 148 || at >= 156) {
        unsigned sum = 0;
        memset(tar.bytes + 148, ' ', 8);
        for (size_t i = 0; i < 512; i++)
            sum += (unsigned char)tar.bytes[i];
        (void)snprintf(tar.bytes + 148, 8, "%06o", sum);
    }
    judge_both(&tar, verdict);
}

static void every_field_of_a_header_is_looked_at(void **state)
{
    (void)state;
    refused_when(148, "000000", 6, (struct verdict){.fault = "checksum"});
    refused_when(148, "        ", 8, (struct verdict){.fault = "checksum"});
    refused_when(100, "rw-r--r-", 8, (struct verdict){.fault = "mode"});
    refused_when(108, "root", 4, (struct verdict){.fault = "owner"});
    refused_when(116, "99", 2, (struct verdict){.fault = "group"});
    refused_when(136, "today", 5, (struct verdict){.fault = "time"});
    refused_when(136, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12, (struct verdict){.list = LIST_A});
    refused_when(345, "dir", 3, (struct verdict){.list = "f:dir/a>=x "});
    refused_when(257, "ustar\0\0\0", 8, (struct verdict){.list = LIST_A});
    refused_when(257, "\0\0\0\0\0\0\0\0", 8, (struct verdict){.list = LIST_A});
}

static void a_prefix_that_only_some_readers_honour_is_refused(void **state)
{
    (void)state;
    char both[91] = {0};
    memcpy(both,
           "ustar\0"
           "01",
           8);
    memcpy(both + 88, "dir", 3);
    refused_when(257, both, sizeof both, (struct verdict){.fault = "unknown version"});
}

static void owners_of_packages_have_32_bits(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf tar;
    const struct tar_item item = FILE_A;
    make(&tar, &item, 1);
    memcpy(tar.bytes + 108, "\x80\0\0\xff\xff\xff\xff\xff", 8);
    unsigned sum = 0;
    memset(tar.bytes + 148, ' ', 8);
    for (size_t i = 0; i < 512; i++)
        sum += (unsigned char)tar.bytes[i];
    (void)snprintf(tar.bytes + 148, 8, "%06o", sum);
    judge(&tar, &deb_tar_rules, (struct verdict){.fault = "owner is out of range"});
    judge(&tar, &layer_tar_rules, (struct verdict){.list = LIST_A});
}

static void an_archive_ends_with_zeros_and_nothing_else(void **state)
{
    (void)state;
    static const char zeros[10240] = "";
    const struct verdict taken = {.list = LIST_A}, none = {.list = ""}, more = {.fault = "after the end"};
    AUTO(buf_done) struct buf tar;
    buf_init(&tar, MAKER_CAP_BYTES);
    judge(&tar, &deb_tar_rules, (struct verdict){.fault = "end mark"});
    judge(&tar, &layer_tar_rules, none);
    tar_put(&tar, (struct tar_item)FILE_A);
    judge(&tar, &deb_tar_rules, (struct verdict){.fault = "end mark"});
    judge(&tar, &layer_tar_rules, taken);
    maker_add(&tar, zeros, 512);
    judge(&tar, &deb_tar_rules, (struct verdict){.fault = "end mark"});
    judge(&tar, &layer_tar_rules, taken);
    tar_put(&tar, (struct tar_item){.name = "hidden", .type = '0', .data = "y"});
    judge_both(&tar, more);
    tar.len = 1536;
    maker_add(&tar, zeros, sizeof zeros);
    judge_both(&tar, taken);
    maker_add(&tar, "junk", 4);
    judge_both(&tar, more);
}

static void an_archive_that_is_cut_within_an_entry_is_refused(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf tar;
    const struct tar_item items[] = {LONG('L', "long"), FILE_A};
    make(&tar, items, ARRAY_COUNT(items));
    for (size_t len = 1; len < 2048; len += len < 1020 || len > 1030 ? 37 : 1) {
        tar.len = len;
        judge_both(&tar, (struct verdict){.fault = len == 1024 ? "without an entry" : "cut off"});
    }
}

static void who_has_the_archive_says_what_else_it_may_not_have(void **state)
{
    (void)state;
    static const struct tar_rules ours = {.special_fault = "no fifos here"};
    const struct tar_item items[] = {FILE_A, {.name = "f", .type = '6'}};
    AUTO(buf_done) struct buf tar;
    make(&tar, items, 1);
    judge(&tar, &ours, (struct verdict){.list = LIST_A});
    buf_done(&tar);
    make(&tar, items, 2);
    judge(&tar, &ours, (struct verdict){.fault = "no fifos here"});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_names_stand_before_exactly_one_entry),
        cmocka_unit_test(a_long_name_of_more_than_a_mebibyte_is_refused),
        cmocka_unit_test(pax_headers_are_for_layers_only),
        cmocka_unit_test(malformed_pax_records_are_refused),
        cmocka_unit_test(what_pax_headers_may_not_do_is_refused),
        cmocka_unit_test(sparse_files_are_refused_in_all_their_forms),
        cmocka_unit_test(types_that_readers_do_not_agree_on_are_refused),
        cmocka_unit_test(only_files_have_bytes),
        cmocka_unit_test(names_are_there_and_of_their_kind),
        cmocka_unit_test(numbers_are_octal_or_base_256_and_sizes_not_negative),
        cmocka_unit_test(every_field_of_a_header_is_looked_at),
        cmocka_unit_test(a_prefix_that_only_some_readers_honour_is_refused),
        cmocka_unit_test(owners_of_packages_have_32_bits),
        cmocka_unit_test(an_archive_ends_with_zeros_and_nothing_else),
        cmocka_unit_test(who_has_the_archive_says_what_else_it_may_not_have),
        cmocka_unit_test(an_archive_that_is_cut_within_an_entry_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
