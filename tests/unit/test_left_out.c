/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of proof/left_out: what a service's packages ship and the image has not, in one sentence. */
#include "packages.h"

#include "proof/left_out.h"

struct looked {
    struct own own;
    struct family family;
    struct node nodes[4];
    struct tree tree;
    struct left_out_request request;
};

static void begin(struct fixture *fixture, struct looked *looked)
{
    struct arena *arena = &fixture->arena;
    *looked = (struct looked){0};
    list_add(arena, &looked->family.for_host, "/etc/cron.d");
    list_add(arena, &looked->family.documentation, "/usr/share/doc");
    looked->request = (struct left_out_request){
        .own = &looked->own, .family = &looked->family, .arch = &fixture->arch, .tree = &looked->tree};
    looked->tree.nodes = looked->nodes;
}

static struct package *own_add(struct fixture *fixture, struct looked *looked, const char *name)
{
    struct package *package = package_add(fixture, name);
    list_add(&fixture->arena, &looked->own.packages, package);
    list_add(&fixture->arena, &looked->own.names, name);
    return package;
}

static void has(struct looked *looked, const char *path)
{
    looked->nodes[looked->tree.count++] = (struct node){.path = path, .kind = NODE_FILE};
}

static void configuration_units_programs_and_plugins_are_counted_by_kind(void **state)
{
    struct fixture *fixture = *state;
    struct looked looked;
    begin(fixture, &looked);
    struct package *nsd = own_add(fixture, &looked, "nsd");
    file_add(nsd, "/etc/nsd/nsd.conf", "");
    file_add(nsd, "/etc/nsd/nsd.conf.d/x.conf", "");
    file_add(nsd, "/etc/nsd/key", "");
    file_add(nsd, "/usr/lib/systemd/system/nsd.service", "");
    file_add(nsd, "/etc/init.d/nsd", "");      /* says what the unit says */
    file_add(nsd, "/etc/cron.d/nsd", "");      /* is the host's */
    file_add(nsd, "/usr/share/doc/nsd/x", ""); /* is of no use */
    file_add(nsd, "/usr/sbin/nsd", "");
    file_add(nsd, "/usr/sbin/nsd-control", "");
    elf_add(fixture, nsd, "/usr/lib/nsd/a.so", NULL, "");
    elf_add(fixture, nsd, "/usr/lib/nsd/b.so", NULL, "");
    elf_add(fixture, nsd, "/usr/lib/x86_64-linux-gnu/libnsd.so.1", NULL, ""); /* a library: nobody needs it */
    has(&looked, "/etc/nsd/key");
    has(&looked, "/usr/sbin/nsd");
    assert_string_equal(
        left_out_sentence(&fixture->arena, &looked.request),
        "packages of the service (nsd) ship what is not in the image: 2 configuration files in /etc/nsd, "
        "unit nsd.service, 1 program (nsd-control), 2 plug-ins in /usr/lib/nsd");
}

static void a_unit_or_init_script_that_was_read_is_not_missed(void **state)
{
    struct fixture *fixture = *state;
    struct looked looked;
    begin(fixture, &looked);
    struct package *nsd = own_add(fixture, &looked, "nsd");
    file_add(nsd, "/etc/init.d/nsd", "");
    assert_string_equal(left_out_sentence(&fixture->arena, &looked.request),
                        "packages of the service (nsd) ship what is not in the image: init script nsd");
    looked.request.is_unit_read = true;
    assert_null(left_out_sentence(&fixture->arena, &looked.request));
    file_add(own_add(fixture, &looked, "nsd-more"), "/usr/lib/systemd/system/nsd.service", "");
    assert_null(left_out_sentence(&fixture->arena, &looked.request));
}

static void what_is_told_otherwise_is_not_told_again(void **state)
{
    struct fixture *fixture = *state;
    struct looked looked;
    struct map told = {.arena = &fixture->arena};
    begin(fixture, &looked);
    file_add(own_add(fixture, &looked, "x"), "/etc/x", "");
    looked.request.told = &told;
    assert_non_null(left_out_sentence(&fixture->arena, &looked.request));
    (void)map_add(&told, TEXT("/etc/x"), &told);
    assert_null(left_out_sentence(&fixture->arena, &looked.request));
}

static void many_names_end_with_their_number(void **state)
{
    struct fixture *fixture = *state;
    struct looked looked;
    begin(fixture, &looked);
    struct package *package = own_add(fixture, &looked, "x");
    for (unsigned i = 0; i < 6; i++)
        file_add(package, arena_printf(&fixture->arena, "/usr/bin/p%u", i), "");
    assert_string_equal(
        left_out_sentence(&fixture->arena, &looked.request),
        "packages of the service (x) ship what is not in the image: 6 programs (p0, p1, p2, p3 and 2 more)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(configuration_units_programs_and_plugins_are_counted_by_kind),
        TEST(a_unit_or_init_script_that_was_read_is_not_missed),
        TEST(what_is_told_otherwise_is_not_told_again),
        TEST(many_names_end_with_their_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
