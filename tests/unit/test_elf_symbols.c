/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of package/elf_symbols: ELF files made in memory, of both classes and byte orders; the rules of glibc's
 * do_lookup_x() and check_match() one by one; tables that lie. */
#include "symbol_maker.h"

#include "base/auto.h"
#include "package/elf_symbols.h"

static struct elf_symbols read_made(struct arena *arena, const struct made_elf *elf)
{
    struct elf_symbols symbols;
    elf_symbols_read(arena, elf_make(arena, elf), &symbols);
    if (symbols.broken)
        fail_msg("broken: %s", symbols.broken);
    return symbols;
}

static bool defines(const struct elf_symbols *symbols, const char *name, const struct elf_version *version)
{
    struct elf_name hashed = elf_name(name);
    uint64_t steps = 0;
    return elf_symbols_define(symbols, &hashed, version, &steps);
}

/* A reference to a version, as DT_VERNEED gives it. */
static struct elf_version needed_version(const char *name)
{
    return (struct elf_version){.file = "libone.so.1", .name = name, .hash = made_sysv_hash(name)};
}

static const struct made_elf library = {
    .soname = "libone.so.1",
    .symbols = {{.name = "wanted", .version = "TWO_2", .file = "libtwo.so.2", .is_undefined = true},
                {.name = "maybe", .is_undefined = true, .is_weak = true},
                {.name = "first", .version = "ONE_1"},
                {.name = "second", .version = "ONE_2"},
                {.name = "old", .version = "ONE_1", .is_hidden = true},
                {.name = "both", .version = "ONE_1", .is_hidden = true},
                {.name = "both", .version = "ONE_2"},
                {.name = "plain"},
                {.name = "unseen", .version = "ONE_2", .visibility = STV_HIDDEN}}};

static void symbols_and_versions_are_read_in_either_class_and_byte_order(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 16; kind++) {
        AUTO(arena_done) struct arena arena = {0};
        struct made_elf elf = library;
        elf.is_32 = kind & 1;
        elf.is_big_endian = kind & 2;
        elf.is_sysv_hash = kind & 4;
        elf.is_lazy = kind & 8;
        elf.machine = elf.is_big_endian ? EM_S390 : 0;
        struct elf_symbols symbols = read_made(&arena, &elf);
        struct elf_version one = needed_version("ONE_1"), two = needed_version("ONE_2"), no = needed_version("ONE_3");
        assert_int_equal(symbols.count, 10);
        struct elf_symbol wanted = elf_symbols_get(&symbols, 1);
        assert_string_equal(wanted.name, "wanted");
        assert_int_equal(wanted.section, SHN_UNDEF);
        assert_string_equal(wanted.version->name, "TWO_2");
        assert_string_equal(wanted.version->file, "libtwo.so.2");
        assert_int_equal(symbols.use[1], elf.is_lazy ? ELF_USE_LAZY : ELF_USE_NOW);
        assert_int_equal(symbols.use[3], ELF_USE_NONE);
        assert_int_equal(elf_symbols_get(&symbols, 2).binding, STB_WEAK);
        assert_true(elf_symbols_have_version(&symbols, &one));
        assert_false(elf_symbols_have_version(&symbols, &no));
        assert_true(defines(&symbols, "first", &one));
        assert_false(defines(&symbols, "first", &two));
        assert_true(defines(&symbols, "second", &two));
        assert_false(defines(&symbols, "absent", NULL));
        assert_false(defines(&symbols, "wanted", NULL)); /* undefined here */
    }
}

static void versions_of_several_libraries_are_all_read(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct elf_symbols symbols = read_made(
        &arena, &(struct made_elf){
                    .symbols = {{.name = "one", .version = "A_1", .file = "liba.so.1", .is_undefined = true},
                                {.name = "two", .version = "B_2", .file = "libb.so.2", .is_undefined = true},
                                {.name = "three", .version = "C_3", .file = "libc.so.3", .is_undefined = true}}});
    static const char *const files[] = {"liba.so.1", "libb.so.2", "libc.so.3"};
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        struct elf_symbol symbol = elf_symbols_get(&symbols, i + 1);
        assert_non_null(symbol.version);
        assert_string_equal(symbol.version->file, files[i]);
    }
}

