/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of service/automatic: what is found in a service's packages, and how it stands beside the manifest. */
#include "packages.h"
#include "symbol_maker.h"

#include "base/auto.h"
#include "service/configuration.h"
#include "service/holder.h"
#include "service/references.h"
#include "service/signs.h"

static struct strings words(struct arena *arena, const char *first, const char *second)
{
    struct strings words = {0};
    list_add(arena, &words, first);
    if (second)
        list_add(arena, &words, second);
    return words;
}

static void the_manifest_wins_key_by_key(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct manifest_config manifest = {.user = "me", .ports = words(&arena, "80/tcp", NULL)};
    struct manifest_config found = {.entrypoint = words(&arena, "/usr/sbin/nsd", "-d"),
                                    .user = "nsd",
                                    .working_dir = "/var/lib/nsd",
                                    .ports = words(&arena, "53/udp", NULL),
                                    .volumes = words(&arena, "/var/lib/nsd", NULL),
                                    .stop_signal = "SIGINT"};
    struct manifest_config both = automatic_config(&manifest, &found);
    assert_string_equal(both.user, "me");
    assert_string_equal(both.ports.items[0], "80/tcp");
    assert_string_equal(both.entrypoint.items[1], "-d");
    assert_string_equal(both.working_dir, "/var/lib/nsd");
    assert_string_equal(both.volumes.items[0], "/var/lib/nsd");
    assert_string_equal(both.stop_signal, "SIGINT");
}

static void a_command_of_the_manifest_is_not_mixed_with_one_that_was_found(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct manifest_config manifest = {.cmd = words(&arena, "-h", NULL)};
    struct manifest_config found = {.entrypoint = words(&arena, "/usr/sbin/nsd", NULL)};
    struct manifest_config both = automatic_config(&manifest, &found);
    assert_int_equal(both.entrypoint.count, 0);
    assert_string_equal(both.cmd.items[0], "-h");
}

static void findings_are_the_same_when_they_say_the_same(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct automatic one = {0}, other = {0};
    assert_true(automatic_same(&one, &other));
    list_add(&arena, &one.wishes.files, ((struct wish_file){.path = "/etc/**", .giver = "a"}));
    assert_false(automatic_same(&one, &other));
    list_add(&arena, &other.wishes.files, ((struct wish_file){.path = "/etc/**", .giver = "b"}));
    assert_true(automatic_same(&one, &other));
    list_add(&arena, &one.wishes.users, ((struct wish_user){.name = "nsd", .uid = 1}));
    list_add(&arena, &other.wishes.users, ((struct wish_user){.name = "nsd", .uid = 2}));
    assert_false(automatic_same(&one, &other));
    other.wishes.users.items[0].uid = 1;
    one.config.user = "nsd";
    assert_false(automatic_same(&one, &other));
    other.config.user = "nsd";
    list_add(&arena, &one.notes, "no port is known");
    assert_false(automatic_same(&one, &other));
}

/* What is looked at: the packages of the fixture, all selected, all files of the first one kept. */
struct service {
    struct selection selection;
    const struct package *packages[PACKAGES_MAX];
    struct keep keep;
    struct manifest manifest;
    struct features features;
    struct automatic_request request;
    struct own own;
    struct wishes wishes;
    struct strings notes;
    struct modest modest;
};

static void service_begin(struct fixture *fixture, const char *binary, struct service *service)
{
    set_build(fixture, false);
    *service = (struct service){.selection.count = fixture->package_count};
    list_add(&fixture->arena, &service->manifest.binaries, binary);
    service->selection.items = arena_new_array(&fixture->arena, struct selected, PACKAGES_MAX);
    service->keep.items = arena_new_array(&fixture->arena, struct kept, fixture->packages[0].count + 1);
    for (size_t i = 0; i < fixture->package_count; i++) {
        const struct package *package = &fixture->packages[i];
        bool is_foreign = strncmp(package->name, "lib", 3) == 0;
        service->packages[i] = package;
        service->selection.items[i] =
            (struct selected){.name = package->name, .source_package = is_foreign ? package->name : "service"};
    }
    for (size_t i = 0; i < fixture->packages[0].count; i++) {
        const struct entry *entry = &fixture->packages[0].entries[i];
        service->keep.items[service->keep.count++].file = fileset_find(&fixture->set, entry->path);
    }
    service->request = (struct automatic_request){.manifest = &service->manifest,
                                                  .arch = &fixture->arch,
                                                  .wishes = &service->wishes,
                                                  .selection = &service->selection,
                                                  .packages = service->packages,
                                                  .set = &fixture->set,
                                                  .keep = &service->keep,
                                                  .features = &service->features,
                                                  .references = references_new(&fixture->arena)};
    own_find(&fixture->arena, &service->request, &service->own);
}

static const struct wish_file *wished(const struct service *service, const char *path)
{
    for (size_t i = 0; i < service->wishes.files.count; i++) {
        if (strcmp(service->wishes.files.items[i].path, path) == 0)
            return &service->wishes.files.items[i];
    }
    return NULL;
}

static void set_bytes(struct package *package, const char *bytes, size_t len)
{
    package->entries[package->count - 1].data = bytes;
    package->entries[package->count - 1].size_bytes = len;
}

