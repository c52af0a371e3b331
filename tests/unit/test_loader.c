/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of closure/loader, ld_conf and ld_cache: the rules of ld.so(8) one by one, on packages made by hand. */
#include "packages.h"

#include "base/auto.h"
#include "closure/ld_conf.h"
#include "closure/loader.h"

#define LIB "/usr/lib/x86_64-linux-gnu/"

/* Builds the set and sets up the process of a path. */
static struct load_list load_with(struct fixture *fixture, const char *path, const char *hwcaps)
{
    struct loader loader;
    struct load_list list;
    struct ld_conf conf;
    struct ld_cache cache;
    set_build(fixture, false);
    loader_prepare(&fixture->arena, &fixture->arch, &fixture->set, &loader);
    struct text rest = text_of(hwcaps), word;
    while (text_next_word(&rest, &word))
        list_add(&fixture->arena, &loader.hwcaps, text_dup(&fixture->arena, word));
    ld_conf_read(&fixture->arena, &fixture->set, &conf);
    for (size_t i = 0; i < loader.dirs.count; i++)
        list_add(&fixture->arena, &conf.dirs, loader.dirs.items[i]);
    ld_cache_collect(&fixture->arena, &fixture->set, &fixture->arch, &conf.dirs, NULL, &cache);
    loader.cache = conf.files.count ? &cache : NULL;
    const struct sourced *file = fileset_walk(&fixture->set, &fixture->arena, path, NULL, NULL);
    assert_non_null(file);
    loader_load(&loader, file, path, &list);
    return list;
}

static struct load_list load(struct fixture *fixture, const char *path)
{
    return load_with(fixture, path, "");
}

/* Checks the scope: paths as the loader spells them, in its order. */
static void check_scope(const struct load_list *list, const char *paths)
{
    struct text rest = text_of(paths), path;
    size_t count = 0;
    while (text_next_word(&rest, &path)) {
        if (count == list->count || !text_is(path, list->items[count]->path))
            fail_msg("wanted %.*s, loaded %s", (int)path.len, path.ptr,
                     count < list->count ? list->items[count]->path : "no more");
        count++;
    }
    assert_int_equal(count, list->count);
}

static void check_note(const struct load_list *list, enum load_note_kind kind, bool is_fatal, const char *part)
{
    for (size_t i = 0; i < list->notes.count; i++) {
        const struct load_note *note = &list->notes.items[i];
        if (note->kind == kind && note->is_fatal == is_fatal && strstr(note->text, part))
            return;
    }
    fail_msg("no note with \"%s\"; the first is: %s", part, list->notes.count ? list->notes.items[0].text : "(none)");
}

static void each_need_tells_where_it_was_found_and_through_whom(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "p");
    elf_add(fixture, package, "/usr/bin/tool", NULL, "liba.so libb.so /opt/libp.so libd.so libno.so")->rpath = "/r";
    elf_add(fixture, package, "/r/liba.so", "libsame.so", "libdeep.so");
    elf_add(fixture, package, "/r/libdeep.so", NULL, "");
    elf_add(fixture, package, LIB "libb.so", NULL, "librun.so libsame.so")->runpath = "$ORIGIN/run";
    elf_add(fixture, package, LIB "run/librun.so", NULL, "");
    elf_add(fixture, package, "/opt/libp.so", NULL, "");
    link_add(package, LIB "libd.so", "../../../r/libdeep.so");
    struct load_list list = load(fixture, "/usr/bin/tool");
    const struct load_object *tool = list.items[0], *a = list.items[1], *b = list.items[2];
    assert_int_equal(tool->needs[0].step, LOAD_RPATH);
    assert_ptr_equal(tool->needs[0].owner, tool);
    assert_int_equal(a->needs[0].step, LOAD_RPATH);
    assert_ptr_equal(a->needs[0].owner, tool); /* the program's, for a need of its library */
    assert_int_equal(tool->needs[1].step, LOAD_DEFAULT);
    assert_int_equal(tool->needs[2].step, LOAD_PATH);
    assert_int_equal(b->needs[0].step, LOAD_RUNPATH);
    assert_int_equal(b->needs[1].step, LOAD_KNOWN);
    assert_ptr_equal(b->needs[1].object, a);
    assert_int_equal(tool->needs[3].step, LOAD_DEFAULT); /* another link to /r/libdeep.so: one object */
    assert_ptr_equal(tool->needs[3].object, a->needs[0].object);
    assert_int_equal(tool->needs[3].links.count, 1);
    assert_int_equal(tool->needs[4].step, LOAD_NOWHERE);
    assert_null(tool->needs[4].object);
}