static void a_reference_without_version_takes_the_first_version_or_the_only_one(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct elf_symbols symbols =
        read_made(&arena, &(struct made_elf){.symbols = {{.name = "base", .version = "V1"},
                                                         {.name = "old", .version = "V1", .is_hidden = true},
                                                         {.name = "late", .version = "V2"},
                                                         {.name = "gone", .version = "V2", .is_hidden = true},
                                                         {.name = "twice", .version = "V2"},
                                                         {.name = "twice", .version = "V3"},
                                                         {.name = "plain"}}});
    assert_true(defines(&symbols, "base", NULL));
    assert_true(defines(&symbols, "old", NULL)); /* of the first version, though hidden: what old binaries mean */
    assert_true(defines(&symbols, "late", NULL));
    assert_false(defines(&symbols, "gone", NULL));
    assert_false(defines(&symbols, "twice", NULL));
    assert_true(defines(&symbols, "plain", NULL));
}

static void a_hidden_version_is_found_by_who_asks_for_it(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct elf_symbols symbols = read_made(&arena, &library);
    struct elf_version one = needed_version("ONE_1"), two = needed_version("ONE_2"), three = needed_version("ONE_3");
    assert_true(defines(&symbols, "old", &one));
    assert_true(defines(&symbols, "both", &one));
    assert_true(defines(&symbols, "both", &two));
    assert_false(defines(&symbols, "both", &three));
    assert_true(defines(&symbols, "plain", &three)); /* a definition without version meets any reference … */
    three.is_hidden = true;
    assert_false(defines(&symbols, "plain", &three)); /* … but not one that takes no other */
}

static void a_file_without_versions_meets_any_reference(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct elf_symbols symbols =
        read_made(&arena, &(struct made_elf){.has_no_versions = true, .symbols = {{.name = "any"}}});
    struct elf_version version = needed_version("ONE_1");
    assert_true(defines(&symbols, "any", &version));
    assert_true(defines(&symbols, "any", NULL));
}

static void what_cannot_be_seen_from_outside_binds_nothing(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct elf_symbols symbols =
        read_made(&arena, &(struct made_elf){.symbols = {{.name = "hidden", .visibility = STV_HIDDEN},
                                                         {.name = "internal", .visibility = STV_INTERNAL},
                                                         {.name = "protected", .visibility = STV_PROTECTED},
                                                         {.name = "section", .type = STT_SECTION},
                                                         {.name = "file", .type = STT_FILE},
                                                         {.name = "weak", .is_weak = true},
                                                         {.name = "thread", .type = STT_TLS},
                                                         {.name = "chosen", .type = STT_GNU_IFUNC}}});
    for (const char *const *name = (const char *const[]){"hidden", "internal", "section", "file", NULL}; *name; name++)
        assert_false(defines(&symbols, *name, NULL));
    for (const char *const *name = (const char *const[]){"protected", "weak", "thread", "chosen", NULL}; *name; name++)
        assert_true(defines(&symbols, *name, NULL));
}

static void a_chain_that_goes_in_circles_ends(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct made_elf elf = {.is_sysv_hash = true, .symbols = {{.name = "a"}, {.name = "b"}, {.name = "c"}}};
    struct text bytes = elf_make(&arena, &elf);
    struct elf_symbols symbols;
    elf_symbols_read(&arena, bytes, &symbols);
    assert_null(symbols.broken);
    unsigned char *chain = (unsigned char *)symbols.hash.ptr + 3 * 4;
    chain[4] = 3; /* a comes last: behind it c again */
    assert_true(defines(&symbols, "a", NULL));
    struct elf_name name = elf_name("absent");
    uint64_t steps = 0;
    assert_false(elf_symbols_define(&symbols, &name, NULL, &steps));
    CHECK_RANGE(steps, 3, 8);
}

/* Reads all that a result offers. */
static void use_all(const struct elf_symbols *symbols)
{
    struct elf_version version = needed_version("ONE_2");
    for (size_t i = 0; i < symbols->count; i++) {
        struct elf_symbol symbol = elf_symbols_get(symbols, i);
        CHECK_RANGE(strlen(symbol.name), 0, MADE_BYTES);
        CHECK_RANGE(symbols->use[i], ELF_USE_NONE, ELF_USE_NOW);
        if (symbol.version)
            CHECK_RANGE(strlen(symbol.version->name), 0, MADE_BYTES);
    }
    (void)defines(symbols, "both", &version);
    (void)defines(symbols, "both", NULL);
    (void)defines(symbols, "absent", &version);
    (void)elf_symbols_have_version(symbols, &version);
}

