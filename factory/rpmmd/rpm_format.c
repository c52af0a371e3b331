/* SPDX-License-Identifier: Apache-2.0 */
#include "rpmmd/rpm_format.h"

#include "rpm/rpm_changelog.h"
#include "rpm/rpm_facts.h"
#include "rpm/rpm_installed.h"
#include "rpm/rpm_record.h"
#include "rpm/rpm_unpack.h"
#include "rpm/rpm_version.h"
#include "rpmmd/rpm_arch.h"
#include "rpmmd/rpm_catalog.h"
#include "rpmmd/rpm_metadata.h"
#include "rpmmd/rpm_mirrors.h"
#include "rpmmd/updateinfo.h"
#include "rpmmd/yum_repos.h"
#include "trust/freshness.h"

static const char *host_place(struct arena *arena, const char *root)
{
    return arena_printf(arena, "dnf's (%s/etc/yum.repos.d/*.repo)", root);
}

static struct source source_of(const char *name, const struct rpm_source *source)
{
    return (struct source){.format = &format_rpm, .name = name, .configured = source};
}

static bool load_host(struct arena *arena, const char *root, struct source *ret_source, struct err *err)
{
    struct rpm_source *source = arena_new(arena, struct rpm_source);
    if (!yum_repos_load(arena, root, source, err))
        return false;
    *ret_source = source_of("host", source);
    return true;
}

/* The root plays no part: no key of an RPM source's takes anything from the host. */
static bool load_node(struct arena *arena, const struct yaml_node *node, const char *root, struct source *ret_source,
                      struct err *err)
{
    struct rpm_source *source = arena_new(arena, struct rpm_source);
    (void)root;
    if (!rpm_source_load_node(arena, node, source, err))
        return false;
    *ret_source = source_of(node->file->path, source);
    return true;
}

static bool replace_suites(struct arena *arena, struct source *source, const char *suites, struct err *err)
{
    (void)arena, (void)suites;
    err_set(err, ERR_USAGE, "source %s has no repository whose suite could be replaced", source->name);
    return false;
}

/* A path with the architecture in it stands for its folder. */
static void list_files(struct arena *arena, const struct source *source, struct strings *ret_paths)
{
    const struct rpm_source *configured = rpm_source_of(source);
    *ret_paths = (struct strings){0};
    for (size_t i = 0; i < configured->repositories.count; i++) {
        const struct strings *keys = &configured->repositories.items[i].gpg_keys;
        for (size_t j = 0; j < keys->count; j++) {
            const char *key = keys->items[j], *path = strncmp(key, "file://", 7) == 0 ? key + 7 : key;
            size_t len = strcspn(path, "$");
            while (path[len] == '$' && len > 1 && path[len - 1] != '/')
                len--;
            if (path[0] == '/' && len > 1)
                list_add(arena, ret_paths, arena_strndup(arena, path, len));
        }
        rpm_mirrors_add_local(arena, &configured->repositories.items[i], ret_paths);
        source_add_local(arena, configured->repositories.items[i].snapshot, ret_paths);
    }
}

/* A repository is one per architecture. */
static bool share(const struct source_env *env, struct arena *arena, const struct source *source, void **ret_shared,
                  struct err *err)
{
    (void)env, (void)arena, (void)source, (void)err;
    *ret_shared = NULL;
    return true;
}

static bool open_catalog(const struct catalog_request *request, struct catalog **ret_catalog, struct err *err)
{
    return rpm_catalog_open(request->env, request->workers, request->source, request->arch, ret_catalog, err);
}

static const char *package_fault(const struct package *package)
{
    return package_fact(package, RPM_VERSION) && package_fact(package, RPM_RELEASE)
               ? NULL
               : "an RPM package without version or release";
}

static const char *license(struct arena *arena, const struct package *package)
{
    return arena_strdup(arena, package_fact(package, RPM_LICENSE));
}

static const char *installed_license(struct arena *arena, const struct ground *ground,
                                     const struct installed_package *package)
{
    (void)arena, (void)ground;
    return package->license;
}

static const char *const install_scripts[] = {"pretrans", "prein", "postin", "posttrans", NULL};
static const char *const install_arguments[] = {"1", "1", "1", "1"};

static enum configuration configuration(const struct entry *entry)
{
    return entry->configuration;
}

const struct format format_rpm = {
    .name = "rpm",
    .arch_keys = rpm_arch_keys,
    .host_has = yum_repos_exist,
    .host_place = host_place,
    .load_host = load_host,
    .load_node = load_node,
    .source_keys = rpm_source_keys,
    .replace_suites = replace_suites,
    .freshness = rpm_freshness,
    .list_files = list_files,
    .share = share,
    .open_catalog = open_catalog,
    .unpack = rpm_unpack,
    .record = rpm_record,
    .file_ending = ".rpm",
    .purl = {.is_epoch_apart = true, .source_arch = "src", .source_ending = ".src.rpm"},
    .compare_versions = rpm_version_compare,
    .changelog = rpm_changelog,
    .advisories = rpm_advisories,
    .license = license,
    .package_fault = package_fault,
    .identity_place = "header",
    .install_scripts = install_scripts,
    .install_arguments = install_arguments,
    .lists_older = true,
    .is_release_free = true,
    .configuration = configuration,
    .marks_documentation = true,
    .sets_rights = true,
    .database = rpm_database,
    .alternatives_dir = "/var/lib/alternatives",
    .configure_command = "dnf reinstall",
    .installed_read = rpm_installed_read,
    .listed_read = rpm_manifest_read,
    .installed_license = installed_license,
    .installed_owner = rpm_installed_owner,
    .installed_continue = rpm_installed_continue,
};