static void the_interpreter_is_known_by_its_soname_and_in_the_scope_only_when_needed(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "p");
    elf_add(fixture, package, "/usr/bin/a", NULL, "libx.so")->interp = "/lib64/ld-linux-x86-64.so.2";
    elf_add(fixture, package, "/usr/bin/b", NULL, "ld-linux-x86-64.so.2 libx.so")->interp =
        "/lib64/ld-linux-x86-64.so.2";
    elf_add(fixture, package, "/usr/lib64/ld-linux-x86-64.so.2", "ld-linux-x86-64.so.2", "");
    elf_add(fixture, package, LIB "ld-linux-x86-64.so.2", "ld-linux-x86-64.so.2", "");
    elf_add(fixture, package, LIB "libx.so", NULL, "");
    struct load_list list = load(fixture, "/usr/bin/a");
    check_scope(&list, "/usr/bin/a " LIB "libx.so");
    assert_non_null(list.interpreter);
    assert_int_equal(list.interpreter_need.step, LOAD_INTERPRETER);
    list = load(fixture, "/usr/bin/b");
    check_scope(&list, "/usr/bin/b /lib64/ld-linux-x86-64.so.2 " LIB "libx.so");
    assert_ptr_equal(list.items[1], list.interpreter);
    assert_int_equal(list.notes.count, 0);
}

static void another_loader_than_glibcs_is_noted(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "p");
    elf_add(fixture, package, "/usr/bin/a", NULL, "")->interp = "/lib/ld-musl-x86_64.so.1";
    elf_add(fixture, package, "/usr/lib/ld-musl-x86_64.so.1", NULL, "");
    struct load_list list = load(fixture, "/usr/bin/a");
    check_note(&list, NOTE_INTERPRETER, false, "/usr/bin/a is started by /lib/ld-musl-x86_64.so.1");
}

static void an_executable_is_no_library_but_may_be_needed_by_what_it_loads(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "p");
    struct elf_facts *tool = elf_add(fixture, package, "/usr/bin/tool", "tool", "libx.so");
    tool->is_pie = true;
    elf_add(fixture, package, LIB "libx.so", NULL, "/usr/bin/tool tool");
    elf_add(fixture, package, "/usr/bin/other", NULL, "/usr/bin/tool");
    elf_add(fixture, package, "/usr/bin/old", NULL, "/usr/bin/fixed");
    elf_add(fixture, package, "/usr/bin/fixed", NULL, "")->type = ET_EXEC;
    struct load_list list = load(fixture, "/usr/bin/tool");
    check_scope(&list, "/usr/bin/tool " LIB "libx.so");
    assert_int_equal(list.notes.count, 0);
    list = load(fixture, "/usr/bin/other");
    check_note(&list, NOTE_BROKEN, true,
               "/usr/bin/tool (package p), needed by /usr/bin/other as /usr/bin/tool: it is an");
    list = load(fixture, "/usr/bin/old");
    check_note(&list, NOTE_BROKEN, true, "/usr/bin/fixed");
}

static void a_library_for_another_operating_system_stops_the_loader(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "p");
    elf_add(fixture, package, "/usr/bin/tool", NULL, "libg.so libf.so");
    elf_add(fixture, package, LIB "libg.so", NULL, "")->os_abi = ELFOSABI_GNU;
    elf_add(fixture, package, LIB "libf.so", NULL, "")->os_abi = ELFOSABI_FREEBSD;
    elf_add(fixture, package, "/usr/lib/libf.so", NULL, "");
    struct load_list list = load(fixture, "/usr/bin/tool");
    check_scope(&list, "/usr/bin/tool " LIB "libg.so");
    check_note(&list, NOTE_BROKEN, true,
               "libf.so (package p), needed by /usr/bin/tool as libf.so: it is for another op");
}

/* Whether a library with these flags is taken by the architecture's loader. */
static bool takes_flags(struct fixture *fixture, uint16_t machine, uint32_t cache_flags, uint32_t flags)
{
    struct elf_facts elf = {.machine = machine, .elf_class = 64, .flags = flags};
    fixture->arch.elf_machine = machine;
    fixture->arch.cache_flags = cache_flags;
    return loader_is_for(&elf, &fixture->arch);
}

static void other_calling_conventions_are_passed_over(void **state)
{
    struct fixture *fixture = *state;
    assert_true(takes_flags(fixture, EM_ARM, 0x903, EF_ARM_EABI_VER5 | EF_ARM_ABI_FLOAT_HARD));
    assert_true(takes_flags(fixture, EM_ARM, 0x903, EF_ARM_EABI_VER5));
    assert_false(takes_flags(fixture, EM_ARM, 0x903, EF_ARM_EABI_VER5 | EF_ARM_ABI_FLOAT_SOFT));
    assert_false(takes_flags(fixture, EM_ARM, 0xb03, EF_ARM_EABI_VER5 | EF_ARM_ABI_FLOAT_HARD));
    assert_true(takes_flags(fixture, EM_RISCV, 0x1003, EF_RISCV_RVC | EF_RISCV_FLOAT_ABI_DOUBLE));
    assert_false(takes_flags(fixture, EM_RISCV, 0x1003, EF_RISCV_FLOAT_ABI_SOFT));
    assert_true(takes_flags(fixture, EM_PPC64, 0x503, 2));
    assert_true(takes_flags(fixture, EM_PPC64, 0x503, 0));
    assert_false(takes_flags(fixture, EM_PPC64, 0x503, 1));
    assert_true(takes_flags(fixture, EM_S390, 0x403, 0xffff));
}

