/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of service/unmet and service/module_data: what a service names that is not in its image, and data of others' modules. */
#include "packages.h"

#include "service/module_data.h"
#include "service/unmet.h"

/* A service whose package is the fixture's first, with all files of it kept. */
struct asking {
    struct selection selection;
    const struct package *packages[PACKAGES_MAX];
    struct keep keep;
    struct manifest manifest;
    struct wishes none;
    struct interpreters interpreters;
    struct automatic_request request;
    struct own own;
    struct automatic found;
};

static void keep_file(struct fixture *fixture, struct asking *asking, const char *path)
{
    asking->keep.items[asking->keep.count++].file = fileset_find(&fixture->set, path);
    assert_non_null(asking->keep.items[asking->keep.count - 1].file);
}

static void asking_begin(struct fixture *fixture, struct asking *asking)
{
    struct strings dirs = {0};
    *asking = (struct asking){.selection.count = fixture->package_count};
    set_build(fixture, false);
    list_add(&fixture->arena, &asking->manifest.binaries, "/usr/sbin/service");
    list_add(&fixture->arena, &asking->found.config.entrypoint, "/usr/sbin/service");
    list_add(&fixture->arena, &dirs, SOURCE_DIR "/manifests/interpreters");
    CHECK_OK(interpreters_load(&fixture->arena, &dirs, &asking->interpreters, &fixture->err), &fixture->err);
    asking->selection.items = arena_new_array(&fixture->arena, struct selected, PACKAGES_MAX);
    asking->keep.items = arena_new_array(&fixture->arena, struct kept, ENTRIES_MAX);
    for (size_t i = 0; i < fixture->package_count; i++) {
        const char *name = fixture->packages[i].name;
        asking->packages[i] = &fixture->packages[i];
        asking->selection.items[i] = (struct selected){.name = name, .source_package = name};
    }
    for (size_t i = 0; i < fixture->packages[0].count; i++)
        keep_file(fixture, asking, fixture->packages[0].entries[i].path);
    asking->request = (struct automatic_request){.manifest = &asking->manifest,
                                                 .arch = &fixture->arch,
                                                 .wishes = &asking->none,
                                                 .selection = &asking->selection,
                                                 .packages = asking->packages,
                                                 .set = &fixture->set,
                                                 .keep = &asking->keep,
                                                 .interpreters = &asking->interpreters,
                                                 .references = references_new(&fixture->arena)};
    own_find(&fixture->arena, &asking->request, &asking->own);
}

/* The one note there is; "" for none. */
static const char *note_of(struct fixture *fixture, struct asking *asking)
{
    struct modest modest;
    struct strings command = {0};
    struct automatic ignored = {0};
    modest_prepare(&fixture->arena, &asking->request, &asking->own, false, &modest);
    CHECK_OK(references_find(&modest, &command, &ignored, &fixture->err), &fixture->err);
    unmet_find(&fixture->arena, &asking->request, &asking->own, &asking->found);
    assert_true(asking->found.notes.count <= 1);
    return asking->found.notes.count ? asking->found.notes.items[0] : "";
}

static void what_the_configuration_names_and_nobody_brings_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct asking asking;
    struct package *service = package_add(fixture, "service"), *other = package_add(fixture, "other");
    elf_add(fixture, service, "/usr/sbin/service", NULL, "");
    file_add(
        service, "/etc/service/service.conf",
        "# include /etc/service/comment\n// /etc/service/remark\ninclude=/etc/plugins/config\n"
        "<a/>/etc/behind\nkey \"/etc/ssl/private/key.pem\";\nall /etc/elsewhere/*.d x/etc/relative ${x}/etc/variable\n"
        "hosts /etc/hosts\npasswd /etc/passwd\nmanual /usr/share/doc/service/x\nlocal /usr/local/bin/x\nstate "
        "/var/lib/service/x\n"
        "made /etc/service/made\nkept /usr/sbin/service\ndir /etc/service\ntool /usr/bin/tool\n");
    file_add(service, "/etc/service/README.conf", "/etc/read/me\n");
    file_add(service, "/etc/pam.d/service", "auth required /lib/security/pam_unix.so\n"); /* told as PAM's */
    file_add(service, "/etc/default/service", "X=/etc/of/variables\n");
    file_add(other, "/usr/bin/tool", "t");
    asking_begin(fixture, &asking);
    list_add(&fixture->arena, &asking.found.wishes.made,
             ((struct wish_made){.kind = MADE_FILE, .path = "/etc/service/made"}));
    assert_string_equal(note_of(fixture, &asking),
                        "named, and not in the image unless you bring it: /etc/plugins/config "
                        "(/etc/service/service.conf), /etc/ssl/private/key.pem (/etc/service/service.conf), "
                        "/usr/bin/tool (/etc/service/service.conf)");
}

