/* SPDX-License-Identifier: Apache-2.0 */
#include "base/auto.h"
#include "deb/deb_arch.h"
#include "deb/deb_catalog.h"
#include "deb/deb_changelog.h"
#include "deb/deb_format_parts.h"
#include "deb/deb_installed.h"
#include "deb/deb_library.h"
#include "deb/deb_license.h"
#include "deb/deb_record.h"
#include "deb/deb_source.h"
#include "deb/deb_version.h"
#include "deb/package_control.h"
#include "trust/freshness.h"

static const char *apt_dir(struct arena *arena, const char *root)
{
    return arena_printf(arena, "%s/etc/apt", root);
}

static bool host_has(const char *root, bool *ret_has, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    return apt_has_sources(apt_dir(&scratch, root), ret_has, err);
}

static const char *host_place(struct arena *arena, const char *root)
{
    return arena_printf(arena, "apt's configuration (%s/sources.list, sources.list.d/*.list, *.sources)",
                        apt_dir(arena, root));
}

static struct source source_of(const char *name, const struct deb_source *source)
{
    return (struct source){.format = &format_deb, .name = name, .configured = source};
}

static bool load_host(struct arena *arena, const char *root, struct source *ret_source, struct err *err)
{
    struct deb_source *source = arena_new(arena, struct deb_source);
    if (!apt_load_sources(arena, apt_dir(arena, root), source, err))
        return false;
    *ret_source = source_of("host", source);
    return true;
}

static bool load_node(struct arena *arena, const struct yaml_node *node, const char *root, struct source *ret_source,
                      struct err *err)
{
    struct deb_source *source = arena_new(arena, struct deb_source);
    if (!deb_source_load_node(arena, node, apt_dir(arena, root), source, err))
        return false;
    *ret_source = source_of(node->file->path, source);
    return true;
}

static bool replace_suites(struct arena *arena, struct source *source, const char *suites, struct err *err)
{
    struct deb_source *replaced = arena_new(arena, struct deb_source);
    *replaced = *deb_source_of(source);
    if (!deb_source_replace_suites(arena, replaced, suites, err))
        return false;
    source->configured = replaced;
    return true;
}

static bool share(const struct source_env *env, struct arena *arena, const struct source *source, void **ret_shared,
                  struct err *err)
{
    struct releases *releases;
    if (!releases_get(env, arena, source, &releases, err))
        return false;
    *ret_shared = releases;
    return true;
}

static bool open_catalog(const struct catalog_request *request, struct catalog **ret_catalog, struct err *err)
{
    return deb_catalog_open(request->env, request->workers, request->shared, request->arch, ret_catalog, err);
}

static void list_files(struct arena *arena, const struct source *source, struct strings *ret_paths)
{
    const struct deb_source *configured = deb_source_of(source);
    *ret_paths = (struct strings){0};
    for (size_t i = 0; i < configured->repositories.count; i++) {
        const struct strings *keyrings = &configured->repositories.items[i].keyrings;
        for (size_t j = 0; j < keyrings->count; j++)
            list_add(arena, ret_paths, keyrings->items[j]);
        for (size_t j = 0; j < configured->repositories.items[i].uris.count; j++)
            source_add_local(arena, configured->repositories.items[i].uris.items[j], ret_paths);
        source_add_local(arena, configured->repositories.items[i].snapshot, ret_paths);
    }
}

static const char *package_fault(const struct package *package)
{
    return package_fact(package, DEB_CONTROL) ? NULL : "a Debian package without control file";
}

static int compare_versions(const char *a, const char *b)
{
    return deb_version_compare(text_of(a), text_of(b));
}

static const char *const install_scripts[] = {"preinst", "postinst", NULL};
static const char *const install_arguments[] = {"install", "configure"};

/* Policy 10.7 wants configuration below /etc, and debhelper makes a conffile of whatever a package ships there. */
static enum configuration configuration(const struct entry *entry)
{
    return strncmp(entry->path, "/etc/", strlen("/etc/")) == 0 ? CONFIGURATION_CONFFILE : CONFIGURATION_NONE;
}

const struct format format_deb = {
    .name = "deb",
    .arch_keys = deb_arch_keys,
    .host_has = host_has,
    .host_place = host_place,
    .load_host = load_host,
    .load_node = load_node,
    .source_keys = deb_source_keys,
    .replace_suites = replace_suites,
    .freshness = deb_freshness,
    .list_files = list_files,
    .share = share,
    .open_catalog = open_catalog,
    .unpack = deb_unpack,
    .record = deb_record,
    .file_ending = ".deb",
    .purl = {.source_arch = "source"},
    .changelog = deb_changelog,
    .library_packages = deb_library_packages,
    .license = deb_license,
    .package_fault = package_fault,
    .identity_place = "control file",
    .configuration = configuration,
    .compare_versions = compare_versions,
    .install_scripts = install_scripts,
    .install_arguments = install_arguments,
    .database = deb_database,
    .alternatives_dir = "/var/lib/dpkg/alternatives",
    .configure_command = "dpkg --configure -a",
    .installed_read = deb_installed_read,
    .installed_license = deb_installed_license,
    .installed_owner = deb_installed_owner,
    .installed_continue = deb_installed_continue,
};