static void a_32_bit_library_beside_the_64_bit_one_is_passed_over_and_noted(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "p");
    elf_add(fixture, package, "/usr/bin/tool", NULL, "libx.so")->runpath = "/opt/32:/opt/64";
    struct elf_facts *small = elf_add(fixture, package, "/opt/32/libx.so", NULL, "");
    small->elf_class = 32;
    small->machine = EM_386;
    elf_add(fixture, package, "/opt/64/libx.so", NULL, "");
    struct load_list list = load(fixture, "/usr/bin/tool");
    check_scope(&list, "/usr/bin/tool /opt/64/libx.so");
    check_note(&list, NOTE_OTHER_MACHINE, false,
               "/opt/32/libx.so, looked at for libx.so of /usr/bin/tool, is for i386");
}

static void empty_and_relative_elements_are_noted_once(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "p");
    elf_add(fixture, package, "/usr/bin/tool", NULL, "libx.so liby.so")->rpath = ":lib:/opt";
    elf_add(fixture, package, "/opt/libx.so", NULL, "");
    elf_add(fixture, package, "/opt/liby.so", NULL, "");
    struct load_list list = load(fixture, "/usr/bin/tool");
    check_scope(&list, "/usr/bin/tool /opt/libx.so /opt/liby.so");
    check_note(&list, NOTE_CURRENT_DIR, false, "/usr/bin/tool: the element '' of its DT_RPATH means the current");
    check_note(&list, NOTE_CURRENT_DIR, false, "'lib' of its DT_RPATH");
    assert_int_equal(list.notes.count, 2);
}

static void an_empty_element_at_the_end_counts_but_an_empty_list_does_not(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "p");
    elf_add(fixture, package, "/usr/bin/a", NULL, "libx.so")->runpath = "/none:";
    elf_add(fixture, package, "/usr/bin/b", NULL, "libx.so")->runpath = "";
    elf_add(fixture, package, LIB "libx.so", NULL, "");
    struct load_list list = load(fixture, "/usr/bin/a");
    check_scope(&list, "/usr/bin/a " LIB "libx.so");
    check_note(&list, NOTE_CURRENT_DIR, false, "/usr/bin/a: the element '' of its DT_RUNPATH means the current");
    list = load(fixture, "/usr/bin/b");
    check_scope(&list, "/usr/bin/b " LIB "libx.so");
    assert_int_equal(list.notes.count, 0);
}

static void slashes_at_the_end_of_a_search_directory_do_not_count(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "p");
    elf_add(fixture, package, "/usr/bin/tool", NULL, "libx.so /opt/libx.so")->runpath = "/opt//";
    elf_add(fixture, package, "/opt/libx.so", NULL, "");
    struct load_list list = load(fixture, "/usr/bin/tool");
    check_scope(&list, "/usr/bin/tool /opt/libx.so");
    assert_int_equal(list.items[0]->needs[1].step, LOAD_KNOWN);
}

static void a_library_is_known_by_the_name_it_was_asked_for(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "p");
    elf_add(fixture, package, "/usr/bin/tool", NULL, "libx.so liby.so")->runpath = "/opt";
    elf_add(fixture, package, "/opt/libx.so", "libother.so", "");
    elf_add(fixture, package, LIB "libx.so", NULL, ""); /* what liby.so would find by itself */
    elf_add(fixture, package, LIB "liby.so", NULL, "libx.so");
    struct load_list list = load(fixture, "/usr/bin/tool");
    check_scope(&list, "/usr/bin/tool /opt/libx.so " LIB "liby.so");
    assert_int_equal(list.items[2]->needs[0].step, LOAD_KNOWN);
}

static void an_interpreter_that_cannot_run_is_fatal(void **state)
{
    static const char *const paths[] = {"/usr/bin/foreign", "/usr/bin/broken", "/usr/bin/text"};
    static const char *const notes[] = {
        "/usr/lib/ld-foreign.so (package p): interpreter of /usr/bin/foreign, it is for AAr", "broken ELF: cut off",
        "interpreter of /usr/bin/text, but no ELF file"};
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "p");
    elf_add(fixture, package, paths[0], NULL, "")->interp = "/lib/ld-foreign.so";
    elf_add(fixture, package, paths[1], NULL, "")->interp = "/lib/ld-broken.so";
    elf_add(fixture, package, paths[2], NULL, "")->interp = "/lib/ld-text.so";
    elf_add(fixture, package, "/usr/lib/ld-foreign.so", NULL, "")->machine = EM_AARCH64;
    elf_add(fixture, package, "/usr/lib/ld-broken.so", NULL, "")->broken = "cut off";
    file_add(package, "/usr/lib/ld-text.so", "text");
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        struct load_list list = load(fixture, paths[i]);
        check_note(&list, NOTE_INTERPRETER, true, notes[i]);
        assert_null(list.interpreter);
    }
}

static void a_library_is_known_by_the_path_it_was_opened_under(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "p");
    elf_add(fixture, package, "/usr/bin/tool", NULL, "libx.so " LIB "libx.so");
    elf_add(fixture, package, LIB "libx.so", NULL, "");
    struct load_list list = load(fixture, "/usr/bin/tool");
    assert_int_equal(list.items[0]->needs[1].step, LOAD_KNOWN);
}

/* The loader file with SYSTEM_DIRS among its bytes. */
static void own_loader_add(struct fixture *fixture, struct package *package, const char *bytes, size_t len)
{
    elf_add(fixture, package, "/usr/lib64/ld-linux-x86-64.so.2", "ld-linux-x86-64.so.2", "");
    struct entry *entry = &package->entries[package->count - 1];
    entry->data = bytes;
    entry->size_bytes = len;
}

