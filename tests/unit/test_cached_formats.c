/* SPDX-License-Identifier: Apache-2.0 */
/* The rule is told in cached_format.h; the formats of RPM metadata are in test_rpm_catalog.c. */
#include "cached_format.h"
#include "check.h"

#include "base/auto.h"
#include "deb/deb_index.h"
#include "formats/formats.h"
#include "package/pack.h"
#include "source/contents.h"

static void an_index_of_packages_has_the_bytes_of_its_format(void **state)
{
    (void)state;
    static const char packages[] =
        "Package: libc6\nSource: glibc (2.36-9)\nVersion: 2.36-9+deb12u1\nArchitecture: amd64\nSection: libs\n"
        "Priority: required\nMulti-Arch: same\nDepends: libgcc-s1,\n libcrypt1 (>= 1:4.4)\nPre-Depends: a\n"
        "Recommends: libnss\nConflicts: b\nBreaks: c\nDescription: C\n library\nFilename: pool/libc6.deb\nSize: "
        "12\nSHA256: abc\n\n"
        "Package: sendmail-bin\nVersion: 2\nProvides: mail-transport-agent (= 2), sendmail\n";
    AUTO(buf_done) struct buf bytes = {0};
    struct err err = {0};
    CHECK_OK(deb_index_build(TEXT(packages), "Packages", NULL, &bytes, &err), &err);
    struct digest digest = digest_of(bytes.bytes, bytes.len);
    expect_bytes(DEB_INDEX_FORMAT, "deb-index 4", &digest,
                 "d4046ab474702346a5f5adf3287c29c6083f701c32c25376607776587fcab3e3");
}

static void a_table_of_paths_has_the_bytes_of_its_format(void **state)
{
    (void)state;
    AUTO(contents_builder_done) struct contents_builder builder;
    AUTO(buf_done) struct buf bytes = {0};
    struct err err = {0};
    contents_builder_begin(&builder, "Contents");
    CHECK_OK(contents_feed(&builder.reader,
                           TEXT("bin/ls utils/coreutils\nusr/sbin/dhcpd net/isc-dhcp-server,net/isc-dhcp-server-ldap\n"
                                "usr/lib/x86_64-linux-gnu/libc.so.6 libs/libc6\nlib/systemd/system/d.service net/d\n"),
                           &err),
             &err);
    contents_feed_end(&builder.reader);
    CHECK_OK(contents_builder_end(&builder, &bytes, &err), &err);
    struct digest digest = digest_of(bytes.bytes, bytes.len);
    expect_bytes(CONTENTS_FORMAT, "contents 3", &digest,
                 "70a21f9161fe4a3d08a1825d4b2e06f10a0e6835c7ca953508233eb45d67ba92");
}

static struct package sample_package(struct arena *arena)
{
    static const char *const needed[] = {"libc.so.6"};
    struct package package = {.format = formats_find("deb"),
                              .name = "served",
                              .version = "1-2",
                              .architecture = "amd64",
                              .build_time = 1700000000,
                              .digest = digest_of("deb", 3),
                              .count = 3};
    struct elf_facts *elf = arena_new(arena, struct elf_facts);
    *elf = (struct elf_facts){
        .machine = 62, .type = 3, .elf_class = 2, .soname = "libx.so.1", .needed = {(const char **)needed, 1, 1}};
    package.entries = arena_new_array(arena, struct entry, 3);
    package.entries[0] =
        (struct entry){.path = "/usr", .kind = ENTRY_DIRECTORY, .mode = 0755, .owner = "root", .group = "root"};
    package.entries[1] = (struct entry){.path = "/usr/l", .kind = ENTRY_SYMLINK, .mode = 0777, .target = "x"};
    package.entries[2] = (struct entry){.path = "/usr/x",
                                        .kind = ENTRY_FILE,
                                        .mode = 04755,
                                        .uid = 1,
                                        .gid = 2,
                                        .mtime = -3,
                                        .size_bytes = 4,
                                        .digest = digest_of("data", 4),
                                        .elf = elf,
                                        .interpreter = "/bin/sh",
                                        .capability = TEXT("cap"),
                                        .is_documentation = true};
    list_add(arena, &package.scripts, (struct package_script){"postinst", "#!/bin/sh\n"});
    list_add(arena, &package.facts, (struct package_fact){"control", "Package: served\n"});
    return package;
}

static void an_unpacked_package_has_the_bytes_of_its_format(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    AUTO(blob_abandon) struct blob blob = {0};
    const char *dir = check_temporary_dir();
    struct package package = sample_package(&arena);
    const uint64_t offsets[] = {0, 0, 16};
    struct store *store;
    struct digest digest;
    struct err err = {0};
    CHECK_OK(store_open(dir, NULL, &store, &err), &err);
    CHECK_OK(blob_begin(store, &blob, &err), &err);
    CHECK_OK(pack_write_tables(&blob, &package, offsets, &err), &err);
    CHECK_OK(blob_commit(&blob, NULL, &digest, &err), &err);
    store_close(store);
    assert_int_equal(system(arena_printf(&arena, "rm -rf '%s'", dir)), 0);
    expect_bytes(PACK_MAGIC, "imgfactory pack6", &digest,
                 "cfaa8a95484a3054ce55ccd86e980c37d3bef2fd5d2845edd7a2c3ce004c8607");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_index_of_packages_has_the_bytes_of_its_format),
        cmocka_unit_test(a_table_of_paths_has_the_bytes_of_its_format),
        cmocka_unit_test(an_unpacked_package_has_the_bytes_of_its_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
