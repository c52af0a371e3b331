/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include "base/auto.h"
#include "formats/formats.h"

#include <elf.h>
#include <sys/stat.h>

#define GOOD                                                                                                           \
    "oci: {os: linux, architecture: arm, variant: v7}\n"                                                               \
    "elf: {machine: EM_ARM, class: 32, byte-order: little}\n"                                                          \
    "deb: armhf\nrpm: armv7hl\ntriplet: arm-linux-gnueabihf\n"                                                         \
    "loaders: [/lib/ld-linux-armhf.so.3]\nlibrary-dirs: [/usr/lib]\nlib-token: lib\nplatform-token: v7l\n"             \
    "cache-flags: 2307\nroot-links: [bin]\nmachine-names: [armv7l]\n"

/* The good file with one part replaced. */
static const char *with(struct folder *folder, const char *old, const char *new)
{
    const char *at = strstr(GOOD, old);
    assert_non_null(at);
    size_t before = (size_t)(strlen(GOOD) - strlen(at));
    return arena_printf(&folder->arena, "%.*s%s%s", (int)before, GOOD, new, at + strlen(old));
}

static bool load(struct arena *arena, const char *dir, struct arches *ret_arches, struct err *err)
{
    struct arch_keys keys = formats_arch_keys(arena);
    return arches_load(arena, dir, &keys, ret_arches, err);
}

static void expect_refused(struct folder *folder, const char *text, const char *part)
{
    struct arches arches = {0};
    struct err err = {0};
    put(folder, "bad", text);
    if (load(&folder->arena, folder->dir, &arches, &err))
        fail_msg("accepted, although \"%s\" was wanted", part);
    CHECK_ERR(&err, ERR_USAGE, arena_printf(&folder->arena, "%s/bad.yaml:%s", folder->dir, part));
    assert_null(arches.items);
}

static struct arches load_ours(struct arena *arena)
{
    struct arches arches = {0};
    struct err err = {0};
    CHECK_OK(load(arena, SOURCE_DIR "/arches", &arches, &err), &err);
    return arches;
}

static void our_files_describe_the_six_architectures(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct arches arches = load_ours(&arena);
    static const struct {
        const char *name, *oci, *variant, *deb, *loader;
        uint16_t machine;
        uint8_t class_bits;
        bool is_big;
    } wanted[] = {
        {"aarch64", "arm64", "v8", "arm64", "/lib/ld-linux-aarch64.so.1", EM_AARCH64, 64, false},
        {"armv7", "arm", "v7", "armhf", "/lib/ld-linux-armhf.so.3", EM_ARM, 32, false},
        {"ppc64le", "ppc64le", NULL, "ppc64el", "/lib64/ld64.so.2", EM_PPC64, 64, false},
        {"riscv64", "riscv64", NULL, "riscv64", "/lib/ld-linux-riscv64-lp64d.so.1", EM_RISCV, 64, false},
        {"s390x", "s390x", NULL, "s390x", "/lib/ld64.so.1", EM_S390, 64, true},
        {"x86_64", "amd64", NULL, "amd64", "/lib64/ld-linux-x86-64.so.2", EM_X86_64, 64, false},
    };
    assert_int_equal(arches.count, ARRAY_COUNT(wanted));
    for (size_t i = 0; i < arches.count; i++) {
        const struct arch *arch = &arches.items[i];
        assert_string_equal(arch->name, wanted[i].name);
        assert_string_equal(arch->oci_os, "linux");
        assert_string_equal(arch->oci_architecture, wanted[i].oci);
        assert_string_equal(arch->oci_variant ? arch->oci_variant : "-", wanted[i].variant ? wanted[i].variant : "-");
        assert_string_equal(arch_name(arch, "deb"), wanted[i].deb);
        assert_string_equal(arch->loaders.items[0], wanted[i].loader);
        assert_int_equal(arch->elf_machine, wanted[i].machine);
        assert_int_equal(arch->elf_class, wanted[i].class_bits);
        assert_int_equal(arch->is_big_endian, wanted[i].is_big);
        assert_string_equal(arch->library_dirs.items[0], arena_printf(&arena, "/usr/lib/%s", arch->triplet));
        assert_string_equal(arch->library_dirs.items[arch->library_dirs.count - 1], "/usr/lib");
        assert_string_equal(arch->lib_token, arena_printf(&arena, "lib/%s", arch->triplet));
        assert_true(strings_has(&arch->root_links, "lib"));
        /* a loader in /lib64 can only be found when that link is there */
        assert_true(strncmp(wanted[i].loader, "/lib64/", 7) != 0 || strings_has(&arch->root_links, "lib64"));
    }
}