static void the_built_in_directories_are_read_out_of_the_loader(void **state)
{
    static const char bytes[] = "x/\0/usr/lib/y\0code\xff/lib64/\0/usr/lib64/\0/else/\0end";
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "p");
    own_loader_add(fixture, package, bytes, sizeof(bytes));
    elf_add(fixture, package, "/usr/bin/tool", NULL, "liba.so libb.so libt.so")->rpath = "/opt/$LIB";
    elf_add(fixture, package, LIB "liba.so", NULL, ""); /* no directory of this loader */
    elf_add(fixture, package, "/usr/lib64/libb.so", NULL, "");
    elf_add(fixture, package, "/opt/lib64/libt.so", NULL, "");
    struct load_list list = load(fixture, "/usr/bin/tool");
    check_scope(&list, "/usr/bin/tool /lib64/libb.so /opt/lib64/libt.so");
}

static void hwcaps_directories_count_only_on_such_machines(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "p");
    elf_add(fixture, package, "/usr/bin/tool", NULL, "libx.so liby.so");
    elf_add(fixture, package, LIB "libx.so", NULL, "");
    elf_add(fixture, package, LIB "glibc-hwcaps/x86-64-v2/libx.so", NULL, "");
    elf_add(fixture, package, LIB "glibc-hwcaps/x86-64-v3/libx.so", NULL, "libmore.so");
    elf_add(fixture, package, LIB "glibc-hwcaps/x86-64-v2/liby.so", NULL, "");
    elf_add(fixture, package, LIB "libmore.so", NULL, "");
    struct load_list list = load(fixture, "/usr/bin/tool");
    check_scope(&list, "/usr/bin/tool " LIB "libx.so");
    assert_null(list.items[0]->needs[1].object); /* liby.so is there for newer machines only */
    list = load_with(fixture, "/usr/bin/tool", "x86-64-v3 x86-64-v2");
    check_scope(&list, "/usr/bin/tool " LIB "glibc-hwcaps/x86-64-v3/libx.so " LIB "glibc-hwcaps/x86-64-v2/liby.so " LIB
                       "libmore.so");
}

static void machines_are_the_oldest_and_one_more_for_each_name_asked_for(void **state)
{
    struct fixture *fixture = *state;
    struct strings asked = {0}, *machines;
    size_t count;
    list_add(&fixture->arena, &asked, "x86-64-v3");
    list_add(&fixture->arena, &asked, "z14");
    list_add(&fixture->arena, &asked, "x86-64-v2");
    loader_machines(&fixture->arena, &fixture->arch, &asked, &machines, &count);
    assert_int_equal(count, 3);
    assert_int_equal(machines[0].count, 0);
    assert_string_equal(strings_join(&fixture->arena, &machines[1], " "), "x86-64-v2");
    assert_string_equal(strings_join(&fixture->arena, &machines[2], " "), "x86-64-v3 x86-64-v2");
}

/* The closure of a root, with hwcaps or NULL. */
static struct keep close_over(struct fixture *fixture, const char *path, const struct strings *hwcaps)
{
    struct closure_root root = {.path = path, .why = "asked for"};
    struct closure_request request = {.arch = &fixture->arch, .roots = &root, .root_count = 1, .hwcaps = hwcaps};
    struct keep keep;
    set_build(fixture, false);
    CHECK_OK(closure_find(&fixture->arena, &fixture->set, &request, &keep, &fixture->err), &fixture->err);
    return keep;
}

static bool is_kept(const struct keep *keep, const char *path)
{
    for (size_t i = 0; i < keep->count; i++) {
        if (strcmp(keep->items[i].file->entry->path, path) == 0)
            return true;
    }
    return false;
}

static void the_closure_keeps_a_variant_beside_the_library_for_all_when_asked(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "p");
    struct strings asked = {0};
    list_add(&fixture->arena, &asked, "x86-64-v3");
    elf_add(fixture, package, "/usr/bin/tool", NULL, "libx.so liby.so");
    elf_add(fixture, package, LIB "libx.so", NULL, "");
    elf_add(fixture, package, LIB "glibc-hwcaps/x86-64-v3/libx.so", NULL, "libmore.so");
    elf_add(fixture, package, LIB "glibc-hwcaps/x86-64-v2/libx.so", NULL, "");
    elf_add(fixture, package, LIB "glibc-hwcaps/x86-64-v3/liby.so", NULL, "");
    elf_add(fixture, package, LIB "libmore.so", NULL, "");
    struct keep keep = close_over(fixture, "/usr/bin/tool", NULL);
    assert_true(is_kept(&keep, LIB "libx.so"));
    assert_false(is_kept(&keep, LIB "glibc-hwcaps/x86-64-v3/libx.so"));
    keep = close_over(fixture, "/usr/bin/tool", &asked);
    assert_true(is_kept(&keep, LIB "libx.so"));
    assert_true(is_kept(&keep, LIB "glibc-hwcaps/x86-64-v3/libx.so"));
    assert_true(is_kept(&keep, LIB "libmore.so"));
    assert_false(is_kept(&keep, LIB "glibc-hwcaps/x86-64-v2/libx.so"));
    assert_int_equal(keep.missing_count, 1); /* liby.so, on a machine without */
}