static void find_references(struct fixture *fixture, struct service *service)
{
    struct strings command = {0};
    struct automatic found = {0};
    list_add(&fixture->arena, &command, "--defaults=/usr/share/service/defaults");
    modest_prepare(&fixture->arena, &service->request, &service->own, false, &service->modest);
    CHECK_OK(references_find(&service->modest, &command, &found, &fixture->err), &fixture->err);
    service->wishes = found.wishes;
    service->notes = found.notes;
}

/* A program that names places, in one package; what is at them, in that and in others. */
static void add_world(struct fixture *fixture)
{
    static const char bytes[] = "\x7f"
                                "ELF\0/usr/lib/service/%s\0--x=/lib/service-helper\0/usr/share/common/\0y/usr/lib/no";
    struct package *service = package_add(fixture, "service"), *data = package_add(fixture, "service-common");
    struct package *other = package_add(fixture, "libother");
    elf_add(fixture, service, "/usr/sbin/service", NULL, "libsign.so.1");
    set_bytes(service, bytes, sizeof bytes);
    file_add(service, "/etc/service.conf", "# /usr/share/service/unused\ninclude \"/usr/share/service/used\";\n");
    dir_add(data, "/usr/lib/service", 0755);
    file_add(service, "/etc/service/start", "/usr/share/service/unused\n")->mode = 0755;
    file_add(data, "/usr/lib/service/plugin.so", "p");
    file_add(data, "/usr/lib/service-helper", "h");
    file_add(data, "/usr/lib/no", "n");
    dir_add(data, "/usr/share/common", 0755);
    file_add(data, "/usr/share/common/data", "d");
    file_add(data, "/usr/share/service/unused", "u");
    file_add(data, "/usr/share/service/used", "u");
    file_add(data, "/usr/share/service/defaults", "u");
    dir_add(other, "/usr/share/common", 0755);
}

static void what_the_files_of_a_service_name_comes_along(void **state)
{
    struct fixture *fixture = *state;
    struct service service;
    add_world(fixture);
    service_begin(fixture, "/usr/sbin/service", &service);
    find_references(fixture, &service);
    const struct wish_file *plugins = wished(&service, "/usr/lib/service/**");
    assert_non_null(plugins);
    assert_true(plugins->is_optional);
    assert_string_equal(plugins->giver, "what /usr/sbin/service names");
    assert_true(strings_has(&plugins->packages, "service-common"));
    assert_non_null(wished(&service, "/usr/lib/service-helper"));
    assert_string_equal(wished(&service, "/usr/share/service/used")->giver, "what /etc/service.conf names");
    assert_string_equal(wished(&service, "/usr/share/service/defaults")->giver, "what the command names");
    assert_int_equal(service.wishes.files.count, 4);
}

static void a_plug_in_that_would_bring_a_library_or_an_interpreter_is_left_out_and_told(void **state)
{
    struct fixture *fixture = *state;
    struct service service;
    add_world(fixture);
    struct package *data = &fixture->packages[1];
    elf_add(fixture, data, "/usr/lib/service/own.so", NULL, "libmine.so.1");
    elf_add(fixture, data, "/usr/lib/service/libmine.so.1", "libmine.so.1", "service");
    elf_add(fixture, data, "/usr/lib/service/m.so", NULL, "libgiven.so.1");
    elf_add(fixture, &fixture->packages[0], "/usr/lib/x86_64-linux-gnu/libgiven.so.1", "libgiven.so.1", "");
    elf_add(fixture, data, "/usr/lib/service/perl.so", NULL, "libperl.so.5");
    elf_add(fixture, data, "/usr/lib/service/helper", NULL, "libperl.so.5")->interp = "/lib64/ld.so";
    link_add(data, "/usr/lib/service/link.so", "perl.so");
    elf_add(fixture, &fixture->packages[2], "/usr/lib/libperl.so.5", "libperl.so.5", "");
    entry_add(data, "/usr/lib/service/x.pl", ENTRY_FILE, 0755)->interpreter = "/usr/bin/perl -w";
    entry_add(data, "/usr/lib/service/x.sh", ENTRY_FILE, 0755)->interpreter = "/bin/sh";
    service_begin(fixture, "/usr/sbin/service", &service);
    find_references(fixture, &service);
    const struct wish_file *plugins = wished(&service, "/usr/lib/service/**");
    assert_string_equal(strings_join(&fixture->arena, &plugins->except, " "),
                        "/usr/lib/service/helper /usr/lib/service/libmine.so.1 /usr/lib/service/link.so "
                        "/usr/lib/service/perl.so /usr/lib/service/x.pl /usr/lib/service/x.sh");
    assert_int_equal(service.notes.count, 1);
    assert_null(strstr(service.notes.items[0], "libmine"));
    assert_non_null(strstr(service.notes.items[0], "/usr/lib/service/helper (libperl.so.5), "));
    assert_non_null(strstr(service.notes.items[0], "/usr/lib/service/x.sh (nothing says its name)"));
    assert_non_null(
        strstr(service.notes.items[0], "/usr/lib/service/perl.so (libperl.so.5), /usr/lib/service/x.pl (perl)"));
}

