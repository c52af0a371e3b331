/* rpm_metadata: mirrors, signatures, age and the chain of checksums of an RPM-MD repository. */
#include "signed_repo.h"

#include "source/keyring.h"
#include "source/rpm_metadata.h"

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
    struct rpm_world rpm = {.world = world, .arch = {.name = "aarch64", .rpm_name = "aarch64"}};
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
    CHECK_OK(rpm_metadata_get(&world->env, &world->arena, &rpm->repository, &rpm->arch, &rpm->metadata, &world->err),
             &world->err);
}

static void check_rpm_refused(struct rpm_world *rpm, enum err_kind kind, const char *part)
{
    struct world *world = rpm->world;
    err_clear(&world->err);
    assert_false(
        rpm_metadata_get(&world->env, &world->arena, &rpm->repository, &rpm->arch, &rpm->metadata, &world->err));
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
    check_primary_refused(&rpm, ERR_TRUST, "expected sha256:");
    shell(rpm.world->keys, rpm.world->dir, "cd repo/repodata; truncate -s -1 primary.xml.gz");
    check_primary_refused(&rpm, ERR_TRUST, "bytes, got");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_files_that_repomd_lists_are_found_and_unpacked),
        cmocka_unit_test(sha512_is_as_good_and_found_again_without_the_network),
        cmocka_unit_test(weak_checksums_are_refused),
        cmocka_unit_test(another_byte_in_a_file_is_noticed),
    };
    return cmocka_run_group_tests(tests, keys_make, keys_drop);
}
