/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/deb_maker.h"

#include "base/auto.h"
#include "deb/deb_format.h"
#include "package/package_unpack.h"

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>

/* A store for the whole program; the tests use different packages, so they do not meet in it. */
struct fixture {
    struct store *store;
    const char *dir;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct err err = {0};
    fixture->dir = check_temporary_dir();
    CHECK_OK(store_open(fixture->dir, NULL, &fixture->store, &err), &err);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    char command[512];
    store_close(fixture->store);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", fixture->dir);
    assert_int_equal(system(command), 0);
    free(fixture);
    return 0;
}

static struct package_expect expect_of(const struct buf *deb)
{
    return (struct package_expect){.format = &format_deb,
                                   .name = "made",
                                   .version = "1.0-1",
                                   .architecture = "amd64",
                                   .digest = digest_of(deb->bytes, deb->len)};
}

static void auto_package_close(struct package **package)
{
    package_close(*package);
}

/* Unpacks and opens; both must work. */
static struct package *take(struct fixture *fixture, const struct buf *deb)
{
    struct err err = {0};
    struct package *package = NULL;
    bool is_found = false;
    struct package_expect expect = expect_of(deb);
    CHECK_OK(package_unpack(fixture->store, (struct text){deb->bytes, deb->len}, &expect, &err), &err);
    CHECK_OK(package_open(fixture->store, &expect, &package, &is_found, &err), &err);
    assert_true(is_found);
    return package;
}

/* Unpacking must fail with that kind and text, and nothing may be left under the package's name. */
static void refuse(struct fixture *fixture, const struct buf *deb, enum err_kind kind, const char *part)
{
    struct err err = {0};
    struct package *package = NULL;
    bool is_found = true;
    struct package_expect expect = expect_of(deb);
    AUTO(auto_free) char *copy = malloc(deb->len + 1);
    memcpy(copy, deb->bytes, deb->len);
    assert_false(package_unpack(fixture->store, (struct text){copy, deb->len}, &expect, &err));
    CHECK_ERR(&err, kind, part);
    CHECK_ERR(&err, kind, "made 1.0-1 amd64");
    err_clear(&err);
    CHECK_OK(package_open(fixture->store, &expect, &package, &is_found, &err), &err);
    assert_false(is_found);
}

/* Refuses a package with these entries in its data.tar. */
static void refuse_items(struct fixture *fixture, const struct tar_item *items, size_t count, const char *part)
{
    AUTO(buf_done) struct buf tar;
    AUTO(buf_done) struct buf deb;
    buf_init(&tar, MAKER_CAP_BYTES);
    for (size_t i = 0; i < count; i++)
        tar_put(&tar, items[i]);
    tar_end(&tar);
    deb_make("", &tar, &deb);
    refuse(fixture, &deb, ERR_MALFORMED, part);
}

#define REFUSE_ITEMS(fixture, part, ...)                                                                               \
    do {                                                                                                               \
        const struct tar_item items_[] = {__VA_ARGS__};                                                                \
        refuse_items((fixture), items_, sizeof items_ / sizeof items_[0], (part));                                     \
    } while (0)

#define NON_ASCII "./usr/share/NetLock_Arany_=Class_Gold=_F\xc5\x91tan\xc3\xbas\xc3\xadtv\xc3\xa1ny.crt"