static void the_readmes_examples_are_good_files(void **state)
{
    struct folder *folder = *state;
    struct strings texts = examples(folder, "arches/README.md", "");
    for (size_t i = 0; i < texts.count; i++)
        put(folder, arena_printf(&folder->arena, "example%zu", i), texts.items[i]);
    struct arches arches;
    struct err err = {0};
    CHECK_OK(load(&folder->arena, folder->dir, &arches, &err), &err);
    assert_int_equal(arches.count, texts.count);
    assert_int_equal(arches.count, 2);
    assert_int_equal(arches.items[0].elf_machine, 258);
    assert_string_equal(arch_name(&arches.items[0], "rpm-base"),
                        "loongarch64"); /* the name of the architecture unless it is given */
    assert_int_equal(arches.items[1].elf_machine, EM_ARM);
    assert_string_equal(arch_name(&arches.items[1], "rpm-base"), "arm");
}

static void an_architecture_is_found_by_any_of_its_names(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct arches arches = load_ours(&arena);
    static const char *const names[][2] = {
        {"x86_64", "x86_64"},    {"amd64", "x86_64"},           {"linux/amd64", "x86_64"}, {"arm64", "aarch64"},
        {"arm64/v8", "aarch64"}, {"linux/arm64/v8", "aarch64"}, {"armhf", "armv7"},        {"armv7hl", "armv7"},
        {"arm", "armv7"},        {"linux/arm/v7", "armv7"},     {"ppc64el", "ppc64le"},    {"s390x", "s390x"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        const struct arch *arch;
        struct err err = {0};
        CHECK_OK(arches_find(&arches, names[i][0], &arch, &err), &err);
        assert_string_equal(arch->name, names[i][1]);
    }
}

static void an_unknown_architecture_lists_the_known_and_the_nearest(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct arches arches = load_ours(&arena);
    const struct arch *arch;
    struct err err = {0};
    assert_false(arches_find(&arches, "aarch46", &arch, &err));
    CHECK_ERR(&err, ERR_USAGE, "unknown architecture 'aarch46'; did you mean 'aarch64'?");
    CHECK_ERR(&err, ERR_USAGE, "aarch64, armv7, ppc64le, riscv64, s390x, x86_64");
    static const char *const unknown[] = {"", "vax", "arm64/v7", "linux/", "arm64/", "freebsd/amd64", "X86_64"};
    for (size_t i = 0; i < ARRAY_COUNT(unknown); i++) {
        err_clear(&err);
        assert_false(arches_find(&arches, unknown[i], &arch, &err));
        CHECK_ERR(&err, ERR_USAGE, "unknown architecture");
    }
}

static void a_hwcaps_name_of_no_architecture_lists_the_known_and_the_nearest(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct arches arches = load_ours(&arena);
    struct strings names = {0};
    struct err err = {0};
    CHECK_OK(arches_check_hwcaps(&arches, &names, &err), &err);
    list_add(&arena, &names, "power9");
    list_add(&arena, &names, "x86-64-v3");
    CHECK_OK(arches_check_hwcaps(&arches, &names, &err), &err);
    list_add(&arena, &names, "x86_64-v3");
    assert_false(arches_check_hwcaps(&arches, &names, &err));
    CHECK_ERR(&err, ERR_USAGE, "unknown glibc-hwcaps directory 'x86_64-v3'; did you mean 'x86-64-v3'?");
    CHECK_ERR(&err, ERR_USAGE, "Known: power10, power9, z16, z15, z14, z13, x86-64-v4, x86-64-v3, x86-64-v2");
}

static void a_further_formats_keys_are_known_where_they_are_given(void **state)
{
    struct folder *folder = *state;
    static const struct arch_key table[] = {{.key = "pacman", .otherwise = "rpm", .is_alias = true},
                                            {.key = "pacman-port", .otherwise = "pacman"}};
    struct arch_keys keys = formats_arch_keys(&folder->arena);
    struct arches arches;
    const struct arch *arch;
    struct err err = {0};
    for (size_t i = 0; i < ARRAY_COUNT(table); i++)
        list_add(&folder->arena, &keys, &table[i]);
    put(folder, "armv7", with(folder, "rpm:", "pacman: armv7h\nrpm:"));
    /* a file from before there was that format */
    put(folder, "armv6",
        arena_printf(&folder->arena, "%.*s[armv6l]\n", (int)(strrchr(GOOD, '[') - GOOD), with(folder, "v7}", "v6}")));
    CHECK_OK(arches_load(&folder->arena, folder->dir, &keys, &arches, &err), &err);
    assert_string_equal(arch_name(&arches.items[0], "pacman"), "armv7hl");
    assert_string_equal(arch_name(&arches.items[0], "pacman-port"), "armv7hl");
    CHECK_OK(arches_find(&arches, "armv7h", &arch, &err), &err);
    assert_string_equal(arch_name(arch, "pacman-port"), "armv7h");
    assert_null(arch_name(arch, "apk"));
    assert_false(load(&folder->arena, folder->dir, &arches, &err));
    CHECK_ERR(&err, ERR_USAGE, "armv7.yaml:4:1: unknown key 'pacman'");
    put(folder, "armv7", with(folder, "rpm:", "pacman: a b\nrpm:"));
    err_clear(&err);
    assert_false(arches_load(&folder->arena, folder->dir, &keys, &arches, &err));
    CHECK_ERR(&err, ERR_USAGE, "'pacman' must be one word");
}

static void a_name_that_can_mean_two_is_refused(void **state)
{
    struct folder *folder = *state;
    struct arches arches;
    const struct arch *arch;
    struct err err = {0};
    put(folder, "armv7", GOOD);
    put(folder, "armv6",
        "oci: {os: linux, architecture: arm, variant: v6}\nelf: {machine: 40, class: 32, byte-order: little}\n"
        "deb: armv6\nrpm: armv6\ntriplet: t\nloaders: /lib/l\nlibrary-dirs: /usr/lib\nlib-token: lib\n"
        "platform-token: v6l\ncache-flags: 3\nroot-links: bin\nmachine-names: armv6l\n");
    CHECK_OK(load(&folder->arena, folder->dir, &arches, &err), &err);
    assert_false(arches_find(&arches, "arm", &arch, &err));
    CHECK_ERR(&err, ERR_USAGE, "'arm' can be armv6 or armv7");
    err_clear(&err);
    CHECK_OK(arches_find(&arches, "arm/v6", &arch, &err), &err);
    assert_string_equal(arch->name, "armv6");
}

static void the_hosts_own_is_found_by_unames_machine(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct arches arches = load_ours(&arena);
    const struct arch *arch;
    struct err err = {0};
    CHECK_OK(arches_of_machine(&arches, "armv8l", &arch, &err), &err);
    assert_string_equal(arch->name, "armv7");
    CHECK_OK(arches_of_machine(&arches, "x86_64", &arch, &err), &err);
    assert_string_equal(arch->name, "x86_64");
    assert_false(arches_of_machine(&arches, "i686", &arch, &err));
    CHECK_ERR(&err, ERR_USAGE, "'i686'; known: aarch64, armv7");
}

static void wrong_values_are_refused_with_their_place(void **state)
{
    struct folder *folder = *state;
    expect_refused(folder, "", "1:1: the file is empty");
    expect_refused(folder, "[]", "1:1: a mapping");
    expect_refused(folder, with(folder, "deb:", "dep:"), "3:1: unknown key 'dep'; did you mean 'deb'?");
    expect_refused(folder, with(folder, "deb: armhf\n", ""), "1:1: key 'deb' is missing");
    expect_refused(folder, with(folder, "2307", "65536"), "10:14: 'cache-flags' must be 1 to 65535");
    expect_refused(folder, with(folder, "cache-flags:", "hwcaps: [a b]\ncache-flags:"),
                   "10:10: 'hwcaps' must be words");
    expect_refused(folder, with(folder, "EM_ARM", "EM_VAX"), "2:16: 'EM_VAX' is not an ELF machine");
    expect_refused(folder, with(folder, "EM_ARM", "0"), "2:16: '0' is not an ELF machine");
    expect_refused(folder, with(folder, "EM_ARM", "65536"), "2:16: '65536' is not");
    expect_refused(folder, with(folder, "32", "16"), "2:31: 'class' must be 32 or 64");
    expect_refused(folder, with(folder, "32", "\"32\""), "2:31: 'class' wants a decimal number");
    expect_refused(folder, with(folder, "little", "middle"), "2:47: 'byte-order' must be little or big");
    expect_refused(folder, with(folder, "v7", "v/7"), "1:46: 'variant' must be one word");
    expect_refused(folder, with(folder, "/lib/ld", "lib/ld"), "6:11: 'lib/ld-linux-armhf.so.3' must be an absolute");
    expect_refused(folder, with(folder, "[/lib/ld-linux-armhf.so.3]", "[]"), "6:10: 'loaders' must have at least one");
    expect_refused(folder, with(folder, "[/usr/lib]", "[/lib]"), "7:16: '/lib' must be written below /usr");
    expect_refused(folder, with(folder, "[/usr/lib]", "[/usr/../lib]"), "7:16: '/usr/../lib' must not have a '..'");
    expect_refused(folder, with(folder, "lib-token: lib", "lib-token: /lib"), "8:12: 'lib-token' must be a relative");
    expect_refused(folder, with(folder, "lib-token: lib", "lib-token: ../x"), "8:12: 'lib-token' must be a relative");
    expect_refused(folder, with(folder, "[bin]", "[a/b]"), "11:14: 'a/b' must be one name");
    expect_refused(folder, with(folder, "[bin]", "[..]"), "11:14: '..' must be one name");
    expect_refused(folder, with(folder, "[armv7l]", "['']"), "12:17: '' must be one word");
}

static void two_files_for_one_platform_or_machine_are_refused(void **state)
{
    struct folder *folder = *state;
    struct arches arches;
    struct err err = {0};
    put(folder, "one", GOOD);
    put(folder, "two", GOOD);
    assert_false(load(&folder->arena, folder->dir, &arches, &err));
    CHECK_ERR(&err, ERR_USAGE, "one.yaml and two.yaml have the same OCI platform linux/arm");
    put(folder, "two", with(folder, "v7", "v9"));
    err_clear(&err);
    assert_false(load(&folder->arena, folder->dir, &arches, &err));
    CHECK_ERR(&err, ERR_USAGE, "one.yaml and two.yaml both have the machine name armv7l");
}

static void an_empty_absent_or_badly_named_folder_is_an_error(void **state)
{
    struct folder *folder = *state;
    struct arches arches;
    struct err err = {0};
    assert_false(load(&folder->arena, folder->dir, &arches, &err));
    CHECK_ERR(&err, ERR_USAGE, "no architecture");
    err_clear(&err);
    assert_false(load(&folder->arena, "/nonexistent/arches", &arches, &err));
    CHECK_ERR(&err, ERR_LOCAL, "/nonexistent/arches: cannot be listed");
    put(folder, "Bad Name", GOOD);
    err_clear(&err);
    assert_false(load(&folder->arena, folder->dir, &arches, &err));
    CHECK_ERR(&err, ERR_USAGE, "cannot name an architecture");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_files_describe_the_six_architectures),
        IN_FOLDER(the_readmes_examples_are_good_files),
        cmocka_unit_test(an_architecture_is_found_by_any_of_its_names),
        cmocka_unit_test(an_unknown_architecture_lists_the_known_and_the_nearest),
        cmocka_unit_test(a_hwcaps_name_of_no_architecture_lists_the_known_and_the_nearest),
        IN_FOLDER(a_further_formats_keys_are_known_where_they_are_given),
        IN_FOLDER(a_name_that_can_mean_two_is_refused),
        cmocka_unit_test(the_hosts_own_is_found_by_unames_machine),
        IN_FOLDER(wrong_values_are_refused_with_their_place),
        IN_FOLDER(two_files_for_one_platform_or_machine_are_refused),
        IN_FOLDER(an_empty_absent_or_badly_named_folder_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