static void helpers_whose_names_somebody_says_come_with_what_they_need(void **state)
{
    struct fixture *fixture = *state;
    struct service service;
    add_world(fixture);
    struct package *data = &fixture->packages[1];
    file_add(&fixture->packages[0], "/etc/service/master", "# one started as such\nrun rpcd_%s\n");
    elf_add(fixture, data, "/usr/lib/service/one", NULL, "libperl.so.5")->interp = "/lib64/ld.so";
    set_bytes(data, "two three.sh", 12); /* heard at once, as it comes along */
    elf_add(fixture, data, "/usr/lib/service/two", NULL, "libperl.so.5")->interp = "/lib64/ld.so";
    elf_add(fixture, data, "/usr/lib/service/rpcd_any", NULL, "libperl.so.5")->interp = "/lib64/ld.so";
    entry_add(data, "/usr/lib/service/three.sh", ENTRY_FILE, 0755)->interpreter = "/bin/sh";
    entry_add(data, "/usr/lib/service/four.sh", ENTRY_FILE, 0755)->interpreter = "/bin/sh";
    elf_add(fixture, data, "/usr/lib/service/five", NULL, "libperl.so.5")->interp = "/lib64/ld.so";
    set_bytes(data, "usage: five", 11); /* what it says of itself */
    elf_add(fixture, &fixture->packages[2], "/usr/lib/libperl.so.5", "libperl.so.5", "");
    service_begin(fixture, "/usr/sbin/service", &service);
    find_references(fixture, &service);
    assert_string_equal(strings_join(&fixture->arena, &wished(&service, "/usr/lib/service/**")->except, " "),
                        "/usr/lib/service/five /usr/lib/service/four.sh");
}

static void what_the_family_calls_dispensable_stays_out_of_directories(void **state)
{
    struct fixture *fixture = *state;
    struct service service;
    add_world(fixture);
    file_add(&fixture->packages[1], "/usr/lib/service/de.po", "Nein");
    service_begin(fixture, "/usr/sbin/service", &service);
    find_references(fixture, &service);
    assert_string_equal(strings_join(&fixture->arena, &wished(&service, "/usr/lib/service/**")->except, " "),
                        "/usr/lib/service/de.po");
    assert_int_equal(service.notes.count, 0);
}

/* Two plug-ins of a directory that both need what nothing else does, as they were in the image for a round. */
static void plug_ins_do_not_keep_each_other_in_the_image(void **state)
{
    struct fixture *fixture = *state;
    struct service service;
    add_world(fixture);
    struct package *main = &fixture->packages[0], *other = &fixture->packages[2];
    elf_add(fixture, main, "/usr/lib/service/a.so", NULL, "libsql.so.1");
    elf_add(fixture, main, "/usr/lib/service/b.so", NULL, "libsql.so.1");
    elf_add(fixture, other, "/usr/lib/x86_64-linux-gnu/libsql.so.1", "libsql.so.1", "");
    service_begin(fixture, "/usr/sbin/service", &service);
    service.keep.items[service.keep.count++] = (struct kept){
        .file = fileset_find(&fixture->set, "/usr/lib/x86_64-linux-gnu/libsql.so.1"), .by = "/usr/lib/service/a.so"};
    const struct sourced *plugin = fileset_find(&fixture->set, "/usr/lib/service/b.so");
    modest_prepare(&fixture->arena, &service.request, &service.own, false, &service.modest);
    assert_null(modest_lacks(&service.modest, plugin));
    struct wish_file all = {.path = "/usr/lib/service/**", .is_optional = true},
                     one = {.path = "/usr/lib/service/a.so"};
    list_add(&fixture->arena, &service.wishes.files, all);
    modest_prepare(&fixture->arena, &service.request, &service.own, false, &service.modest);
    assert_string_equal(modest_lacks(&service.modest, plugin), "libsql.so.1");
    /* For plug-ins of features those of the service count, as they do for what is named itself. */
    modest_prepare(&fixture->arena, &service.request, &service.own, true, &service.modest);
    assert_null(modest_lacks(&service.modest, plugin));
    list_add(&fixture->arena, &service.wishes.files, one);
    modest_prepare(&fixture->arena, &service.request, &service.own, false, &service.modest);
    assert_null(modest_lacks(&service.modest, plugin));
}

static void what_one_of_many_plug_ins_would_start_comes_only_when_it_brings_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct service service;
    add_world(fixture);
    struct package *main = &fixture->packages[0], *data = &fixture->packages[1];
    elf_add(fixture, main, "/usr/lib/service/ad.so", NULL, "");
    set_bytes(main, "/usr/libexec/service/child\0/usr/libexec/service/modest", 54);
    elf_add(fixture, data, "/usr/libexec/service/child", NULL, "libsmb.so.0")->interp = "/lib64/ld.so";
    elf_add(fixture, data, "/usr/libexec/service/modest", NULL, "")->interp = "/lib64/ld.so";
    service_begin(fixture, "/usr/sbin/service", &service);
    list_add(&fixture->arena, &service.request.references->dirs, "/usr/lib/service");
    find_references(fixture, &service);
    assert_null(wished(&service, "/usr/libexec/service/child"));
    assert_non_null(wished(&service, "/usr/libexec/service/modest"));
    assert_non_null(strstr(service.notes.items[0], "/usr/libexec/service/child (libsmb.so.0)"));
}