static void what_comes_because_it_is_wished_for_is_not_missing(void **state)
{
    struct fixture *fixture = *state;
    struct asking asking;
    struct package *service = package_add(fixture, "service"), *other = package_add(fixture, "other");
    elf_add(fixture, service, "/usr/sbin/service", NULL, "");
    file_add(service, "/etc/service/service.conf", "tool /usr/share/other/tool\n");
    file_add(other, "/usr/share/other/tool", "t");
    asking_begin(fixture, &asking);
    list_add(&fixture->arena, &asking.found.wishes.files, ((struct wish_file){.path = "/usr/share/other/**"}));
    assert_string_equal(note_of(fixture, &asking), "");
}

static void what_is_included_counts_where_services_write_too(void **state)
{
    struct fixture *fixture = *state;
    struct asking asking;
    struct package *service = package_add(fixture, "service");
    elf_add(fixture, service, "/usr/sbin/service", NULL, "");
    file_add(service, "/etc/service/service.conf", "include /var/lib/service/list\nlog /var/log/service/log\n");
    asking_begin(fixture, &asking);
    assert_string_equal(note_of(fixture, &asking), "named, and not in the image unless you bring it: "
                                                   "/var/lib/service/list (/etc/service/service.conf)");
}

static void a_long_list_is_cut(void **state)
{
    struct fixture *fixture = *state;
    struct asking asking;
    struct package *service = package_add(fixture, "service");
    elf_add(fixture, service, "/usr/sbin/service", NULL, "");
    file_add(service, "/etc/service/service.conf",
             "/etc/a\n/etc/b\n/etc/c\n/etc/d\n/etc/e\n/etc/f\n/etc/g\n/etc/h\n/etc/i\n");
    asking_begin(fixture, &asking);
    const char *note = note_of(fixture, &asking);
    assert_non_null(strstr(note, "/etc/h (/etc/service/service.conf), and 1 more"));
    assert_null(strstr(note, "/etc/i"));
}

static void a_program_that_the_configuration_pipes_to_is_wished_for_and_told_when_nobody_has_it(void **state)
{
    struct fixture *fixture = *state;
    struct asking asking;
    struct package *service = package_add(fixture, "service"), *other = package_add(fixture, "other");
    elf_add(fixture, service, "/usr/sbin/service", NULL, "");
    file_add(service, "/etc/service/service.conf",
             "log: \"|rotatelogs -l x\"\nerror: '| logger'\nmatch: \"a|b\"\nor: \"|UPPER x\"\n# \"|comment x\"\n");
    file_add(other, "/usr/bin/rotatelogs", "t");
    asking_begin(fixture, &asking);
    assert_string_equal(note_of(fixture, &asking),
                        "named, and not in the image unless you bring it: the program logger "
                        "(/etc/service/service.conf)");
    assert_int_equal(asking.found.wishes.files.count, 2);
    assert_string_equal(asking.found.wishes.files.items[0].path, "/usr/*bin/rotatelogs");
    assert_string_equal(asking.found.wishes.files.items[0].giver, "/etc/service/service.conf, which pipes to it");
    assert_true(asking.found.wishes.files.items[0].is_optional);
}

