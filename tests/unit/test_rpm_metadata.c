/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_metadata: mirrors, signatures, age and the chain of checksums of an RPM-MD repository. */
#include "arch_rename.h"
#include "signed_repo.h"

#include "rpmmd/rpm_format.h"
#include "rpmmd/rpm_metadata.h"
#include "trust/keyring.h"

#define PRIMARY "<metadata packages=\"0\"></metadata>\n"
#define STAMP INT64_C(1783764000)

/* One RPM repository in D/repo of a world, whose key is "good". */
struct rpm_world {
    struct world *world;
    struct rpm_repository repository;
    struct arch arch;
    struct rpm_metadata *metadata;
};

static struct rpm_world rpm_world_new(void **state)
{
    struct world *world = world_new(state);
    struct rpm_world rpm = {.world = world, .arch = {.name = "aarch64"}};
    arch_rename(&world->arena, &rpm.arch, &format_rpm, "aarch64");
    rpm.repository = (struct rpm_repository){.id = "here", .is_gpg_checked = true, .place = "test:1"};
    list_add(&world->arena, &rpm.repository.base_urls, arena_printf(&world->arena, "file://%s/repo", world->dir));
    list_add(&world->arena, &rpm.repository.gpg_keys, key_path(world, "good.asc"));
    return rpm;
}

static void rpm_world_done(struct rpm_world *rpm)
{
    world_done(&rpm->world);
}

/* Writes D/FOLDER/repodata with a gzipped primary, all checksums of one kind, and this timestamp. */
static void publish_in(struct rpm_world *rpm, const char *folder, const char *kind, int64_t stamp, const char *more)
{
    struct world *world = rpm->world;
    put(world, arena_printf(&world->arena, "%s/repodata/primary.xml", folder), PRIMARY, strlen(PRIMARY));
    shell(
        world->keys, world->dir,
        arena_printf(&world->arena,
                     "cd %s/repodata; gzip -9nkf primary.xml; p=$(%ssum primary.xml.gz | cut -d' ' -f1); "
                     "o=$(%ssum primary.xml | cut -d' ' -f1); cat >repomd.xml <<END\n<?xml version=\"1.0\" "
                     "encoding=\"UTF-8\"?>\n<repomd "
                     "xmlns=\"http://linux.duke.edu/metadata/repo\">\n<revision>1</revision>\n<data "
                     "type=\"primary\"><checksum type=\"%s\">$p</checksum><open-checksum "
                     "type=\"%s\">$o</open-checksum><location "
                     "href=\"repodata/primary.xml.gz\"/><timestamp>%lld</timestamp><size>$(stat -c%%s "
                     "primary.xml.gz)</size><open-size>$(stat -c%%s primary.xml)</open-size></data>%s</repomd>\nEND\n",
                     folder, kind, kind, kind, kind, (long long)stamp, more));
}

static void publish_plain(struct rpm_world *rpm)
{
    publish_in(rpm, "repo", "sha256", STAMP, "");
}

static void get_rpm(struct rpm_world *rpm)
{
    struct world *world = rpm->world;
    err_clear(&world->err);
    struct strings arches = {0};
    CHECK_OK(rpm_metadata_get(&world->env, &world->arena, &rpm->repository, &rpm->arch, (struct pin_wish){0},
                              &rpm->metadata, &world->err),
             &world->err);
    CHECK_OK(rpm_metadata_remember(&world->env, rpm->metadata, &world->arena, &arches, &world->err), &world->err);
}

static void check_rpm_refused(struct rpm_world *rpm, enum err_kind kind, const char *part)
{
    struct world *world = rpm->world;
    err_clear(&world->err);
    assert_false(rpm_metadata_get(&world->env, &world->arena, &rpm->repository, &rpm->arch, (struct pin_wish){0},
                                  &rpm->metadata, &world->err));
    CHECK_ERR(&world->err, kind, part);
}

static void check_primary(struct rpm_world *rpm)
{
    AUTO(buf_done) struct buf plain = {0};
    const struct rpm_metadata_file *file = rpm_metadata_find(rpm->metadata, "primary");
    assert_non_null(file);
    CHECK_OK(rpm_metadata_fetch(&rpm->world->env, rpm->metadata, file, &plain, &rpm->world->err), &rpm->world->err);
    assert_int_equal(plain.len, strlen(PRIMARY));
    assert_memory_equal(plain.bytes, PRIMARY, plain.len);
}

