/* SPDX-License-Identifier: Apache-2.0 */
#include "packages.h"

#include "base/auto.h"
#include "effect/alternatives.h"
#include "effect/certificates.h"

static void script_add(struct fixture *fixture, struct package *package, const char *text)
{
    list_add(&fixture->arena, &package->scripts, ((struct package_script){"postinst", text}));
}

static const char *target_of(const struct fixture *fixture, const char *path)
{
    const struct sourced *file = fileset_find(&fixture->set, path);
    return file && file->entry->kind == ENTRY_SYMLINK ? file->entry->target : NULL;
}

static void the_generic_name_leads_through_etc_alternatives(void **state)
{
    struct fixture *fixture = *state;
    struct package *blas = package_add(fixture, "libblas3");
    file_add(blas, "/usr/lib/blas/libblas.so.3", "reference");
    script_add(
        fixture, blas,
        "set -e\n# update-alternatives --install /x x /usr/lib/blas/libblas.so.3 99\n"
        "update-alternatives --install /usr/lib/libblas.so.3 \\\n   libblas.so.3-x /lib/blas/libblas.so.3 10 \\\n"
        "  --slave /usr/lib/libblas.so libblas.so-x /usr/lib/blas/libblas.so.3 "
        "--slave /usr/lib/none none /usr/lib/blas/none\nexit 0\n");
    set_build(fixture, false);
    alternatives_add(&fixture->set);
    assert_string_equal(target_of(fixture, "/usr/lib/libblas.so.3"), "/etc/alternatives/libblas.so.3-x");
    assert_string_equal(target_of(fixture, "/etc/alternatives/libblas.so.3-x"), "/lib/blas/libblas.so.3");
    assert_string_equal(target_of(fixture, "/usr/lib/libblas.so"), "/etc/alternatives/libblas.so-x");
    assert_null(fileset_find(&fixture->set, "/usr/lib/none"));
    assert_null(fileset_find(&fixture->set, "/x"));
    const struct sourced *end = fileset_walk(&fixture->set, &fixture->arena, "/usr/lib/libblas.so.3", NULL, NULL);
    assert_non_null(end);
    assert_string_equal(end->entry->path, "/usr/lib/blas/libblas.so.3");
}

static void the_highest_priority_wins_and_then_the_first_name(void **state)
{
    struct fixture *fixture = *state;
    struct package *a = package_add(fixture, "a"), *b = package_add(fixture, "b"), *c = package_add(fixture, "c");
    file_add(a, "/usr/bin/a", "a");
    file_add(b, "/usr/bin/b", "b");
    file_add(c, "/usr/bin/c", "c");
    script_add(fixture, a, "update-alternatives --install /usr/bin/x x /usr/bin/a 5");
    script_add(fixture, b,
               "alternatives --install /usr/bin/x x /usr/bin/b 20 --family f\n"
               "update-alternatives --install /usr/bin/y y /usr/bin/b -5");
    script_add(fixture, c,
               "/usr/sbin/update-alternatives --quiet --install /usr/bin/x x /usr/bin/c 20\n"
               "update-alternatives --install /usr/bin/y y /usr/bin/c -6\n"
               "update-alternatives --install /usr/bin/z z /usr/bin/missing 50");
    set_build(fixture, false);
    alternatives_add(&fixture->set);
    assert_string_equal(target_of(fixture, "/etc/alternatives/x"), "/usr/bin/b");
    assert_string_equal(target_of(fixture, "/etc/alternatives/y"), "/usr/bin/b");
    assert_null(fileset_find(&fixture->set, "/usr/bin/z"));
}