static void a_configuration_that_is_not_chosen_or_is_for_people_names_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct service service;
    add_world(fixture);
    struct package *main = &fixture->packages[0];
    file_add(main, "/etc/service/mods-available/a", "/usr/share/service/unused\n");
    file_add(main, "/etc/service/README", "/usr/share/service/unused\n");
    service_begin(fixture, "/usr/sbin/service", &service);
    find_references(fixture, &service);
    assert_null(wished(&service, "/usr/share/service/unused"));
    service.wishes = (struct wishes){0};
    list_add(&fixture->arena, &service.wishes.made,
             ((struct wish_made){
                 .kind = MADE_SYMLINK, .path = "/etc/service/mods-enabled/a", .target = "../mods-available/a"}));
    find_references(fixture, &service);
    assert_non_null(wished(&service, "/usr/share/service/unused"));
}

static void what_other_packages_have_or_a_comment_names_stays_out(void **state)
{
    struct fixture *fixture = *state;
    struct service service;
    add_world(fixture);
    service_begin(fixture, "/usr/sbin/service", &service);
    find_references(fixture, &service);
    assert_null(wished(&service, "/usr/share/common/**"));
    assert_null(wished(&service, "/usr/share/service/unused"));
    assert_null(wished(&service, "/usr/lib/no"));
}

static void a_feature_comes_with_its_signs_and_not_twice(void **state)
{
    static const char *const kinds[] = {"needed", "loaded", "names", "nothing", "imports"};
    struct fixture *fixture = *state;
    struct service service;
    add_world(fixture);
    service_begin(fixture, "/usr/sbin/service", &service);
    find_references(fixture, &service);
    service.wishes = (struct wishes){0};
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        struct feature feature = {.name = kinds[i]};
        list_add(&fixture->arena, &feature.wishes.files, ((struct wish_file){.path = kinds[i]}));
        list_add(&fixture->arena, &service.features, feature);
    }
    list_add(&fixture->arena, &service.features.items[0].signs.needed, "libsign.so.*");
    list_add(&fixture->arena, &service.features.items[1].signs.loaded, "service");
    list_add(&fixture->arena, &service.features.items[2].signs.names, "/usr/share/service");
    list_add(&fixture->arena, &service.features.items[4].signs.imports, "dlopen");
    list_add(&fixture->arena, &service.manifest.features, "loaded");
    struct automatic found = {0};
    signs_find(&service.modest, &found);
    service.wishes = found.wishes;
    assert_non_null(wished(&service, "needed"));
    assert_non_null(wished(&service, "names"));
    assert_int_equal(service.wishes.files.count, 2);
}

static void configuration_and_state_come_but_not_what_configures_the_host(void **state)
{
    struct fixture *fixture = *state;
    struct service service;
    struct package *package = package_add(fixture, "service");
    file_add(package, "/usr/sbin/service", "p");
    file_add(package, "/etc/service/service.conf", "");
    file_add(package, "/etc/service/more/x.conf", "");
    file_add(package, "/etc/init.d/service", "#!/bin/sh\n");
    file_add(package, "/etc/dhcp/service.conf", "");
    file_add(package, "/etc/dhcp/dhclient-exit-hooks.d/service", "");
    file_add(package, "/etc/service.conf", "");
    file_add(package_add(fixture, "libother"), "/etc/other.conf", "");
    service_begin(fixture, "/usr/sbin/service", &service);
    configuration_find(&fixture->arena, &service.request, &service.own, &service.wishes);
    assert_string_equal(wished(&service, "/etc/service/**")->giver, "configuration of service");
    assert_true(wished(&service, "/etc/service/**")->is_optional);
    assert_true(strings_has(&wished(&service, "/etc/service/**")->packages, "service"));
    assert_non_null(wished(&service, "/etc/dhcp/service.conf"));
    assert_non_null(wished(&service, "/etc/service.conf"));
    assert_string_equal(wished(&service, "/var/**")->giver, "state of service");
    assert_int_equal(service.wishes.files.count, 5);
    assert_string_equal(service.wishes.made.items[1].path, "/srv");
    assert_true(service.wishes.made.items[1].is_automatic);
    assert_string_equal(service.wishes.made.items[1].giver, "the family debian");
}

static void of_a_features_plug_ins_only_those_come_that_bring_nothing_else(void **state)
{
    struct fixture *fixture = *state;
    struct service service;
    add_world(fixture);
    elf_add(fixture, &fixture->packages[2], "/usr/lib/plug/plain.so", NULL, "service");
    elf_add(fixture, &fixture->packages[2], "/usr/lib/plug/sql.so", NULL, "libsql.so.1");
    service_begin(fixture, "/usr/sbin/service", &service);
    find_references(fixture, &service);
    struct feature feature = {.name = "plug"};
    struct wish_file file = {.path = "/lib/plug/*.so"};
    list_add(&fixture->arena, &file.packages, "libother");
    list_add(&fixture->arena, &feature.wishes.files, file);
    list_add(&fixture->arena, &feature.signs.needed, "libsign.so.1");
    list_add(&fixture->arena, &service.features, feature);
    struct automatic found = {0};
    signs_find(&service.modest, &found);
    assert_int_equal(found.wishes.files.count, 1);
    assert_string_equal(strings_join(&fixture->arena, &found.wishes.files.items[0].except, " "),
                        "/usr/lib/plug/sql.so");
    /* The feature is nothing without any: a loop of events brings its library. */
    service.features.items[0].wishes.files.items[0].path = "/lib/plug/sql*.so";
    found = (struct automatic){0};
    signs_find(&service.modest, &found);
    assert_int_equal(found.wishes.files.items[0].except.count, 0);
    service.features.items[0].wishes.files.items[0].is_optional = true;
    found = (struct automatic){0};
    signs_find(&service.modest, &found);
    assert_int_equal(found.wishes.files.items[0].except.count, 1);
}