static void check_primary_refused(struct rpm_world *rpm, enum err_kind kind, const char *part)
{
    AUTO(buf_done) struct buf plain = {0};
    err_clear(&rpm->world->err);
    const struct rpm_metadata_file *file = rpm_metadata_find(rpm->metadata, "primary");
    assert_non_null(file);
    assert_false(rpm_metadata_fetch(&rpm->world->env, rpm->metadata, file, &plain, &rpm->world->err));
    CHECK_ERR(&rpm->world->err, kind, part);
}

static void the_files_that_repomd_lists_are_found_and_unpacked(void **state)
{
    AUTO(rpm_world_done) struct rpm_world rpm = rpm_world_new(state);
    publish_plain(&rpm);
    get_rpm(&rpm);
    assert_non_null(rpm.metadata->origin.package_keys);
    assert_int_equal(rpm.metadata->origin.date, STAMP);
    assert_int_equal(rpm.metadata->origin.uris.count, 1);
    assert_null(rpm_metadata_find(rpm.metadata, "filelists"));
    check_primary(&rpm);
}

static void sha512_is_as_good_and_found_again_without_the_network(void **state)
{
    AUTO(rpm_world_done) struct rpm_world rpm = rpm_world_new(state);
    publish_in(&rpm, "repo", "sha512", STAMP, "");
    get_rpm(&rpm);
    check_primary(&rpm);
    shell(rpm.world->keys, rpm.world->dir, "rm -rf repo");
    rpm.world->env.is_cache_only = true;
    get_rpm(&rpm);
    check_primary(&rpm);
}

static void weak_checksums_are_refused(void **state)
{
    AUTO(rpm_world_done) struct rpm_world rpm = rpm_world_new(state);
    publish_in(&rpm, "repo", "sha1", STAMP, "");
    check_rpm_refused(&rpm, ERR_TRUST, "is of type sha1; only sha256 and sha512");
    publish_in(&rpm, "repo", "md5", STAMP, "");
    check_rpm_refused(&rpm, ERR_TRUST, "is of type md5");
}

static void another_byte_in_a_file_is_noticed(void **state)
{
    AUTO(rpm_world_done) struct rpm_world rpm = rpm_world_new(state);
    publish_plain(&rpm);
    get_rpm(&rpm);
    shell(rpm.world->keys, rpm.world->dir,
          "cd repo/repodata; printf x | dd of=primary.xml.gz bs=1 seek=12 conv=notrunc status=none");
    check_primary_refused(&rpm, ERR_NETWORK, "expected sha256:");
    shell(rpm.world->keys, rpm.world->dir, "cd repo/repodata; truncate -s -1 primary.xml.gz");
    check_primary_refused(&rpm, ERR_NETWORK, "bytes, got");
}

static void another_byte_is_noticed_by_sha512_too(void **state)
{
    AUTO(rpm_world_done) struct rpm_world rpm = rpm_world_new(state);
    publish_in(&rpm, "repo", "sha512", STAMP, "");
    get_rpm(&rpm);
    shell(rpm.world->keys, rpm.world->dir,
          "cd repo/repodata; printf x | dd of=primary.xml.gz bs=1 seek=12 conv=notrunc status=none");
    check_primary_refused(&rpm, ERR_NETWORK, "expected sha512:");
    shell(rpm.world->keys, rpm.world->dir, "test -z \"$(find cache -path '*sha512*' -type f)\"");
}