static void what_a_script_registers_in_loops_over_constant_words_makes_links(void **state)
{
    struct fixture *fixture = *state;
    struct package *java = package_add(fixture, "java");
    file_add(java, "/usr/lib/jvm/bin/java", "java");
    file_add(java, "/usr/lib/jvm/bin/keytool", "keytool");
    file_add(java, "/usr/lib/jvm/man/java.1", "page");
    script_add(
        fixture, java,
        "#!/bin/sh\nset -e\npriority=1711\nbasedir=/usr/lib/jvm\ntools='java keytool rmid'\ncase \"$1\" "
        "in\nconfigure)\n"
        "if [ -z \"$2\" ]; then\nupdate=y\nfi\nif [ \"$DPKG_MAINTSCRIPT_ARCH\" != $(dpkg --print-architecture) ]; "
        "then\n"
        "priority=$(expr $priority - 1)\nfi\nif [ \"$update\" = y ]; then\nfor i in $tools; do\nunset slave || true\n"
        "if [ -e $basedir/man/$i.1 ]; then\nslave=\"--slave /usr/man/$i.1 \\\n  $i.1 $basedir/man/$i.1\"\nfi\n"
        "update-alternatives \\\n --install /usr/bin/$i $i $basedir/bin/$i $priority $slave\ndone\nfi\n;;\nesac\n"
        "update-alternatives --install /usr/bin/x x $(cat /x) 5\n");
    set_build(fixture, false);
    alternatives_add(&fixture->set);
    assert_string_equal(target_of(fixture, "/usr/bin/java"), "/etc/alternatives/java");
    assert_string_equal(target_of(fixture, "/etc/alternatives/java"), "/usr/lib/jvm/bin/java");
    assert_string_equal(target_of(fixture, "/etc/alternatives/java.1"), "/usr/lib/jvm/man/java.1");
    assert_string_equal(target_of(fixture, "/etc/alternatives/keytool"), "/usr/lib/jvm/bin/keytool");
    assert_null(fileset_find(&fixture->set, "/usr/bin/rmid"));
    assert_null(fileset_find(&fixture->set, "/usr/bin/x"));
}

static void a_packages_own_file_stays(void **state)
{
    struct fixture *fixture = *state;
    struct package *a = package_add(fixture, "a");
    file_add(a, "/usr/bin/a", "a");
    file_add(a, "/usr/bin/x", "own");
    script_add(fixture, a, "update-alternatives --install /usr/bin/x x /usr/bin/a 5");
    set_build(fixture, false);
    alternatives_add(&fixture->set);
    assert_int_equal(fileset_find(&fixture->set, "/usr/bin/x")->entry->kind, ENTRY_FILE);
}

static void what_only_the_script_knows_or_is_no_path_makes_no_link(void **state)
{
    struct fixture *fixture = *state;
    static const char *const scripts[] = {
        "update-alternatives --install $x x /usr/bin/a 5",
        "update-alternatives --install /usr/bin/x x /usr/bin/a $p",
        "update-alternatives --install /usr/bin/x x /usr/bin/a",
        "update-alternatives --install x x /usr/bin/a 5",
        "update-alternatives --install /usr/bin/x ../x /usr/bin/a 5",
        "update-alternatives --install /usr/bin/x .. /usr/bin/a 5",
        "update-alternatives --install '/usr/bin/x\n/etc/y' x /usr/bin/a 5",
        "update-alternatives --install /usr/bin/x x /usr/bin/a 5 --slave /usr/bin/y 'y\nz' /usr/bin/a",
        "update-alternatives --install /../x x /usr/bin/a 5",
        "update-alternatives --install /usr/bin/x x /usr/bin/a 99999999999999999999",
        "update-alternatives --install /usr/bin/x x /usr/bin/a 5 --slave /usr/bin/y y",
        "echo update-alternatives --install /usr/bin/x x /usr/bin/a 5"};
    struct package *a = package_add(fixture, "a");
    file_add(a, "/usr/bin/a", "a");
    for (size_t i = 0; i < ARRAY_COUNT(scripts); i++) {
        a->scripts.count = 0;
        script_add(fixture, a, scripts[i]);
        set_build(fixture, false);
        alternatives_add(&fixture->set);
        assert_int_equal(fixture->set.by_path.slots.count, 1);
    }
}

/* Writes the certificates into `dir` as the package has them below /usr/share/ca-certificates. */
static void shell(struct fixture *fixture, const char *dir, const char *script)
{
    const char *command = arena_printf(&fixture->arena, "cd '%s' && exec >log 2>&1 && { %s\n}", dir, script);
    if (system(command) != 0) /* NOLINT: a test's own script */
        fail_msg("%s: see %s/log", script, dir);
}

static const char *read_text(struct fixture *fixture, const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *bytes = arena_alloc(&fixture->arena, 1 << 20);
    bytes[fread(bytes, 1, (1 << 20) - 1, file)] = 0;
    (void)fclose(file);
    return bytes;
}

