/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of service/interpreted, service/shells and plan/interpreter: what scripts need besides what runs them. */
#include "packages.h"
#include "symbol_maker.h"

#include "closure/roots.h"
#include "folder.h"
#include "service/shells.h"

/* What is asked of a fixture whose kept files are those of `paths`. */
struct asking {
    struct interpreters interpreters;
    struct keep keep;
    struct automatic_request request;
    struct own own;
    struct wishes wishes;
    struct strings notes, names;
};

static void keep_file(struct fixture *fixture, struct asking *asking, const char *path, const char *by)
{
    if (!asking->keep.items)
        asking->keep.items = arena_new_array(&fixture->arena, struct kept, 16);
    asking->keep.items[asking->keep.count++] = (struct kept){.file = fileset_find(&fixture->set, path), .by = by};
    assert_non_null(asking->keep.items[asking->keep.count - 1].file);
}

static void ask(struct fixture *fixture, struct asking *asking)
{
    struct strings dirs = {0};
    list_add(&fixture->arena, &dirs, SOURCE_DIR "/manifests/interpreters");
    CHECK_OK(interpreters_load(&fixture->arena, &dirs, &asking->interpreters, &fixture->err), &fixture->err);
    asking->request =
        (struct automatic_request){.set = &fixture->set, .keep = &asking->keep, .interpreters = &asking->interpreters};
    interpreted_find(&fixture->arena, &asking->request, &asking->own, &asking->wishes, &asking->notes);
    shells_find(&fixture->arena, &asking->request, &asking->own, &asking->wishes, &asking->names, &asking->notes);
}

static const struct wish_file *wish(const struct asking *asking, const char *path)
{
    for (size_t i = 0; i < asking->wishes.files.count; i++) {
        if (strcmp(asking->wishes.files.items[i].path, path) == 0)
            return &asking->wishes.files.items[i];
    }
    return NULL;
}

static struct entry *script_add(struct package *package, const char *path, const char *interpreter, const char *text)
{
    struct entry *entry = file_add(package, path, text);
    entry->mode = 0755;
    entry->interpreter = interpreter;
    return entry;
}

static void an_interpreter_brings_its_library_and_modules_without_what_is_left_out(void **state)
{
    struct fixture *fixture = *state;
    struct asking asking = {0};
    struct package *package = package_add(fixture, "python3.11-minimal"),
                   *library = package_add(fixture, "libpython3.11-stdlib");
    (void)elf_add(fixture, package, "/usr/bin/python3.11", NULL, "");
    script_add(package, "/usr/bin/gunicorn", "/usr/bin/python3.11", "");
    file_add(library, "/usr/lib/python3.11/os.py", "os");
    file_add(library, "/usr/lib/python3.11/test/test_os.py", "test");
    file_add(library, "/usr/lib/python3.11/__pycache__/os.pyc", "compiled");
    set_build(fixture, false);
    keep_file(fixture, &asking, "/usr/bin/gunicorn", NULL);
    keep_file(fixture, &asking, "/usr/bin/python3.11", "/usr/bin/gunicorn");
    ask(fixture, &asking);
    const struct wish_file *file = wish(&asking, "/usr/lib/python3.*/**");
    assert_non_null(file);
    assert_string_equal(file->giver, "python, of which /usr/bin/gunicorn keeps /usr/bin/python3.11");
    assert_true(file->is_optional && file->is_lenient);
    assert_null(wish(&asking, "/usr/share/perl/**"));
    assert_int_equal(asking.notes.count, 0);
    struct strings none = {0};
    struct roots_request wanted = {&none, &asking.wishes, &fixture->set, NULL, false, false};
    struct roots roots;
    CHECK_OK(roots_list(&fixture->arena, &wanted, &roots, &fixture->err), &fixture->err);
    assert_int_equal(roots.count, 1);
    assert_string_equal(roots.items[0].path, "/usr/lib/python3.11/os.py");
}