/* A package with a configured directory. */
static struct package *configured_add(struct fixture *fixture)
{
    struct package *package = package_add(fixture, "p");
    file_add(package, "/etc/ld.so.conf.d/p.conf", "# here\n/opt/lib/  # and on\n");
    return package;
}

static void a_library_of_a_configured_directory_brings_cache_and_configuration(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = configured_add(fixture);
    elf_add(fixture, package, "/usr/bin/tool", NULL, "libx.so.1");
    elf_add(fixture, package, "/opt/lib/libx.so.1.2", "libx.so.1", "libz.so");
    link_add(package, "/opt/lib/libx.so.1", "libx.so.1.2");
    elf_add(fixture, package, LIB "libz.so", NULL, "");
    struct keep keep = close_over(fixture, "/usr/bin/tool", NULL);
    assert_int_equal(keep.missing_count, 0);
    assert_true(keep.needs_cache);
    assert_true(is_kept(&keep, "/opt/lib/libx.so.1"));
    assert_true(is_kept(&keep, "/etc/ld.so.conf.d/p.conf"));
    assert_string_equal(keep.cache_dirs.items[0], "/opt/lib");
}

static void no_cache_is_needed_for_what_the_built_in_directories_give(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = configured_add(fixture);
    elf_add(fixture, package, "/usr/bin/tool", NULL, "libz.so");
    elf_add(fixture, package, "/opt/lib/libother.so", NULL, "");
    elf_add(fixture, package, LIB "libz.so", NULL, "");
    struct keep keep = close_over(fixture, "/usr/bin/tool", NULL);
    assert_false(keep.needs_cache);
    assert_false(is_kept(&keep, "/etc/ld.so.conf.d/p.conf"));
}

static void a_configured_directory_comes_before_the_built_in_ones(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = configured_add(fixture);
    elf_add(fixture, package, "/usr/bin/tool", NULL, "libz.so");
    elf_add(fixture, package, "/opt/lib/libz.so", NULL, "");
    elf_add(fixture, package, LIB "libz.so", NULL, "");
    struct load_list list = load(fixture, "/usr/bin/tool");
    check_scope(&list, "/usr/bin/tool /opt/lib/libz.so");
    assert_int_equal(list.items[0]->needs[0].step, LOAD_CACHE);
}

static void only_what_ldconfig_lists_is_found_in_a_configured_directory(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = configured_add(fixture);
    elf_add(fixture, package, "/usr/bin/tool", NULL, "plugin.so libfile.so.1.2 libname.so libdev.so libnodot");
    elf_add(fixture, package, "/opt/lib/libnodot", NULL, "");
    elf_add(fixture, package, "/opt/lib/plugin.so", NULL, "");                /* does not begin with lib */
    elf_add(fixture, package, "/opt/lib/libfile.so.1.2", "libfile.so.1", ""); /* listed by its soname alone */
    elf_add(fixture, package, "/opt/lib/libname.so", NULL, "");
    elf_add(fixture, package, "/opt/lib/libdev.so.3", "libdev.so.3", "");
    link_add(package, "/opt/lib/libdev.so", "libdev.so.3");
    struct load_list list = load(fixture, "/usr/bin/tool");
    check_scope(&list, "/usr/bin/tool /opt/lib/libname.so /opt/lib/libdev.so");
    assert_null(list.items[0]->needs[0].object);
    assert_null(list.items[0]->needs[1].object);
    assert_null(list.items[0]->needs[4].object);
}

static void nodeflib_leaves_out_cache_entries_below_the_built_in_directories_too(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "p");
    file_add(package, "/etc/ld.so.conf", "/opt/lib\n" LIB "deep\n");
    elf_add(fixture, package, "/usr/bin/tool", NULL, "liba.so libb.so libc.so")->has_nodeflib = true;
    elf_add(fixture, package, "/opt/lib/liba.so", NULL, "libc.so");
    elf_add(fixture, package, LIB "deep/libb.so", NULL, "");
    elf_add(fixture, package, LIB "libc.so", NULL, "");
    struct load_list list = load(fixture, "/usr/bin/tool");
    /* libc.so comes by liba.so, which has no such flag */
    check_scope(&list, "/usr/bin/tool /opt/lib/liba.so " LIB "libc.so");
    assert_null(list.items[0]->needs[1].object);
    assert_null(list.items[0]->needs[2].object);
}

static void what_is_opened_later_is_appended_with_its_needs(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "p");
    elf_add(fixture, package, "/usr/bin/tool", NULL, "liba.so");
    elf_add(fixture, package, LIB "liba.so", NULL, "")->runpath = "/opt";
    elf_add(fixture, package, "/opt/plug.so", NULL, "libdeep.so liba.so");
    elf_add(fixture, package, LIB "libdeep.so", NULL, "");
    struct load_list list = load(fixture, "/usr/bin/tool");
    struct loader loader;
    loader_prepare(&fixture->arena, &fixture->arch, &fixture->set, &loader);
    struct load_need need = loader_open(&loader, &list, list.items[1], "plug.so");
    assert_int_equal(need.step, LOAD_RUNPATH);
    check_scope(&list, "/usr/bin/tool " LIB "liba.so /opt/plug.so " LIB "libdeep.so");
    assert_null(loader_open(&loader, &list, list.items[0], "plug2.so").object);
}