static void whom_a_service_runs_as_is_an_account_of_the_image(void **state)
{
    struct fixture *fixture = *state;
    struct service service;
    struct automatic found;
    struct foregrounds foregrounds = {0};
    add_world(fixture);
    file_add(&fixture->packages[0], "/usr/lib/systemd/system/service.service",
             "[Service]\nExecStart=/usr/sbin/service\nUser=strange\nGroup=daemons\n");
    service_begin(fixture, "/usr/sbin/service", &service);
    service.manifest.automatic[AUTOMATIC_UNIT] = true;
    service.request.foregrounds = &foregrounds;
    service.request.wishes = &service.wishes;
    CHECK_OK(automatic_find(&fixture->arena, &service.request, &found, &fixture->err), &fixture->err);
    assert_string_equal(found.config.user, "strange:daemons");
    assert_int_equal(found.wishes.users.count, 1);
    assert_string_equal(found.wishes.users.items[0].name, "strange");
    assert_string_equal(found.wishes.users.items[0].group, "daemons");
    assert_true(found.wishes.users.items[0].is_automatic);
    assert_string_equal(found.wishes.groups.items[0].name, "daemons");
    assert_string_equal(found.wishes.users.items[0].home, "/home/strange");
    const struct wish_made *home = wishes_made(&found.wishes, "/home/strange");
    assert_non_null(home);
    assert_string_equal(home->owner, "strange");
    assert_int_equal(home->mode, 0700);
}

static void a_user_that_every_system_has_gets_no_home(void **state)
{
    struct fixture *fixture = *state;
    struct service service;
    struct automatic found;
    struct foregrounds foregrounds = {0};
    add_world(fixture);
    file_add(&fixture->packages[0], "/usr/lib/systemd/system/service.service",
             "[Service]\nExecStart=/usr/sbin/service\nUser=www-data\n");
    service_begin(fixture, "/usr/sbin/service", &service);
    service.manifest.automatic[AUTOMATIC_UNIT] = true;
    service.request.foregrounds = &foregrounds;
    CHECK_OK(automatic_find(&fixture->arena, &service.request, &found, &fixture->err), &fixture->err);
    assert_string_equal(found.config.user, "www-data");
    assert_null(wishes_made(&found.wishes, "/home/www-data"));
}

static void data_of_others_and_folders_to_write_into_come_when_the_configuration_names_them(void **state)
{
    struct fixture *fixture = *state;
    struct service service;
    struct automatic found = {.config.user = "service:daemons"};
    struct strings command = {0};
    struct package *package = package_add(fixture, "service");
    elf_add(fixture, package, "/usr/sbin/service", NULL, "");
    file_add(package, "/etc/service.conf",
             "key /usr/share/dns/root.key\nhelp /usr/share/doc/dns/x\nrun /usr/share/dns/run\nlog /var/log/a/b.log\n"
             "pid /var/run/a/b.pid\nown /var/lib/own/x\nfile /var/log/c.log\nlib /usr/lib/a/b\n# no /var/log/no/x\n");
    dir_add(package, "/var/lib/own", 0755);
    struct package *other = package_add(fixture, "libdns");
    file_add(other, "/usr/share/dns/root.key", "key");
    file_add(other, "/usr/share/dns/run", "#!/usr/bin/perl\n")->mode = 0755;
    file_add(other, "/usr/share/doc/dns/x", "x");
    dir_add(other, "/var/log/a", 0755);
    service_begin(fixture, "/usr/sbin/service", &service);
    modest_prepare(&fixture->arena, &service.request, &service.own, false, &service.modest);
    CHECK_OK(references_find(&service.modest, &command, &found, &fixture->err), &fixture->err);
    service.wishes = found.wishes;
    assert_int_equal(service.wishes.files.count, 2); /* and the program, which names itself by its loader */
    assert_non_null(wished(&service, "/usr/share/dns/root.key"));
    assert_int_equal(service.wishes.made.count, 2);
    assert_string_equal(service.wishes.made.items[0].path, "/var/log/a");
    assert_string_equal(service.wishes.made.items[0].owner, "service");
    assert_string_equal(service.wishes.made.items[0].group, "daemons");
    assert_string_equal(service.wishes.made.items[1].path, "/run/a");
    struct automatic again = {.config.user = "service:daemons"}; /* what was made by a former round is made again */
    CHECK_OK(references_find(&service.modest, &command, &again, &fixture->err), &fixture->err);
    assert_true(automatic_same(&found, &again));
}