static void what_unpacks_to_something_else_is_refused(void **state)
{
    AUTO(rpm_world_done) struct rpm_world rpm = rpm_world_new(state);
    publish_plain(&rpm);
    shell(rpm.world->keys, rpm.world->dir,
          "cd repo/repodata; o=$(sha256sum primary.xml | cut -c1-64); n=$(echo | sha256sum | cut -c1-64); "
          "sed -i \"s/$o/$n/\" repomd.xml");
    get_rpm(&rpm);
    check_primary_refused(&rpm, ERR_TRUST, "when unpacked, expected sha256:01ba4719c80b6fe9");
    shell(rpm.world->keys, rpm.world->dir, "sed -i 's/<open-size>/<open-size>1/' repo/repodata/repomd.xml");
    get_rpm(&rpm);
    check_primary_refused(&rpm, ERR_MALFORMED, "expected");
    shell(rpm.world->keys, rpm.world->dir, "sed -i 's/<open-size>/<open-size>9999999999/' repo/repodata/repomd.xml");
    get_rpm(&rpm);
    check_primary_refused(&rpm, ERR_MALFORMED, "when unpacked; at most");
    shell(rpm.world->keys, rpm.world->dir, "sed -i 's/<size>/<size>9999999999/' repo/repodata/repomd.xml");
    get_rpm(&rpm);
    check_primary_refused(&rpm, ERR_MALFORMED, "at most");
}

/* Repacks primary with a program and its ending. */
static void repack(struct rpm_world *rpm, const char *program, const char *ending)
{
    publish_plain(rpm);
    shell(rpm->world->keys, rpm->world->dir,
          arena_printf(&rpm->world->arena,
                       "cd repo/repodata; o=$(sha256sum primary.xml.gz | cut -c1-64); s=$(stat -c%%s primary.xml.gz); "
                       "%s <primary.xml >primary.xml%s; n=$(sha256sum primary.xml%s | cut -c1-64); "
                       "sed -i \"s/$o/$n/; s/primary.xml.gz/primary.xml%s/; s/<size>$s/<size>$(stat -c%%s "
                       "primary.xml%s)/\" repomd.xml",
                       program, ending, ending, ending, ending));
}

static void every_compression_is_unpacked(void **state)
{
    static const char *const table[][2] = {
        {"xz", ".xz"}, {"zstd -q", ".zst"}, {"bzip2", ".bz2"}, {"cat", "2"}, {"gzip -1", ".gz"}};
    AUTO(rpm_world_done) struct rpm_world rpm = rpm_world_new(state);
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        repack(&rpm, table[i][0], table[i][1]);
        get_rpm(&rpm);
        check_primary(&rpm);
    }
}

static void zchunk_is_passed_over_or_refused_in_words(void **state)
{
    AUTO(rpm_world_done) struct rpm_world rpm = rpm_world_new(state);
    publish_in(&rpm, "repo", "sha256", STAMP,
               "<data type=\"primary_zck\"><checksum type=\"sha256\">$p</checksum><header-checksum "
               "type=\"sha256\">$p</header-checksum><location href=\"repodata/primary.xml.zck\"/></data>");
    get_rpm(&rpm);
    check_primary(&rpm);
    shell(rpm.world->keys, rpm.world->dir, "sed -i 's/\"primary\"/\"other\"/' repo/repodata/repomd.xml");
    get_rpm(&rpm);
    check_primary_refused(&rpm, ERR_MALFORMED, "zchunk only, which is not supported");
}

static void sign_repomd(struct rpm_world *rpm, const char *how)
{
    shell(rpm->world->keys, rpm->world->dir,
          arena_printf(&rpm->world->arena,
                       "cd repo/repodata; rm -f repomd.xml.asc; g --armor %s --detach-sign --output repomd.xml.asc "
                       "repomd.xml",
                       how));
}

static void a_signature_is_checked_when_it_is_asked_for(void **state)
{
    AUTO(rpm_world_done) struct rpm_world rpm = rpm_world_new(state);
    publish_plain(&rpm);
    rpm.repository.is_repo_gpg_checked = true;
    check_rpm_refused(&rpm, ERR_TRUST, "is not signed (there is no repomd.xml.asc");
    sign_repomd(&rpm, "-u other@test");
    check_rpm_refused(&rpm, ERR_TRUST, "unknown key");
    sign_repomd(&rpm, "-u weak@test --digest-algo SHA1");
    check_rpm_refused(&rpm, ERR_TRUST, "repomd.xml is refused");
    sign_repomd(&rpm, "-u good@test");
    get_rpm(&rpm);
    assert_non_null(rpm.metadata->origin.signed_by);
    shell(rpm.world->keys, rpm.world->dir, "sed -i 's/<revision>1/<revision>2/' repo/repodata/repomd.xml");
    check_rpm_refused(&rpm, ERR_TRUST, "does not fit the text");
}

