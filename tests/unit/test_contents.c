/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "source/contents.h"

static const char sample[] = "This file maps each file available in the archive.\n"
                             "FILE                                                    LOCATION\n"
                             "bin/bash                                                shells/bash\n"
                             "lib/x86_64-linux-gnu/libz.so.1                          libs/zlib1g\n"
                             "opt/vendor/bin/tool\tcontrib/net/vendor-tool\n"
                             "usr/lib/firmware/x.bin                                  kernel/firmware-x\n"
                             "usr/lib/ocf/dhcpd                                       admin/resource-agents\n"
                             "usr/sbin/dhcpd    net/isc-dhcp-server,net/isc-dhcp-server-ldap\n"
                             "usr/sbin/name with  blanks                              net/blanks\n"
                             "usr/share/doc/bash/copyright                            shells/bash\n"
                             "./usr/bin/dotted                                        net/dotted\n";

/* Builds from the text, fed in pieces of `step` bytes. */
static void build(const char *text, size_t step, struct buf *bytes, struct contents *contents)
{
    struct err err = {0};
    AUTO(contents_builder_done) struct contents_builder builder;
    contents_builder_begin(&builder, "Contents-amd64");
    for (size_t at = 0, len = strlen(text); at < len; at += step) {
        /* a copy of its own, so that asan sees what is kept beyond a piece's life */
        size_t piece = len - at < step ? len - at : step;
        char *copy = malloc(piece);
        memcpy(copy, text + at, piece);
        CHECK_OK(contents_feed(&builder.reader, (struct text){copy, piece}, &err), &err);
        free(copy);
    }
    CHECK_OK(contents_builder_end(&builder, bytes, &err), &err);
    assert_true(contents_open((struct text){bytes->bytes, bytes->len}, contents));
}

static void check_owners(const struct contents *contents, const char *path, const char *wanted)
{
    AUTO(arena_done) struct arena arena = {0};
    struct strings names = {0};
    contents_find(contents, &arena, contents_canonical(&arena, path), &names);
    assert_string_equal(strings_join(&arena, &names, " "), wanted);
}

static void test_paths_are_found_whatever_the_pieces_were(void **state)
{
    (void)state;
    static const size_t steps[] = {1, 2, 3, 7, 64, 100000};
    for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
        struct buf bytes;
        struct contents contents;
        build(sample, steps[i], &bytes, &contents);
        check_owners(&contents, "/usr/sbin/dhcpd", "isc-dhcp-server isc-dhcp-server-ldap");
        check_owners(&contents, "/opt/vendor/bin/tool", "vendor-tool");
        check_owners(&contents, "/usr/sbin/name with  blanks", "blanks");
        check_owners(&contents, "/usr/bin/dotted", "dotted");
        check_owners(&contents, "/usr/sbin/absent", "");
        check_owners(&contents, "/dhcpd", "");
        check_owners(&contents, "", "");
        buf_done(&bytes);
    }
}

static void test_bin_and_usr_bin_are_one(void **state)
{
    (void)state;
    struct buf bytes;
    struct contents contents;
    build(sample, 4096, &bytes, &contents);
    check_owners(&contents, "/bin/bash", "bash");
    check_owners(&contents, "/usr/bin/bash", "bash");
    check_owners(&contents, "//usr//bin/bash", "bash");
    check_owners(&contents, "/sbin/dhcpd", "isc-dhcp-server isc-dhcp-server-ldap");
    check_owners(&contents, "/usr/lib/x86_64-linux-gnu/libz.so.1", "zlib1g");
    buf_done(&bytes);
}

static void test_alike_paths_are_named_programs_first(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct buf bytes;
    struct contents contents;
    struct strings hints = {0};
    build(sample, 4096, &bytes, &contents);
    contents_find_alike(&contents, &arena, "usr/bin/dhcpd", 3, &hints);
    assert_int_equal(hints.count, 2);
    assert_string_equal(hints.items[0], "/usr/sbin/dhcpd is in isc-dhcp-server,isc-dhcp-server-ldap");
    assert_string_equal(hints.items[1], "/usr/lib/ocf/dhcpd is in resource-agents");
    buf_done(&bytes);
}