static void put_ordinary_items(struct buf *tar)
{
    char script[700] = "#! /usr/bin/python3 -s \nprint()\n";
    memset(script + 100, 'x', 500);
    const struct tar_item items[] = {
        {.name = "./", .type = '5', .mode = 0755},
        {.name = "./lib/", .type = '5', .mode = 0700},
        {.name = "./usr/", .type = '5', .mode = 0755},
        {.name = "./usr/lib/", .type = '5', .mode = 02755, .uid = 0, .gid = 8},
        {.name = "./usr/bin/", .type = '5', .mode = 0755},
        {.name = "./bin", .type = '2', .mode = 0777, .link = "usr/bin"},
        {.name = "./usr/bin/made", .type = '0', .mode = 04755, .uid = 7, .gid = 8, .data = script, .size = 600},
        {.name = "./usr/bin/again", .type = '1', .mode = 04755, .link = "./bin/made"},
        {.name = "./usr/bin/third", .type = '1', .mode = 04755, .link = "usr/bin/again"},
        {.name = "./lib/libx.so", .type = '2', .mode = 0777, .link = "../../../../../etc/pki"},
        {.name = "./usr/empty", .type = '0', .mode = 0644, .data = "", .mtime = 1234567890},
        {.name = "./usr/elf", .type = '0', .mode = 0644, .data = "\177ELFgarbage"},
        {.name = NON_ASCII, .type = '0', .mode = 0644, .data = "x"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(items); i++)
        tar_put(tar, items[i]);
}

static const struct entry *find(const struct package *package, const char *path)
{
    const struct entry *entry = package_find(package, path);
    if (!entry)
        fail_msg("%s is not there", path);
    return entry;
}

static void check_ordinary_entries(const struct package *package)
{
    const struct entry *made = find(package, "/usr/bin/made");
    struct digest digest = digest_of(made->data, made->size_bytes);
    assert_int_equal(made->size_bytes, 600);
    assert_int_equal(made->mode, 04755);
    assert_int_equal(made->uid, 7);
    assert_int_equal(made->gid, 8);
    assert_true(digest_eq(&digest, &made->digest));
    assert_string_equal(made->interpreter, "/usr/bin/python3 -s");
    assert_null(made->elf);
    assert_int_equal(find(package, "/usr/bin/again")->kind, ENTRY_HARDLINK);
    assert_string_equal(find(package, "/usr/bin/again")->target, "/usr/bin/made");
    assert_string_equal(find(package, "/usr/bin/third")->target, "/usr/bin/made");
    assert_int_equal(find(package, "/usr/lib/libx.so")->kind, ENTRY_SYMLINK);
    assert_string_equal(find(package, "/usr/lib/libx.so")->target, "../../../../../etc/pki");
    assert_int_equal(find(package, "/usr/lib")->kind, ENTRY_DIRECTORY);
    assert_int_equal(find(package, "/usr/lib")->mode, 02755);
    assert_int_equal(find(package, "/usr/bin")->kind, ENTRY_DIRECTORY);
    assert_int_equal(find(package, "/usr/empty")->size_bytes, 0);
    assert_int_equal(find(package, "/usr/empty")->mtime, 1234567890);
    assert_non_null(find(package, "/usr/elf")->elf);
    assert_non_null(find(package, "/usr/elf")->elf->broken);
    assert_int_equal(find(package, &NON_ASCII[1])->size_bytes, 1);
    assert_null(package_find(package, "/"));
    assert_null(package_find(package, "/lib"));
}

static void a_package_in_every_compression_gives_its_entries(void **state)
{
    static const char *const endings[] = {"", ".gz", ".xz", ".zst", ".bz2"};
    for (size_t i = 0; i < ARRAY_COUNT(endings); i++) {
        AUTO(buf_done) struct buf tar;
        AUTO(buf_done) struct buf deb;
        buf_init(&tar, MAKER_CAP_BYTES);
        put_ordinary_items(&tar);
        tar_end(&tar);
        deb_make(endings[i], &tar, &deb);
        AUTO(auto_package_close) struct package *package = take(*state, &deb);
        assert_string_equal(package->name, "made");
        assert_string_equal(package->version, "1.0-1");
        assert_string_equal(package->architecture, "amd64");
        assert_string_equal(package_fact(package, "control"), MAKER_CONTROL);
        assert_string_equal(package_fact(package, "md5sums"), "0123456789abcdef0123456789abcdef  usr/bin/made\n");
        assert_non_null(strstr(package->provides_files_replaced, "old (<< 1)"));
        assert_int_equal(package->scripts.count, 2);
        assert_string_equal(package->scripts.items[1].name, "templates"); /* without the texts */
        assert_string_equal(package->scripts.items[1].text, "Template: made/q\nDefault: yes");
        assert_int_equal(package->build_time, MAKER_TIME + 5);
        for (size_t at = 1; at < package->count; at++)
            assert_true(strcmp(package->entries[at - 1].path, package->entries[at].path) < 0);
        check_ordinary_entries(package);
    }
}

static void a_package_by_dpkg_deb_is_read(void **state)
{
    struct fixture *fixture = *state;
    char command[2048];
    (void)snprintf(
        command, sizeof command,
        "set -e; exec >/dev/null; cd '%s'; mkdir -p t/DEBIAN t/usr/bin t/lib; cp /bin/true t/usr/bin/made;"
        "cp /bin/bash t/usr/bin/shell;"
        "ln -s made t/usr/bin/link; ln t/usr/bin/made t/usr/bin/hard; : >t/lib/empty;"
        "printf 'Package: made\\nVersion: 1.0-1\\nArchitecture: amd64\\nMaintainer: a <a@b.c>\\n"
        "Description: x\\n' >t/DEBIAN/control; SOURCE_DATE_EPOCH=1600000000 dpkg-deb --root-owner-group -b t "
        "t.deb",
        fixture->dir);
    assert_int_equal(system(command), 0);
    struct err err = {0};
    char path[512];
    struct buf deb;
    (void)snprintf(path, sizeof path, "%s/t.deb", fixture->dir);
    CHECK_OK(file_read_at(AT_FDCWD, path, MAKER_CAP_BYTES, &deb, &err), &err);
    AUTO(auto_package_close) struct package *package = take(fixture, &deb);
    assert_int_equal(package->build_time, 1600000000);
    /* Which of two hard links comes first is up to the file system. */
    const struct entry *made = find(package, "/usr/bin/made"), *hard = find(package, "/usr/bin/hard");
    assert_int_equal((made->kind == ENTRY_FILE) + (hard->kind == ENTRY_FILE), 1);
    assert_int_equal((made->kind == ENTRY_HARDLINK) + (hard->kind == ENTRY_HARDLINK), 1);
    const struct entry *file = made->kind == ENTRY_FILE ? made : hard;
    assert_null(file->elf->broken);
    assert_true(strings_has(&file->elf->needed, "libc.so.6"));
    const struct elf_facts *shell = find(package, "/usr/bin/shell")->elf;
    assert_true(strings_has(&shell->needed, "libc.so.6"));
    for (size_t i = 0; i < shell->needed.count; i++)
        assert_non_null(strstr(shell->needed.items[i], ".so"));
    assert_int_equal(find(package, "/usr/lib/empty")->size_bytes, 0);
    assert_null(package_fact(package, "md5sums"));
    buf_done(&deb);
}

static void a_package_without_files_is_fine(void **state)
{
    AUTO(buf_done) struct buf tar;
    AUTO(buf_done) struct buf deb;
    buf_init(&tar, MAKER_CAP_BYTES);
    tar_end(&tar);
    deb_make(".xz", &tar, &deb);
    AUTO(auto_package_close) struct package *package = take(*state, &deb);
    assert_int_equal(package->count, 0);
    assert_null(package_find(package, "/usr"));
}

static void long_names_of_gnu_tar_are_read(void **state)
{
    AUTO(buf_done) struct buf tar;
    AUTO(buf_done) struct buf deb;
    char name[402] = "./";
    memset(name + 2, 'n', 200);
    name[202] = '/';
    memset(name + 203, 'm', 190);
    buf_init(&tar, MAKER_CAP_BYTES);
    tar_put(&tar, (struct tar_item){.name = "././@LongLink", .type = 'L', .data = name, .size = strlen(name) + 1});
    tar_put(&tar, (struct tar_item){.name = "cut", .type = '0', .mode = 0644, .data = "long"});
    tar_end(&tar);
    deb_make(".xz", &tar, &deb);
    AUTO(auto_package_close) struct package *package = take(*state, &deb);
    assert_int_equal(find(package, name + 1)->size_bytes, 4);
}

static void names_that_leave_the_root_are_refused(void **state)
{
    REFUSE_ITEMS(*state, "\"..\" component", {.name = "../x", .type = '0', .data = "x"});
    REFUSE_ITEMS(*state, "\"..\" component", {.name = "./a/../../x", .type = '5'});
    REFUSE_ITEMS(*state, "the root is not a directory", {.name = "./", .type = '2', .link = "/etc"});
    REFUSE_ITEMS(*state, "removed file", {.name = "./etc/.wh.passwd", .type = '0', .data = ""});
    REFUSE_ITEMS(*state, "removed file", {.name = "./etc/.wh..wh..opq/x", .type = '0', .data = ""});
}

static void an_absolute_name_stays_inside_the_root(void **state)
{
    AUTO(buf_done) struct buf tar;
    AUTO(buf_done) struct buf deb;
    buf_init(&tar, MAKER_CAP_BYTES);
    tar_put(&tar, (struct tar_item){.name = "/lib/absolute", .type = '0', .data = "x"});
    tar_end(&tar);
    deb_make("", &tar, &deb);
    AUTO(auto_package_close) struct package *package = take(*state, &deb);
    assert_int_equal(find(package, "/usr/lib/absolute")->kind, ENTRY_FILE);
}

static void hard_links_to_anything_but_a_file_before_are_refused(void **state)
{
    static const char part[] = "not an earlier regular file";
    REFUSE_ITEMS(*state, part, {.name = "./a", .type = '1', .link = "/etc/passwd"});
    REFUSE_ITEMS(*state, "\"..\" component", {.name = "./a", .type = '1', .link = "../../etc/passwd"});
    REFUSE_ITEMS(*state, part, {.name = "./a", .type = '1', .link = "./a"});
    REFUSE_ITEMS(*state, part, {.name = "./a", .type = '1', .link = "./b"}, {.name = "./b", .type = '0', .data = "x"});
    REFUSE_ITEMS(*state, part, {.name = "./s", .type = '2', .link = "/etc"},
                 {.name = "./a", .type = '1', .link = "./s"});
    REFUSE_ITEMS(*state, part, {.name = "./d/", .type = '5'}, {.name = "./a", .type = '1', .link = "./d"});
}

static void kinds_that_a_package_may_not_ship_are_refused(void **state)
{
    REFUSE_ITEMS(*state, "device node", {.name = "./dev/null", .type = '3', .mode = 0666});
    REFUSE_ITEMS(*state, "device node", {.name = "./dev/sda", .type = '4', .mode = 0660});
    REFUSE_ITEMS(*state, "fifo", {.name = "./run/pipe", .type = '6', .mode = 0600});
    /* GNU's magic after a pax header, and POSIX's: libarchive would take both. */
    for (int is_posix = 0; is_posix < 2; is_posix++) {
        REFUSE_ITEMS(*state, "pax header", {.name = "x", .type = 'x', .is_posix = true, .data = "12 path=yyy\n"},
                     {.name = "./x", .type = '0', .data = "x", .is_posix = is_posix});
        REFUSE_ITEMS(*state, "pax header", {.name = "g", .type = 'g', .is_posix = true, .data = "12 path=yyy\n"},
                     {.name = "./x", .type = '0', .data = "x", .is_posix = is_posix});
    }
    REFUSE_ITEMS(*state, "sparse", {.name = "./a", .type = 'S', .data = "x"});
    REFUSE_ITEMS(*state, "type is unknown", {.name = "./a", .type = 'Z', .data = "x"});
    REFUSE_ITEMS(*state, "type is unknown", {.name = "./a", .type = 'M', .data = "x"});
}

static void a_path_that_comes_twice_must_be_the_same(void **state)
{
    static const char part[] = "there twice";
    const struct tar_item a = {.name = "./a", .type = '0', .data = "x"};
    REFUSE_ITEMS(*state, part, a, {.name = "./a", .type = '0', .data = "y"});
    REFUSE_ITEMS(*state, part, a, {.name = "./a", .type = '0', .mode = 04755, .data = "x"});
    REFUSE_ITEMS(*state, part, a, {.name = "./a", .type = '2', .link = "x"});
    REFUSE_ITEMS(*state, part, a, {.name = "./a/", .type = '5'});
    REFUSE_ITEMS(*state, part, {.name = "./lib/a", .type = '2', .link = "x"},
                 {.name = "./usr/lib/a", .type = '2', .link = "y"});
    AUTO(buf_done) struct buf tar;
    AUTO(buf_done) struct buf deb;
    buf_init(&tar, MAKER_CAP_BYTES);
    tar_put(&tar, (struct tar_item){.name = "./lib/same", .type = '0', .data = "x"});
    tar_put(&tar, (struct tar_item){.name = "./usr/lib/same", .type = '0', .data = "x"});
    tar_end(&tar);
    deb_make("", &tar, &deb);
    AUTO(auto_package_close) struct package *package = take(*state, &deb);
    assert_int_equal(package->count, 1);
}

static void a_link_to_the_same_path_by_its_other_name_is_none(void **state)
{
    static const struct {
        const char *file, *link, *target;
    } cases[] = {{"./bin/y", "./usr/bin/y", "../../bin/y"},
                 {"./bin/y", "./usr/bin/y", "/bin/y"},
                 {"./usr/bin/y", "./bin/y", "../usr/bin/y"},
                 {"./usr/bin/y", "./bin/y", "/usr/bin/y"},
                 {"./usr/lib/p/y", "./lib/p/y", "./../../usr/lib/p/y"}};
    for (size_t i = 0; i < 2 * ARRAY_COUNT(cases); i++) {
        bool is_link_first = i % 2;
        AUTO(buf_done) struct buf tar;
        AUTO(buf_done) struct buf deb;
        struct tar_item file = {.name = cases[i / 2].file, .type = '0', .data = "x"};
        struct tar_item link = {.name = cases[i / 2].link, .type = '2', .link = cases[i / 2].target};
        buf_init(&tar, MAKER_CAP_BYTES);
        tar_put(&tar, is_link_first ? link : file);
        tar_put(&tar, is_link_first ? file : link);
        tar_end(&tar);
        deb_make("", &tar, &deb);
        AUTO(auto_package_close) struct package *package = take(*state, &deb);
        assert_int_equal(package->count, 1);
        assert_int_equal(package->entries[0].kind, ENTRY_FILE);
    }
}

static void of_two_links_to_one_place_the_one_below_usr_counts(void **state)
{
    AUTO(buf_done) struct buf tar;
    AUTO(buf_done) struct buf deb;
    buf_init(&tar, MAKER_CAP_BYTES);
    tar_put(&tar, (struct tar_item){.name = "./bin/y", .type = '2', .link = "x"});
    tar_put(&tar, (struct tar_item){.name = "./usr/bin/y", .type = '2', .link = "../../bin/x"});
    tar_end(&tar);
    deb_make("", &tar, &deb);
    AUTO(auto_package_close) struct package *package = take(*state, &deb);
    assert_int_equal(package->count, 1);
    assert_string_equal(package->entries[0].target, "../../bin/x");
    REFUSE_ITEMS(*state, "there twice", {.name = "./bin/y", .type = '2', .link = "x"},
                 {.name = "./usr/bin/y", .type = '2', .link = "../../sbin/x"});
}

static void nothing_may_lie_below_a_link_or_file(void **state)
{
    REFUSE_ITEMS(*state, "not a directory", {.name = "./a", .type = '2', .link = "/etc"},
                 {.name = "./a/x", .type = '0', .data = "x"});
    REFUSE_ITEMS(*state, "not a directory", {.name = "./a/b/x", .type = '0', .data = "x"},
                 {.name = "./a", .type = '0', .data = "x"});
    REFUSE_ITEMS(*state, "merged /usr", {.name = "./bin", .type = '2', .link = "/opt/bin"});
}

static void tar_sizes_that_lie_are_refused(void **state)
{
    REFUSE_ITEMS(*state, "cut off", {.name = "./a", .type = '0', .data = "x", .size_field = "00000100000"});
    REFUSE_ITEMS(*state, "pass the limit", {.name = "./a", .type = '0', .data = "x", .size_field = "77777777777"});
    REFUSE_ITEMS(*state, "negative",
                 {.name = "./a", .type = '0', .size_field = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"});
    static const char *const odd[] = {"1x", "-1", "0000000008", "\x80\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff", "1 1"};
    for (size_t i = 0; i < ARRAY_COUNT(odd); i++)
        REFUSE_ITEMS(*state, "not a number", {.name = "./a", .type = '0', .data = "x", .size_field = odd[i]});
    REFUSE_ITEMS(*state, "is not a file", {.name = "./d/", .type = '5', .data = "x"});
    REFUSE_ITEMS(*state, "is not a file", {.name = "./a", .type = '0', .data = "x"},
                 {.name = "./b", .type = '1', .link = "./a", .data = "x"});
}

static void a_tar_without_end_or_with_more_after_it_is_refused(void **state)
{
    AUTO(buf_done) struct buf tar;
    AUTO(buf_done) struct buf deb;
    static const char zeros[512];
    buf_init(&tar, MAKER_CAP_BYTES);
    tar_put(&tar, (struct tar_item){.name = "./a", .type = '0', .data = "x"});
    deb_make(".xz", &tar, &deb);
    refuse(*state, &deb, ERR_MALFORMED, "end mark is missing");
    buf_done(&deb);
    maker_add(&tar, zeros, sizeof zeros);
    deb_make(".gz", &tar, &deb);
    refuse(*state, &deb, ERR_MALFORMED, "end mark is missing");
    buf_done(&deb);
    tar_put(&tar, (struct tar_item){.name = "./b", .type = '0', .data = "x"});
    tar_end(&tar);
    deb_make(".zst", &tar, &deb);
    refuse(*state, &deb, ERR_MALFORMED, "after the end");
}

/* Makes a package whose data member is these bytes under this name. */
static void make_with_data(const char *name, const void *bytes, size_t len, struct buf *ret_deb)
{
    AUTO(buf_done) struct buf control;
    control_make(".xz", MAKER_CONTROL, NULL, &control);
    buf_init(ret_deb, MAKER_CAP_BYTES);
    ar_put(ret_deb, "debian-binary/", 1, "2.0\n", 4, NULL);
    ar_put(ret_deb, "control.tar.xz/", 1, control.bytes, control.len, NULL);
    ar_put(ret_deb, name, 1, bytes, len, NULL);
}

static void compressed_streams_that_are_cut_or_followed_by_more_are_refused(void **state)
{
    static const char *const endings[] = {".gz", ".xz", ".zst", ".bz2"};
    AUTO(buf_done) struct buf tar;
    buf_init(&tar, MAKER_CAP_BYTES);
    put_ordinary_items(&tar);
    tar_end(&tar);
    for (size_t i = 0; i < ARRAY_COUNT(endings); i++) {
        AUTO(buf_done) struct buf data;
        char name[17];
        (void)snprintf(name, sizeof name, "data.tar%s", endings[i]);
        compress_as(endings[i], &tar, &data);
        for (size_t cut = 1; cut < data.len; cut += 97) {
            AUTO(buf_done) struct buf deb;
            make_with_data(name, data.bytes, data.len - cut, &deb);
            refuse(*state, &deb, ERR_MALFORMED, name);
        }
        AUTO(buf_done) struct buf deb;
        maker_add(&data, "garbage that is long enough to be looked at", 40);
        make_with_data(name, data.bytes, data.len, &deb);
        refuse(*state, &deb, ERR_MALFORMED, name);
    }
}

static void a_compression_other_than_the_name_says_is_refused(void **state)
{
    AUTO(buf_done) struct buf tar;
    AUTO(buf_done) struct buf once;
    AUTO(buf_done) struct buf twice;
    AUTO(buf_done) struct buf deb;
    buf_init(&tar, MAKER_CAP_BYTES);
    tar_end(&tar);
    compress_as(".gz", &tar, &once);
    compress_as(".gz", &once, &twice);
    make_with_data("data.tar.xz", once.bytes, once.len, &deb);
    refuse(*state, &deb, ERR_MALFORMED, "not compressed as its name says");
    buf_done(&deb);
    make_with_data("data.tar.gz", tar.bytes, tar.len, &deb);
    refuse(*state, &deb, ERR_MALFORMED, "not compressed as its name says");
    buf_done(&deb);
    make_with_data("data.tar.gz", twice.bytes, twice.len, &deb);
    refuse(*state, &deb, ERR_MALFORMED, "data.tar.gz: compressed more than once");
    buf_done(&deb);
    make_with_data("data.tar", once.bytes, once.len, &deb);
    refuse(*state, &deb, ERR_MALFORMED, "data.tar: compressed without saying so");
}

static void ar_headers_that_lie_are_refused(void **state)
{
    static const char *const sizes[][2] = {
        {"9999999999", "but the file only"},
        {"-1", "not a number"},
        {"12a", "not a number"},
        {"", "not a number"},
        {"0x10", "not a number"},
        {" 4", "not a number"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        AUTO(buf_done) struct buf deb;
        buf_init(&deb, MAKER_CAP_BYTES);
        ar_put(&deb, "debian-binary", 1, "2.0\n", 4, sizes[i][0]);
        refuse(*state, &deb, ERR_MALFORMED, sizes[i][1]);
    }
    AUTO(buf_done) struct buf tar;
    AUTO(buf_done) struct buf deb;
    buf_init(&tar, MAKER_CAP_BYTES);
    tar_end(&tar);
    deb_make(".xz", &tar, &deb);
    size_t whole = deb.len;
    for (deb.len = 0; deb.len + 1 < whole; deb.len++)
        refuse(*state, &deb, ERR_MALFORMED, "not a valid Debian package");
}

/* One member of a package to be put together. */
struct part {
    const char *name, *bytes;
};

static void refuse_parts(struct fixture *fixture, const struct part *parts, size_t count, const char *why)
{
    AUTO(buf_done) struct buf deb;
    AUTO(buf_done) struct buf control;
    AUTO(buf_done) struct buf tar;
    control_make("", MAKER_CONTROL, NULL, &control);
    buf_init(&tar, MAKER_CAP_BYTES);
    buf_init(&deb, MAKER_CAP_BYTES);
    tar_end(&tar);
    for (size_t i = 0; i < count; i++) {
        const struct buf *plain = strncmp(parts[i].name, "control", 7) == 0 ? &control : &tar;
        if (parts[i].bytes)
            ar_put(&deb, parts[i].name, 1, parts[i].bytes, strlen(parts[i].bytes), NULL);
        else
            ar_put(&deb, parts[i].name, 1, plain->bytes, plain->len, NULL);
    }
    if (why) {
        refuse(fixture, &deb, ERR_MALFORMED, why);
        return;
    }
    AUTO(auto_package_close) struct package *package = take(fixture, &deb);
    assert_string_equal(package->name, "made");
}

#define PARTS(fixture, why, ...)                                                                                       \
    do {                                                                                                               \
        const struct part parts_[] = {__VA_ARGS__};                                                                    \
        refuse_parts((fixture), parts_, sizeof parts_ / sizeof parts_[0], (why));                                      \
    } while (0)

static void members_missing_repeated_or_out_of_order_are_refused(void **state)
{
    const struct part binary = {"debian-binary", "2.0\n"}, control = {"control.tar", NULL}, data = {"data.tar", NULL};
    PARTS(*state, "no member data.tar", binary, control);
    PARTS(*state, "no member control.tar", binary);
    PARTS(*state, "first member is control.tar", control, data);
    PARTS(*state, "where control.tar", binary, data, control);
    PARTS(*state, "where data.tar", binary, control, control, data);
    PARTS(*state, "after the data", binary, control, data, data);
    PARTS(*state, "after the data", binary, control, data, {"more", "x"});
    PARTS(*state, "where control.tar", binary, {"extra", "x"}, control, data);
    PARTS(*state, "where data.tar", binary, control, {"data.tar.lz4", NULL});
    PARTS(*state, "where control.tar", binary, {"control.tar.bz2", NULL}, data);
    PARTS(*state, "version 2.x", {"debian-binary", "3.0\n"}, control, data);
    PARTS(*state, "version 2.x", {"debian-binary", "2.0"}, control, data);
    PARTS(*state, "version 2.x", {"debian-binary", ""}, control, data);
    PARTS(*state, "first member is _x", {"_x", "x"}, binary, control, data);
}

static void members_for_other_programs_are_passed_over(void **state)
{
    PARTS(*state, NULL, {"debian-binary", "2.1\nmore\n"}, {"_one", "odd"}, {"control.tar", NULL}, {"_two", "x"},
          {"data.tar", NULL}, {"_gpgorigin", "signature"});
}

/* Makes a package with this control member's tar. */
static void make_with_control(const struct tar_item *items, size_t count, struct buf *ret_deb)
{
    AUTO(buf_done) struct buf control;
    AUTO(buf_done) struct buf data;
    buf_init(&control, MAKER_CAP_BYTES);
    buf_init(&data, MAKER_CAP_BYTES);
    buf_init(ret_deb, MAKER_CAP_BYTES);
    for (size_t i = 0; i < count; i++)
        tar_put(&control, items[i]);
    tar_end(&control);
    tar_end(&data);
    ar_put(ret_deb, "debian-binary", 1, "2.0\n", 4, NULL);
    ar_put(ret_deb, "control.tar", 1, control.bytes, control.len, NULL);
    ar_put(ret_deb, "data.tar", 1, data.bytes, data.len, NULL);
}

#define REFUSE_CONTROL(fixture, kind, why, ...)                                                                        \
    do {                                                                                                               \
        const struct tar_item items_[] = {__VA_ARGS__};                                                                \
        AUTO(buf_done) struct buf deb_;                                                                                \
        make_with_control(items_, sizeof items_ / sizeof items_[0], &deb_);                                            \
        refuse((fixture), &deb_, (kind), (why));                                                                       \
    } while (0)

#define CONTROL_ITEM(text)                                                                                             \
    {                                                                                                                  \
        .name = "./control", .type = '0', .data = (text)                                                               \
    }

static void a_control_file_that_is_missing_twice_or_odd_is_refused(void **state)
{
    REFUSE_CONTROL(*state, ERR_MALFORMED, "has no control file", {.name = "./", .type = '5'});
    REFUSE_CONTROL(*state, ERR_MALFORMED, "there twice", CONTROL_ITEM(MAKER_CONTROL), CONTROL_ITEM(MAKER_CONTROL));
    REFUSE_CONTROL(*state, ERR_MALFORMED, "not a regular file", {.name = "./control", .type = '2', .link = "/etc/x"});
    REFUSE_CONTROL(*state, ERR_MALFORMED, "NUL", {.name = "./control", .type = '0', .data = "a\0b", .size = 3});
    REFUSE_CONTROL(*state, ERR_MALFORMED, "no field Version", CONTROL_ITEM("Package: made\nArchitecture: amd64\n"));
    REFUSE_CONTROL(*state, ERR_MALFORMED, "empty", {.name = "./control", .type = '0', .data = ""});
}

static void a_control_file_of_another_package_is_not_trusted(void **state)
{
    REFUSE_CONTROL(*state, ERR_TRUST, "wrong package: its control file says Package evil, the index says made",
                   CONTROL_ITEM("Package: evil\nVersion: 1.0-1\nArchitecture: amd64\n"));
    REFUSE_CONTROL(*state, ERR_TRUST, "wrong package: its control file says Version 0.9",
                   CONTROL_ITEM("Package: made\nVersion: 0.9\nArchitecture: amd64\n"));
    REFUSE_CONTROL(*state, ERR_TRUST, "wrong package: its control file says Architecture arm64",
                   CONTROL_ITEM("Package: made\nVersion: 1.0-1\nArchitecture: arm64\n"));
}

static void a_decompression_bomb_is_stopped(void **state)
{
    struct fixture *fixture = *state;
    static const char *const endings[] = {".xz", ".zst", ".gz"};
    AUTO(buf_done) struct buf tar;
    buf_init(&tar, MAKER_CAP_BYTES);
    AUTO(auto_free) char *zeros = calloc(1, (size_t)32 << 20);
    tar_put(&tar, (struct tar_item){.name = "./zeros", .type = '0', .data = zeros, .size = (size_t)32 << 20});
    tar_end(&tar);
    for (size_t i = 0; i < ARRAY_COUNT(endings); i++) {
        AUTO(buf_done) struct buf deb;
        struct err err = {0};
        deb_make(endings[i], &tar, &deb);
        struct package_expect expect = expect_of(&deb);
        struct unpack_limits limits = unpack_limits_for(deb.len);
        limits.unpacked_bytes = (uint64_t)1 << 20;
        assert_false(package_unpack_within(fixture->store, (struct text){deb.bytes, deb.len}, &expect, &limits, &err));
        CHECK_ERR(&err, ERR_MALFORMED, "entry ./zeros: 33554432 bytes, which pass the limit of 1048576");
    }
}

/* The bytes are after the end of the archive, so that no entry tells of them. */
static void a_bomb_behind_the_archive_is_stopped_by_the_ratio(void **state)
{
    AUTO(buf_done) struct buf plain;
    AUTO(buf_done) struct buf deb;
    buf_init(&plain, MAKER_CAP_BYTES);
    assert_true(buf_reserve(&plain, (size_t)96 << 20));
    memset(plain.bytes, 0, (size_t)96 << 20);
    plain.len = (size_t)96 << 20;
    /* 96 MiB become about 3 KiB: less than a 4096th of what is above the 64 MiB that are always allowed. */
    deb_make(".zst", &plain, &deb);
    struct unpack_limits limits = unpack_limits_for(deb.len);
    if (limits.unpacked_bytes < plain.len)
        refuse(*state, &deb, ERR_MALFORMED, "unpacks to more than");
    else
        fail_msg("the bomb of %zu bytes is too large for this test", deb.len);
}

static void the_limits_follow_the_size_of_the_package(void **state)
{
    (void)state;
    assert_int_equal(unpack_limits_for(0).unpacked_bytes, (uint64_t)64 << 20);
    assert_int_equal(unpack_limits_for(1000).unpacked_bytes, ((uint64_t)64 << 20) + 4096000);
    assert_int_equal(unpack_limits_for((size_t)1 << 40).unpacked_bytes, PACKAGE_MAX_BYTES);
    assert_int_equal(unpack_limits_for(SIZE_MAX).unpacked_bytes, PACKAGE_MAX_BYTES);
}

static void too_many_entries_or_names_are_refused(void **state)
{
    struct fixture *fixture = *state;
    AUTO(buf_done) struct buf tar;
    AUTO(buf_done) struct buf deb;
    buf_init(&tar, MAKER_CAP_BYTES);
    put_ordinary_items(&tar);
    tar_end(&tar);
    deb_make(".xz", &tar, &deb);
    struct package_expect expect = expect_of(&deb);
    struct text bytes = {deb.bytes, deb.len};
    struct err err = {0};
    struct unpack_limits limits = unpack_limits_for(deb.len);
    limits.entries = 5;
    assert_false(package_unpack_within(fixture->store, bytes, &expect, &limits, &err));
    CHECK_ERR(&err, ERR_MALFORMED, "more than 5 entries");
    err_clear(&err);
    limits = unpack_limits_for(deb.len);
    limits.name_bytes = 60;
    assert_false(package_unpack_within(fixture->store, bytes, &expect, &limits, &err));
    CHECK_ERR(&err, ERR_MALFORMED, "more than 60 bytes of names");
}

/* The store's own trailer, which it checks. */
#define STORE_TRAILER_BYTES 88

/* Changes one byte of the only unpacked package of the store, counted from its beginning, or negative from the end of what was given
 * to the store. */
static void damage(const char *dir, long at)
{
    char pattern[600];
    glob_t found = {0};
    (void)snprintf(pattern, sizeof pattern, "%s/v1/derived/unpacked/*/*", dir);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    assert_int_equal(found.gl_pathc, 1);
    assert_int_equal(chmod(found.gl_pathv[0], 0600), 0);
    AUTO(auto_close_file) FILE *file = fopen(found.gl_pathv[0], "r+b");
    assert_non_null(file);
    assert_int_equal(at < 0 ? fseek(file, at - (long)STORE_TRAILER_BYTES, SEEK_END) : fseek(file, at, SEEK_SET), 0);
    int byte = fgetc(file);
    assert_int_equal(fseek(file, -1, SEEK_CUR), 0);
    assert_int_equal(fputc(byte ^ 0x40, file), byte ^ 0x40);
    globfree(&found);
}

static void a_damaged_unpacked_file_is_dropped_and_can_be_made_again(void **state)
{
    struct fixture *fixture = *state;
    AUTO(buf_done) struct buf tar;
    AUTO(buf_done) struct buf deb;
    char dir[300];
    struct store *store = NULL;
    struct err err = {0};
    buf_init(&tar, MAKER_CAP_BYTES);
    put_ordinary_items(&tar);
    tar_end(&tar);
    deb_make(".xz", &tar, &deb);
    struct package_expect expect = expect_of(&deb);
    (void)snprintf(dir, sizeof dir, "%s/own", fixture->dir);
    CHECK_OK(store_open(dir, NULL, &store, &err), &err);
    /* Trailer and tables are about 1500 bytes; the first file's 600 bytes have a digest of their own. */
    for (long at = -1399; at < 600; at += 13) {
        struct package *package = NULL;
        bool is_found = true;
        CHECK_OK(package_unpack(store, (struct text){deb.bytes, deb.len}, &expect, &err), &err);
        damage(dir, at);
        CHECK_OK(package_open(store, &expect, &package, &is_found, &err), &err);
        assert_false(is_found);
    }
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_package_in_every_compression_gives_its_entries),
        cmocka_unit_test(a_package_by_dpkg_deb_is_read),
        cmocka_unit_test(a_package_without_files_is_fine),
        cmocka_unit_test(long_names_of_gnu_tar_are_read),
        cmocka_unit_test(names_that_leave_the_root_are_refused),
        cmocka_unit_test(an_absolute_name_stays_inside_the_root),
        cmocka_unit_test(hard_links_to_anything_but_a_file_before_are_refused),
        cmocka_unit_test(kinds_that_a_package_may_not_ship_are_refused),
        cmocka_unit_test(a_path_that_comes_twice_must_be_the_same),
        cmocka_unit_test(a_link_to_the_same_path_by_its_other_name_is_none),
        cmocka_unit_test(of_two_links_to_one_place_the_one_below_usr_counts),
        cmocka_unit_test(nothing_may_lie_below_a_link_or_file),
        cmocka_unit_test(tar_sizes_that_lie_are_refused),
        cmocka_unit_test(a_tar_without_end_or_with_more_after_it_is_refused),
        cmocka_unit_test(compressed_streams_that_are_cut_or_followed_by_more_are_refused),
        cmocka_unit_test(a_compression_other_than_the_name_says_is_refused),
        cmocka_unit_test(ar_headers_that_lie_are_refused),
        cmocka_unit_test(members_missing_repeated_or_out_of_order_are_refused),
        cmocka_unit_test(members_for_other_programs_are_passed_over),
        cmocka_unit_test(a_control_file_that_is_missing_twice_or_odd_is_refused),
        cmocka_unit_test(a_control_file_of_another_package_is_not_trusted),
        cmocka_unit_test(a_decompression_bomb_is_stopped),
        cmocka_unit_test(a_bomb_behind_the_archive_is_stopped_by_the_ratio),
        cmocka_unit_test(the_limits_follow_the_size_of_the_package),
        cmocka_unit_test(too_many_entries_or_names_are_refused),
        cmocka_unit_test(a_damaged_unpacked_file_is_dropped_and_can_be_made_again),
    };
    elf_init();
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