static void a_signed_repository_is_found_again_without_the_network(void **state)
{
    AUTO(rpm_world_done) struct rpm_world rpm = rpm_world_new(state);
    publish_plain(&rpm);
    get_rpm(&rpm);
    rpm.repository.is_repo_gpg_checked = rpm.world->env.is_cache_only = true;
    check_rpm_refused(&rpm, ERR_NETWORK, "taken without a signature");
    rpm.world->env.is_cache_only = false;
    sign_repomd(&rpm, "-u good@test");
    get_rpm(&rpm);
    shell(rpm.world->keys, rpm.world->dir, "rm -rf repo");
    rpm.world->env.is_cache_only = true;
    get_rpm(&rpm);
    assert_non_null(rpm.metadata->origin.signed_by);
    rpm.repository.base_urls.items[0] = "file:///nonexistent/never-seen";
    check_rpm_refused(&rpm, ERR_NETWORK, "never fetched");
}

static void set_key(struct rpm_world *rpm, const char *path)
{
    rpm->repository.gpg_keys.items[0] = path;
}

static void what_is_not_a_public_key_is_refused_by_its_name(void **state)
{
    AUTO(rpm_world_done) struct rpm_world rpm = rpm_world_new(state);
    struct world *world = rpm.world;
    static const struct {
        const char *name, *command, *part;
    } table[] = {
        {"empty", ":", "it is empty"},
        {"page", "echo '<html>please log in</html>'", "neither a binary nor an armoured public key"},
        {"cut", "head -c 60 \"$G\"/../good.gpg", "broken or cut"},
        {"cut.asc", "head -n 4 \"$G\"/../good.asc", "neither a binary nor an armoured"},
        {"secret", "g --export-secret-keys good@test", "secret key"},
        {"secret.asc", "g --armor --export-secret-keys good@test", "neither a binary nor"},
        {"signature", "echo x | g -u good@test --detach-sign", "a signature, not a key"},
        {"noise", "head -c 4096 /dev/zero | tr '\\0' '\\377'", "broken or cut"},
        {"unbound", "cat \"$G\"/../good.gpg; printf '\\316\\006\\004\\001\\001\\001\\001\\026'",
         "not bound to its key"},
        {"hidden", "cat \"$G\"/../good.gpg; printf '\\306\\377\\377\\377\\377\\377abc'", "broken or cut"},
    };
    publish_plain(&rpm);
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        shell(world->keys, world->dir, arena_printf(&world->arena, "{ %s; } >%s", table[i].command, table[i].name));
        set_key(&rpm, arena_printf(&world->arena, "%s/%s", world->dir, table[i].name));
        check_rpm_refused(&rpm, ERR_TRUST, table[i].part);
        CHECK_ERR(&world->err, ERR_TRUST, rpm.repository.gpg_keys.items[0]);
    }
    set_key(&rpm, "/nonexistent/key");
    check_rpm_refused(&rpm, ERR_TRUST, "/nonexistent/key: No such file");
    set_key(&rpm, "http://key.test/key");
    check_rpm_refused(&rpm, ERR_TRUST, "in the clear");
    rpm.repository.gpg_keys.count = 0;
    check_rpm_refused(&rpm, ERR_TRUST, "no public key");
}

static void keys_of_each_form_and_place_are_joined(void **state)
{
    AUTO(rpm_world_done) struct rpm_world rpm = rpm_world_new(state);
    publish_plain(&rpm);
    rpm.repository.is_repo_gpg_checked = true;
    sign_repomd(&rpm, "-u other@test");
    set_key(&rpm, key_path(rpm.world, "good.asc"));
    list_add(&rpm.world->arena, &rpm.repository.gpg_keys,
             arena_printf(&rpm.world->arena, "file://%s", key_path(rpm.world, "other.gpg")));
    get_rpm(&rpm);
    assert_int_equal(rpm.metadata->origin.package_keys->places.count, 2);
}