static void test_the_loaders_configuration_is_kept_and_nothing_that_begins_like_it(void **state)
{
    (void)state;
    bool is_merged;
    assert_true(contents_keeps_raw(TEXT("etc/ld.so.conf"), &is_merged));
    assert_true(contents_keeps_raw(TEXT("etc/ld.so.conf  libs/libc-bin"), &is_merged));
    assert_true(contents_keeps_raw(TEXT("etc/ld.so.conf\tlibs/libc-bin"), &is_merged));
    assert_false(contents_keeps_raw(TEXT("etc/ld.so.config  libs/libc-bin"), &is_merged));
    assert_false(is_merged);
}

static void test_bulk_data_is_not_kept_but_found_by_a_scan(void **state)
{
    (void)state;
    static const struct {
        const char *path, *owners;
        bool is_kept;
    } cases[] = {{"/usr/share/doc/bash/copyright", "bash", false},
                 {"/usr/lib/firmware/x.bin", "firmware-x", false},
                 {"/lib/firmware/x.bin", "firmware-x", false},
                 {"/usr/sbin/name with  blanks", "blanks", true},
                 {"/usr/bin/bash", "bash", true},
                 {"/usr/share/absent", "", false}};
    struct err err = {0};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO(arena_done) struct arena arena = {0};
        struct contents_scan scan;
        const char *path = contents_canonical(&arena, cases[i].path);
        assert_int_equal(contents_keeps(text_of(path)), cases[i].is_kept);
        contents_scan_begin(&scan, &arena, "Contents", path);
        CHECK_OK(contents_feed(&scan.reader, (struct text){sample, 50}, &err), &err);
        CHECK_OK(contents_feed(&scan.reader, text_of(sample + 50), &err), &err);
        contents_feed_end(&scan.reader);
        assert_string_equal(strings_join(&arena, &scan.owners, " "), cases[i].owners);
        contents_reader_done(&scan.reader);
    }
}

static void check_services(const struct contents *contents, const char *package, const char *wanted)
{
    AUTO(arena_done) struct arena arena = {0};
    struct strings paths = {0};
    contents_services(contents, &arena, package, &paths);
    assert_string_equal(strings_join(&arena, &paths, " "), wanted);
}

static void add_place(void *taker, const struct contents_place *place)
{
    assert_true(buf_printf(taker, "%s %s;", place->dir, place->owners));
}

static void test_services_of_a_package_are_found_by_its_name(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf bytes;
    AUTO(buf_done) struct buf said;
    struct contents contents;
    build("etc/init.d/nsd net/nsd,net/other\n"
          "lib/systemd/system/nsd.service net/nsd\n"
          "usr/lib/systemd/system/nsd.socket net/nsd=0123\n"
          "usr/lib/systemd/system/nsd.timer net/nsd\n"
          "usr/lib/systemd/system/nsd.service.d/x.service net/nsd\n"
          "usr/lib/systemd/user/nsd.service net/nsd\n"
          "etc/init.d/nsd.d/x net/nsd\n"
          "etc/nsd/nsd.service net/nsd\n"
          "usr/sbin/nsd net/nsd\n",
          7, &bytes, &contents);
    check_services(&contents, "nsd",
                   "etc/init.d/nsd usr/lib/systemd/system/nsd.service usr/lib/systemd/system/nsd.socket");
    check_services(&contents, "other", "etc/init.d/nsd");
    check_services(&contents, "ns", "");
    check_owners(&contents, "/etc/init.d/nsd", "nsd other");
    check_owners(&contents, "//nsd", "");
    buf_init(&said, 1000);
    contents_each(&contents, "nsd", add_place, &said);
    assert_string_equal(said.bytes, "etc/init.d nsd,other;usr/sbin nsd;");
}

