/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of closure/closure: what ld.so(8) would load, from packages made by hand. */
#include "packages.h"

#define LIB "/usr/lib/x86_64-linux-gnu/"

struct closing {
    struct fixture *fixture;
    struct closure_root roots[8];
    size_t root_count;
    bool is_partial;
    struct keep keep;
    struct strings hwcaps, dropped;
};

static bool try_close(struct closing *closing)
{
    struct fixture *fixture = closing->fixture;
    set_build(fixture, false);
    struct closure_request request = {.arch = &fixture->arch,
                                      .roots = closing->roots,
                                      .root_count = closing->root_count,
                                      .is_partial = closing->is_partial,
                                      .hwcaps = &closing->hwcaps,
                                      .dropped = &closing->dropped};
    return closure_find(&fixture->arena, &fixture->set, &request, &closing->keep, &fixture->err);
}

/* Finds the closure of one root. */
static struct keep close_root(struct fixture *fixture, const char *path)
{
    struct closing closing = {fixture, {{.path = path, .why = "binary of the manifest"}}, 1, false, {0}, {0}, {0}};
    CHECK_OK(try_close(&closing), &fixture->err);
    return closing.keep;
}

static const char *why_kept(const struct keep *keep, const char *path)
{
    for (size_t i = 0; i < keep->count; i++) {
        if (strcmp(keep->items[i].file->entry->path, path) == 0)
            return keep->items[i].why;
    }
    return NULL;
}

static bool is_missing(const struct keep *keep, const char *wanted, const char *needed_by)
{
    for (size_t i = 0; i < keep->missing_count; i++) {
        if (strcmp(keep->missing[i].wanted, wanted) == 0 && strcmp(keep->missing[i].needed_by, needed_by) == 0)
            return true;
    }
    return false;
}

/* Checks that exactly these paths are kept and nothing is missing. */
static void check_kept(const struct keep *keep, const char *paths)
{
    struct text rest = text_of(paths), path;
    size_t count = 0;
    if (keep->missing_count)
        fail_msg("%s is missing", keep->missing[0].wanted);
    while (text_next_word(&rest, &path)) {
        if (count == keep->count || !text_is(path, keep->items[count].file->entry->path))
            fail_msg("wanted %.*s, kept %s", (int)path.len, path.ptr,
                     count < keep->count ? keep->items[count].file->entry->path : "no more");
        count++;
    }
    if (count < keep->count)
        fail_msg("kept %s too", keep->items[count].file->entry->path);
}

static struct elf_facts *program_add(struct fixture *fixture, struct package *package, const char *path,
                                     const char *needed)
{
    struct elf_facts *elf = elf_add(fixture, package, path, NULL, needed);
    elf->interp = "/lib64/ld-linux-x86-64.so.2";
    return elf;
}

/* A C library as Debian packages it. */
static void libc_add(struct fixture *fixture)
{
    struct package *libc = package_add(fixture, "libc6");
    elf_add(fixture, libc, LIB "ld-linux-x86-64.so.2", "ld-linux-x86-64.so.2", "");
    link_add(libc, "/usr/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2");
    elf_add(fixture, libc, LIB "libc.so.6", "libc.so.6", "ld-linux-x86-64.so.2")->interp = LIB "ld-linux-x86-64.so.2";
}

static void a_program_keeps_its_loader_libraries_and_their_links(void **state)
{
    struct fixture *fixture = *state;
    libc_add(fixture);
    struct package *package = package_add(fixture, "tool");
    program_add(fixture, package, "/usr/sbin/tool", "libz.so.1 libc.so.6");
    elf_add(fixture, package, LIB "libz.so.1.2", "libz.so.1", "libc.so.6");
    link_add(package, LIB "libz.so.1", "libz.so.1.2");
    link_add(package, LIB "libz.so", "libz.so.1.2");
    struct keep keep = close_root(fixture, "/sbin/tool");
    check_kept(&keep, "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 /usr/lib/x86_64-linux-gnu/libc.so.6 "
                      "/usr/lib/x86_64-linux-gnu/libz.so.1 /usr/lib/x86_64-linux-gnu/libz.so.1.2 "
                      "/usr/lib64/ld-linux-x86-64.so.2 /usr/sbin/tool");
    assert_string_equal(why_kept(&keep, "/usr/sbin/tool"), "binary of the manifest");
    assert_string_equal(why_kept(&keep, LIB "libz.so.1.2"), "needed by /usr/sbin/tool as libz.so.1");
    assert_string_equal(why_kept(&keep, LIB "ld-linux-x86-64.so.2"), "interpreter of /usr/sbin/tool");
}

static void a_missing_library_is_told_with_the_file_that_needs_it(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "tool");
    program_add(fixture, package, "/usr/sbin/tool", "liba.so");
    elf_add(fixture, package, LIB "liba.so", "liba.so", "libnone.so.3 libnone.so.3");
    struct keep keep = close_root(fixture, "/usr/sbin/tool");
    assert_int_equal(keep.missing_count, 2);
    assert_true(is_missing(&keep, "/lib64/ld-linux-x86-64.so.2", "/usr/sbin/tool"));
    assert_true(is_missing(&keep, "libnone.so.3", LIB "liba.so"));
    assert_false(keep.missing[1].is_root);
}