static void a_library_that_is_an_interpreter_brings_the_same(void **state)
{
    struct fixture *fixture = *state;
    struct asking asking = {0};
    struct package *package = package_add(fixture, "libpython3.11");
    (void)elf_add(fixture, package, "/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0", "libpython3.11.so.1.0", "");
    set_build(fixture, false);
    keep_file(fixture, &asking, "/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0", NULL);
    ask(fixture, &asking);
    assert_non_null(wish(&asking, "/usr/lib/python3/dist-packages/**"));
}

static void a_library_that_only_others_libraries_need_brings_nothing_and_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct asking asking = {0};
    struct package *service = package_add(fixture, "keepalived"), *perl = package_add(fixture, "libperl5.36");
    struct elf_facts *needs = elf_add(fixture, service, "/usr/sbin/keepalived", NULL, "libnetsnmpagent.so.40");
    (void)elf_add(fixture, perl, "/usr/lib/x86_64-linux-gnu/libperl.so.5.36.0", "libperl.so.5.36", "");
    link_add(perl, "/usr/lib/x86_64-linux-gnu/libperl.so.5.36", "libperl.so.5.36.0");
    file_add(perl, "/usr/share/perl/5.36.0/strict.pm", "1;");
    file_add(service, "/usr/share/keepalived/check.pm", "1;");
    set_build(fixture, false);
    list_add(&fixture->arena, &asking.own.names, "keepalived");
    keep_file(fixture, &asking, "/usr/sbin/keepalived", NULL);
    keep_file(fixture, &asking, "/usr/lib/x86_64-linux-gnu/libperl.so.5.36.0", "/usr/lib/libnetsnmpagent.so.40");
    keep_file(fixture, &asking, "/usr/lib/x86_64-linux-gnu/libperl.so.5.36", "/usr/lib/libnetsnmpagent.so.40");
    ask(fixture, &asking);
    assert_null(wish(&asking, "/usr/share/perl/**"));
    assert_int_equal(asking.notes.count, 1);
    assert_string_equal(asking.notes.items[0],
                        "/usr/lib/libnetsnmpagent.so.40 needs libperl.so.5.36.0; the modules of perl "
                        "are left out, as nothing of the service is for it");
    list_add(&fixture->arena, &asking.own.packages, service); /* which has a module */
    ask(fixture, &asking);
    assert_non_null(wish(&asking, "/usr/share/perl/**"));
    asking.own.packages.count = 0;
    asking.wishes = (struct wishes){0};
    list_add(&fixture->arena, &needs->needed, "libperl.so.5.36");
    ask(fixture, &asking);
    assert_non_null(wish(&asking, "/usr/share/perl/**"));
}

static void a_file_of_the_service_that_is_for_an_interpreter_wants_it(void **state)
{
    struct fixture *fixture = *state;
    struct asking asking = {0};
    struct package *package = package_add(fixture, "tomcat");
    file_add(package, "/usr/share/tomcat/bin/bootstrap.jar", "jar");
    set_build(fixture, false);
    const struct package *packages[] = {package};
    asking.own.packages.items = packages;
    asking.own.packages.count = 1;
    ask(fixture, &asking);
    assert_string_equal(wish(&asking, "/usr/lib/jvm/**")->giver,
                        "java, for which /usr/share/tomcat/bin/bootstrap.jar is");
}

static void a_program_that_runs_a_script_and_is_not_known_is_told_once(void **state)
{
    struct fixture *fixture = *state;
    struct asking asking = {0};
    struct package *package = package_add(fixture, "a");
    (void)elf_add(fixture, package, "/usr/bin/rexx", NULL, "");
    (void)elf_add(fixture, package, "/usr/bin/awk", NULL, "");
    script_add(package, "/usr/bin/a", "/usr/bin/env rexx", "");
    script_add(package, "/usr/bin/b", "/bin/rexx -x", "");
    script_add(package, "/usr/bin/c", "/usr/bin/awk -f", "");
    file_add(package, "/usr/share/d", "")->interpreter = "/usr/bin/none"; /* nobody can start it */
    set_build(fixture, false);
    keep_file(fixture, &asking, "/usr/bin/a", NULL);
    keep_file(fixture, &asking, "/usr/bin/b", NULL);
    keep_file(fixture, &asking, "/usr/bin/c", NULL);
    keep_file(fixture, &asking, "/usr/share/d", NULL);
    ask(fixture, &asking);
    assert_int_equal(asking.notes.count, 1);
    assert_string_equal(asking.notes.items[0],
                        "/usr/bin/rexx runs /usr/bin/a, and nothing is known of what it needs for that");
}