static const char *read_dirs(struct fixture *fixture, struct ld_conf *conf)
{
    set_build(fixture, false);
    ld_conf_read(&fixture->arena, &fixture->set, conf);
    return strings_join(&fixture->arena, &conf->dirs, " ");
}

static void the_configuration_is_read_as_by_ldconfig(void **state)
{
    struct fixture *fixture = *state;
    struct ld_conf conf;
    struct package *package = package_add(fixture, "p");
    file_add(package, "/etc/ld.so.conf",
             "  /first \t# one\n#/never\n\ninclude ld.so.conf.d/*.conf /etc/single\nHWCAP 1 nosegneg\nrelative\n"
             "/typed=libc6\n/slashes///\n/last");
    file_add(package, "/etc/ld.so.conf.d/b.conf", "/b\n");
    file_add(package, "/etc/ld.so.conf.d/a.conf", "/a\r\n");
    file_add(package, "/etc/ld.so.conf.d/.hidden.conf", "/hidden\n");
    file_add(package, "/etc/ld.so.conf.d/c.txt", "/txt\n");
    file_add(package, "/etc/ld.so.conf.d/deep/d.conf", "/deep\n");
    file_add(package, "/etc/single", "/single\ninclude /etc/none.conf\nincluded\n");
    assert_string_equal(read_dirs(fixture, &conf), "/first /a /b /single /typed /slashes /last");
    assert_int_equal(conf.files.count, 4);
    assert_int_equal(conf.notes.count, 3);
    assert_string_equal(conf.notes.items[0], "/etc/single:3: a relative directory: left out");
    assert_string_equal(conf.notes.items[1], "/etc/ld.so.conf:5: the hwcap directive: left out");
}

static void files_that_include_each_other_end(void **state)
{
    struct fixture *fixture = *state;
    struct ld_conf conf;
    struct package *package = package_add(fixture, "p");
    file_add(package, "/etc/ld.so.conf", "/x\ninclude /etc/ld.so.conf\n");
    (void)read_dirs(fixture, &conf);
    assert_int_equal(conf.dirs.count, 17); /* the file itself and 16 behind it */
    assert_non_null(strstr(conf.notes.items[0], "include each other"));
}

static void includes_end_after_a_thousand(void **state)
{
    struct fixture *fixture = *state;
    struct ld_conf conf;
    struct package *package = package_add(fixture, "p");
    AUTO(buf_done) struct buf text;
    buf_init(&text, (size_t)1 << 20);
    for (int i = 0; i < 5000; i++)
        assert_true(buf_printf(&text, "include /*/%d\n", i));
    file_add(package, "/etc/ld.so.conf", arena_strndup(&fixture->arena, text.bytes, text.len));
    (void)read_dirs(fixture, &conf);
    assert_int_equal(conf.notes.count, 1);
    assert_string_equal(conf.notes.items[0], "/etc/ld.so.conf:1001: an include after too many others: left out");
}

static void a_search_that_takes_too_long_ends_with_a_word(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "p");
    elf_add(fixture, package, "/usr/bin/tool", NULL, "liba.so libb.so libc.so")->runpath = "/1:/2:/3:/4:/5:/6:/7:/8";
    elf_add(fixture, package, "/8/liba.so", NULL, "");
    elf_add(fixture, package, "/8/libb.so", NULL, "");
    elf_add(fixture, package, "/8/libc.so", NULL, "");
    set_build(fixture, false);
    struct loader loader;
    struct load_list list;
    loader_prepare(&fixture->arena, &fixture->arch, &fixture->set, &loader);
    assert_int_equal(*loader.steps, 0);
    *loader.steps = LOADER_STEPS_MAX - 12; /* enough for the first library */
    loader_load(&loader, fileset_walk(&fixture->set, &fixture->arena, "/usr/bin/tool", NULL, NULL), "/usr/bin/tool",
                &list);
    check_scope(&list, "/usr/bin/tool /8/liba.so");
    assert_int_equal(list.items[0]->needs[2].step, LOAD_NOWHERE);
    check_note(&list, NOTE_BROKEN, true, "take too long to search");
    assert_int_equal(list.notes.count, 1);
}