static void a_soname_that_is_loaded_is_not_searched_again(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "tool");
    /* /opt/libx.so has the soname libx.so.1: the one in the default directory is never opened */
    elf_add(fixture, package, "/usr/bin/tool", NULL, "/opt/libx.so liby.so");
    elf_add(fixture, package, "/opt/libx.so", "libx.so.1", "");
    elf_add(fixture, package, LIB "libx.so.1", "libx.so.1", "libhuge.so");
    elf_add(fixture, package, LIB "liby.so", "liby.so", "libx.so.1");
    struct keep keep = close_root(fixture, "/usr/bin/tool");
    check_kept(&keep, "/opt/libx.so /usr/bin/tool /usr/lib/x86_64-linux-gnu/liby.so");
}

static void the_search_is_breadth_first(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "tool");
    /* liba would find libd in /opt, but the program's own need for libd comes first: depth first would open
     * /opt/libd.so */
    elf_add(fixture, package, "/usr/bin/tool", NULL, "liba.so libd.so");
    elf_add(fixture, package, LIB "liba.so", "liba.so", "libd.so")->runpath = "/opt";
    elf_add(fixture, package, LIB "libd.so", "libd.so", "");
    elf_add(fixture, package, "/opt/libd.so", "libd.so", "");
    struct keep keep = close_root(fixture, "/usr/bin/tool");
    check_kept(&keep, "/usr/bin/tool /usr/lib/x86_64-linux-gnu/liba.so /usr/lib/x86_64-linux-gnu/libd.so");
}

static void the_same_file_by_another_name_is_one_object_but_keeps_its_link(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "tool");
    elf_add(fixture, package, "/usr/bin/tool", NULL, "libold.so libnew.so");
    elf_add(fixture, package, LIB "libnew.so", NULL, "");
    link_add(package, LIB "libold.so", "libnew.so");
    struct keep keep = close_root(fixture, "/usr/bin/tool");
    check_kept(&keep, "/usr/bin/tool /usr/lib/x86_64-linux-gnu/libnew.so /usr/lib/x86_64-linux-gnu/libold.so");
}

static void rpath_is_inherited_and_comes_before_the_default_directories(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "tool");
    elf_add(fixture, package, "/usr/bin/tool", NULL, "liba.so")->rpath = "/opt/one:/opt/two";
    elf_add(fixture, package, "/opt/two/liba.so", "liba.so", "libb.so");
    elf_add(fixture, package, "/opt/one/libb.so", "libb.so", "");
    elf_add(fixture, package, LIB "libb.so", "libb.so", "");
    struct keep keep = close_root(fixture, "/usr/bin/tool");
    check_kept(&keep, "/opt/one/libb.so /opt/two/liba.so /usr/bin/tool");
}

static void runpath_is_for_the_object_alone_and_switches_rpaths_off(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "tool");
    libc_add(fixture);
    struct elf_facts *tool = program_add(fixture, package, "/usr/bin/tool", "liba.so libb.so libr.so");
    tool->rpath = "/opt/r";
    tool->runpath = "/opt/run";
    elf_add(fixture, package, "/opt/r/liba.so", "liba.so", "");
    elf_add(fixture, package, "/opt/run/liba.so", "liba.so", "libdeep.so"); /* the RUNPATH's, not the RPATH's */
    elf_add(fixture, package, "/opt/run/libdeep.so", "libdeep.so", "");     /* not seen by liba */
    elf_add(fixture, package, "/opt/r/libdeep.so", "libdeep.so", "");       /* the tool's RPATH is off */
    elf_add(fixture, package, LIB "libb.so", "libb.so", "");
    elf_add(fixture, package, LIB "libr.so", "libr.so", "");
    struct keep keep = close_root(fixture, "/usr/bin/tool");
    assert_int_equal(keep.missing_count, 1);
    assert_true(is_missing(&keep, "libdeep.so", "/opt/run/liba.so"));
    assert_non_null(why_kept(&keep, LIB "libb.so"));
    assert_null(why_kept(&keep, "/opt/r/liba.so"));
}

static void an_object_with_runpath_does_not_use_its_loaders_rpath(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "tool");
    elf_add(fixture, package, "/usr/bin/tool", NULL, "liba.so")->rpath = "/opt";
    elf_add(fixture, package, "/opt/liba.so", "liba.so", "libb.so")->runpath = "/nowhere";
    elf_add(fixture, package, "/opt/libb.so", "libb.so", "");
    elf_add(fixture, package, "/usr/lib/libb.so", "libb.so", "");
    struct keep keep = close_root(fixture, "/usr/bin/tool");
    check_kept(&keep, "/opt/liba.so /usr/bin/tool /usr/lib/libb.so");
}