static void folders_that_a_program_names_after_its_service_are_made(void **state)
{
    static const char bytes[] =
        "\x7f"
        "ELF\0/var/lib/service\0/run/service/x.sock\0/run/service-x\0/var/log/service\0"
        "/var/lib/other\0/var/lib/service.db\0/var/cache/service-common/%s\0/var/spool/packaged\0";
    struct fixture *fixture = *state;
    struct service service;
    struct package *package = package_add(fixture, "service"), *common = package_add(fixture, "service-common");
    elf_add(fixture, package, "/usr/sbin/service", NULL, "")->interp = "/lib/ld.so";
    set_bytes(package, bytes, sizeof bytes);
    file_add(package, "/etc/service.conf", "cache /var/spool/service\nlog /var/log/service\n");
    dir_add(common, "/var/spool/packaged", 0755);
    service_begin(fixture, "/usr/sbin/service", &service);
    find_references(fixture, &service);
    assert_int_equal(service.wishes.made.count, 4);
    assert_string_equal(service.wishes.made.items[0].path, "/var/spool/service");
    assert_string_equal(service.wishes.made.items[1].path, "/var/lib/service");
    assert_string_equal(service.wishes.made.items[2].path, "/run/service");
    assert_string_equal(service.wishes.made.items[3].path, "/var/cache/service-common");
    assert_true(service.wishes.made.items[3].yields_to_tmpfiles);
}

static void a_folder_that_a_program_of_roots_makes_itself_is_left_to_it(void **state)
{
    struct fixture *fixture = *state;
    struct service service;
    static const char strings[] = "\0/var/spool/service\0/var/spool/service/in\0/var/lib/service\0";
    const struct made_elf made = {.needed = "libc.so.6", .symbols = {{.name = "mkdir", .is_undefined = true}}};
    struct text elf = elf_make(&fixture->arena, &made);
    char *bytes = arena_new_array(&fixture->arena, char, elf.len + sizeof strings);
    struct package *package = package_add(fixture, "service");
    memcpy(bytes, elf.ptr, elf.len);
    memcpy(bytes + elf.len, strings, sizeof strings);
    elf_add(fixture, package, "/usr/sbin/service", NULL, "")->interp = "/lib64/ld.so";
    set_bytes(package, bytes, elf.len + sizeof strings);
    service_begin(fixture, "/usr/sbin/service", &service);
    find_references(fixture, &service);
    assert_null(wishes_made(&service.wishes, "/var/spool/service"));
    assert_non_null(wishes_made(&service.wishes, "/var/lib/service")); /* nothing is known to be in it */
    service_begin(fixture, "/usr/sbin/service", &service);
    struct automatic found = {.config.user = "nobody"};
    struct strings command = {0};
    modest_prepare(&fixture->arena, &service.request, &service.own, false, &service.modest);
    CHECK_OK(references_find(&service.modest, &command, &found, &fixture->err), &fixture->err);
    assert_non_null(wishes_made(&found.wishes, "/var/spool/service")); /* who may not make it */
}

static void variables_of_a_configure_script_stand_for_their_folders(void **state)
{
    struct fixture *fixture = *state;
    struct service service;
    static const char bytes[] = "\x7f"
                                "ELF\0${datadir}/service/include\0${x}/service/other\0";
    struct package *package = package_add(fixture, "service");
    elf_add(fixture, package, "/usr/sbin/service", NULL, "");
    set_bytes(package, bytes, sizeof bytes);
    dir_add(package, "/usr/share/service/include", 0755);
    dir_add(package, "/usr/share/service/other", 0755);
    file_add(package, "/usr/share/service/include/a.conf", "a");
    service_begin(fixture, "/usr/sbin/service", &service);
    find_references(fixture, &service);
    assert_non_null(wished(&service, "/usr/share/service/include/**"));
    assert_null(wished(&service, "/usr/share/service/other/**"));
}

static void a_library_that_the_program_needs_names_directories_as_the_program_does(void **state)
{
    static const char bytes[] = "\x7f"
                                "ELF\0/usr/lib/service/%s",
                      library[] = "\x7f"
                                  "ELF\0/usr/share/service/%s";
    for (int is_needed = 0; is_needed < 2; is_needed++) {
        struct fixture *fixture = *state;
        struct service service;
        fixture->package_count = 0;
        struct package *package = package_add(fixture, "service");
        elf_add(fixture, package, "/usr/sbin/service", NULL, "")->interp = "/lib/ld.so";
        set_bytes(package, bytes, sizeof bytes);
        dir_add(package, "/usr/lib/service", 0755);
        elf_add(fixture, package, "/usr/lib/service/libserver.so", NULL, "");
        set_bytes(package, library, sizeof library);
        dir_add(package, "/usr/share/service", 0755);
        file_add(package, "/usr/share/service/data", "d");
        service_begin(fixture, "/usr/sbin/service", &service);
        list_add(&fixture->arena, &service.request.references->dirs, "/usr/lib/service");
        for (size_t i = 0; i < service.keep.count && is_needed; i++) {
            if (strcmp(service.keep.items[i].file->entry->path, "/usr/lib/service/libserver.so") == 0)
                service.keep.items[i].by = "/usr/sbin/service";
        }
        find_references(fixture, &service);
        assert_int_equal(wished(&service, "/usr/share/service/**") != NULL, is_needed);
    }
}