static void test_packages_that_have_files_in_a_folder_are_found_by_it(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf bytes;
    struct contents contents;
    struct arena arena = {0};
    struct strings names = {0};
    build("etc/ld.so.conf.d/a.conf libs/liba\n"
          "etc/ld.so.conf.d/deeper/b.conf libs/libb\n"
          "etc/ld.so.conf libs/libc\n"
          "usr/share/pam-configs/x admin/pam-x,admin/pam-y\n"
          "usr/share/doc/x admin/doc\n",
          7, &bytes, &contents);
    contents_find_in_folder(&contents, &arena, "etc/ld.so.conf.d", &names);
    assert_string_equal(strings_join(&arena, &names, " "), "liba");
    contents_find_in_folder(&contents, &arena, "usr/share/pam-configs", &names);
    assert_string_equal(strings_join(&arena, &names, " "), "liba pam-x pam-y");
    contents_find_in_folder(&contents, &arena, "usr/share/doc", &names);
    assert_int_equal(names.count, 3);
    check_owners(&contents, "/etc/ld.so.conf.d/a.conf", "liba");
    check_owners(&contents, "/etc/ld.so.conf", "libc");
    check_owners(&contents, "///etc/ld.so.conf.d", "");
    arena_done(&arena);
}

static void test_an_empty_text_has_no_paths(void **state)
{
    (void)state;
    struct buf bytes;
    struct contents contents;
    build("", 1, &bytes, &contents);
    check_owners(&contents, "/usr/sbin/dhcpd", "");
    buf_done(&bytes);
}

static void test_odd_lines_are_passed_over(void **state)
{
    (void)state;
    struct buf bytes;
    struct contents contents;
    build("usr/bin/\nusr/bin/ net/x\nusr/bin/a\n\n   \nusr/bin/b net/\nusr/bin/c net/c\n/\nusr/bin/d ,,x/d,", 1000,
          &bytes, &contents);
    check_owners(&contents, "/usr/bin/a", "");
    check_owners(&contents, "/usr/bin/b", "");
    check_owners(&contents, "/usr/bin/c", "c");
    check_owners(&contents, "/usr/bin/d", "d");
    buf_done(&bytes);
}

static void test_an_endless_line_is_refused(void **state)
{
    (void)state;
    AUTO(contents_builder_done) struct contents_builder builder;
    struct err err = {0};
    contents_builder_begin(&builder, "Contents-amd64");
    static char piece[65536];
    memset(piece, 'a', sizeof piece);
    bool is_good = true;
    for (int i = 0; i < 64 && is_good; i++)
        is_good = contents_feed(&builder.reader, (struct text){piece, sizeof piece}, &err);
    assert_false(is_good);
    CHECK_ERR(&err, ERR_MALFORMED, "a line longer than");
}

static void test_a_damaged_table_does_not_open(void **state)
{
    (void)state;
    struct buf bytes;
    struct contents contents;
    build(sample, 4096, &bytes, &contents);
    for (size_t i = 0; i < bytes.len; i++) {
        bytes.bytes[i] ^= 0x41;
        char *copy = malloc(bytes.len);
        memcpy(copy, bytes.bytes, bytes.len);
        assert_false(contents_open((struct text){copy, bytes.len}, &contents));
        free(copy);
        bytes.bytes[i] ^= 0x41;
        assert_false(contents_open((struct text){bytes.bytes, i}, &contents));
    }
    buf_done(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_are_found_whatever_the_pieces_were),
        cmocka_unit_test(test_bin_and_usr_bin_are_one),
        cmocka_unit_test(test_alike_paths_are_named_programs_first),
        cmocka_unit_test(test_the_loaders_configuration_is_kept_and_nothing_that_begins_like_it),
        cmocka_unit_test(test_bulk_data_is_not_kept_but_found_by_a_scan),
        cmocka_unit_test(test_services_of_a_package_are_found_by_its_name),
        cmocka_unit_test(test_packages_that_have_files_in_a_folder_are_found_by_it),
        cmocka_unit_test(test_an_empty_text_has_no_paths),
        cmocka_unit_test(test_odd_lines_are_passed_over),
        cmocka_unit_test(test_an_endless_line_is_refused),
        cmocka_unit_test(test_a_damaged_table_does_not_open),
    };
    return cmocka_run_group_tests_name("contents", tests, NULL, NULL);
}