static void tools_of_a_shell_script_come_along(void **state)
{
    struct fixture *fixture = *state;
    struct asking asking = {0};
    struct package *package = package_add(fixture, "a"), *shell = package_add(fixture, "dash"),
                   *tool = package_add(fixture, "tool");
    (void)elf_add(fixture, shell, "/usr/bin/dash", NULL, "");
    link_add(shell, "/usr/bin/sh", "dash");
    (void)elf_add(fixture, tool, "/usr/sbin/tool", NULL, "");
    (void)elf_add(fixture, tool, "/usr/bin/named", NULL, "");
    script_add(
        package, "/usr/bin/a", "/bin/sh -e",
        "#!/bin/sh -e\n. /usr/share/a/common\nif [ -e /x ]; then echo sed; fi\ntool x | /bin/named\nunknown\n"
        "cat <<END\ngrep\nEND\n$CMD y\nchroot /\n$DIR/touch x\nhelper x\n\"$DIR/beside\" y\n. \"${0%/*}\"/more\n");
    file_add(package, "/usr/bin/beside", "");
    file_add(package, "/usr/bin/more", "rm x\n");
    file_add(package, "/usr/share/a/common", "helper() {\n  mkdir -p /run/a\n}\n");
    set_build(fixture, false);
    keep_file(fixture, &asking, "/usr/bin/a", NULL);
    ask(fixture, &asking);
    assert_string_equal(wish(&asking, "/usr/sbin/tool")->giver, "the shell script /usr/bin/a, which names it");
    assert_non_null(wish(&asking, "/usr/*bin/tool")); /* of a package that need not be open */
    assert_non_null(wish(&asking, "/usr/bin/named"));
    assert_null(wish(&asking, "/usr/*bin/helper"));
    assert_non_null(wish(&asking, "/usr/share/a/common"));
    assert_string_equal(wish(&asking, "/usr/bin/cat")->packages.items[0], "coreutils");
    assert_non_null(wish(&asking, "/usr/bin/mkdir"));
    assert_non_null(wish(&asking, "/usr/sbin/chroot"));
    assert_non_null(wish(&asking, "/usr/bin/beside"));
    assert_non_null(wish(&asking, "/usr/bin/more"));
    assert_non_null(wish(&asking, "/usr/bin/rm"));
    assert_non_null(wish(&asking, "/usr/bin/touch"));
    assert_int_equal(asking.wishes.files.count, 11);
    assert_int_equal(asking.names.count, 1);
    assert_string_equal(asking.names.items[0], "coreutils");
}

static void an_interpreter_that_a_script_looks_for_comes(void **state)
{
    struct fixture *fixture = *state;
    struct asking asking = {0};
    struct package *package = package_add(fixture, "jetty"), *shell = package_add(fixture, "dash"),
                   *java = package_add(fixture, "jre");
    (void)elf_add(fixture, shell, "/usr/bin/dash", NULL, "");
    link_add(shell, "/usr/bin/sh", "dash");
    (void)elf_add(fixture, java, "/usr/lib/jvm/x/bin/java", NULL, "");
    (void)elf_add(fixture, java, "/usr/bin/tool", NULL, "");
    link_add(java, "/usr/bin/java", "../lib/jvm/x/bin/java");
    script_add(package, "/usr/bin/a", "/bin/sh",
               "#!/bin/sh\nJAVA=$(which java)\nTOOL=$(command -v tool)\n$JAVA -jar x\n");
    set_build(fixture, false);
    keep_file(fixture, &asking, "/usr/bin/a", NULL);
    ask(fixture, &asking);
    assert_non_null(wish(&asking, "/usr/bin/java"));
    assert_null(wish(&asking, "/usr/bin/tool")); /* it may be asked for only to go without */
}