static void fill_cache(struct fixture *fixture, struct ld_cache *cache)
{
    static const char *const dirs[] = {"/opt/lib", "/opt/link", "/lib/x86_64-linux-gnu"};
    struct package *package = package_add(fixture, "p");
    struct strings list = {0};
    elf_add(fixture, package, "/opt/lib/libx.so.1.10", "libx.so.1", "");
    link_add(package, "/opt/lib/libx.so.1", "libx.so.1.10");
    link_add(package, "/opt/lib/libx.so", "libx.so.1");
    link_add(package, "/opt/link", "lib");
    elf_add(fixture, package, LIB "libx.so.1", "libx.so.1", "");
    elf_add(fixture, package, LIB "libx.so.2", "libx.so.2", "");
    elf_add(fixture, package, LIB "libx.so.10", "libx.so.10", "");
    elf_add(fixture, package, LIB "glibc-hwcaps/x86-64-v2/libx.so.2", "libx.so.2", "");
    elf_add(fixture, package, LIB "glibc-hwcaps/x86-64-v3/libx.so.2", "libx.so.2", "");
    elf_add(fixture, package, LIB "ld-linux-x86-64.so.2", "ld-linux-x86-64.so.2", "");
    elf_add(fixture, package, LIB "libnolink.so.1.1", "libnolink.so.1", "");
    elf_add(fixture, package, LIB "deeper/libdeeper.so", NULL, "");
    struct elf_facts *small = elf_add(fixture, package, LIB "libsmall.so", NULL, "");
    small->machine = EM_386;
    small->elf_class = 32;
    elf_add(fixture, package, LIB "libarm.so", NULL, "")->machine = EM_ARM;
    for (size_t i = 0; i < ARRAY_COUNT(dirs); i++)
        list_add(&fixture->arena, &list, dirs[i]);
    set_build(fixture, false);
    ld_cache_collect(&fixture->arena, &fixture->set, &fixture->arch, &list, NULL, cache);
}

static void the_cache_lists_what_ldconfig_lists_in_its_order(void **state)
{
    static const char *const wanted[][2] = {
        {"libx.so.10", "/lib/x86_64-linux-gnu/libx.so.10"},
        {"libx.so.2", "/lib/x86_64-linux-gnu/glibc-hwcaps/x86-64-v2/libx.so.2"},
        {"libx.so.2", "/lib/x86_64-linux-gnu/glibc-hwcaps/x86-64-v3/libx.so.2"},
        {"libx.so.2", "/lib/x86_64-linux-gnu/libx.so.2"},
        {"libx.so.1", "/opt/lib/libx.so.1"},
        {"libx.so.1", "/lib/x86_64-linux-gnu/libx.so.1"},
        {"libx.so", "/opt/lib/libx.so"},
        {"libsmall.so", "/lib/x86_64-linux-gnu/libsmall.so"},
        {"ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"},
    };
    struct ld_cache cache;
    fill_cache(*state, &cache);
    for (size_t i = 0; i < cache.count && i < ARRAY_COUNT(wanted); i++) {
        assert_string_equal(cache.items[i].name, wanted[i][0]);
        assert_string_equal(cache.items[i].path, wanted[i][1]);
    }
    assert_int_equal(cache.count, ARRAY_COUNT(wanted));
}

static void the_cache_reads_back_in_both_byte_orders_and_finds_as_the_loader(void **state)
{
    struct fixture *fixture = *state;
    struct ld_cache cache, read;
    struct strings machine = {0};
    struct text bytes;
    fill_cache(fixture, &cache);
    for (int i = 0; i < 2; i++) {
        fixture->arch.is_big_endian = i == 1;
        CHECK_OK(ld_cache_write(&fixture->arena, &cache, &fixture->arch, "ldconfig x", &bytes, &fixture->err),
                 &fixture->err);
        CHECK_OK(ld_cache_read(&fixture->arena, bytes, &fixture->arch, &read, &fixture->err), &fixture->err);
        assert_int_equal(read.count, cache.count);
        for (size_t j = 0; j < read.count; j++) {
            assert_string_equal(read.items[j].name, cache.items[j].name);
            assert_string_equal(read.items[j].path, cache.items[j].path);
            assert_int_equal(read.items[j].flags, cache.items[j].flags);
        }
        assert_string_equal(ld_cache_find(&read, &fixture->arch, "libx.so.2", NULL), "/lib/x86_64-linux-gnu/libx.so.2");
        assert_string_equal(ld_cache_find(&read, &fixture->arch, "libx.so.02", NULL),
                            "/lib/x86_64-linux-gnu/libx.so.2"); /* numbers are equal by value */
        assert_string_equal(ld_cache_find(&read, &fixture->arch, "libx.so.1", NULL), "/opt/lib/libx.so.1");
        assert_null(ld_cache_find(&read, &fixture->arch, "libsmall.so", NULL));
        assert_null(ld_cache_find(&read, &fixture->arch, "libx.so.3", NULL));
        fixture->arch.is_big_endian = !fixture->arch.is_big_endian;
        CHECK_OK(ld_cache_read(&fixture->arena, bytes, &fixture->arch, &read, &fixture->err), &fixture->err);
        assert_int_equal(read.count, 0); /* the loader ignores the other byte order */
    }
    list_add(&fixture->arena, &machine, "x86-64-v3");
    list_add(&fixture->arena, &machine, "x86-64-v2");
    assert_string_equal(ld_cache_find(&cache, &fixture->arch, "libx.so.2", &machine),
                        "/lib/x86_64-linux-gnu/glibc-hwcaps/x86-64-v3/libx.so.2");
}

