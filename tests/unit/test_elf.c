/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "io/file.h"
#include "package/elf.h"

#include <elf.h>
#include <fcntl.h>

/* Writes numbers of an ELF file of either class and byte order. */
struct maker {
    unsigned char bytes[2048];
    bool is_64, is_big_endian;
};

static void put(struct maker *maker, size_t at, size_t width, uint64_t value)
{
    assert_true(at + width <= sizeof maker->bytes);
    for (size_t i = 0; i < width; i++) {
        size_t shift = 8 * (maker->is_big_endian ? width - 1 - i : i);
        maker->bytes[at + i] = (unsigned char)(value >> shift);
    }
}

/* Writes an address-sized number. */
static void put_word(struct maker *maker, size_t at, uint64_t value)
{
    put(maker, at, maker->is_64 ? 8 : 4, value);
}

static void put_program(struct maker *maker, size_t number, uint32_t type, uint64_t offset, uint64_t address,
                        uint64_t len)
{
    size_t at = (maker->is_64 ? 64 : 52) + number * (maker->is_64 ? 56 : 32);
    size_t word = maker->is_64 ? 8 : 4, first = at + word;
    put(maker, at, 4, type);
    put_word(maker, first, offset);
    put_word(maker, first + word, address);
    put_word(maker, first + 3 * word, len);
    put_word(maker, first + 4 * word, len);
}

static void put_dynamic(struct maker *maker, size_t number, uint64_t tag, uint64_t value)
{
    size_t word = maker->is_64 ? 8 : 4;
    put_word(maker, 512 + number * 2 * word, tag);
    put_word(maker, 512 + number * 2 * word + word, value);
}

#define STRINGS "\0libone.so.1\0libtwo.so.2\0libself.so.9\0/a:/b\0$ORIGIN/../lib\0"
enum { ONE = 1, TWO = 13, SELF = 25, RPATH = 38, RUNPATH = 44 };

/* A file with one PT_LOAD at 0x10000, PT_INTERP at 768, PT_DYNAMIC at 512, strings at 1024. */
static void make_elf(struct maker *maker, bool is_64, bool is_big_endian, uint16_t machine)
{
    *maker = (struct maker){.is_64 = is_64, .is_big_endian = is_big_endian};
    memcpy(maker->bytes, ELFMAG, SELFMAG);
    maker->bytes[EI_CLASS] = is_64 ? ELFCLASS64 : ELFCLASS32;
    maker->bytes[EI_DATA] = is_big_endian ? ELFDATA2MSB : ELFDATA2LSB;
    maker->bytes[EI_VERSION] = EV_CURRENT;
    put(maker, 16, 2, ET_DYN);
    put(maker, 18, 2, machine);
    put(maker, 20, 4, EV_CURRENT);
    put_word(maker, is_64 ? 32 : 28, is_64 ? 64 : 52);
    put(maker, is_64 ? 52 : 40, 2, is_64 ? 64 : 52);
    put(maker, is_64 ? 54 : 42, 2, is_64 ? 56 : 32);
    put(maker, is_64 ? 56 : 44, 2, 3);
    put_program(maker, 0, PT_LOAD, 0, 0x10000, sizeof maker->bytes);
    put_program(maker, 1, PT_INTERP, 768, 0x10000 + 768, 12);
    put_program(maker, 2, PT_DYNAMIC, 512, 0x10000 + 512, 256);
    memcpy(maker->bytes + 768, "/lib/ld.so.1", 13);
    put_program(maker, 1, PT_INTERP, 768, 0x10000 + 768, 13);
    memcpy(maker->bytes + 1024, STRINGS, sizeof STRINGS);
    const uint64_t entries[][2] = {
        {DT_NEEDED, ONE},  {DT_NEEDED, TWO},      {DT_SONAME, SELF},          {DT_STRTAB, 0x10000 + 1024},
        {DT_RPATH, RPATH}, {DT_RUNPATH, RUNPATH}, {DT_STRSZ, sizeof STRINGS}, {DT_FLAGS_1, DF_1_NODEFLIB},
    };
    for (size_t i = 0; i < ARRAY_COUNT(entries); i++)
        put_dynamic(maker, i, entries[i][0], entries[i][1]);
}

/* Reads a private copy of exactly that length, so that a sanitizer sees a read behind the end. */
static void read_copy(struct arena *arena, const void *bytes, size_t len, struct elf_facts *ret_facts)
{
    AUTO(auto_free) char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    if (len)
        memcpy(copy, bytes, len);
    struct text text = {copy, len};
    *ret_facts = (struct elf_facts){.broken = "no ELF magic"};
    if (elf_is(text))
        elf_read(arena, text, ret_facts);
}