static void an_older_repository_is_not_taken_again(void **state)
{
    AUTO(rpm_world_done) struct rpm_world rpm = rpm_world_new(state);
    publish_plain(&rpm);
    get_rpm(&rpm);
    publish_in(&rpm, "repo", "sha256", STAMP - 1, "");
    check_rpm_refused(&rpm, ERR_TRUST, "older than the last accepted one");
    publish_in(&rpm, "repo", "sha256", STAMP + 1, "");
    get_rpm(&rpm);
    publish_in(&rpm, "repo", "sha256", rpm.world->env.now + 3600, "");
    check_rpm_refused(&rpm, ERR_TRUST, "in the future");
    shell(rpm.world->keys, rpm.world->dir, "sed -i 's/<timestamp>[0-9]*/<timestamp>0/' repo/repodata/repomd.xml");
    check_rpm_refused(&rpm, ERR_TRUST, "older than");
}

/* Writes D/metalink with the SHA-256 of what D/FOLDER has, and mirrors in this order. */
static void put_metalink(struct rpm_world *rpm, const char *folder, const char *mirrors)
{
    struct world *world = rpm->world;
    shell(
        world->keys, world->dir,
        arena_printf(&world->arena,
                     "h=$(sha256sum %s/repodata/repomd.xml | cut -c1-64); { echo '<metalink version=\"3.0\" "
                     "xmlns=\"http://www.metalinker.org/\"><files><file name=\"repomd.xml\"><verification>'; echo "
                     "\"<hash type=\\\"sha256\\\">$h</hash></verification><resources>\"; for m in %s; do echo \"<url "
                     "protocol=\\\"file\\\" preference=\\\"9\\\">file://$D/$m/repodata/repomd.xml</url>\"; done; echo "
                     "'</resources></file></files></metalink>'; } >metalink",
                     folder, mirrors));
    rpm->repository.base_urls.count = 0;
    rpm->repository.metalink = arena_printf(&world->arena, "file://%s/metalink", world->dir);
}

static void check_from(const struct rpm_world *rpm, const char *folder)
{
    assert_string_equal(rpm->metadata->origin.uri,
                        arena_printf(&rpm->world->arena, "file://%s/%s/", rpm->world->dir, folder));
}

static void a_mirror_that_the_metalink_does_not_know_is_passed_over(void **state)
{
    AUTO(rpm_world_done) struct rpm_world rpm = rpm_world_new(state);
    publish_in(&rpm, "stale", "sha256", STAMP - 5, "");
    publish_in(&rpm, "broken", "sha256", STAMP, "");
    publish_in(&rpm, "right", "sha256", STAMP, "");
    shell(rpm.world->keys, rpm.world->dir, "truncate -s 100 broken/repodata/repomd.xml; mkdir empty");
    put_metalink(&rpm, "right", "empty stale broken right");
    get_rpm(&rpm);
    check_from(&rpm, "right");
    assert_int_equal(rpm.metadata->origin.uris.count, 4);
    check_primary(&rpm);
    put_metalink(&rpm, "right", "empty stale broken");
    check_rpm_refused(&rpm, ERR_TRUST, "has no hash of the metalink");
}

static void a_repository_is_called_alike_whichever_mirror_answered(void **state)
{
    AUTO(rpm_world_done) struct rpm_world rpm = rpm_world_new(state);
    struct arena *arena = &rpm.world->arena;
    publish_in(&rpm, "one", "sha256", STAMP, "");
    shell(rpm.world->keys, rpm.world->dir, "cp -r one two");
    put_metalink(&rpm, "one", "one two");
    get_rpm(&rpm);
    const char *name = arena_strdup(arena, rpm.metadata->origin.name),
               *identity = arena_strdup(arena, origin_identity(&rpm.metadata->origin));
    put_metalink(&rpm, "one", "two one");
    get_rpm(&rpm);
    assert_string_not_equal(rpm.metadata->origin.name, name);
    assert_string_equal(origin_identity(&rpm.metadata->origin), identity);
    assert_non_null(strstr(identity, "/metalink"));
}