/* Four certificates: two of one subject (their links are HASH.0 and HASH.1), one that is in two files, one without a
 * newline at its end and with a name to be changed; and a file with two certificates, which gets no hash. */
static const char make_certificates[] =
    "mkdir -p crt/m etc; new() { openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -days 9 -subj \"$2\" "
    "-out \"crt/m/$1.crt\"; }; new b /CN=one; new a /CN=one; new 'C (x), y' /CN=two; cp crt/m/b.crt crt/m/d.crt; "
    "printf %s \"$(cat 'crt/m/C (x), y.crt')\" >'crt/m/C (x), y.crt'; cat crt/m/a.crt crt/m/b.crt >crt/m/two.crt; "
    "echo none >crt/m/none.crt";

/* What update-ca-certificates does with all certificates, in the C locale: its add() and openssl rehash. */
static const char run_tool[] =
    "find -L crt -type f -name '*.crt' | LC_ALL=C sort | while read -r c; do "
    "ln -s \"/usr/share/ca-certificates/${c#crt/}\" \"etc/$(basename \"$c\" .crt | sed -e 's/ /_/g' -e 's/[()]/=/g' -e "
    "'s/,/_/g').pem\"; sed -e '$a\\' \"$c\" >>etc/ca-certificates.crt.new; done; "
    "mkdir root; cp -a etc root/etc; cd root/etc; for l in *.pem; do t=$(readlink \"$l\"); rm \"$l\"; "
    "cp \"../../crt/${t#/usr/share/ca-certificates/}\" \"$l\"; done; openssl rehash . ; cd ../..; "
    "find root/etc -type l -printf '%f %l\\n' | LC_ALL=C sort >links; find etc -name '*.pem' -printf '%f %l\\n' | "
    "LC_ALL=C sort >>links";

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void bundle_and_links_are_the_tools(void **state)
{
    struct fixture *fixture = *state;
    static const char *const names[] = {"b", "a", "C (x), y", "d", "two", "none"};
    const char *dir = check_temporary_dir();
    shell(fixture, dir, make_certificates);
    shell(fixture, dir, run_tool);
    struct package *package = package_add(fixture, "ca-certificates");
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        const char *path = arena_printf(&fixture->arena, "%s/crt/m/%s.crt", dir, names[i]);
        file_add(package, arena_printf(&fixture->arena, "/usr/share/ca-certificates/m/%s.crt", names[i]),
                 read_text(fixture, path));
    }
    set_build(fixture, false);
    struct wishes none = {0}, given;
    CHECK_OK(certificates_make(&fixture->arena, &fixture->set, &none, &given, &fixture->err), &fixture->err);
    struct strings lines[2] = {0};
    for (size_t i = 0; i < given.made.count; i++) {
        const struct wish_made *made = &given.made.items[i];
        const char *name = strrchr(made->path, '/') + 1;
        if (made->kind == MADE_FILE) {
            assert_string_equal(name, "ca-certificates.crt");
            assert_string_equal(made->content, read_text(fixture, arena_printf(&fixture->arena,
                                                                               "%s/etc/ca-certificates.crt.new", dir)));
            continue;
        }
        list_add(&fixture->arena, &lines[0], arena_printf(&fixture->arena, "%s %s", name, made->target));
    }
    struct text rest = text_of(read_text(fixture, arena_printf(&fixture->arena, "%s/links", dir))), line;
    while (text_next(&rest, '\n', &line)) {
        if (line.len)
            list_add(&fixture->arena, &lines[1], text_dup(&fixture->arena, line));
    }
    for (size_t i = 0; i < 2; i++)
        qsort(lines[i].items, lines[i].count, sizeof(lines[i].items[0]), compare_lines);
    assert_string_equal(strings_join(&fixture->arena, &lines[0], "\n"), strings_join(&fixture->arena, &lines[1], "\n"));
    assert_int_equal(lines[0].count, 6 + 3); /* .pem links, and one hash each for a, b, "C (x), y" */
    shell(fixture, dir, "rm -rf crt etc root links");
    (void)unlink(arena_printf(&fixture->arena, "%s/log", dir));
    (void)rmdir(dir);
}