static void each_root_has_its_own_load_list_and_search_paths(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "tool");
    elf_add(fixture, package, "/usr/bin/one", NULL, "liba.so")->runpath = "/opt/one";
    elf_add(fixture, package, "/usr/bin/two", NULL, "liba.so");
    elf_add(fixture, package, "/opt/one/liba.so", "liba.so", "");
    elf_add(fixture, package, LIB "liba.so", "liba.so", "");
    struct closing closing = {
        fixture, {{.path = "/usr/bin/one", .why = "r"}, {.path = "/usr/bin/two", .why = "r"}}, 2, false, {0}, {0}, {0}};
    CHECK_OK(try_close(&closing), &fixture->err);
    check_kept(&closing.keep, "/opt/one/liba.so /usr/bin/one /usr/bin/two /usr/lib/x86_64-linux-gnu/liba.so");
}

static void tokens_are_expanded_also_in_braces(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "tool");
    elf_add(fixture, package, "/opt/t/bin/tool", NULL, "liba.so libb.so libp.so ${ORIGIN}/libn.so")->runpath =
        "$ORIGIN/../lib:/opt/${LIB}:/opt/$PLATFORM/";
    elf_add(fixture, package, "/opt/t/lib/liba.so", "liba.so", "");
    elf_add(fixture, package, "/opt/lib/x86_64-linux-gnu/libb.so", "libb.so", "");
    elf_add(fixture, package, "/opt/x86_64/libp.so", "libp.so", "");
    elf_add(fixture, package, "/opt/t/bin/libn.so", "libn.so", "");
    struct keep keep = close_root(fixture, "/opt/t/bin/tool");
    check_kept(&keep, "/opt/lib/x86_64-linux-gnu/libb.so /opt/t/bin/libn.so /opt/t/bin/tool /opt/t/lib/liba.so "
                      "/opt/x86_64/libp.so");
}

static void what_only_looks_like_a_token_stays(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "tool");
    elf_add(fixture, package, "/opt/tool", NULL, "liba.so")->runpath = "/opt/$ORIGINAL:/opt/${LIB:/opt/$:$";
    elf_add(fixture, package, "/opt/$ORIGINAL/liba.so", "liba.so", "");
    struct keep keep = close_root(fixture, "/opt/tool");
    check_kept(&keep, "/opt/$ORIGINAL/liba.so /opt/tool");
    fixture->arch.platform_token = NULL;
    libc_add(fixture);
    program_add(fixture, package, "/opt/other", "liba.so")->runpath = "/opt/$PLATFORM/x";
    keep = close_root(fixture, "/opt/other");
    assert_true(is_missing(&keep, "liba.so", "/opt/other"));
}

static void a_folder_that_only_looks_like_a_token_is_searched_before_the_usual_ones(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "tool");
    elf_add(fixture, package, "/opt/tool", NULL, "liba.so")->runpath = "/opt/$ORIGINAL";
    elf_add(fixture, package, "/opt/$ORIGINAL/liba.so", "liba.so", "");
    elf_add(fixture, package, LIB "liba.so", "liba.so", "");
    struct keep keep = close_root(fixture, "/opt/tool");
    check_kept(&keep, "/opt/$ORIGINAL/liba.so /opt/tool");
}

static void origin_is_an_executables_real_directory_and_a_librarys_found_one(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "tool");
    struct elf_facts *tool = program_add(fixture, package, "/opt/t/tool", "libx.so");
    tool->runpath = "$ORIGIN/lib";
    link_add(package, "/usr/bin/tool", "/opt/t/tool");
    link_add(package, "/opt/t/lib/libx.so", "/srv/libx.so.1");
    elf_add(fixture, package, "/srv/libx.so.1", "libx.so", "libside.so")->runpath = "$ORIGIN";
    elf_add(fixture, package, "/opt/t/lib/libside.so", "libside.so", "");
    elf_add(fixture, package, "/srv/libside.so", "libside.so", "");
    libc_add(fixture);
    struct keep keep = close_root(fixture, "/usr/bin/tool");
    assert_int_equal(keep.missing_count, 0);
    assert_non_null(why_kept(&keep, "/opt/t/lib/libside.so"));
    assert_null(why_kept(&keep, "/srv/libside.so"));
    assert_non_null(why_kept(&keep, "/usr/bin/tool"));
}

static void empty_and_relative_search_path_entries_are_ignored(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "tool");
    elf_add(fixture, package, "/usr/bin/tool", NULL, "liba.so lib/liba.so")->runpath = "::lib:./:/opt/:";
    elf_add(fixture, package, "/liba.so", "wrong", "");
    elf_add(fixture, package, "/usr/lib/liba.so", "later", "");
    elf_add(fixture, package, "/opt/liba.so", "liba.so", "");
    struct keep keep = close_root(fixture, "/usr/bin/tool");
    assert_int_equal(keep.count, 2);
    assert_non_null(why_kept(&keep, "/opt/liba.so"));
    assert_true(is_missing(&keep, "lib/liba.so", "/usr/bin/tool")); /* below the current directory */
}

static void nodeflib_leaves_the_default_directories_out(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "tool");
    elf_add(fixture, package, "/usr/bin/tool", NULL, "liba.so")->has_nodeflib = true;
    elf_add(fixture, package, LIB "liba.so", "liba.so", "");
    struct keep keep = close_root(fixture, "/usr/bin/tool");
    assert_true(is_missing(&keep, "liba.so", "/usr/bin/tool"));
}