static void no_changed_byte_leads_out_of_the_file(void **state)
{
    (void)state;
    static const unsigned char values[] = {0, 1, 0x7f, 0x80, 0xff};
    for (unsigned kind = 0; kind < 8; kind++) {
        AUTO(arena_done) struct arena arena = {0};
        struct made_elf elf = library;
        elf.is_32 = kind & 1;
        elf.is_big_endian = kind & 2;
        elf.is_sysv_hash = kind & 4;
        struct text made = elf_make(&arena, &elf);
        for (size_t at = EI_CLASS; at < made.len; at++) {
            if (at >= 640 && at < 2368)
                continue; /* the unused part of the string table */
            for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
                AUTO(arena_done) struct arena scratch = {0};
                struct elf_symbols symbols;
                unsigned char *exact = malloc(made.len); /* so that a sanitizer sees a byte behind it */
                assert_non_null(exact);
                memcpy(exact, made.ptr, made.len);
                exact[at] = values[i];
                elf_symbols_read(&scratch, (struct text){(const char *)exact, made.len}, &symbols);
                use_all(&symbols);
                free(exact);
            }
        }
    }
}

static void no_cut_leads_out_of_the_file(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct text made = elf_make(&arena, &library);
    for (size_t len = 0; len < made.len; len++) {
        AUTO(arena_done) struct arena scratch = {0};
        struct elf_symbols symbols;
        char *exact = malloc(len ? len : 1);
        assert_non_null(exact);
        memcpy(exact, made.ptr, len);
        elf_symbols_read(&scratch, (struct text){exact, len}, &symbols);
        assert_non_null(symbols.broken);
        use_all(&symbols);
        free(exact);
    }
}

static void lies_are_told_as_what_they_are(void **state)
{
    (void)state;
    static const struct {
        uint64_t tag, value;
        const char *why;
    } lies[] = {
        {DT_STRTAB, 0x900000, "its string table is not loaded"},
        {DT_STRSZ, 18, "its string table has no end"},
        {DT_SYMTAB, 0x900000, "its symbol table is not loaded"},
        {DT_VERSYM, 0x900000, "DT_VERSYM is not loaded"},
        {DT_GNU_HASH, 0x900000, "DT_GNU_HASH is not loaded"},
        {DT_VERNEED, 0x900000, "DT_VERNEED is not loaded"},
        {DT_VERDEF, 0x900000, "DT_VERDEF is not loaded"},
        {DT_RELASZ, 0x900000, "a table of relocations is not loaded"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(lies); i++) {
        AUTO(arena_done) struct arena arena = {0};
        struct elf_symbols symbols;
        struct text made = elf_make(&arena, &library);
        uint64_t dynamic_at, tag;
        memcpy(&dynamic_at, made.ptr + 64 + 56 + 8, 8);
        do {
            memcpy(&tag, made.ptr + dynamic_at, 8);
            dynamic_at += 16;
        } while (tag && tag != lies[i].tag);
        assert_int_equal(tag, lies[i].tag);
        memcpy((char *)made.ptr + dynamic_at - 8, &lies[i].value, 8);
        elf_symbols_read(&arena, made, &symbols);
        assert_non_null(symbols.broken);
        assert_string_equal(symbols.broken, lies[i].why);
        assert_int_equal(symbols.count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(symbols_and_versions_are_read_in_either_class_and_byte_order),
        cmocka_unit_test(versions_of_several_libraries_are_all_read),
        cmocka_unit_test(a_reference_without_version_takes_the_first_version_or_the_only_one),
        cmocka_unit_test(a_hidden_version_is_found_by_who_asks_for_it),
        cmocka_unit_test(a_file_without_versions_meets_any_reference),
        cmocka_unit_test(what_cannot_be_seen_from_outside_binds_nothing),
        cmocka_unit_test(a_chain_that_goes_in_circles_ends),
        cmocka_unit_test(no_changed_byte_leads_out_of_the_file),
        cmocka_unit_test(no_cut_leads_out_of_the_file),
        cmocka_unit_test(lies_are_told_as_what_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