static void the_list_that_a_script_begins_gets_all_certificates(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "ca-certificates");
    struct wishes wishes = {0};
    file_add(package, "/usr/share/ca-certificates/m/z.crt", "Z");
    file_add(package, "/usr/share/ca-certificates/m/B.crt", "B");
    file_add(package, "/usr/share/ca-certificates/m/README", "R");
    set_build(fixture, false);
    certificates_list(&fixture->arena, &fixture->set, &wishes);
    assert_int_equal(wishes.made.count, 0); /* nobody has begun it */
    struct wish_made own = {.kind = MADE_FILE, .path = "/etc/ca-certificates.conf", .content = "# all\n"};
    list_add(&fixture->arena, &wishes.made, own);
    certificates_list(&fixture->arena, &fixture->set, &wishes);
    assert_string_equal(wishes.made.items[0].content, "# all\n"); /* the manifest's own stays */
    wishes.made.items[0].is_automatic = true;
    certificates_list(&fixture->arena, &fixture->set, &wishes);
    assert_string_equal(wishes.made.items[0].content, "# all\nm/B.crt\nm/z.crt\n");
}

static void the_manifests_own_certificates_follow_and_its_paths_win(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "ca-certificates");
    file_add(package, "/usr/share/ca-certificates/m/z.crt", "Z");
    set_build(fixture, false);
    struct wishes others = {0}, given;
    list_add(
        &fixture->arena, &others.made,
        ((struct wish_made){.kind = MADE_FILE, .path = "/usr/local/share/ca-certificates/a.crt", .content = "A\n"}));
    list_add(&fixture->arena, &others.made,
             ((struct wish_made){.kind = MADE_SYMLINK, .path = "/etc/ssl/certs/z.pem", .target = "ours"}));
    CHECK_OK(certificates_make(&fixture->arena, &fixture->set, &others, &given, &fixture->err), &fixture->err);
    assert_int_equal(given.made.count, 2); /* not z.pem, which is there */
    assert_string_equal(given.made.items[0].content, "Z\nA\n");
    assert_string_equal(given.made.items[1].path, "/etc/ssl/certs/a.pem");
    assert_string_equal(given.made.items[1].giver, "update-ca-certificates");
    assert_int_equal(others.made.count, 2); /* as they were */
}

static void bad_certificates_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "ca-certificates");
    struct entry *entry = file_add(package, "/usr/share/ca-certificates/m/z.crt", "Z");
    struct wishes none = {0}, given;
    set_build(fixture, false);
    entry->data = "Y";
    assert_false(certificates_make(&fixture->arena, &fixture->set, &none, &given, &fixture->err));
    CHECK_ERR(&fixture->err, ERR_TRUST, "/usr/share/ca-certificates/m/z.crt (package ca-certificates)");
    err_clear(&fixture->err);
    entry->data = "";
    entry->size_bytes = 1;
    entry->digest = digest_of("", 1);
    assert_false(certificates_make(&fixture->arena, &fixture->set, &none, &given, &fixture->err));
    CHECK_ERR(&fixture->err, ERR_MALFORMED, "NUL byte");
    err_clear(&fixture->err);
    entry->size_bytes = ((size_t)1 << 20) + 1;
    entry->data = arena_alloc(&fixture->arena, (size_t)entry->size_bytes);
    entry->digest = digest_of(entry->data, (size_t)entry->size_bytes);
    assert_false(certificates_make(&fixture->arena, &fixture->set, &none, &given, &fixture->err));
    CHECK_ERR(&fixture->err, ERR_MALFORMED, "more than a certificate has");
    err_clear(&fixture->err);
    assert_int_equal(given.made.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_generic_name_leads_through_etc_alternatives),
        TEST(the_highest_priority_wins_and_then_the_first_name),
        TEST(what_a_script_registers_in_loops_over_constant_words_makes_links),
        TEST(a_packages_own_file_stays),
        TEST(what_only_the_script_knows_or_is_no_path_makes_no_link),
        TEST(bundle_and_links_are_the_tools),
        TEST(the_list_that_a_script_begins_gets_all_certificates),
        TEST(the_manifests_own_certificates_follow_and_its_paths_win),
        TEST(bad_certificates_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