static void paths_in_a_program_of_go_end_where_the_packages_say(void **state)
{
    static const char bytes[] =
        "\x7f"
        "ELF\xff Go buildinf:x/usr/share/service/used3552713bytes/usr/share/service/dir/ui/110/usr/libx";
    struct fixture *fixture = *state;
    struct service service;
    struct package *package = package_add(fixture, "service");
    elf_add(fixture, package, "/usr/sbin/service", NULL, "")->interp = "/lib/ld.so";
    set_bytes(package, bytes, sizeof bytes);
    file_add(package, "/usr/share/service/used", "u");
    dir_add(package, "/usr/share/service/dir", 0755);
    dir_add(package, "/usr/share/service/dir/ui", 0755);
    file_add(package, "/usr/share/service/dir/ui/page", "p");
    file_add(package, "/usr/share/service/unused", "u");
    service_begin(fixture, "/usr/sbin/service", &service);
    find_references(fixture, &service);
    assert_non_null(wished(&service, "/usr/share/service/used"));
    assert_non_null(wished(&service, "/usr/share/service/dir/ui/**"));
    assert_null(wished(&service, "/usr/share/service/unused"));
    assert_null(wished(&service, "/usr/share/service/**"));
}

static void a_plug_in_that_the_configuration_says_with_its_directory_comes_with_its_libraries(void **state)
{
    static const char bytes[] = "\x7f"
                                "ELF\0/usr/lib/service/%s";
    struct fixture *fixture = *state;
    struct service service;
    struct package *package = package_add(fixture, "service");
    elf_add(fixture, package, "/usr/sbin/service", NULL, "")->interp = "/lib/ld.so";
    set_bytes(package, bytes, sizeof bytes);
    dir_add(package, "/usr/lib/service", 0755);
    dir_add(package, "/usr/lib/service/mgmt", 0755);
    elf_add(fixture, package, "/usr/lib/service/mgmt/volumes.so", NULL, "libfar.so.1");
    elf_add(fixture, package, "/usr/lib/service/mgmt/others.so", NULL, "libfar.so.1");
    file_add(package, "/etc/service.conf", "volume a\n type mgmt/volumes\n option a/b/c\n");
    service_begin(fixture, "/usr/sbin/service", &service);
    find_references(fixture, &service);
    const struct wish_file *plugins = wished(&service, "/usr/lib/service/**");
    assert_non_null(plugins);
    assert_false(strings_has(&plugins->except, "/usr/lib/service/mgmt/volumes.so"));
    assert_true(strings_has(&plugins->except, "/usr/lib/service/mgmt/others.so"));
}

static void a_service_that_is_a_script_has_its_modules_with_their_libraries(void **state)
{
    static const char *const interpreters[] = {"/usr/bin/lua", "/bin/sh"};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_COUNT(interpreters); i++) {
        struct service service;
        fixture->package_count = 0;
        struct package *package = package_add(fixture, "service");
        file_add(package, "/usr/bin/service", "load /usr/lib/service\n");
        package->entries[0].mode = 0755;
        package->entries[0].interpreter = interpreters[i];
        struct package *parts = package_add(fixture, "service-parts");
        dir_add(parts, "/usr/lib/service", 0755);
        elf_add(fixture, parts, "/usr/lib/service/near.so", NULL, "libnear.so.1");
        elf_add(fixture, parts, "/usr/lib/service/far.so", NULL, "libfar.so.1");
        elf_add(fixture, package_add(fixture, "libnear"), "/usr/lib/libnear.so.1", "libnear.so.1", "");
        service_begin(fixture, "/usr/bin/service", &service);
        find_references(fixture, &service);
        const char *left = strings_join(&fixture->arena, &wished(&service, "/usr/lib/service/**")->except, " ");
        assert_string_equal(left, i ? "/usr/lib/service/far.so /usr/lib/service/near.so" : "/usr/lib/service/far.so");
    }
}

static void packages_that_build_on_the_service_and_are_not_selected_are_told(void **state)
{
    struct fixture *fixture = *state;
    struct service service;
    struct automatic found;
    struct siblings siblings = {0};
    add_world(fixture);
    service_begin(fixture, "/usr/sbin/service", &service);
    static const char *const dependent[] = {"service-common", "service-dev", "service-mysql", "service-pgsql"};
    for (size_t i = 0; i < ARRAY_COUNT(dependent); i++)
        list_add(&fixture->arena, &siblings, ((struct sibling){.name = dependent[i], .is_dependent = true}));
    list_add(&fixture->arena, &siblings, ((struct sibling){.name = "service-tools"}));
    service.manifest.automatic[AUTOMATIC_PACKAGES] = true;
    service.request.siblings = &siblings;
    CHECK_OK(automatic_find(&fixture->arena, &service.request, &found, &fixture->err), &fixture->err);
    assert_int_equal(found.notes.count, 1);
    assert_non_null(strstr(found.notes.items[0], "not in the image: service-mysql, service-pgsql; what"));
}

static void more_directories_than_a_service_has_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct service service;
    struct automatic found = {0};
    struct strings command = {0};
    struct package *package = package_add(fixture, "service");
    package->entries = arena_new_array(&fixture->arena, struct entry, REFERENCES_DIRS_MAX + 9);
    elf_add(fixture, package, "/usr/sbin/service", NULL, "");
    for (size_t i = 0; i <= REFERENCES_DIRS_MAX; i++) {
        const char *path = arena_printf(&fixture->arena, "/usr/lib/service-%04zu", i);
        package->entries[package->count++] = (struct entry){.path = path, .kind = ENTRY_DIRECTORY, .mode = 0755};
        list_add(&fixture->arena, &command, path);
        list_add(&fixture->arena, &command, arena_printf(&fixture->arena, "%s/.", path)); /* counts once */
    }
    service_begin(fixture, "/usr/sbin/service", &service);
    modest_prepare(&fixture->arena, &service.request, &service.own, false, &service.modest);
    assert_false(references_find(&service.modest, &command, &found, &fixture->err));
    CHECK_ERR(&fixture->err, ERR_MALFORMED, "package service: the files of its source package name more than 500");
    command.count -= 2;
    err_clear(&fixture->err);
    CHECK_OK(references_find(&service.modest, &command, &found, &fixture->err), &fixture->err);
}