static void an_interpreter_comes_only_for_a_script_that_was_named(void **state)
{
    struct fixture *fixture = *state;
    struct asking asking = {0};
    struct package *package = package_add(fixture, "a"), *shell = package_add(fixture, "dash");
    (void)elf_add(fixture, shell, "/usr/bin/dash", NULL, "");
    link_add(shell, "/usr/bin/sh", "dash");
    script_add(package, "/usr/lib/a/one-of-many", "/bin/sh", "#!/bin/sh\nperl -e 1\nsed x\n");
    file_add(package, "/usr/lib/a/list", "first one-of-many\n");
    set_build(fixture, false);
    keep_file(fixture, &asking, "/usr/lib/a/one-of-many", NULL);
    ask(fixture, &asking);
    assert_null(wish(&asking, "/usr/bin/sed")); /* nothing says its name */
    keep_file(fixture, &asking, "/usr/lib/a/list", NULL);
    ask(fixture, &asking);
    assert_null(wish(&asking, "/usr/*bin/perl"));
    assert_non_null(wish(&asking, "/usr/bin/sed"));
    asking.keep.items[0].by = "/usr/sbin/a";
    ask(fixture, &asking);
    assert_non_null(wish(&asking, "/usr/*bin/perl"));
}

static void a_program_that_names_the_shell_wants_it_for_scripts_of_the_service(void **state)
{
    struct fixture *fixture = *state;
    struct asking asking = {0};
    struct package *package = package_add(fixture, "lighttpd");
    (void)elf_add(fixture, package, "/usr/sbin/lighttpd", NULL, "");
    struct entry *program = &package->entries[package->count - 1];
    program->data = "\x7f"
                    "ELF\0/bin/sh\0";
    program->size_bytes = 13;
    (void)elf_add(fixture, package, "/usr/bin/perl", NULL, "");
    script_add(package, "/usr/share/lighttpd/mime.pl", "/usr/bin/perl", "");
    set_build(fixture, false);
    list_add(&fixture->arena, &asking.own.names, "lighttpd");
    keep_file(fixture, &asking, "/usr/sbin/lighttpd", NULL);
    ask(fixture, &asking);
    assert_null(wish(&asking, "/bin/sh"));
    keep_file(fixture, &asking, "/usr/share/lighttpd/mime.pl", NULL);
    ask(fixture, &asking);
    assert_string_equal(wish(&asking, "/bin/sh")->giver,
                        "/usr/sbin/lighttpd, which can start /usr/share/lighttpd/mime.pl by it");
}

static void an_interpreter_that_is_a_shell_script_has_its_shell_however_it_came(void **state)
{
    struct fixture *fixture = *state;
    struct asking asking = {0};
    struct package *package = package_add(fixture, "erlang-base");
    script_add(package, "/usr/lib/erlang/bin/erl", "/bin/sh", "exec erlexec");
    link_add(package, "/usr/bin/erl", "../lib/erlang/bin/erl");
    set_build(fixture, false);
    keep_file(fixture, &asking, "/usr/lib/erlang/bin/erl", NULL);
    ask(fixture, &asking);
    assert_null(wish(&asking, "/bin/sh"));
    keep_file(fixture, &asking, "/usr/bin/erl", NULL);
    ask(fixture, &asking);
    assert_string_equal(wish(&asking, "/bin/sh")->giver, "/usr/bin/erl, which it runs");
}