static void files_of_other_machines_are_passed_over(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "tool");
    elf_add(fixture, package, "/usr/bin/tool", NULL, "liba.so")->runpath = "/opt/arm:/opt/x32:/opt/be:/opt/dir:/opt/ok";
    elf_add(fixture, package, "/opt/arm/liba.so", "liba.so", "")->machine = EM_AARCH64;
    elf_add(fixture, package, "/opt/x32/liba.so", "liba.so", "")->elf_class = 32;
    elf_add(fixture, package, "/opt/be/liba.so", "liba.so", "")->is_big_endian = true;
    dir_add(package, "/opt/dir/liba.so", 0755);
    elf_add(fixture, package, "/opt/ok/liba.so", "liba.so", "");
    struct keep keep = close_root(fixture, "/usr/bin/tool");
    check_kept(&keep, "/opt/ok/liba.so /usr/bin/tool");
}

static void check_refused(struct fixture *fixture, const char *path, const char *part)
{
    struct closing closing = {fixture, {{.path = path, .why = "w"}}, 1, false, {0}, {0}, {0}};
    assert_false(try_close(&closing));
    CHECK_ERR(&fixture->err, ERR_MALFORMED, part);
    CHECK_ERR(&fixture->err, ERR_MALFORMED, "(package tool)");
    err_clear(&fixture->err);
}

static void a_root_of_another_machine_is_refused(void **state)
{
    struct fixture *fixture = *state;
    elf_add(fixture, package_add(fixture, "tool"), "/usr/bin/tool", NULL, "")->machine = EM_AARCH64;
    check_refused(fixture, "/usr/bin/tool",
                  "/usr/bin/tool (package tool): it is for AArch64 (64-bit, little-endian), but x86_64 is x86-64");
}

static void broken_elf_files_are_refused_by_name(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "tool");
    *elf_add(fixture, package, "/usr/bin/root", NULL, "") = (struct elf_facts){.broken = "e_phoff past the end"};
    elf_add(fixture, package, "/usr/bin/user", NULL, "libbad.so");
    elf_add(fixture, package, LIB "libbad.so", NULL, "")->broken = "PT_DYNAMIC lies";
    elf_add(fixture, package, "/usr/bin/text", NULL, "libtext.so");
    file_add(package, LIB "libtext.so", "GROUP ( libc.so.6 )");
    elf_add(fixture, package, "/usr/bin/object", NULL, "libo.so");
    elf_add(fixture, package, LIB "libo.so", NULL, "")->type = ET_REL;
    elf_add(fixture, package, "/usr/bin/interp", NULL, "")->interp = "/usr/bin/root";
    check_refused(fixture, "/usr/bin/root", "/usr/bin/root (package tool): broken ELF: e_phoff past the end");
    check_refused(fixture, "/usr/bin/user", "libbad.so (package tool), needed by /usr/bin/user as libbad.so: broken");
    check_refused(fixture, "/usr/bin/text", "it is no ELF file");
    check_refused(fixture, "/usr/bin/object", "neither a shared object");
    check_refused(fixture, "/usr/bin/interp", "interpreter of /usr/bin/interp");
}

static void libgcc_is_kept_with_the_c_library_and_says_why(void **state)
{
    struct fixture *fixture = *state;
    libc_add(fixture);
    elf_add(fixture, package_add(fixture, "libgcc-s1"), LIB "libgcc_s.so.1", "libgcc_s.so.1", "libc.so.6 libextra.so");
    elf_add(fixture, package_add(fixture, "extra"), LIB "libextra.so", "libextra.so", "");
    program_add(fixture, package_add(fixture, "tool"), "/usr/bin/tool", "libc.so.6");
    struct keep keep = close_root(fixture, "/usr/bin/tool");
    assert_int_equal(keep.missing_count, 0);
    assert_string_equal(why_kept(&keep, LIB "libgcc_s.so.1"),
                        "glibc opens it with dlopen for pthread_exit and pthread_cancel");
    assert_string_equal(why_kept(&keep, LIB "libextra.so"), "needed by " LIB "libgcc_s.so.1 as libextra.so");
}

static void an_absent_libgcc_is_missing_only_in_a_partial_set(void **state)
{
    struct fixture *fixture = *state;
    libc_add(fixture);
    struct package *package = package_add(fixture, "tool");
    program_add(fixture, package, "/usr/bin/tool", "libc.so.6");
    elf_add(fixture, package, "/usr/bin/static", NULL, "");
    struct closing closing = {fixture, {{.path = "/usr/bin/tool", .why = "w"}}, 1, false, {0}, {0}, {0}};
    CHECK_OK(try_close(&closing), &fixture->err);
    assert_int_equal(closing.keep.missing_count, 0);
    closing.is_partial = true;
    CHECK_OK(try_close(&closing), &fixture->err);
    assert_int_equal(closing.keep.missing_count, 1);
    assert_true(is_missing(&closing.keep, "libgcc_s.so.1", LIB "libc.so.6"));
    closing.roots[0].path = "/usr/bin/static";
    CHECK_OK(try_close(&closing), &fixture->err);
    assert_int_equal(closing.keep.missing_count, 0);
}