static void a_cache_that_lies_is_refused_or_empty(void **state)
{
    struct fixture *fixture = *state;
    struct ld_cache cache, read;
    struct text bytes;
    fill_cache(fixture, &cache);
    CHECK_OK(ld_cache_write(&fixture->arena, &cache, &fixture->arch, "g", &bytes, &fixture->err), &fixture->err);
    for (size_t len = 0; len < bytes.len; len++) { /* an exact copy, so that reading behind it is seen */
        char *copy = malloc(len ? len : 1);
        memcpy(copy, bytes.ptr, len);
        if (!ld_cache_read(&fixture->arena, (struct text){copy, len}, &fixture->arch, &read, &fixture->err))
            err_clear(&fixture->err);
        free(copy);
    }
    for (size_t at = 20; at < bytes.len; at += 4) {
        char *copy = malloc(bytes.len);
        memcpy(copy, bytes.ptr, bytes.len);
        memset(copy + at, 0xff, bytes.len - at < 4 ? bytes.len - at : 4);
        if (!ld_cache_read(&fixture->arena, (struct text){copy, bytes.len}, &fixture->arch, &read, &fixture->err))
            err_clear(&fixture->err);
        free(copy);
    }
    char *many = arena_strndup(&fixture->arena, bytes.ptr, bytes.len);
    memset(many + 20, 0x7f, 4);
    assert_false(ld_cache_read(&fixture->arena, (struct text){many, bytes.len}, &fixture->arch, &read, &fixture->err));
    CHECK_ERR(&fixture->err, ERR_MALFORMED, "entries do not fit");
}

static void ldconfigs_links_are_made_where_it_looks(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "p");
    file_add(package, "/etc/ld.so.conf.d/z.conf", "/opt/z\n");
    (void)elf_add(fixture, package, "/usr/lib/liba.so.1.9", "liba.so.1", "");
    (void)elf_add(fixture, package, "/usr/lib/liba.so.1.10", "liba.so.1", ""); /* the higher number */
    (void)elf_add(fixture, package, "/opt/z/libz.so.1.2", "libz.so.1", "");
    (void)elf_add(fixture, package, "/opt/other/libo.so.1.2", "libo.so.1", ""); /* not configured */
    (void)elf_add(fixture, package, "/usr/lib/plug.so.1.2", "plug.so.1", "");   /* no library's name */
    (void)elf_add(fixture, package, "/usr/lib/libe.so.1.2", "../libe.so.1", "");
    elf_add(fixture, package, "/usr/lib/libi.so.1.2", "libi.so.1", "")->elf_class = 32;
    (void)elf_add(fixture, package, "/usr/lib/libs.so.1.2", "libs.so.1", "");
    link_add(package, "/usr/lib/libs.so.1", "elsewhere");
    set_build(fixture, false);
    size_t before = fixture->set.by_path.slots.count;
    ld_cache_add_links(&fixture->set, &fixture->arch);
    assert_int_equal(fixture->set.by_path.slots.count, before + 2);
    assert_string_equal(fileset_find(&fixture->set, "/usr/lib/liba.so.1")->entry->target, "liba.so.1.10");
    assert_string_equal(fileset_find(&fixture->set, "/opt/z/libz.so.1")->entry->target, "libz.so.1.2");
    assert_string_equal(fileset_find(&fixture->set, "/usr/lib/libs.so.1")->entry->target, "elsewhere");
    assert_null(fileset_find(&fixture->set, "/libe.so.1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ldconfigs_links_are_made_where_it_looks),
        TEST(each_need_tells_where_it_was_found_and_through_whom),
        TEST(the_interpreter_is_known_by_its_soname_and_in_the_scope_only_when_needed),
        TEST(another_loader_than_glibcs_is_noted),
        TEST(an_executable_is_no_library_but_may_be_needed_by_what_it_loads),
        TEST(a_library_for_another_operating_system_stops_the_loader),
        TEST(other_calling_conventions_are_passed_over),
        TEST(a_32_bit_library_beside_the_64_bit_one_is_passed_over_and_noted),
        TEST(empty_and_relative_elements_are_noted_once),
        TEST(an_empty_element_at_the_end_counts_but_an_empty_list_does_not),
        TEST(slashes_at_the_end_of_a_search_directory_do_not_count),
        TEST(a_library_is_known_by_the_name_it_was_asked_for),
        TEST(an_interpreter_that_cannot_run_is_fatal),
        TEST(a_library_is_known_by_the_path_it_was_opened_under),
        TEST(the_built_in_directories_are_read_out_of_the_loader),
        TEST(hwcaps_directories_count_only_on_such_machines),
        TEST(machines_are_the_oldest_and_one_more_for_each_name_asked_for),
        TEST(the_closure_keeps_a_variant_beside_the_library_for_all_when_asked),
        TEST(a_library_of_a_configured_directory_brings_cache_and_configuration),
        TEST(no_cache_is_needed_for_what_the_built_in_directories_give),
        TEST(a_configured_directory_comes_before_the_built_in_ones),
        TEST(only_what_ldconfig_lists_is_found_in_a_configured_directory),
        TEST(nodeflib_leaves_out_cache_entries_below_the_built_in_directories_too),
        TEST(what_is_opened_later_is_appended_with_its_needs),
        TEST(the_configuration_is_read_as_by_ldconfig),
        TEST(files_that_include_each_other_end),
        TEST(includes_end_after_a_thousand),
        TEST(a_search_that_takes_too_long_ends_with_a_word),
        TEST(the_cache_lists_what_ldconfig_lists_in_its_order),
        TEST(the_cache_reads_back_in_both_byte_orders_and_finds_as_the_loader),
        TEST(a_cache_that_lies_is_refused_or_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