/* A program that imports a function, with strings behind it. */
static void caller_add(struct fixture *fixture, struct package *package, const char *path, const char *import)
{
    static const char strings[] = "\0rm -rf %s/x\0/bin/date '+%%s'\0find it\0sleep\0[ -d /x ]\0exec own-helper %s\0"
                                  "exec far-compiler -g -o %s\0unknown -x\0 cat /x\0";
    const struct made_elf made = {.needed = "libc.so.6", .symbols = {{.name = import, .is_undefined = true}}};
    struct text elf = elf_make(&fixture->arena, &made);
    char *bytes = arena_new_array(&fixture->arena, char, elf.len + sizeof strings);
    memcpy(bytes, elf.ptr, elf.len);
    memcpy(bytes + elf.len, strings, sizeof strings);
    (void)elf_add(fixture, package, path, NULL, "");
    package->entries[package->count - 1].data = bytes;
    package->entries[package->count - 1].size_bytes = elf.len + sizeof strings;
}

static void commands_in_a_program_that_calls_the_shell_come_with_it(void **state)
{
    struct fixture *fixture = *state;
    struct asking asking = {0};
    struct package *package = package_add(fixture, "a");
    caller_add(fixture, package, "/usr/sbin/a", "system");
    caller_add(fixture, package, "/usr/sbin/b", "open");
    (void)elf_add(fixture, package, "/usr/bin/own-helper", NULL, "");
    set_build(fixture, false);
    list_add(&fixture->arena, &asking.own.names, "a");
    keep_file(fixture, &asking, "/usr/sbin/b", NULL);
    ask(fixture, &asking);
    assert_int_equal(asking.wishes.files.count, 0);
    keep_file(fixture, &asking, "/usr/sbin/a", NULL);
    ask(fixture, &asking);
    assert_string_equal(wish(&asking, "/usr/bin/rm")->giver, "the program /usr/sbin/a, which names it");
    assert_string_equal(wish(&asking, "/usr/bin/sh")->packages.items[0], "dash");
    assert_non_null(wish(&asking, "/usr/bin/date"));
    assert_non_null(wish(&asking, "/usr/bin/own-helper"));
    assert_int_equal(asking.wishes.files.count, 4);
    assert_int_equal(asking.notes.count, 1);
    assert_string_equal(asking.notes.items[0], "/usr/sbin/a calls far-compiler, which no package of the image has");
}

static void the_examples_of_the_page_are_read_and_others_refused(void **state)
{
    struct folder *folder = *state;
    struct interpreters interpreters;
    struct strings dirs = {0}, texts = examples(folder, "manifests/README.md", "interpreter");
    struct err err = {0};
    assert_int_equal(texts.count, 1);
    put(folder, "mine", texts.items[0]);
    list_add(&folder->arena, &dirs, folder->dir);
    CHECK_OK(interpreters_load(&folder->arena, &dirs, &interpreters, &err), &err);
    assert_string_equal(interpreters.items[0].name, "mine");
    put(folder, "mine", "programs: [lua]\n");
    assert_false(interpreters_load(&folder->arena, &dirs, &interpreters, &err));
    CHECK_ERR(&err, ERR_USAGE, "mine.yaml:1:12: 'lua' must be an absolute path");
    err = (struct err){0};
    put(folder, "mine", "programs: [/lua]\nfile: [/x]\n");
    assert_false(interpreters_load(&folder->arena, &dirs, &interpreters, &err));
    CHECK_ERR(&err, ERR_USAGE, "did you mean 'files'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_interpreter_brings_its_library_and_modules_without_what_is_left_out),
        TEST(a_library_that_is_an_interpreter_brings_the_same),
        TEST(a_library_that_only_others_libraries_need_brings_nothing_and_is_told),
        TEST(a_file_of_the_service_that_is_for_an_interpreter_wants_it),
        TEST(a_program_that_runs_a_script_and_is_not_known_is_told_once),
        TEST(tools_of_a_shell_script_come_along),
        TEST(commands_in_a_program_that_calls_the_shell_come_with_it),
        TEST(an_interpreter_that_a_script_looks_for_comes),
        TEST(an_interpreter_comes_only_for_a_script_that_was_named),
        TEST(an_interpreter_that_is_a_shell_script_has_its_shell_however_it_came),
        TEST(a_program_that_names_the_shell_wants_it_for_scripts_of_the_service),
        IN_FOLDER(the_examples_of_the_page_are_read_and_others_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