static void a_partial_set_without_the_c_library_asks_for_both(void **state)
{
    struct fixture *fixture = *state;
    elf_add(fixture, package_add(fixture, "tool"), "/usr/bin/tool", NULL, "libc.so.6");
    struct closing closing = {fixture, {{.path = "/usr/bin/tool", .why = "w"}}, 1, true, {0}, {0}, {0}};
    CHECK_OK(try_close(&closing), &fixture->err);
    assert_true(is_missing(&closing.keep, "libc.so.6", "/usr/bin/tool"));
    assert_true(is_missing(&closing.keep, "libgcc_s.so.1", "/usr/bin/tool"));
}

static void script_add(struct package *package, const char *path, const char *line)
{
    struct entry *entry = file_add(package, path, line);
    entry->interpreter = line;
    entry->mode = 0755;
}

static void a_script_keeps_its_interpreter_and_what_that_needs(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "tool");
    script_add(package, "/usr/bin/script", "/bin/sh -e");
    link_add(package, "/usr/bin/sh", "dash");
    elf_add(fixture, package, "/usr/bin/dash", NULL, "liba.so");
    elf_add(fixture, package, LIB "liba.so", NULL, "");
    struct keep keep = close_root(fixture, "/usr/bin/script");
    check_kept(&keep, "/usr/bin/dash /usr/bin/script /usr/bin/sh /usr/lib/x86_64-linux-gnu/liba.so");
    assert_string_equal(why_kept(&keep, "/usr/bin/dash"), "interpreter of the script /usr/bin/script");
}

static void env_is_kept_and_what_it_starts(void **state)
{
    static const char *const lines[] = {"/usr/bin/env python3", "/usr/bin/env -S python3 -u",
                                        "/usr/bin/env -S A=b -u HOME python3", "/usr/bin/env -Spython3",
                                        "/usr/bin/env --split-string=python3 -I"};
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "tool");
    elf_add(fixture, package, "/usr/bin/env", NULL, "");
    elf_add(fixture, package, "/usr/bin/python3.11", NULL, "");
    link_add(package, "/usr/bin/python3", "python3.11");
    file_add(package, "/usr/local/bin/python3", "not executable: execvp goes on");
    for (size_t i = 0; i < ARRAY_COUNT(lines); i++)
        script_add(package, arena_printf(&fixture->arena, "/script%zu", i), lines[i]);
    script_add(package, "/blank", "/usr/bin/env python3 -u");
    for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
        const char *path = arena_printf(&fixture->arena, "/script%zu", i);
        struct keep keep = close_root(fixture, path);
        check_kept(&keep, arena_printf(&fixture->arena, "%s /usr/bin/env /usr/bin/python3 /usr/bin/python3.11", path));
    }
    struct keep keep = close_root(fixture, "/blank");
    assert_true(is_missing(&keep, "python3 -u", "/blank")); /* the kernel hands it over in one piece */
}

static void missing_and_relative_interpreters_are_told(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "tool");
    script_add(package, "/a", "/bin/bash");
    script_add(package, "/b", "bin/sh");
    script_add(package, "/c", "");
    file_add(package, "/d", "#!/bin/bash")->interpreter = "/bin/bash"; /* cannot be executed: data */
    struct keep keep = close_root(fixture, "/a");
    assert_true(is_missing(&keep, "/bin/bash", "/a"));
    keep = close_root(fixture, "/b");
    assert_true(is_missing(&keep, "bin/sh", "/b"));
    keep = close_root(fixture, "/c");
    check_kept(&keep, "/c");
    keep = close_root(fixture, "/d");
    check_kept(&keep, "/d");
}

static void scripts_that_interpret_each_other_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "tool");
    script_add(package, "/self", "/self");
    script_add(package, "/s1", "/s2");
    script_add(package, "/s2", "/s3");
    script_add(package, "/s3", "/s4");
    script_add(package, "/s4", "/elf");
    elf_add(fixture, package, "/elf", NULL, "");
    struct keep keep = close_root(fixture, "/s1");
    check_kept(&keep, "/elf /s1 /s2 /s3 /s4");
    check_refused(fixture, "/self", "interpret each other");
}

static void absent_roots_are_missing_unless_optional(void **state)
{
    struct fixture *fixture = *state;
    package_add(fixture, "tool");
    struct closing closing = {
        fixture, {{.path = "/usr/bin/no", .why = "r"}, {.path = "/usr/bin/maybe", .why = "r", .is_optional = true}},
        2,       false,
        {0},     {0},
        {0}};
    CHECK_OK(try_close(&closing), &fixture->err);
    assert_int_equal(closing.keep.missing_count, 1);
    assert_true(closing.keep.missing[0].is_root);
    assert_true(is_missing(&closing.keep, "/usr/bin/no", "the manifest"));
}

static void an_optional_root_may_come_from_a_package_that_is_not_open_yet(void **state)
{
    struct fixture *fixture = *state;
    package_add(fixture, "tool");
    struct closing closing = {fixture, {{.path = "/etc/maybe", .why = "r", .is_optional = true}}, 1, true, {0}, {0},
                              {0}};
    CHECK_OK(try_close(&closing), &fixture->err);
    assert_true(is_missing(&closing.keep, "/etc/maybe", "the manifest"));
    closing.is_partial = false;
    CHECK_OK(try_close(&closing), &fixture->err);
    assert_int_equal(closing.keep.missing_count, 0);
}