static void a_file_that_one_mirror_lacks_comes_from_another(void **state)
{
    AUTO(rpm_world_done) struct rpm_world rpm = rpm_world_new(state);
    publish_plain(&rpm);
    shell(rpm.world->keys, rpm.world->dir,
          "cp -r repo second; cp -r repo third; rm repo/repodata/primary*; echo x >second/repodata/primary.xml.gz");
    put_metalink(&rpm, "repo", "repo second third");
    get_rpm(&rpm);
    check_from(&rpm, "repo");
    check_primary(&rpm);
}

static void a_mirror_list_and_what_it_names_get_variables(void **state)
{
    AUTO(rpm_world_done) struct rpm_world rpm = rpm_world_new(state);
    struct world *world = rpm.world;
    publish_in(&rpm, "aarch64", "sha256", STAMP, "");
    shell(world->keys, world->dir, "echo \"file://$D/\\$basearch\" >list-aarch64");
    rpm.repository.base_urls.count = 0;
    rpm.repository.mirrorlist = arena_printf(&world->arena, "file://%s/list-$arch", world->dir);
    get_rpm(&rpm);
    check_from(&rpm, "aarch64");
    arch_rename(&world->arena, &rpm.arch, &format_rpm, "s390x");
    check_rpm_refused(&rpm, ERR_NETWORK, "list-s390x");
}

static void an_optional_repository_is_left_out_when_it_was_never_there(void **state)
{
    AUTO(rpm_world_done) struct rpm_world rpm = rpm_world_new(state);
    struct world *world = rpm.world;
    rpm.repository.is_optional = true;
    CHECK_OK(rpm_metadata_get(&world->env, &world->arena, &rpm.repository, &rpm.arch, (struct pin_wish){0},
                              &rpm.metadata, &world->err),
             &world->err);
    assert_null(rpm.metadata);
    publish_plain(&rpm);
    get_rpm(&rpm);
    assert_non_null(rpm.metadata);
    shell(world->keys, world->dir, "rm -r repo");
    check_rpm_refused(&rpm, ERR_NETWORK, "accepted before");
    publish_in(&rpm, "repo", "sha1", STAMP, "");
    check_rpm_refused(&rpm, ERR_TRUST, "of type sha1");
}

static void without_any_check_there_are_no_keys(void **state)
{
    AUTO(rpm_world_done) struct rpm_world rpm = rpm_world_new(state);
    publish_plain(&rpm);
    rpm.repository.is_gpg_checked = false;
    set_key(&rpm, "/nonexistent");
    get_rpm(&rpm);
    assert_null(rpm.metadata->origin.package_keys);
    assert_null(rpm.metadata->origin.signed_by);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_files_that_repomd_lists_are_found_and_unpacked),
        cmocka_unit_test(sha512_is_as_good_and_found_again_without_the_network),
        cmocka_unit_test(weak_checksums_are_refused),
        cmocka_unit_test(another_byte_in_a_file_is_noticed),
        cmocka_unit_test(another_byte_is_noticed_by_sha512_too),
        cmocka_unit_test(what_unpacks_to_something_else_is_refused),
        cmocka_unit_test(every_compression_is_unpacked),
        cmocka_unit_test(zchunk_is_passed_over_or_refused_in_words),
        cmocka_unit_test(a_signature_is_checked_when_it_is_asked_for),
        cmocka_unit_test(a_signed_repository_is_found_again_without_the_network),
        cmocka_unit_test(what_is_not_a_public_key_is_refused_by_its_name),
        cmocka_unit_test(keys_of_each_form_and_place_are_joined),
        cmocka_unit_test(an_older_repository_is_not_taken_again),
        cmocka_unit_test(a_mirror_that_the_metalink_does_not_know_is_passed_over),
        cmocka_unit_test(a_repository_is_called_alike_whichever_mirror_answered),
        cmocka_unit_test(a_file_that_one_mirror_lacks_comes_from_another),
        cmocka_unit_test(a_mirror_list_and_what_it_names_get_variables),
        cmocka_unit_test(an_optional_repository_is_left_out_when_it_was_never_there),
        cmocka_unit_test(without_any_check_there_are_no_keys),
    };
    return cmocka_run_group_tests(tests, keys_make, keys_drop);
}
