#include "deb/deb_format_parts.h"
#include "deb/package_control.h"

static const char *package_fault(const struct package *package)
{
    return package_fact(package, DEB_CONTROL) ? NULL : "a Debian package without control file";
}

static const char *const install_scripts[] = {"preinst", "postinst", NULL};

const struct format format_deb = {
    .name = "deb",
    .unpack = deb_unpack,
    .package_fault = package_fault,
    .identity_place = "control file",
    .install_scripts = install_scripts,
    .database = deb_database,
};