static void a_lenient_root_may_dangle_and_lack_its_interpreter(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "data");
    link_add(package, "/usr/share/localtime", "/etc/localtime");
    script_add(package, "/usr/sbin/update", "/usr/bin/sh");
    script_add(package, "/usr/sbin/upgrade", "/usr/bin/env none");
    elf_add(fixture, package, "/usr/bin/env", NULL, "");
    struct closing closing = {fixture,
                              {{.path = "/usr/share/localtime", .why = "w", .is_lenient = true},
                               {.path = "/usr/sbin/update", .why = "w", .is_lenient = true},
                               {.path = "/usr/sbin/upgrade", .why = "w", .is_lenient = true}},
                              3,
                              false,
                              {0},
                              {0},
                              {0}};
    CHECK_OK(try_close(&closing), &fixture->err);
    check_kept(&closing.keep, "/usr/bin/env /usr/sbin/update /usr/sbin/upgrade /usr/share/localtime");
    closing.is_partial = true; /* the other packages may have them */
    CHECK_OK(try_close(&closing), &fixture->err);
    assert_true(is_missing(&closing.keep, "/etc/localtime", "/usr/share/localtime"));
    assert_true(is_missing(&closing.keep, "/usr/bin/sh", "/usr/sbin/update"));
    assert_true(is_missing(&closing.keep, "none", "/usr/sbin/upgrade"));
}

static void leniency_of_one_root_does_not_excuse_another(void **state)
{
    struct fixture *fixture = *state;
    script_add(package_add(fixture, "data"), "/usr/sbin/update", "/usr/bin/sh");
    struct closing closing = {
        fixture,
        {{.path = "/usr/sbin/update", .why = "w", .is_lenient = true}, {.path = "/usr/sbin/update", .why = "w"}},
        2,
        false,
        {0},
        {0},
        {0}};
    CHECK_OK(try_close(&closing), &fixture->err);
    assert_true(is_missing(&closing.keep, "/usr/bin/sh", "/usr/sbin/update"));
}

/* java opens libjvm.so by its path, before libraries that need it by its name. */
static void what_a_plugin_lacks_may_be_loaded_before_it_from_its_package_or_directory(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "java");
    elf_add(fixture, package, "/usr/lib/jvm/lib/libjava.so", NULL, "libjvm.so libverify.so");
    elf_add(fixture, package, "/usr/lib/jvm/lib/server/libjvm.so", "libjvm.so", "");
    elf_add(fixture, package, "/usr/lib/jvm/lib/libverify.so", "libverify.so", "libjvm.so");
    elf_add(fixture, package_add(fixture, "other"), "/usr/lib/awt/libawt.so", NULL, "libjvm.so");
    struct keep keep = close_root(fixture, "/usr/lib/jvm/lib/libjava.so");
    check_kept(&keep, "/usr/lib/jvm/lib/libjava.so /usr/lib/jvm/lib/libverify.so /usr/lib/jvm/lib/server/libjvm.so");
    assert_string_equal(why_kept(&keep, "/usr/lib/jvm/lib/server/libjvm.so"),
                        "needed by /usr/lib/jvm/lib/libjava.so as libjvm.so, which is opened before it");
    keep = close_root(fixture, "/usr/lib/awt/libawt.so"); /* of another package, elsewhere: who knows */
    assert_true(is_missing(&keep, "libjvm.so", "/usr/lib/awt/libawt.so"));
}

static void a_program_has_nothing_loaded_before_it(void **state)
{
    struct fixture *fixture = *state;
    libc_add(fixture);
    struct package *package = package_add(fixture, "tool");
    program_add(fixture, package, "/usr/lib/tool/tool", "libown.so");
    elf_add(fixture, package, "/usr/lib/tool/libown.so", "libown.so", "");
    struct keep keep = close_root(fixture, "/usr/lib/tool/tool");
    assert_true(is_missing(&keep, "libown.so", "/usr/lib/tool/tool"));
}

static void what_is_loaded_before_is_looked_for_only_when_all_packages_are_there(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "java");
    elf_add(fixture, package, "/usr/lib/jvm/lib/libjava.so", NULL, "libjvm.so");
    elf_add(fixture, package, "/usr/lib/jvm/lib/server/libjvm.so", "libjvm.so", "");
    struct closing closing = {.fixture = fixture, .root_count = 1, .is_partial = true};
    closing.roots[0] = (struct closure_root){.path = "/usr/lib/jvm/lib/libjava.so", .why = "w"};
    CHECK_OK(try_close(&closing), &fixture->err);
    assert_true(is_missing(&closing.keep, "libjvm.so", "/usr/lib/jvm/lib/libjava.so"));
}

static const struct unloadable_file *unloadable(const struct keep *keep, const char *path)
{
    for (size_t i = 0; i < keep->unloadable.count; i++) {
        if (strcmp(keep->unloadable.items[i].path, path) == 0)
            return &keep->unloadable.items[i];
    }
    return NULL;
}

