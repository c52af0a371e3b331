/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "package/elf.h"
#include "package/elf_dlopen.h"

#include <elf.h>
#include <stdlib.h>

#define NOTE_TYPE 0x407c0c0a

struct fixture {
    struct arena arena;
    struct dlopen_needs needs;
    struct strings strings;
};

static void fixture_done(struct fixture *fixture)
{
    arena_done(&fixture->arena);
}

/* A 64-bit file of this machine's byte order: header, a PT_LOAD over all, a PT_NOTE with one note, then the text. */
static struct text make_elf(struct arena *arena, uint32_t type, const char *note, uint64_t note_offset,
                            struct text strings)
{
    size_t note_len = strlen(note) + 1, note_bytes = 12 + 4 + ((note_len + 3) & ~(size_t)3);
    size_t notes_at = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr), total = notes_at + note_bytes + strings.len;
    char *bytes = arena_alloc(arena, total);
    memset(bytes, 0, total);
    Elf64_Ehdr header = {.e_type = ET_DYN,
                         .e_machine = EM_X86_64,
                         .e_version = EV_CURRENT,
                         .e_phoff = sizeof header,
                         .e_ehsize = sizeof header,
                         .e_phentsize = sizeof(Elf64_Phdr),
                         .e_phnum = 2};
    memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    Elf64_Phdr programs[2] = {
        {.p_type = PT_LOAD, .p_flags = PF_R, .p_filesz = total, .p_memsz = total},
        {.p_type = PT_NOTE, .p_flags = PF_R, .p_offset = note_offset ? note_offset : notes_at, .p_filesz = note_bytes}};
    uint32_t words[3] = {4, (uint32_t)note_len, type};
    memcpy(bytes, &header, sizeof header);
    memcpy(bytes + sizeof header, programs, sizeof programs);
    memcpy(bytes + notes_at, words, sizeof words);
    memcpy(bytes + notes_at + 12, "FDO", 4);
    memcpy(bytes + notes_at + 16, note, note_len);
    memcpy(bytes + notes_at + note_bytes, strings.ptr, strings.len);
    return (struct text){bytes, total};
}

static const char *read_note(struct fixture *fixture, const char *note)
{
    struct text elf = make_elf(&fixture->arena, NOTE_TYPE, note, 0, TEXT(""));
    return elf_dlopen_needs(&fixture->arena, elf, &fixture->needs);
}

static void test_a_dlopen_note_gives_its_alternatives_and_priority(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture = {0};
    assert_null(read_note(&fixture,
                          "[{\"soname\":[\"libx.so.2\",\"libx.so.1\"],\"feature\":\"x\",\"priority\":\"required\"},"
                          "{\"soname\":[\"liby.so.1\"],\"priority\":\"recommended\"},{\"soname\":[\"libz.so.1\"]}]"));
    assert_int_equal(fixture.needs.count, 3);
    assert_int_equal(fixture.needs.items[0].sonames.count, 2);
    assert_string_equal(fixture.needs.items[0].sonames.items[1], "libx.so.1");
    assert_string_equal(fixture.needs.items[0].feature, "x");
    assert_int_equal(fixture.needs.items[0].priority, DLOPEN_REQUIRED);
    assert_int_equal(fixture.needs.items[1].priority, DLOPEN_RECOMMENDED);
    assert_int_equal(fixture.needs.items[2].priority, DLOPEN_SUGGESTED);
}

static void test_a_broken_dlopen_note_is_said_and_not_followed(void **state)
{
    (void)state;
    static const char *const broken[] = {
        "", "{}", "[", "[{\"soname\":[]}]", "[{\"soname\":[\"\"]}]", "[{\"soname\":\"x\"}]", "[7]"};
    for (size_t i = 0; i < ARRAY_COUNT(broken); i++) {
        AUTO(fixture_done) struct fixture fixture = {0};
        assert_non_null(read_note(&fixture, broken[i]));
        assert_int_equal(fixture.needs.count, 0);
    }
}

static void test_a_note_outside_the_file_is_said(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture = {0};
    struct text elf = make_elf(&fixture.arena, NOTE_TYPE, "[]", UINT64_MAX - 4, TEXT(""));
    assert_non_null(elf_dlopen_needs(&fixture.arena, elf, &fixture.needs));
}

static void test_other_notes_of_the_owner_are_passed_over(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture = {0};
    struct text elf = make_elf(&fixture.arena, 0xcafe1a7e, "{\"type\":\"deb\"}", 0, TEXT(""));
    assert_null(elf_dlopen_needs(&fixture.arena, elf, &fixture.needs));
    assert_int_equal(fixture.needs.count, 0);
}

static void test_plug_in_strings_are_library_paths_and_object_names(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture = {0};
    static const char strings[] =
        "\0/usr/lib/sasl2\0libplain.so.2\0/usr/share/x\0 "
        "mod.so\0%s.so\0/usr/lib/\0x.sock\0mod_x.so\0/usr/lib/ssl/cert.pem\0/usr/lib/pam.d/%s";
    struct text elf = make_elf(&fixture.arena, 0, "", 0, (struct text){strings, sizeof strings});
    elf_plugin_strings(&fixture.arena, elf, &fixture.strings);
    assert_string_equal(strings_join(&fixture.arena, &fixture.strings, " "), "/usr/lib/sasl2 libplain.so.2 mod_x.so");
}

/* A file of which every program header, of that type, covers all: 60000 times 2 MiB of segments. */
static struct text make_overlapping(struct arena *arena, uint32_t type)
{
    size_t count = 60000, total = (size_t)6 << 20;
    char *bytes = arena_alloc(arena, total);
    Elf64_Ehdr header = {.e_type = ET_DYN,
                         .e_machine = EM_X86_64,
                         .e_version = EV_CURRENT,
                         .e_phoff = sizeof header,
                         .e_ehsize = sizeof header,
                         .e_phentsize = sizeof(Elf64_Phdr),
                         .e_phnum = (uint16_t)count};
    Elf64_Phdr program = {.p_type = type, .p_offset = (size_t)4 << 20, .p_filesz = (size_t)2 << 20};
    memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    memcpy(bytes, &header, sizeof header);
    for (size_t i = 0; i < count; i++)
        memcpy(bytes + sizeof header + i * sizeof program, &program, sizeof program);
    strcpy(bytes + ((size_t)4 << 20), "libfirst.so.1");
    return (struct text){bytes, total};
}

static void test_segments_over_one_another_are_not_read_without_end(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture = {0};
    struct text notes = make_overlapping(&fixture.arena, PT_NOTE), loads = make_overlapping(&fixture.arena, PT_LOAD);
    assert_string_equal(elf_dlopen_needs(&fixture.arena, notes, &fixture.needs),
                        "its PT_NOTEs are together larger than the file");
    elf_plugin_strings(&fixture.arena, loads, &fixture.strings);
    assert_string_equal(strings_join(&fixture.arena, &fixture.strings, " "), "libfirst.so.1");
}

int main(void)
{
    elf_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_dlopen_note_gives_its_alternatives_and_priority),
        cmocka_unit_test(test_a_broken_dlopen_note_is_said_and_not_followed),
        cmocka_unit_test(test_a_note_outside_the_file_is_said),
        cmocka_unit_test(test_other_notes_of_the_owner_are_passed_over),
        cmocka_unit_test(test_plug_in_strings_are_library_paths_and_object_names),
        cmocka_unit_test(test_segments_over_one_another_are_not_read_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