static void check_all_facts(const struct elf_facts *facts, bool is_64, bool is_big_endian, uint16_t machine)
{
    if (facts->broken)
        fail_msg("broken: %s", facts->broken);
    assert_int_equal(facts->elf_class, is_64 ? 64 : 32);
    assert_int_equal(facts->is_big_endian, is_big_endian);
    assert_int_equal(facts->machine, machine);
    assert_int_equal(facts->type, ET_DYN);
    assert_true(facts->has_dynamic && facts->has_nodeflib);
    assert_string_equal(facts->interp, "/lib/ld.so.1");
    assert_string_equal(facts->soname, "libself.so.9");
    assert_string_equal(facts->rpath, "/a:/b");
    assert_string_equal(facts->runpath, "$ORIGIN/../lib");
    assert_int_equal(facts->needed.count, 2);
    assert_string_equal(facts->needed.items[0], "libone.so.1");
    assert_string_equal(facts->needed.items[1], "libtwo.so.2");
}

static void every_class_and_byte_order_is_read(void **state)
{
    (void)state;
    static const uint16_t machines[] = {EM_386, EM_S390, EM_X86_64, EM_PPC64};
    for (size_t i = 0; i < 4; i++) {
        AUTO(arena_done) struct arena arena = {0};
        bool is_64 = i >= 2, is_big_endian = i % 2;
        struct maker maker;
        struct elf_facts facts;
        make_elf(&maker, is_64, is_big_endian, machines[i]);
        read_copy(&arena, maker.bytes, sizeof maker.bytes, &facts);
        check_all_facts(&facts, is_64, is_big_endian, machines[i]);
    }
}

/* Changes made files one at a time; each must be told broken with its reason. */
static void check_broken(const struct maker *maker, const char *part)
{
    AUTO(arena_done) struct arena arena = {0};
    struct elf_facts facts;
    read_copy(&arena, maker->bytes, sizeof maker->bytes, &facts);
    if (!facts.broken || !strstr(facts.broken, part))
        fail_msg("wanted \"%s\", got \"%s\"", part, facts.broken ? facts.broken : "no fault");
    assert_false(facts.has_dynamic && strstr(part, "DYNAMIC"));
}

static void lying_headers_are_told_broken_with_the_reason(void **state)
{
    (void)state;
    struct maker maker;
    make_elf(&maker, true, false, EM_X86_64);
    maker.bytes[EI_CLASS] = 7;
    check_broken(&maker, "neither 32 nor 64");
    make_elf(&maker, true, false, EM_X86_64);
    maker.bytes[EI_DATA] = 0;
    check_broken(&maker, "byte order");
    make_elf(&maker, true, false, EM_X86_64);
    put(&maker, 32, 8, UINT64_MAX - 4);
    check_broken(&maker, "program headers");
    make_elf(&maker, true, false, EM_X86_64);
    put(&maker, 54, 2, 0);
    check_broken(&maker, "another size");
    make_elf(&maker, true, false, EM_X86_64);
    put(&maker, 56, 2, PN_XNUM);
    check_broken(&maker, "65534");
    make_elf(&maker, true, false, EM_X86_64);
    put(&maker, 40, 8, 128); /* a section table whose count stands in its first section */
    check_broken(&maker, "section count");
}

static void lying_segments_are_told_broken_with_the_reason(void **state)
{
    (void)state;
    struct maker maker;
    make_elf(&maker, true, false, EM_X86_64);
    put_program(&maker, 1, PT_INTERP, UINT64_MAX, 0, 2);
    check_broken(&maker, "PT_INTERP lies outside");
    make_elf(&maker, true, false, EM_X86_64);
    put_program(&maker, 1, PT_INTERP, 768, 0, 12);
    check_broken(&maker, "no end");
    make_elf(&maker, true, false, EM_X86_64);
    put_program(&maker, 2, PT_DYNAMIC, 512, 0, UINT64_MAX);
    check_broken(&maker, "PT_DYNAMIC lies outside");
    make_elf(&maker, true, false, EM_X86_64);
    put_program(&maker, 2, PT_DYNAMIC, 512, 0, 32);
    check_broken(&maker, "PT_DYNAMIC has no end");
    make_elf(&maker, true, false, EM_X86_64);
    put_program(&maker, 0, PT_LOAD, 0, 0x900000, 2048);
    check_broken(&maker, "no PT_LOAD");
    make_elf(&maker, true, false, EM_X86_64);
    put_program(&maker, 0, PT_LOAD, UINT64_MAX - 16, 0x10000, 2048);
    check_broken(&maker, "PT_LOAD lies outside");
}