/* A package of plug-ins, of which one cannot be loaded, by two names. */
static struct closing plugins(struct fixture *fixture, enum unloadable if_unloadable)
{
    libc_add(fixture);
    struct package *package = package_add(fixture, "plugins");
    elf_add(fixture, package, "/usr/lib/p/bad.so.1", "bad.so.1", "libhave.so.1 libnone.so.3");
    link_add(package, "/usr/lib/p/bad.so", "bad.so.1");
    elf_add(fixture, package, "/usr/lib/p/good.so", NULL, "libhave2.so.1");
    elf_add(fixture, package, LIB "libhave.so.1", "libhave.so.1", "");
    elf_add(fixture, package, LIB "libhave2.so.1", "libhave2.so.1", "");
    struct closing closing = {.fixture = fixture, .root_count = 3};
    const char *paths[] = {"/usr/lib/p/bad.so.1", "/usr/lib/p/bad.so", "/usr/lib/p/good.so"};
    for (size_t i = 0; i < 3; i++)
        closing.roots[i] =
            (struct closure_root){.path = paths[i], .why = "w", .is_lenient = true, .if_unloadable = if_unloadable};
    return closing;
}

static void a_root_that_may_be_dropped_and_cannot_be_loaded_leaves_with_its_links_and_libraries(void **state)
{
    struct closing closing = plugins(*state, UNLOADABLE_DROPPED);
    CHECK_OK(try_close(&closing), &closing.fixture->err);
    check_kept(&closing.keep, "/usr/lib/p/good.so " LIB "libhave2.so.1");
    assert_int_equal(closing.keep.unloadable.count, 1);
    const struct unloadable_file *file = unloadable(&closing.keep, "/usr/lib/p/bad.so.1");
    assert_non_null(file);
    assert_true(file->is_dropped);
    assert_string_equal(file->package, "plugins");
    assert_string_equal(file->reason, "needs libnone.so.3");
}

static void a_root_that_is_kept_though_it_cannot_be_loaded_brings_no_libraries(void **state)
{
    struct closing closing = plugins(*state, UNLOADABLE_KEPT);
    CHECK_OK(try_close(&closing), &closing.fixture->err);
    check_kept(&closing.keep, "/usr/lib/p/bad.so /usr/lib/p/bad.so.1 /usr/lib/p/good.so " LIB "libhave2.so.1");
    assert_int_equal(closing.keep.unloadable.count, 1);
    assert_false(closing.keep.unloadable.items[0].is_dropped);
    for (size_t i = 0; i < closing.keep.count; i++)
        assert_int_equal(closing.keep.items[i].if_unloadable, UNLOADABLE_KEPT);
}

static void what_a_partial_set_lacks_for_it_is_missing_but_optional(void **state)
{
    struct closing closing = plugins(*state, UNLOADABLE_DROPPED);
    closing.is_partial = true;
    CHECK_OK(try_close(&closing), &closing.fixture->err);
    assert_int_equal(closing.keep.unloadable.count, 0);
    bool is_told = false;
    for (size_t i = 0; i < closing.keep.missing_count; i++) {
        is_told = is_told || strcmp(closing.keep.missing[i].needed_by, "/usr/lib/p/bad.so.1") == 0;
        assert_true(closing.keep.missing[i].is_optional);
    }
    assert_true(is_told);
}

static void what_somebody_insists_on_is_missing_all_the_same(void **state)
{
    struct closing closing = plugins(*state, UNLOADABLE_DROPPED);
    closing.roots[closing.root_count++] = (struct closure_root){.path = "/usr/lib/p/bad.so", .why = "files"};
    CHECK_OK(try_close(&closing), &closing.fixture->err);
    assert_int_equal(closing.keep.unloadable.count, 0);
    assert_int_equal(closing.keep.missing_count, 1);
    assert_true(is_missing(&closing.keep, "libnone.so.3", "/usr/lib/p/bad.so.1"));
    assert_false(closing.keep.missing[0].is_optional);
}

static void what_is_known_not_to_be_loadable_is_not_looked_at(void **state)
{
    struct closing closing = plugins(*state, UNLOADABLE_DROPPED);
    list_add(&closing.fixture->arena, &closing.dropped, "/usr/lib/p/good.so");
    CHECK_OK(try_close(&closing), &closing.fixture->err);
    check_kept(&closing.keep, "");
}

static void a_file_of_another_machine_is_dropped_not_refused_when_it_may_be(void **state)
{
    struct fixture *fixture = *state;
    elf_add(fixture, package_add(fixture, "firmware"), "/usr/lib/p/blob.so", NULL, "")->machine = 183;
    struct closing closing = {
        fixture, {{.path = "/usr/lib/p/blob.so", .why = "w", .if_unloadable = UNLOADABLE_DROPPED}}, 1, false, {0}, {0},
        {0}};
    CHECK_OK(try_close(&closing), &fixture->err);
    check_kept(&closing.keep, "");
    assert_non_null(unloadable(&closing.keep, "/usr/lib/p/blob.so"));
}