/* A program that names its configuration, among other paths. */
static void add_program(struct fixture *fixture)
{
    static const char bytes[] =
        "\x7f"
        "ELF\0/etc/service/main.conf\0/etc/service.yaml\0/etc/service/notes.txt\0/etc/other.conf\0";
    struct package *service = package_add(fixture, "service");
    elf_add(fixture, service, "/usr/sbin/service", NULL, "");
    service->entries[service->count - 1].data = bytes;
    service->entries[service->count - 1].size_bytes = sizeof bytes;
    file_add(service, "/etc/service.yaml", "");
}

static void the_configuration_that_a_program_names_is_told_when_nobody_makes_it(void **state)
{
    struct fixture *fixture = *state;
    struct asking asking;
    add_program(fixture);
    asking_begin(fixture, &asking);
    assert_string_equal(note_of(fixture, &asking),
                        "named, and not in the image unless you bring it: /etc/service/main.conf (/usr/sbin/service)");
}

static void a_command_that_names_its_configuration_needs_no_other(void **state)
{
    struct fixture *fixture = *state;
    struct asking asking;
    add_program(fixture);
    asking_begin(fixture, &asking);
    list_add(&fixture->arena, &asking.found.config.cmd, "--config=/etc/service.yaml");
    assert_string_equal(note_of(fixture, &asking), "");
}

static void modules_of_others_bring_the_directories_that_they_name_and_are_called_after(void **state)
{
    struct fixture *fixture = *state;
    struct asking asking;
    struct wishes wishes = {0};
    struct package *service = package_add(fixture, "service"), *filter = package_add(fixture, "filter");
    struct package *quiet = package_add(fixture, "quiet"), *perl = package_add(fixture, "perl");
    file_add(service, "/usr/sbin/service", "use Filter;");
    file_add(filter, "/usr/share/perl5/Filter.pm",
             "my @rules = ('/usr/share/filter-old', '/usr/share/filter/rules', '/etc/filter');");
    dir_add(filter, "/usr/share/filter", 0755);
    file_add(filter, "/usr/share/filter/rules", "r");
    dir_add(filter, "/etc/filter", 0755);
    file_add(quiet, "/usr/share/perl5/Quiet.pm", "/usr/share/quietly /usr/share/filter");
    dir_add(quiet, "/usr/share/quiet", 0755);
    file_add(perl, "/usr/share/perl5/Perl.pm", "/usr/share/perl");
    dir_add(perl, "/usr/share/perl", 0755); /* whose files are modules */
    asking_begin(fixture, &asking);
    const char *const modules[] = {"Filter", "Perl", "Quiet"};
    for (size_t i = 0; i < ARRAY_COUNT(modules); i++)
        keep_file(fixture, &asking, arena_printf(&fixture->arena, "/usr/share/perl5/%s.pm", modules[i]));
    module_data_find(&fixture->arena, &asking.request, &asking.own, &wishes);
    assert_int_equal(wishes.files.count, 2);
    assert_string_equal(wishes.files.items[0].path, "/usr/share/filter/**");
    assert_string_equal(wishes.files.items[0].giver, "the module /usr/share/perl5/Filter.pm, which names it");
    assert_string_equal(wishes.files.items[0].packages.items[0], "filter");
    assert_string_equal(wishes.files.items[1].path, "/etc/filter/**");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_the_configuration_names_and_nobody_brings_is_told),
        TEST(what_comes_because_it_is_wished_for_is_not_missing),
        TEST(what_is_included_counts_where_services_write_too),
        TEST(a_long_list_is_cut),
        TEST(a_program_that_the_configuration_pipes_to_is_wished_for_and_told_when_nobody_has_it),
        TEST(the_configuration_that_a_program_names_is_told_when_nobody_makes_it),
        TEST(a_command_that_names_its_configuration_needs_no_other),
        TEST(modules_of_others_bring_the_directories_that_they_name_and_are_called_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