static void lying_strings_are_told_broken_with_the_reason(void **state)
{
    (void)state;
    struct maker maker;
    make_elf(&maker, true, false, EM_X86_64);
    put_dynamic(&maker, 6, DT_STRSZ, UINT64_MAX);
    check_broken(&maker, "larger than what is loaded");
    make_elf(&maker, true, false, EM_X86_64);
    put_dynamic(&maker, 0, DT_NEEDED, sizeof STRINGS);
    check_broken(&maker, "outside its table");
    make_elf(&maker, true, false, EM_X86_64);
    put_dynamic(&maker, 6, DT_STRSZ, ONE + 3);
    check_broken(&maker, "no end");
    make_elf(&maker, true, false, EM_X86_64);
    put_dynamic(&maker, 6, 0x12345, 0);
    check_broken(&maker, "outside its table");
}

static void a_file_without_dynamic_section_is_fine(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct maker maker;
    struct elf_facts facts;
    make_elf(&maker, false, true, EM_PPC);
    put(&maker, 44, 2, 1);
    read_copy(&arena, maker.bytes, sizeof maker.bytes, &facts);
    assert_null(facts.broken);
    assert_false(facts.has_dynamic);
    assert_null(facts.interp);
    put(&maker, 44, 2, 0);
    put(&maker, 16, 2, ET_REL);
    read_copy(&arena, maker.bytes, sizeof maker.bytes, &facts);
    assert_null(facts.broken);
    assert_int_equal(facts.type, ET_REL);
}

static void too_many_needed_libraries_are_told_broken(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    size_t len = 4096 + (size_t)5000 * 16;
    AUTO(auto_free) unsigned char *bytes = calloc(1, len);
    struct maker maker;
    struct elf_facts facts;
    make_elf(&maker, true, false, EM_X86_64);
    put_program(&maker, 2, PT_DYNAMIC, 4096, 0, (uint64_t)5000 * 16);
    memcpy(bytes, maker.bytes, sizeof maker.bytes);
    memcpy(bytes + 4096, maker.bytes + 512, 128);
    for (size_t i = 8; i < 4999; i++) {
        bytes[4096 + i * 16] = DT_NEEDED;
        bytes[4096 + i * 16 + 8] = ONE;
    }
    read_copy(&arena, bytes, len, &facts);
    assert_non_null(facts.broken);
    assert_string_equal(facts.broken, "more than 4096 DT_NEEDED");
}

/* The end of every prefix is the end of an allocation: a sanitizer build fails on one byte too many. */
static void no_cut_of_a_file_is_read_behind_its_end(void **state)
{
    (void)state;
    struct maker maker;
    for (size_t kind = 0; kind < 4; kind++) {
        make_elf(&maker, kind & 1, kind & 2, EM_AARCH64);
        for (size_t len = 0; len < sizeof maker.bytes; len++) {
            AUTO(arena_done) struct arena arena = {0};
            struct elf_facts facts;
            read_copy(&arena, maker.bytes, len, &facts);
            if (len < 1024)
                assert_non_null(facts.broken);
        }
    }
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void no_change_of_bytes_crashes_the_reader(void **state)
{
    (void)state;
    uint64_t seed = 0x9e3779b97f4a7c15;
    for (size_t round = 0; round < 20000; round++) {
        AUTO(arena_done) struct arena arena = {0};
        struct maker maker;
        struct elf_facts facts;
        make_elf(&maker, round & 1, round & 2, EM_AARCH64);
        for (uint64_t flips = 1 + next_random(&seed) % 4; flips; flips--) {
            uint64_t value = next_random(&seed);
            size_t at = 4 + value % (round & 4 ? 240 : 1200);
            maker.bytes[at] = (unsigned char)(value >> 32);
        }
        read_copy(&arena, maker.bytes, sizeof maker.bytes, &facts);
    }
}

static void this_program_itself_is_read(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    AUTO(view_done) struct view view = {0};
    struct err err = {0};
    struct elf_facts facts;
    CHECK_OK(file_map_at(AT_FDCWD, "/proc/self/exe", &view, &err), &err);
    elf_read(&arena, (struct text){view.ptr, view.len}, &facts);
    assert_null(facts.broken);
    assert_true(facts.has_dynamic);
    assert_non_null(facts.interp);
    assert_true(strings_has(&facts.needed, "libc.so.6"));
    for (size_t len = 0; len < view.len; len += len < 2000 ? 1 : 4099)
        read_copy(&arena, view.ptr, len, &facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_class_and_byte_order_is_read),
        cmocka_unit_test(lying_headers_are_told_broken_with_the_reason),
        cmocka_unit_test(lying_segments_are_told_broken_with_the_reason),
        cmocka_unit_test(lying_strings_are_told_broken_with_the_reason),
        cmocka_unit_test(a_file_without_dynamic_section_is_fine),
        cmocka_unit_test(too_many_needed_libraries_are_told_broken),
        cmocka_unit_test(no_cut_of_a_file_is_read_behind_its_end),
        cmocka_unit_test(no_change_of_bytes_crashes_the_reader),
        cmocka_unit_test(this_program_itself_is_read),
    };
    elf_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