/* Siblings of "db-core", which ships the binary; `words` are "NAME [SERVICE]", '+' before a dependent one. */
static const char *holder_of(struct arena *arena, const char *binary, const char *const *words, size_t count)
{
    struct siblings siblings = {0};
    struct selected given = {.name = "db-core"};
    struct selection selection = {.items = &given, .count = 1};
    struct strings never = {0};
    list_add(arena, &never, "db-never");
    list_add(arena, &siblings, ((struct sibling){.name = "db-core", .is_given = true, .holds = SIBLING_HAS_NONE}));
    for (size_t i = 0; i < count; i++) {
        struct text rest = text_of(words[i]), name, service;
        bool is_dependent = words[i][0] == '+';
        if (words[i][0] == '=') { /* the given one ships it */
            siblings.items[0].holds = SIBLING_HAS_SERVICE;
            list_add(arena, &siblings.items[0].services, words[i] + 1);
            continue;
        }
        (void)text_next_word(&rest, &name);
        struct sibling sibling = {.name = text_dup(arena, name) + is_dependent, .is_dependent = is_dependent};
        sibling.holds = SIBLING_HAS_NONE;
        if (text_next_word(&rest, &service)) {
            sibling.holds = text_is(service, "?") ? SIBLING_UNKNOWN : SIBLING_HAS_SERVICE;
            list_add(arena, &sibling.services, text_dup(arena, service));
        }
        list_add(arena, &siblings, sibling);
    }
    struct holder_request request = {.binary = binary, .siblings = &siblings, .selection = &selection, .never = &never};
    return holder_find(&request);
}

#define HOLDER(binary, ...)                                                                                            \
    holder_of(&arena, binary, (const char *const[]){__VA_ARGS__},                                                      \
              sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void the_holder_is_the_sibling_with_the_service_of_the_binary(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    assert_string_equal(HOLDER("/usr/sbin/dbd", "db-doc", "+db-server /usr/lib/systemd/system/db.service"),
                        "db-server");
    assert_string_equal(HOLDER("/usr/sbin/x", "db /etc/init.d/q", "+db-core-x /usr/lib/systemd/system/x@.service"),
                        "db-core-x");
    assert_null(HOLDER("/usr/sbin/x", "+db-tools /usr/lib/systemd/system/tool.service"));
    assert_null(HOLDER("/usr/sbin/x", "+db-never /usr/lib/systemd/system/x.service"));
    assert_string_equal(HOLDER("/usr/sbin/x", "+db ?"), "db");
    assert_null(HOLDER("/usr/sbin/x", "db ?", "+db-server ?"));
    assert_string_equal(HOLDER("/usr/sbin/x", "=/usr/lib/systemd/system/dbd.service", "+dbd", "+db-tools", "dbd-doc"),
                        "dbd");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_holder_is_the_sibling_with_the_service_of_the_binary),
        TEST(configuration_and_state_come_but_not_what_configures_the_host),
        TEST(what_the_files_of_a_service_name_comes_along),
        TEST(a_plug_in_that_would_bring_a_library_or_an_interpreter_is_left_out_and_told),
        TEST(helpers_whose_names_somebody_says_come_with_what_they_need),
        TEST(what_the_family_calls_dispensable_stays_out_of_directories),
        TEST(plug_ins_do_not_keep_each_other_in_the_image),
        TEST(what_one_of_many_plug_ins_would_start_comes_only_when_it_brings_nothing),
        TEST(a_configuration_that_is_not_chosen_or_is_for_people_names_nothing),
        TEST(what_other_packages_have_or_a_comment_names_stays_out),
        TEST(of_a_features_plug_ins_only_those_come_that_bring_nothing_else),
        TEST(packages_that_build_on_the_service_and_are_not_selected_are_told),
        TEST(data_of_others_and_folders_to_write_into_come_when_the_configuration_names_them),
        TEST(folders_that_a_program_names_after_its_service_are_made),
        TEST(a_folder_that_a_program_of_roots_makes_itself_is_left_to_it),
        TEST(variables_of_a_configure_script_stand_for_their_folders),
        TEST(a_library_that_the_program_needs_names_directories_as_the_program_does),
        TEST(paths_in_a_program_of_go_end_where_the_packages_say),
        TEST(a_plug_in_that_the_configuration_says_with_its_directory_comes_with_its_libraries),
        TEST(a_service_that_is_a_script_has_its_modules_with_their_libraries),
        TEST(more_directories_than_a_service_has_are_refused),
        TEST(whom_a_service_runs_as_is_an_account_of_the_image),
        TEST(a_user_that_every_system_has_gets_no_home),
        TEST(a_feature_comes_with_its_signs_and_not_twice),
        cmocka_unit_test(the_manifest_wins_key_by_key),
        cmocka_unit_test(a_command_of_the_manifest_is_not_mixed_with_one_that_was_found),
        cmocka_unit_test(findings_are_the_same_when_they_say_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