static void a_dangling_root_tells_its_end_or_is_kept_as_data(void **state)
{
    struct fixture *fixture = *state;
    link_add(package_add(fixture, "tool"), "/usr/bin/x", "/etc/alternatives/x");
    struct keep keep = close_root(fixture, "/usr/bin/x");
    assert_true(is_missing(&keep, "/etc/alternatives/x", "/usr/bin/x"));
    assert_true(keep.missing[0].is_root);
    struct closing closing = {fixture, {{.path = "/usr/bin/x", .why = "w", .is_alone = true}}, 1, false, {0}, {0}, {0}};
    CHECK_OK(try_close(&closing), &fixture->err);
    check_kept(&closing.keep, "/usr/bin/x");
}

static void directories_and_lone_files_bring_nothing_else(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "tool");
    dir_add(package, "/etc/tool", 0750);
    file_add(package, "/etc/tool/conf", "x");
    elf_add(fixture, package, "/usr/lib/data.so", NULL, "libnone.so")->machine = EM_ARM;
    struct closing closing = {
        fixture, {{.path = "/etc/tool", .why = "w"}, {.path = "/lib/data.so", .why = "w", .is_alone = true}},
        2,       false,
        {0},     {0},
        {0}};
    CHECK_OK(try_close(&closing), &fixture->err);
    check_kept(&closing.keep, "/etc/tool /usr/lib/data.so");
}

static void a_hard_linked_program_has_its_targets_needs(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "tool");
    elf_add(fixture, package, "/usr/bin/real", NULL, "liba.so");
    hardlink_add(package, "/usr/bin/alias", "/usr/bin/real");
    elf_add(fixture, package, LIB "liba.so", NULL, "");
    struct keep keep = close_root(fixture, "/usr/bin/alias");
    check_kept(&keep, "/usr/bin/alias /usr/lib/x86_64-linux-gnu/liba.so");
}

static void libraries_that_need_each_other_end(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "tool");
    elf_add(fixture, package, "/usr/lib/liba.so", NULL, "libb.so liba.so");
    elf_add(fixture, package, "/usr/lib/libb.so", NULL, "liba.so");
    struct keep keep = close_root(fixture, "/usr/lib/liba.so");
    check_kept(&keep, "/usr/lib/liba.so /usr/lib/libb.so");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_program_keeps_its_loader_libraries_and_their_links),
        TEST(a_missing_library_is_told_with_the_file_that_needs_it),
        TEST(a_soname_that_is_loaded_is_not_searched_again),
        TEST(the_search_is_breadth_first),
        TEST(the_same_file_by_another_name_is_one_object_but_keeps_its_link),
        TEST(rpath_is_inherited_and_comes_before_the_default_directories),
        TEST(runpath_is_for_the_object_alone_and_switches_rpaths_off),
        TEST(an_object_with_runpath_does_not_use_its_loaders_rpath),
        TEST(each_root_has_its_own_load_list_and_search_paths),
        TEST(tokens_are_expanded_also_in_braces),
        TEST(what_only_looks_like_a_token_stays),
        TEST(a_folder_that_only_looks_like_a_token_is_searched_before_the_usual_ones),
        TEST(origin_is_an_executables_real_directory_and_a_librarys_found_one),
        TEST(empty_and_relative_search_path_entries_are_ignored),
        TEST(nodeflib_leaves_the_default_directories_out),
        TEST(files_of_other_machines_are_passed_over),
        TEST(a_root_of_another_machine_is_refused),
        TEST(broken_elf_files_are_refused_by_name),
        TEST(libgcc_is_kept_with_the_c_library_and_says_why),
        TEST(an_absent_libgcc_is_missing_only_in_a_partial_set),
        TEST(a_partial_set_without_the_c_library_asks_for_both),
        TEST(a_script_keeps_its_interpreter_and_what_that_needs),
        TEST(env_is_kept_and_what_it_starts),
        TEST(missing_and_relative_interpreters_are_told),
        TEST(scripts_that_interpret_each_other_are_refused),
        TEST(absent_roots_are_missing_unless_optional),
        TEST(an_optional_root_may_come_from_a_package_that_is_not_open_yet),
        TEST(a_lenient_root_may_dangle_and_lack_its_interpreter),
        TEST(leniency_of_one_root_does_not_excuse_another),
        TEST(what_a_plugin_lacks_may_be_loaded_before_it_from_its_package_or_directory),
        TEST(a_program_has_nothing_loaded_before_it),
        TEST(what_is_loaded_before_is_looked_for_only_when_all_packages_are_there),
        TEST(a_root_that_may_be_dropped_and_cannot_be_loaded_leaves_with_its_links_and_libraries),
        TEST(a_root_that_is_kept_though_it_cannot_be_loaded_brings_no_libraries),
        TEST(what_a_partial_set_lacks_for_it_is_missing_but_optional),
        TEST(what_somebody_insists_on_is_missing_all_the_same),
        TEST(what_is_known_not_to_be_loadable_is_not_looked_at),
        TEST(a_file_of_another_machine_is_dropped_not_refused_when_it_may_be),
        TEST(a_dangling_root_tells_its_end_or_is_kept_as_data),
        TEST(directories_and_lone_files_bring_nothing_else),
        TEST(a_hard_linked_program_has_its_targets_needs),
        TEST(libraries_that_need_each_other_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
